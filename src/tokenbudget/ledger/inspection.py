"""Questions about single sessions, files and lines. Each function is one statement, or two."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.ledger.files import shown_path
from tokenbudget.model.own_commands import OWN_COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3


class SessionRow(NamedTuple):
    """A session beside its usage. Times are ISO 8601 as the agent wrote them, or ''."""

    session: str
    title: str
    git_branch: str
    version: str
    cwd: str
    first_at: str
    last_at: str
    project: str
    agent: str
    is_gone: bool
    is_archived: bool = False
    """Whether an archive holds it, wherever its transcript is."""


_IS_ARCHIVED = "EXISTS (SELECT 1 FROM archived_session a WHERE a.session = s.name)"


def sessions(connection: sqlite3.Connection, limit: int = -1) -> list[SessionRow]:
    """Every session that has a response, or the last `limit` ones, newest first."""
    rows = connection.execute(
        "SELECT s.name, s.title, s.git_branch, s.version, s.cwd, s.first_at, s.last_at,"
        f" ifnull(p.path, ''), f.agent, min(f.gone_at_ms IS NOT NULL), {_IS_ARCHIVED}"
        " FROM (SELECT DISTINCT session_id, file_id FROM response) r"
        " JOIN session s ON s.id = r.session_id JOIN file f ON f.id = r.file_id"
        " LEFT JOIN project p ON p.id = f.project_id"
        " GROUP BY s.id ORDER BY s.last_at DESC LIMIT ?",
        (limit,),
    )
    return [SessionRow(*row) for row in rows]


def _is_text(name: str) -> bool:
    """Whether a name can stand in the ledger; one that is not UTF-8 is that of nothing in it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


_NAMED = f"""
SELECT s.name, s.title, s.git_branch, s.version, s.cwd, s.first_at, s.last_at,
       ifnull(p.path, ''), ifnull(f.agent, ''), ifnull(min(f.gone_at_ms IS NOT NULL), 0),
       {_IS_ARCHIVED}
FROM session s {{}} JOIN file f ON f.session = s.name LEFT JOIN project p ON p.id = f.project_id
"""


def sessions_beginning(connection: sqlite3.Connection, start: str, limit: int) -> list[SessionRow]:
    """Sessions whose id begins so, the one that is named in full and the last used first.

    One that has no transcript of its own has no agent here; `sessions` knows more of it.
    """
    if not _is_text(start):
        return []
    rows = connection.execute(
        _NAMED.format("LEFT") + " WHERE s.name >= ?1 AND s.name < ?1 || char(1114111)"
        " GROUP BY s.id ORDER BY s.name <> ?1, s.last_at DESC LIMIT ?2",
        (start, limit),
    )
    return [SessionRow(*row) for row in rows]


def last_sessions(connection: sqlite3.Connection, cwd: str) -> list[SessionRow]:
    """The session that was used last, of those begun in `cwd` ('': anywhere); one or none."""
    if not _is_text(cwd):
        return []
    rows = connection.execute(
        _NAMED.format("")
        + " WHERE s.id = (SELECT s.id FROM session s WHERE (?1 = '' OR s.cwd = ?1)"
        "  AND EXISTS (SELECT 1 FROM file f WHERE f.session = s.name AND f.usage_offset > 0)"
        "  ORDER BY s.last_at DESC LIMIT 1)"
        " GROUP BY s.id",
        (cwd,),
    )
    return [SessionRow(*row) for row in rows]


class ToolRow(NamedTuple):
    """How a session used one tool; sizes are bytes of JSON text."""

    tool: str
    mcp_server: str | None
    calls: int
    errors: int
    input_bytes: int
    result_bytes: int
    duration_ms: int


def tools_of(connection: sqlite3.Connection, session: str) -> list[ToolRow]:
    """The tools that a session used, largest results first."""
    rows = connection.execute(
        "SELECT t.name, t.mcp_server, count(*), ifnull(sum(c.is_error), 0),"
        " ifnull(sum(c.input_bytes), 0), ifnull(sum(c.result_bytes), 0),"
        " ifnull(sum(c.duration_ms), 0)"
        " FROM tool_call c JOIN tool t ON t.id = c.tool_id JOIN response r ON r.id = c.response_id"
        " JOIN session s ON s.id = r.session_id WHERE s.name = ?"
        " GROUP BY t.id ORDER BY 6 DESC",
        (session,),
    )
    return [ToolRow(*row) for row in rows]


