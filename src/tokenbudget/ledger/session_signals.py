"""Questions that the controller asks about one session at every tick; each goes by an index.

(The tables of compactions and of attachments have none by session: the former is short, and the
latter is asked once.)
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from tokenbudget.ledger.connection import Told

_PROMPT = "input_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_read_tokens"
_OF_SESSION = "(SELECT id FROM session WHERE name = ?)"


LENT_MS = 86_400_000
"""A compaction so soon after ours was lent is taken for ours."""


class Extent(NamedTuple):
    """How far the main thread of a session has come."""

    requests: int
    """Those that reported their usage."""
    largest_prompt_tokens: int


class Boundary(NamedTuple):
    """The history was replaced by a summary."""

    at_ms: int
    trigger: str
    """`auto`, `manual` or `unknown`."""
    before_tokens: int | None
    """Of the context, as the client reported it; None where it did not."""
    after_tokens: int | None


class PastSession(NamedTuple):
    """A session by its length."""

    session: str
    requests: int
    """Of its main thread, with known usage."""
    last_ms: int


class Call(NamedTuple):
    """A call of a tool."""

    at_ms: int
    tool: str
    server: str
    """Its MCP server as tools spell it; '' for the agent's own tools."""
    target: str
    """The path, skill or agent that it names; '' for none."""


class SessionSignals:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told) -> None:
        self._connection = connection
        self._told = told

    def extent(self, session: str) -> Extent:
        """The requests of its main thread so far."""
        with self._told:
            row = self._connection.execute(
                f"SELECT count(*), ifnull(max({_PROMPT}), 0)"
                " FROM response INDEXED BY response_session"
                f" WHERE session_id = {_OF_SESSION} AND is_sidechain = 0"
                " AND input_tokens IS NOT NULL",
                (session,),
            ).fetchone()
        return Extent(*row)

    def boundaries(self, session: str) -> list[Boundary]:
        """Its compactions, oldest first; what only thinned the history is none."""
        with self._told:
            rows = self._connection.execute(
                "SELECT at_ms, trigger, pre_tokens, post_tokens FROM compaction"
                f" WHERE session_id = {_OF_SESSION} AND kind = 'compact'"
                " ORDER BY at_ms, byte_offset",
                (session,),
            )
            return [Boundary(*row) for row in rows]

    def own_boundaries(self, session: str) -> frozenset[int]:
        """Tokens before the compactions that our controller has brought about.

        They say nothing of where the client compacts by itself.
        """
        with self._told:
            rows = self._connection.execute(
                f"SELECT DISTINCT c.pre_tokens FROM compaction c WHERE c.session_id = {_OF_SESSION}"
                " AND c.kind = 'compact' AND c.trigger = 'auto' AND c.pre_tokens > 0"
                " AND EXISTS (SELECT 1 FROM control_receipt r WHERE r.session = ?"
                "  AND r.lever = 'history' AND r.action IS NOT NULL"
                "  AND c.at_ms - r.at_ms BETWEEN 0 AND ?)",
                (session, session, LENT_MS),
            )
            return frozenset(tokens for (tokens,) in rows)

    def past_sessions(self, since_ms: int, limit: int) -> list[PastSession]:
        """The sessions with a request since then, the last used first."""
        with self._told:
            rows = self._connection.execute(
                "SELECT s.name, l.requests, l.last_ms FROM (SELECT session_id,"
                "  count(*) AS requests, max(started_at_ms) AS last_ms"
                "  FROM response INDEXED BY response_time WHERE started_at_ms >= ?"
                "  AND is_sidechain = 0 AND input_tokens IS NOT NULL GROUP BY session_id) l"
                " JOIN session s ON s.id = l.session_id ORDER BY l.last_ms DESC LIMIT ?",
                (since_ms, limit),
            )
            return [PastSession(*row) for row in rows]

    def injected(self, session: str) -> frozenset[str]:
        """The kinds of what the client has put into its main thread, such as `skill_listing`."""
        with self._told:
            rows = self._connection.execute(
                "SELECT DISTINCT a.kind FROM attachment a JOIN file f ON f.id = a.file_id"
                f" WHERE a.session_id = {_OF_SESSION} AND f.is_subagent = 0",
                (session,),
            )
            return frozenset(kind for (kind,) in rows)

    def calls_since(self, session: str, since_ms: int) -> list[Call]:
        """What the session called since then, subagents included, the oldest first."""
        with self._told:
            rows = self._connection.execute(
                "SELECT ifnull(c.called_at_ms, r.started_at_ms), t.name, ifnull(t.mcp_server, ''),"
                " ifnull(c.target, '') FROM response r INDEXED BY response_session"
                " JOIN tool_call c ON c.response_id = r.id JOIN tool t ON t.id = c.tool_id"
                f" WHERE r.session_id = {_OF_SESSION} AND r.started_at_ms >= ?"
                " ORDER BY 1, c.tool_use_id",
                (session, since_ms),
            )
            return [Call(*row) for row in rows]
