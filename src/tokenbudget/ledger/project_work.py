"""Questions about the work in one folder: how its sessions begin, and what is open.

A session belongs to a folder by where it was started, there or below.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.ledger.files import shown_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tokenbudget.ledger.connection import Told

WRITING_TOOLS = ("Edit", "MultiEdit", "Write", "NotebookEdit")

_TOKENS = "r.input_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens + r.cache_read_tokens"
_HERE = (
    "SELECT id FROM session WHERE cwd IN (SELECT value FROM json_each(?1))"
    " OR EXISTS (SELECT 1 FROM json_each(?1)"
    "  WHERE substr(cwd, 1, length(value) + 1) = value || '/')"
)
_FORKS = (
    "SELECT c.file_id FROM response_copy c JOIN response o ON o.id = c.response_id"
    " WHERE c.file_id <> o.file_id"
)
"""Files that hold what another file owns."""


class FirstRequest(NamedTuple):
    """The first request of a session's main thread, as the API reported it."""

    session: str
    at_ms: int
    model: str
    prompt_tokens: int


class OpenWork(NamedTuple):
    """What a session is at."""

    edited: tuple[str, ...]
    """Files that were written to, the last one first."""
    failed: tuple[tuple[str, str], ...]
    """(tool, target) of what failed the last time it was tried, the last one first."""
    prompts: tuple[tuple[str, int], ...]
    """File and offset of the last prompts, the last one first."""


class WrittenCall(NamedTuple):
    """A call that wrote to a file, and where its line stands."""

    tool_use_id: str
    target: str
    """The file, as the agent named it."""
    transcript: str
    offset: int


