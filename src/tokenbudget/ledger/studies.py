"""Studies of transcripts, kept as bytes, and what they are made of; `Ledger.studies` gives it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenbudget.ledger import thread_calls
from tokenbudget.ledger.connection import Transaction
from tokenbudget.ledger.files import shown_path
from tokenbudget.ledger.windows import REQUEST_COLUMNS, REQUEST_NAMES, RequestRow, WindowFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from tokenbudget.ledger.connection import Told
    from tokenbudget.ledger.thread_calls import CallRow


class StudiedFile(NamedTuple):
    """A transcript that requests are billed to, and what the ledger knows of it."""

    file: WindowFile
    detail_offset: int
    """Bytes whose tool calls are in the ledger."""
    project: str
    bill: str
    """What is billed to it, as a text that changes when any of that does: a copy in another file
    may take a request over, or tell more of one."""
    session_ids: tuple[int, ...]
    """Of those requests."""


class BilledRequest(NamedTuple):
    """A request that a file owns."""

    request: RequestRow
    web_search_requests: int
    attempts: tuple[RequestRow, ...]
    """Earlier ones, each with its own model and tokens."""


_BILLS = """
SELECT file_id, session_id, count(*), sum(input_tokens), sum(output_tokens),
       sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(cache_read_tokens),
       sum(web_search_requests), sum(model_id * (1 + speed + 3 * service_tier)),
       sum(started_at_ms / 1000)
FROM response GROUP BY 1, 2
UNION ALL
SELECT r.file_id, r.session_id, count(*), sum(i.input_tokens), sum(i.output_tokens),
       sum(i.cache_write_5m_tokens), sum(i.cache_write_1h_tokens), sum(i.cache_read_tokens),
       0, sum(i.model_id), -1
FROM response_iteration i JOIN response r ON r.id = i.response_id GROUP BY 1, 2
"""
"""Of requests, and behind them of their earlier attempts."""
_FILES = """
SELECT f.id, f.path, f.session, f.is_subagent, f.size_bytes, f.mtime_ns, f.gone_at_ms IS NOT NULL,
       ifnull(m.measured_bytes, 0), ifnull(m.size_bytes, 0), ifnull(m.mtime_ns, 0),
       ifnull(m.head_sum, 0), ifnull(m.tail_sum, 0), ifnull(m.counter, ''),
       f.detail_offset, ifnull(p.path, '')
FROM file f LEFT JOIN measured_file m ON m.file_id = f.id LEFT JOIN project p ON p.id = f.project_id
"""
_ATTEMPTS = """
SELECT i.response_id, m.name, i.input_tokens, i.cache_write_5m_tokens, i.cache_write_1h_tokens,
       i.cache_read_tokens, i.output_tokens
FROM response r JOIN response_iteration i ON i.response_id = r.id JOIN model m ON m.id = i.model_id
WHERE r.session_id = ? AND r.file_id = ? ORDER BY 1, i.position
"""


class StudyStore:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told) -> None:
        self._connection = connection
        self._told = told

    def files(self, session: str = "") -> list[StudiedFile]:
        """Every transcript that a request is billed to, also those that are gone; by id.

        With a session, those that one of its requests is billed to.
        """
        with self._told:
            bills: dict[int, list[tuple[int, ...]]] = {}
            for file_id, *bill in self._connection.execute(_BILLS):
                bills.setdefault(file_id, []).append(tuple(bill))
            wanted = self._files_of(session) if session else set(bills)
            rows = self._connection.execute(_FILES + " ORDER BY f.id").fetchall()
        return [_studied(row, bills[row[0]]) for row in rows if row[0] in wanted]

    def kept(self, session: str = "") -> dict[int, tuple[str, bytes]]:
        """(made_of, body) of every kept study, or those of a session's files, by file."""
        sql = "SELECT file_id, made_of, body FROM study"
        with self._told:
            if not session:
                rows = self._connection.execute(sql).fetchall()
            else:
                ids = [(file_id,) for file_id in sorted(self._files_of(session))]
                found = (self._connection.execute(sql + " WHERE file_id = ?", one) for one in ids)
                rows = [row for cursor in found for row in cursor]
        return {file_id: (made_of, body) for file_id, made_of, body in rows}

    def _files_of(self, session: str) -> set[int]:
        rows = self._connection.execute(
            "SELECT DISTINCT r.file_id FROM session s JOIN response r ON r.session_id = s.id"
            " WHERE s.name = ?",
            (session,),
        )
        return {file_id for (file_id,) in rows}

    def keep(self, rows: Iterable[tuple[int, str, bytes]]) -> None:
        """Keep studies: (file id, made_of, body), each in place of the file's older one."""
        with self._told, Transaction(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO study VALUES (?, ?, ?)", rows)

    def billed(self, file_id: int, session_ids: Sequence[int]) -> list[BilledRequest]:
        """The requests that a file owns, in the order of their time."""
        found: list[BilledRequest] = []
        with self._told:
            for session_id in session_ids:
                found += self._billed(file_id, session_id)
        return sorted(found, key=lambda billed: billed.request.started_at_ms)

    def _billed(self, file_id: int, session_id: int) -> list[BilledRequest]:
        here = (session_id, file_id)
        attempts: dict[int, list[tuple[object, ...]]] = {}
        for response_id, *attempt in self._connection.execute(_ATTEMPTS, here):
            attempts.setdefault(response_id, []).append(tuple(attempt))
        rows = self._connection.execute(
            REQUEST_COLUMNS
            + ", r.web_search_requests, r.id FROM response r INDEXED BY response_session"
            + REQUEST_NAMES
            + " WHERE r.session_id = ? AND r.file_id = ?",
            here,
        ).fetchall()
        found: list[BilledRequest] = []
        for *fields, searches, response_id in rows:
            request = RequestRow(*fields)
            earlier = attempts.get(response_id, ())
            found.append(
                BilledRequest(request, searches, tuple(_attempt(request, row) for row in earlier))
            )
        return found

    def calls(self, file_id: int) -> list[CallRow]:
        """The tool calls that a file's pieces show; see `thread_calls.calls_of_file`."""
        with self._told:
            return thread_calls.calls_of_file(self._connection, file_id)

    def branches(self) -> dict[str, str]:
        """The git branch that each session was seen on last; '' where that is not known."""
        with self._told:
            return dict(self._connection.execute("SELECT name, git_branch FROM session"))


def _studied(row: Sequence[Any], bills: list[tuple[int, ...]]) -> StudiedFile:
    file_id, path, session, is_subagent, size, mtime, is_gone, *measured, detail, project = row
    place = (file_id, shown_path(path), session, bool(is_subagent))
    file = WindowFile(*place, size, mtime, bool(is_gone), *measured)
    return StudiedFile(
        file, detail, project, repr(bills), tuple(dict.fromkeys(bill[0] for bill in bills))
    )


def _attempt(request: RequestRow, row: Sequence[Any]) -> RequestRow:
    model, input_tokens, write_5m, write_1h, read, output = row
    return request._replace(
        model=model,
        input_tokens=input_tokens,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        cache_read_tokens=read,
        output_tokens=output,
    )
