"""How often every skill and every custom agent was used, by whom of the projects; only reads.

A use of a skill is a call of the tool `Skill`. A session in which answers are credited to a skill,
or which had its text in the window, and that shows no call of it (a person typed it), is one use.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.ledger.files import shown_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3


class NamedUse(NamedTuple):
    """The uses of one skill or agent in one session."""

    name: str
    session: str
    cwd: str
    """Where the session was started; '' where no line tells."""
    uses: int
    last_ms: int
    """0 where no line tells."""


class NamedUses(NamedTuple):
    """Of all sessions that the ledger knows."""

    skills: tuple[NamedUse, ...]
    agents: tuple[NamedUse, ...]


def named_uses(connection: sqlite3.Connection) -> NamedUses:
    """The uses of every skill and agent, a row for each session."""
    skills = connection.execute(_CALLS, ('["Skill"]',)).fetchall()
    known = {(name, session) for name, session, *_ in skills}
    for rows in (connection.execute(_CREDITED), connection.execute(_BODIES)):
        for name, session, cwd, uses, last_ms in rows.fetchall():
            if (name, session) not in known:
                known.add((name, session))
                skills.append((name, session, cwd, uses, last_ms))
    agents = connection.execute(_CALLS, ('["Agent", "Task"]',)).fetchall()
    return NamedUses(
        tuple(NamedUse(*row) for row in sorted(skills)),
        tuple(NamedUse(*row) for row in sorted(agents)),
    )


def skill_listing_of(connection: sqlite3.Connection, session: str) -> tuple[str, int] | None:
    """File and offset of the line with the longest listing of skills of a session's main thread.

    (Later ones may tell only what was added.)
    """
    row = connection.execute(
        "SELECT f.path, a.byte_offset FROM attachment a JOIN file f ON f.id = a.file_id"
        " JOIN session s ON s.id = a.session_id"
        " WHERE s.name = ? AND a.kind = 'skill_listing' AND f.is_subagent = 0"
        " ORDER BY a.size_bytes DESC, a.at_ms DESC LIMIT 1",
        (session,),
    ).fetchone()
    return None if row is None else (shown_path(row[0]), row[1])


# Calls whose answers stand in no line that we have are counted by the file that they stand in.
_CALLS = """
SELECT c.target, ifnull(s.name, ifnull(f.session, '')) AS session,
 ifnull(s.cwd, ifnull((SELECT o.cwd FROM session o WHERE o.name = f.session), '')),
 count(*), max(ifnull(c.called_at_ms, ifnull(r.started_at_ms, 0)))
FROM tool_call c JOIN tool t ON t.id = c.tool_id
LEFT JOIN response r ON r.id = c.response_id LEFT JOIN session s ON s.id = r.session_id
LEFT JOIN file f ON f.id = c.call_file_id
WHERE t.name IN (SELECT value FROM json_each(?)) AND c.target <> '' GROUP BY c.target, session
"""
_CREDITED = """
SELECT r.skill, s.name, s.cwd, 1, max(r.started_at_ms)
FROM response r JOIN session s ON s.id = r.session_id
WHERE r.skill <> '' GROUP BY r.skill, s.name
"""
_BODIES = """
SELECT p.name, f.session, ifnull(s.cwd, ''), 1,
 ifnull((SELECT max(r.started_at_ms) FROM response r WHERE r.session_id = s.id), 0)
FROM piece p JOIN file f ON f.id = p.file_id LEFT JOIN session s ON s.name = f.session
WHERE p.kind = 'skill_body' AND p.name <> '' GROUP BY p.name, f.session
"""
