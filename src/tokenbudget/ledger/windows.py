"""Pieces of context windows: what was counted, and the requests that carried it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenbudget.ledger.files import shown_path
from tokenbudget.model.window import Measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence


class WindowFile(NamedTuple):
    """A transcript, how large it is, and how far its pieces have been counted (0: not at all)."""

    file_id: int
    path: str
    session: str
    is_subagent: bool
    size_bytes: int
    mtime_ns: int
    is_gone: bool
    measured_bytes: int
    measured_size_bytes: int
    measured_mtime_ns: int
    head_sum: int
    tail_sum: int
    counter: str


class PieceRow(NamedTuple):
    """A counted piece, or an event; see `model.window`."""

    byte_offset: int
    position: int
    thread: str
    kind: str
    name: str
    target: str
    link: str
    size_bytes: int
    measure: Measure


class RequestRow(NamedTuple):
    """What a request reported. `prompt_tokens` is everything that it sent; None: not reported."""

    key: str
    file_id: int
    model: str
    started_at_ms: int
    input_tokens: int | None
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    output_tokens: int
    thinking_tokens: int | None
    has_stop_reason: bool
    speed: int
    service_tier: int
    session: str

    @property
    def prompt_tokens(self) -> int | None:
        """Everything that the request sent."""
        if self.input_tokens is None:
            return None
        writes = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + writes + self.cache_read_tokens


FILES = """
SELECT f.id, f.path, f.session, f.is_subagent, f.size_bytes, f.mtime_ns, f.gone_at_ms IS NOT NULL,
       ifnull(m.measured_bytes, 0), ifnull(m.size_bytes, 0), ifnull(m.mtime_ns, 0),
       ifnull(m.head_sum, 0), ifnull(m.tail_sum, 0), ifnull(m.counter, '')
FROM file f LEFT JOIN measured_file m ON m.file_id = f.id
"""


def files_of_session(connection: sqlite3.Connection, session: str) -> list[WindowFile]:
    """The transcripts of a session, its main thread and what was used last first.

    Where no file bears its name, the files in which its responses stand: a resume of an older
    client goes on under a new id in the same file.
    """
    rows = connection.execute(
        FILES + " WHERE f.session = ? AND f.usage_offset > 0"
        " ORDER BY f.is_subagent, f.gone_at_ms IS NOT NULL, f.mtime_ns DESC, f.id",
        (session,),
    ).fetchall()
    rows = (
        rows
        or connection.execute(
            FILES + " WHERE f.id IN (SELECT r.file_id FROM response r"
            " JOIN session s ON s.id = r.session_id WHERE s.name = ?)"
            " ORDER BY f.is_subagent, f.gone_at_ms IS NOT NULL, f.mtime_ns DESC, f.id",
            (session,),
        ).fetchall()
    )
    return [file_row(row) for row in rows]


def files_of_model(
    connection: sqlite3.Connection, model: str, limit: int, before_ms: int
) -> list[WindowFile]:
    """Transcripts that are still there with responses of a model, the one used last first."""
    rows = connection.execute(
        FILES + " JOIN (SELECT file_id, max(started_at_ms) AS at FROM response"
        "  WHERE model_id = (SELECT id FROM model WHERE name = ?1) AND started_at_ms <= ?2"
        "  GROUP BY file_id) u ON u.file_id = f.id"
        " WHERE f.gone_at_ms IS NULL ORDER BY u.at DESC LIMIT ?3",
        (model, before_ms, limit),
    )
    return [file_row(row) for row in rows]


def all_files(connection: sqlite3.Connection) -> list[WindowFile]:
    """Every transcript that is still there, largest first."""
    rows = connection.execute(FILES + " WHERE f.gone_at_ms IS NULL ORDER BY f.size_bytes DESC")
    return [file_row(row) for row in rows]


def measured_files(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """(id, session) of files whose pieces have been counted, the one written last at the end.

    Files of one moment go by path: ids are given by whichever process reads faster.
    """
    return connection.execute(
        "SELECT f.id, f.session FROM measured_file m JOIN file f ON f.id = m.file_id"
        " ORDER BY f.mtime_ns, f.path"
    ).fetchall()


def file_row(row: Sequence[Any]) -> WindowFile:
    """What a row of `FILES` tells."""
    file_id, path, session, is_subagent, size_bytes, mtime_ns, is_gone, *measured = row
    place = (file_id, shown_path(path), session, bool(is_subagent))
    return WindowFile(*place, size_bytes, mtime_ns, bool(is_gone), *measured)


PIECES = """
SELECT byte_offset, position, thread, kind, name, target, link, size_bytes, bpe_tokens,
       lower_bytes, upper_bytes, digit_bytes, space_bytes, line_bytes, sign_bytes, high_bytes
