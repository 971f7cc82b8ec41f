"""What a project's sessions used of what they were offered; only reads.

What cannot be seen: a file that a shell command read (`Bash` names no file), a skill that a person
typed and that the client credits to no answer, and which servers were offered in a session whose
transcript nobody has counted yet.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

MOST_FILES = 50_000
"""Different files that are told of; more are not looked at one by one."""


class UseRow(NamedTuple):
    """How often something of this name was used, in how many sessions, and when last."""

    name: str
    calls: int
    sessions: int
    last_ms: int


class FileRow(NamedTuple):
    """A path that tools were called with: calls, bytes of their results, and when last."""

    path: str
    calls: int
    result_bytes: int
    last_ms: int


class ProjectUses(NamedTuple):
    """A project's sessions of a period, and what was used in them."""

    session_starts_ms: tuple[int, ...]
    """First request of each session with one in the period, oldest first."""
    requests: int
    """Of their main threads, in the period."""
    first_ms: int | None
    last_ms: int | None
    counted_sessions: int
    """Sessions whose transcripts were counted: only there it can be seen what was offered."""
    offered: tuple[UseRow, ...]
    """MCP servers by name, with the counted sessions that they were offered in; no calls."""
    servers: tuple[UseRow, ...]
    skills: tuple[UseRow, ...]
    agents: tuple[UseRow, ...]
    reads: tuple[FileRow, ...]
    edits: tuple[FileRow, ...]
    resource_reads: int
    """Calls of the tools that read resources of MCP servers: the server stands in no name."""


def project_uses(
    connection: sqlite3.Connection, projects: Sequence[str], since_ms: int, until_ms: int
) -> ProjectUses:
    """What the sessions of a project used in `[since_ms, until_ms)`.

    `projects` are spellings of its folder. A session belongs to it by the project of its
    transcript, or because it was started there or below.
    """
    sessions = _sessions(connection, projects, since_ms, until_ms)
    starts = sorted(start for _, _, start in sessions)
    ids = [session_id for session_id, _, _ in sessions]
    requests, first_ms, last_ms = _requests(connection, ids, since_ms, until_ms)
    names = [name for _, name, _ in sessions]
    calls = _calls(connection, ids, since_ms, until_ms) + _stray_calls(connection, names)
    return ProjectUses(
        tuple(starts),
        requests,
        first_ms,
        last_ms,
        _counted(connection, names),
        _offered(connection, names),
        _named(calls, lambda row: row.server),
        _skills(connection, ids, names, calls, since_ms, until_ms),
        _named(calls, lambda row: row.target if row.tool in _AGENT_TOOLS else ""),
        _files(calls, _READING),
        _files(calls, _WRITING),
        sum(row.calls for row in calls if row.tool in _RESOURCE_TOOLS),
    )


_AGENT_TOOLS = frozenset(("Agent", "Task"))
_READING = frozenset(("Read", "NotebookRead", "Grep", "Glob", "LS"))
_RESOURCE_TOOLS = frozenset(("ListMcpResourcesTool", "ReadMcpResourceTool"))
_WRITING = frozenset(("Edit", "MultiEdit", "Write", "NotebookEdit"))


class _Call(NamedTuple):
    """Calls of one tool with one target in one session."""

    session_id: int
    tool: str
    server: str
    target: str
    calls: int
    result_bytes: int
    last_ms: int


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _sessions(
    connection: sqlite3.Connection, projects: Sequence[str], since_ms: int, until_ms: int
) -> list[tuple[int, str, int]]:
    """(id, name, first request of all times) of the sessions with a request in the period.

    The sessions of the project are found first: they are few, and the index of the responses
    begins with the session.
    """
    paths = [path.rstrip("/") or "/" for path in projects]
    below = "".join(" OR substr(s.cwd, 1, ?) = ?" for _ in paths)
    starts: list[object] = []
    for path in paths:
        folder = path.rstrip("/") + "/"
        starts += [len(folder), folder]
    return connection.execute(
        "SELECT s.id, s.name, (SELECT min(o.started_at_ms) FROM response o"
        "  WHERE o.session_id = s.id AND o.started_at_ms > 0) FROM session s"
        " WHERE (s.name IN (SELECT f.session FROM file f JOIN project p ON p.id = f.project_id"
        f"  WHERE p.path IN ({_marks(paths)})) OR s.cwd IN ({_marks(paths)}){below})"
        " AND EXISTS (SELECT 1 FROM response r WHERE r.session_id = s.id"
        "  AND r.started_at_ms >= ? AND r.started_at_ms < ?)",
        [*paths, *paths, *starts, since_ms, until_ms],
    ).fetchall()


def _requests(
    connection: sqlite3.Connection, ids: Sequence[int], since_ms: int, until_ms: int
) -> tuple[int, int | None, int | None]:
    count, first_ms, last_ms = 0, None, None
    for session_id in ids:
        row = connection.execute(
            "SELECT count(*), min(started_at_ms), max(started_at_ms) FROM response"
            " WHERE session_id = ? AND started_at_ms >= ? AND started_at_ms < ?"
            " AND is_sidechain = 0",
            (session_id, since_ms, until_ms),
        ).fetchone()
        if row[0]:
            count += row[0]
            first_ms = row[1] if first_ms is None else min(first_ms, row[1])
            last_ms = row[2] if last_ms is None else max(last_ms, row[2])
    return count, first_ms, last_ms


