"""Questions about what goes on now. Each reads only what is newer than a moment, by its index."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.ledger.inspection import last_context
from tokenbudget.ledger.windows import REQUEST_COLUMNS, REQUEST_NAMES, RequestRow
from tokenbudget.model.own_commands import OWN_COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3


class ActiveSession(NamedTuple):
    """A session with a request since then, and what its main thread sent last."""

    session: str
    title: str
    project: str
    cwd: str
    model: str
    window_tokens: int
    """The last request and its answer: what is in the window."""
    told_window_tokens: int | None
    """The size of its window, as the agent reported it."""
    at_ms: int


def active_sessions(
    connection: sqlite3.Connection, since_ms: int, until_ms: int, limit: int
) -> list[ActiveSession]:
    """Sessions with a main-thread request in `[since_ms, until_ms]`, the last used first."""
    rows = connection.execute(
        "SELECT s.name, s.title, ifnull(p.path, ''), s.cwd, m.name, l.tokens, t.window_tokens,"
        " l.at_ms, l.skill FROM"
        " (SELECT session_id, model_id, file_id, skill, max(started_at_ms) AS at_ms,"
        "  input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens"
        "  + ifnull(output_tokens, 0) AS tokens"
        "  FROM response INDEXED BY response_time WHERE started_at_ms BETWEEN ? AND ?"
        "  AND is_sidechain = 0 AND input_tokens IS NOT NULL GROUP BY session_id) l"
        " JOIN session s ON s.id = l.session_id JOIN model m ON m.id = l.model_id"
        " JOIN file f ON f.id = l.file_id LEFT JOIN project p ON p.id = f.project_id"
        " LEFT JOIN told_window t ON t.session = s.name ORDER BY l.at_ms DESC LIMIT ?",
        (since_ms, until_ms, limit),
    )
    return [_of_its_own(connection, ActiveSession(*row), skill) for *row, skill in rows]


def _of_its_own(connection: sqlite3.Connection, found: ActiveSession, skill: str) -> ActiveSession:
    """The session with the model and the window that it had before it answered a command of ours.

    Such a command may name a model of its own, for the one turn that answers it.
    """
    before = last_context(connection, found.session) if skill in OWN_COMMANDS else None
    return found if before is None else found._replace(model=before[0], window_tokens=before[1])


def last_requests(
    connection: sqlite3.Connection, session: str, since_ms: int, limit: int
) -> list[RequestRow]:
    """The last requests of a session's main thread since then, oldest first."""
    rows = connection.execute(
        REQUEST_COLUMNS
        + " FROM response r INDEXED BY response_session"
        + REQUEST_NAMES
        + " WHERE r.session_id = (SELECT id FROM session WHERE name = ?)"
        " AND r.started_at_ms >= ? AND r.is_sidechain = 0 ORDER BY r.started_at_ms DESC LIMIT ?",
        (session, since_ms, limit),
    ).fetchall()
    return [RequestRow(*row) for row in reversed(rows)]