FROM piece WHERE file_id = ?
"""


def pieces(connection: sqlite3.Connection, file_id: int) -> list[PieceRow]:
    """What was counted of a file, in order."""
    rows = connection.execute(PIECES + " ORDER BY byte_offset, position", (file_id,))
    return [piece_row(row) for row in rows]


def piece_row(row: Sequence[Any]) -> PieceRow:
    """What a row of `PIECES` tells."""
    return PieceRow._make((*row[:8], Measure._make(row[8:])))


REQUEST_COLUMNS = """
SELECT r.key, r.file_id, m.name, r.started_at_ms, r.input_tokens,
       ifnull(r.cache_write_5m_tokens, 0), ifnull(r.cache_write_1h_tokens, 0),
       ifnull(r.cache_read_tokens, 0), ifnull(r.output_tokens, 0), r.thinking_tokens,
       r.has_stop_reason, r.speed, r.service_tier, s.name
"""
REQUEST_NAMES = " JOIN model m ON m.id = r.model_id JOIN session s ON s.id = r.session_id"


def requests(connection: sqlite3.Connection, file_id: int) -> dict[str, RequestRow]:
    """The requests whose answers a file's pieces are part of, by key."""
    rows = connection.execute(
        REQUEST_COLUMNS + " FROM (SELECT DISTINCT link FROM piece WHERE file_id = ?"
        "  AND kind IN ('text', 'thinking', 'tool_use', 'other') AND link <> '') p"
        " CROSS JOIN response r ON r.key = p.link" + REQUEST_NAMES,
        (file_id,),
    )
    return {row[0]: RequestRow(*row) for row in rows}


def recent_requests(
    connection: sqlite3.Connection, limit: int, before_ms: int
) -> dict[int, list[RequestRow]]:
    """The newest main-thread requests by session, each session's in order of time."""
    rows = connection.execute(
        REQUEST_COLUMNS
        + ", r.session_id FROM response r"
        + REQUEST_NAMES
        + " WHERE r.started_at_ms < ? AND r.is_sidechain = 0 AND r.input_tokens IS NOT NULL"
        " ORDER BY r.started_at_ms DESC LIMIT ?",
        (before_ms, limit),
    ).fetchall()
    found: dict[int, list[RequestRow]] = {}
    for row in reversed(rows):
        found.setdefault(row[-1], []).append(RequestRow(*row[:-1]))
    return found


def store_pieces(
    connection: sqlite3.Connection,
    file: WindowFile,
    counter: str,
    rows: Iterable[tuple[object, ...]],
    *,
    goes_on_from: WindowFile | None,
) -> bool:
    """Keep counted pieces: all of a file, or those behind `goes_on_from`; the caller commits.

    False, and nothing is kept, where the pieces before them are no longer what they were: another
    process has counted or dropped them meanwhile. A row is `PieceRow` with the fields of its
    measure in place of it.
    """
    if goes_on_from is None:
        connection.execute("DELETE FROM piece WHERE file_id = ?", (file.file_id,))
    elif _measured(connection, file.file_id) != _state(goes_on_from):
        return False
    connection.executemany(
        f"INSERT OR REPLACE INTO piece VALUES ({file.file_id}" + ", ?" * 16 + ")", rows
    )
    connection.execute(
        "INSERT OR REPLACE INTO measured_file VALUES (?, ?, ?, ?, ?, ?, ?)",
        (file.file_id, *_state(file)[:-1], counter),
    )
    return True


def _state(file: WindowFile) -> tuple[object, ...]:
    """What `measured_file` holds of a file."""
    return (
        file.measured_bytes,
        file.measured_size_bytes,
        file.measured_mtime_ns,
        file.head_sum,
        file.tail_sum,
        file.counter,
    )


def _measured(connection: sqlite3.Connection, file_id: int) -> tuple[object, ...] | None:
    row: tuple[object, ...] | None = connection.execute(
        "SELECT measured_bytes, size_bytes, mtime_ns, head_sum, tail_sum, counter"
        " FROM measured_file WHERE file_id = ?",
        (file_id,),
    ).fetchone()
    return row


def snapshot(connection: sqlite3.Connection, file_id: int, thread: str, made_of: str) -> str | None:
    """What was kept of a thread's window, if it was made of the same."""
    row = connection.execute(
        "SELECT body FROM window_snapshot WHERE file_id = ? AND thread = ? AND made_of = ?",
        (file_id, thread, made_of),
    ).fetchone()
    return None if row is None else str(row[0])


def store_snapshot(
    connection: sqlite3.Connection, file_id: int, thread: str, made_of: str, body: str
) -> None:
    """Keep the answer about a thread's window; the caller commits."""
    connection.execute(
        "INSERT OR REPLACE INTO window_snapshot VALUES (?, ?, ?, ?)",
        (file_id, thread, made_of, body),
    )


def agents_of(connection: sqlite3.Connection, session: str) -> list[tuple[str, int, int]]:
    """(transcript, responses, tokens of its last window) of a session's subagents."""
    rows = connection.execute(
        "SELECT f.path, count(*), r.input_tokens + r.cache_write_5m_tokens"
        " + r.cache_write_1h_tokens + r.cache_read_tokens + r.output_tokens,"
        " max(iif(r.input_tokens IS NULL, 0, r.started_at_ms))"
        " FROM response r JOIN session s ON s.id = r.session_id JOIN file f ON f.id = r.file_id"
        " WHERE s.name = ? AND r.is_sidechain = 1 GROUP BY f.id ORDER BY 4 DESC",
        (session,),
    )
    return [(shown_path(path), count, tokens or 0) for path, count, tokens, _ in rows]