def _calls(
    connection: sqlite3.Connection, ids: Sequence[int], since_ms: int, until_ms: int
) -> list[_Call]:
    found: list[_Call] = []
    for session_id in ids:
        rows = connection.execute(
            "SELECT r.session_id, ifnull(t.name, ''), ifnull(t.mcp_server, ''),"
            " ifnull(c.target, ''), count(*), sum(ifnull(c.result_bytes, 0)),"
            " max(ifnull(c.called_at_ms, r.started_at_ms))"
            " FROM response r JOIN tool_call c ON c.response_id = r.id"
            " LEFT JOIN tool t ON t.id = c.tool_id"
            " WHERE r.session_id = ? AND r.started_at_ms >= ? AND r.started_at_ms < ?"
            " GROUP BY c.tool_id, c.target",
            (session_id, since_ms, until_ms),
        )
        found += [_Call(*row) for row in rows]
    return found


def _stray_calls(connection: sqlite3.Connection, names: Sequence[str]) -> list[_Call]:
    """Calls whose answers stand in no line that we have: used all the same, whenever that was."""
    rows = connection.execute(
        "SELECT f.session, -f.id, t.name, ifnull(t.mcp_server, ''), ifnull(c.target, ''), 1,"
        " ifnull(c.result_bytes, 0), ifnull(c.called_at_ms, 0)"
        " FROM tool_call c JOIN file f ON f.id = c.call_file_id JOIN tool t ON t.id = c.tool_id"
        " WHERE c.response_id IS NULL"
    )
    known = frozenset(names)
    return [_Call(*row) for session, *row in rows if session in known]


def _named(calls: Sequence[_Call], name_of: Callable[[_Call], str]) -> tuple[UseRow, ...]:
    """The calls by a name; those without one are left out."""
    by_name: dict[str, list[_Call]] = {}
    for row in calls:
        name = name_of(row)
        if name:
            by_name.setdefault(name, []).append(row)
    return tuple(
        UseRow(
            name,
            sum(row.calls for row in rows),
            len({row.session_id for row in rows}),
            max(row.last_ms for row in rows),
        )
        for name, rows in sorted(by_name.items())
    )


def _skills(
    connection: sqlite3.Connection,
    ids: Sequence[int],
    names: Sequence[str],
    calls: Sequence[_Call],
    since_ms: int,
    until_ms: int,
) -> tuple[UseRow, ...]:
    """Skills that were called, that answers are credited to, or whose text was in a window."""
    found = list(_named(calls, lambda row: row.target if row.tool == "Skill" else ""))
    for session_id in ids:
        rows = connection.execute(
            "SELECT skill, count(*), 1, max(started_at_ms) FROM response WHERE session_id = ?"
            " AND started_at_ms >= ? AND started_at_ms < ? AND skill <> '' GROUP BY skill",
            (session_id, since_ms, until_ms),
        )
        found += [UseRow(*row) for row in rows]
    for name in names:
        rows = connection.execute(
            "SELECT p.name, count(*), 1, 0 FROM file f JOIN piece p ON p.file_id = f.id"
            " WHERE f.session = ? AND p.kind = 'skill_body' GROUP BY p.name",
            (name,),
        )
        found += [UseRow(*row) for row in rows]
    return tuple(found)


def _counted(connection: sqlite3.Connection, names: Sequence[str]) -> int:
    return sum(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM file f JOIN measured_file m ON m.file_id = f.id"
            " WHERE f.session = ? AND f.is_subagent = 0)",
            (name,),
        ).fetchone()[0]
        for name in names
    )


def _offered(connection: sqlite3.Connection, names: Sequence[str]) -> tuple[UseRow, ...]:
    sessions: dict[str, int] = {}
    for name in names:
        rows = connection.execute(
            "SELECT DISTINCT p.target FROM file f JOIN piece p ON p.file_id = f.id"
            " WHERE f.session = ? AND f.is_subagent = 0 AND p.target <> ''"
            " AND p.kind IN ('mcp_tool', 'deferred_names', 'mcp_instructions')",
            (name,),
        )
        for (server,) in rows:
            sessions[server] = sessions.get(server, 0) + 1
    return tuple(UseRow(server, 0, count, 0) for server, count in sorted(sessions.items()))


def _files(calls: Sequence[_Call], tools: frozenset[str]) -> tuple[FileRow, ...]:
    found: dict[str, FileRow] = {}
    for row in calls:
        if row.tool not in tools or not row.target or len(found) > MOST_FILES:
            continue
        was = found.get(row.target, FileRow(row.target, 0, 0, 0))
        found[row.target] = FileRow(
            row.target,
            was.calls + row.calls,
            was.result_bytes + row.result_bytes,
            max(was.last_ms, row.last_ms),
        )
    return tuple(found.values())