def compactions_of(
    connection: sqlite3.Connection, session: str
) -> list[tuple[int, str, str, int | None]]:
    """(time in ms, kind, trigger, tokens before), oldest first."""
    return connection.execute(
        "SELECT c.at_ms, c.kind, c.trigger, c.pre_tokens FROM compaction c"
        " JOIN session s ON s.id = c.session_id WHERE s.name = ? ORDER BY c.at_ms",
        (session,),
    ).fetchall()


def first_prompt(connection: sqlite3.Connection, session: str) -> tuple[str, int] | None:
    """File and offset of the line with the session's first prompt in a main thread."""
    row = connection.execute(
        "SELECT f.path, c.byte_offset FROM content c JOIN file f ON f.id = c.file_id"
        " JOIN session s ON s.id = c.session_id"
        " WHERE s.name = ? AND c.kind = 'prompt' AND f.is_subagent = 0"
        " ORDER BY c.at_ms, c.byte_offset LIMIT 1",
        (session,),
    ).fetchone()
    return None if row is None else (shown_path(row[0]), row[1])


_MARKS = ", ".join("?" * len(OWN_COMMANDS))


_CONTEXT = """
SELECT m.name, r.input_tokens + r.cache_write_5m_tokens + r.cache_write_1h_tokens
       + r.cache_read_tokens + r.output_tokens, r.started_at_ms
FROM response r INDEXED BY response_session JOIN model m ON m.id = r.model_id
WHERE r.session_id = (SELECT id FROM session WHERE name = ?) AND r.is_sidechain = 0
      AND r.input_tokens IS NOT NULL
"""


def last_context(connection: sqlite3.Connection, session: str) -> tuple[str, int, int] | None:
    """(model, tokens in the window, time in ms) of the last main-thread response with usage.

    One to a command of ours, which may name a model of its own, only where there is no other.
    """
    for skills in (f" AND r.skill NOT IN ({_MARKS})", f" AND r.skill IN ({_MARKS})"):
        # Two questions, because each ends at its first row: the last one, by index.
        row: tuple[str, int, int] | None = connection.execute(
            _CONTEXT + skills + " ORDER BY r.started_at_ms DESC, r.byte_offset DESC LIMIT 1",
            (session, *OWN_COMMANDS),
        ).fetchone()
        if row is not None:
            return row
    return None


_ATTEMPTS = """
SELECT session_id, is_sidechain, 0 AS is_earlier, has_stop_reason, output_tokens,
       cache_write_1h_tokens, input_tokens + output_tokens + cache_write_5m_tokens
       + cache_write_1h_tokens + cache_read_tokens AS tokens
FROM response
UNION ALL
SELECT r.session_id, r.is_sidechain, 1, 1, i.output_tokens,
       i.cache_write_1h_tokens, i.input_tokens + i.output_tokens + i.cache_write_5m_tokens
       + i.cache_write_1h_tokens + i.cache_read_tokens
FROM response_iteration i JOIN response r ON r.id = i.response_id
"""
"""Every attempt of every response. Only the last one can lack its final count."""


def subagent_tokens(connection: sqlite3.Connection, session: str) -> int:
    """All tokens of a session's subagents."""
    row = connection.execute(
        f"SELECT ifnull(sum(a.tokens), 0) FROM ({_ATTEMPTS}) a"
        " JOIN session s ON s.id = a.session_id WHERE s.name = ? AND a.is_sidechain",
        (session,),
    ).fetchone()
    return int(row[0])


class FileReport(NamedTuple):
    """Sums over all files of the ledger."""

    files: int
    gone_files: int
    size_bytes: int
    lines: int
    blank_lines: int
    malformed_lines: int
    repaired_lines: int
    synthetic_lines: int
    rereads: int
    lagging_files: int
    responses: int
    unknown_responses: int
    low_confidence_responses: int
    unsplit_responses: int
    undated_responses: int
    copied_responses: int
    """Those that stand in two or more files which are still there."""