class ProjectWork:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told) -> None:
        self._connection = connection
        self._told = told

    def first_requests(self, folders: Sequence[str]) -> list[FirstRequest]:
        """How each session of these folders began, the earliest first.

        Left out is a fork: it begins with somebody else's conversation.
        """
        with self._told:
            rows = self._connection.execute(
                f"SELECT s.name, min(r.started_at_ms), m.name, {_TOKENS}"
                " FROM response r JOIN session s ON s.id = r.session_id"
                " JOIN model m ON m.id = r.model_id"
                f" WHERE r.session_id IN ({_HERE}) AND r.is_sidechain = 0 AND r.started_at_ms > 0"
                " AND r.input_tokens IS NOT NULL"
                f" AND r.file_id NOT IN ({_FORKS})"
                " GROUP BY r.session_id ORDER BY 2",
                (_listed(folders),),
            )
            return [FirstRequest(*row) for row in rows]

    def last_session(self, folders: Sequence[str]) -> str:
        """The session of these folders that was used last; '' where there is none."""
        with self._told:
            row = self._connection.execute(
                "SELECT s.name FROM session s JOIN response r ON r.session_id = s.id"
                f" WHERE s.id IN ({_HERE}) ORDER BY s.last_at DESC LIMIT 1",
                (_listed(folders),),
            ).fetchone()
        return row[0] if row else ""

    def recent_sessions(self, folders: Sequence[str], since_ms: int, limit: int) -> list[str]:
        """The sessions of these folders with a request since then, the last used first."""
        with self._told:
            rows = self._connection.execute(
                "SELECT s.name FROM session s JOIN response r ON r.session_id = s.id"
                f" WHERE s.id IN ({_HERE}) AND r.started_at_ms >= ?2"
                " GROUP BY s.id ORDER BY max(r.started_at_ms) DESC LIMIT ?3",
                (_listed(folders), since_ms, limit),
            )
            return [name for (name,) in rows]

    def summary_tokens(self, limit: int) -> list[int]:
        """What the last compactions of any session left of the conversation, as reported."""
        with self._told:
            rows = self._connection.execute(
                "SELECT post_tokens FROM compaction WHERE kind = 'compact' AND post_tokens > 0"
                " ORDER BY at_ms DESC LIMIT ?",
                (limit,),
            )
            return [tokens for (tokens,) in rows]

    def writes_to(self, paths: Sequence[str], since_ms: int, limit: int) -> list[WrittenCall]:
        """The last calls that wrote to these files since then, the last one first.

        Left out is what failed, and what stands in no transcript.
        """
        marks = ", ".join("?" * len(WRITING_TOOLS))
        with self._told:
            rows = self._connection.execute(
                "SELECT c.tool_use_id, c.target, f.path, c.call_offset"
                " FROM tool_call c JOIN tool t ON t.id = c.tool_id"
                " JOIN file f ON f.id = c.call_file_id"
                f" WHERE t.name IN ({marks}) AND c.target IN (SELECT value FROM json_each(?))"
                " AND NOT ifnull(c.is_error, 0) AND c.called_at_ms >= ?"
                " ORDER BY c.called_at_ms DESC, c.call_offset DESC, c.tool_use_id LIMIT ?",
                (*WRITING_TOOLS, _listed(paths), since_ms, limit),
            )
            return [
                WrittenCall(call, target, shown_path(path), offset)
                for call, target, path, offset in rows
            ]

    def touched(self, folders: Sequence[str], since_ms: int, limit: int) -> list[tuple[str, str]]:
        """(session, target) of the calls in these folders since then, each pair once."""
        with self._told:
            rows = self._connection.execute(
                "SELECT DISTINCT s.name, c.target FROM tool_call c"
                " JOIN response r ON r.id = c.response_id JOIN session s ON s.id = r.session_id"
                f" WHERE s.id IN ({_HERE}) AND c.target <> '' AND c.called_at_ms >= ?2"
                " ORDER BY 1, 2 LIMIT ?3",
                (_listed(folders), since_ms, limit),
            )
            return [(session, target) for session, target in rows]

    def open_work(self, session: str, limit: int) -> OpenWork:
        """What a session is at: at most `limit` of each."""
        with self._told:
            return OpenWork(
                self._edited(session, limit), self._failed(session, limit), self._prompts(session)
            )

    def _edited(self, session: str, limit: int) -> tuple[str, ...]:
        marks = ", ".join("?" * len(WRITING_TOOLS))
        rows = self._connection.execute(
            _CALLS + f" AND t.name IN ({marks}) AND c.target <> '' AND NOT ifnull(c.is_error, 0)"
            " GROUP BY c.target ORDER BY max(c.called_at_ms) DESC LIMIT ?",
            (session, *WRITING_TOOLS, limit),
        )
        return tuple(target for _, target, *_ in rows)

    def _failed(self, session: str, limit: int) -> tuple[tuple[str, str], ...]:
        rows = self._connection.execute(
            f"SELECT * FROM ({_CALLS} GROUP BY t.id, c.target)"
            " WHERE is_error = 1 ORDER BY at_ms DESC LIMIT ?",
            (session, limit),
        )
        return tuple((tool, target) for tool, target, *_ in rows)

    def _prompts(self, session: str) -> tuple[tuple[str, int], ...]:
        rows = self._connection.execute(
            "SELECT f.path, c.byte_offset FROM content c JOIN file f ON f.id = c.file_id"
            " JOIN session s ON s.id = c.session_id"
            " WHERE s.name = ? AND c.kind = 'prompt' AND f.is_subagent = 0"
            " ORDER BY c.at_ms DESC, c.byte_offset DESC LIMIT 5",
            (session,),
        )
        return tuple((shown_path(path), offset) for path, offset in rows)


# SQLite takes the bare columns beside max() from the row that has it: the last try.
_CALLS = """
SELECT t.name, ifnull(c.target, '') AS target, max(c.called_at_ms) AS at_ms, c.is_error
FROM tool_call c JOIN tool t ON t.id = c.tool_id JOIN response r ON r.id = c.response_id
JOIN session s ON s.id = r.session_id WHERE s.name = ? AND r.is_sidechain = 0
"""


def _listed(folders: Sequence[str]) -> str:
    """The paths as one value; one that is not UTF-8 is none that the ledger has in a call."""
    import json

    return json.dumps([folder for folder in folders if _is_text(folder)])


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