# A file that was moved, or is reached by two paths, is one file: rows of those that are gone do not
# count, nor do further rows with the same inode and size. An inode of 0 was never noted.
_COPIED_RESPONSES = """
SELECT count(*) FROM (
    SELECT 1 FROM (
        SELECT response_id, file_id FROM response_copy UNION ALL
        SELECT id, file_id FROM response WHERE id IN (SELECT response_id FROM response_copy)
    ) c JOIN file f ON f.id = c.file_id
    WHERE f.gone_at_ms IS NULL GROUP BY c.response_id
    HAVING count(DISTINCT iif(f.inode, f.inode || ' ' || f.size_bytes, f.path)) > 1
)
"""


def file_report(connection: sqlite3.Connection) -> FileReport:
    """What was read, and what is doubtful about it."""
    files = connection.execute(
        "SELECT count(*), ifnull(sum(gone_at_ms IS NOT NULL), 0), ifnull(sum(usage_offset), 0),"
        " ifnull(sum(lines), 0), ifnull(sum(blank_lines), 0), ifnull(sum(malformed_lines), 0),"
        " ifnull(sum(repaired_lines), 0), ifnull(sum(synthetic_lines), 0),"
        " ifnull(sum(rereads), 0), ifnull(sum(detail_offset < usage_offset), 0) FROM file"
    ).fetchone()
    responses = connection.execute(
        "SELECT count(*), ifnull(sum(input_tokens IS NULL), 0),"
        " ifnull(sum(NOT has_stop_reason AND input_tokens IS NOT NULL), 0),"
        " ifnull(sum(NOT has_cache_split"
        "     AND cache_write_5m_tokens + cache_write_1h_tokens > 0), 0),"
        " ifnull(sum(started_at_ms = 0), 0),"
        f" ({_COPIED_RESPONSES}) FROM response"
    ).fetchone()
    return FileReport(*files, *responses)


class ProblemRow(NamedTuple):
    """A line that was passed over (`byte_offset`), or a whole file (None)."""

    path: str
    byte_offset: int | None
    reason: str


def problems(connection: sqlite3.Connection, limit: int) -> list[ProblemRow]:
    """Unreadable files first, then lines, in the order of their files."""
    rows = connection.execute(
        "SELECT path, NULL, trouble FROM file WHERE trouble IS NOT NULL UNION ALL"
        " SELECT f.path, p.byte_offset, p.reason FROM problem p JOIN file f ON f.id = p.file_id"
        " LIMIT ?",
        (limit,),
    )
    return [ProblemRow(shown_path(path), offset, reason) for path, offset, reason in rows]


class CopySums(NamedTuple):
    """What other ways of counting would make of the same lines; see `analysis.comparison`."""

    low_confidence_tokens: int
    iteration_tokens: int
    hour_write_tokens: int
    sidechain_tokens: int
    total_tokens: int


def copy_sums(connection: sqlite3.Connection) -> CopySums:
    """The parts of the total that other counters are known to treat differently."""
    row = connection.execute(
        "SELECT ifnull(sum(iif(has_stop_reason, 0, output_tokens)), 0),"
        " ifnull(sum(iif(is_earlier, tokens, 0)), 0), ifnull(sum(cache_write_1h_tokens), 0),"
        " ifnull(sum(iif(is_sidechain, tokens, 0)), 0), ifnull(sum(tokens), 0)"
        f" FROM ({_ATTEMPTS})"
    ).fetchone()
    return CopySums(*row)


class LowConfidence(NamedTuple):
    """Responses of one model and client version whose final output count never arrived."""

    model: str
    version: str
    responses: int
    output_tokens: int
    written_bytes: int
    """JSON bytes of the text, thinking and tool arguments that these responses wrote."""


def low_confidence(connection: sqlite3.Connection) -> list[LowConfidence]:
    """Where output counts are too low, most responses first."""
    rows = connection.execute(
        "SELECT m.name, s.version, count(*), sum(r.output_tokens),"
        " ifnull(sum((SELECT sum(c.size_bytes) FROM content c WHERE c.response_id = r.id)), 0)"
        " + ifnull(sum((SELECT sum(t.input_bytes) FROM tool_call t WHERE t.response_id = r.id)), 0)"
        " FROM response r JOIN model m ON m.id = r.model_id JOIN session s ON s.id = r.session_id"
        " WHERE NOT r.has_stop_reason AND r.input_tokens IS NOT NULL"
        " GROUP BY m.id, s.version ORDER BY 3 DESC"
    )
    return [LowConfidence(*row) for row in rows]
