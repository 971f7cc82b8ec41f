"""What can be asked of an open ledger; `store.Ledger` answers all of it."""

from __future__ import annotations

from tokenbudget.ledger import queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tokenbudget.ledger.connection import Told
    from tokenbudget.ledger.inspection import (
        CopySums,
        FileReport,
        LowConfidence,
        ProblemRow,
        SessionRow,
        ToolRow,
    )
    from tokenbudget.ledger.live import ActiveSession
    from tokenbudget.ledger.named_uses import NamedUses
    from tokenbudget.ledger.queries import UsageQuery, UsageRow
    from tokenbudget.ledger.uses import ProjectUses
    from tokenbudget.ledger.windows import RequestRow


class Questions:
    """Questions about usage, sessions, files and what was used; none of them writes.

    Every method raises LedgerUnusable or LedgerDamaged where SQLite fails.
    """

    _connection: sqlite3.Connection
    _told: Told

    def usage(self, query: UsageQuery) -> list[UsageRow]:
        """Summed usage; see `queries.usage`."""
        with self._told:
            return queries.usage(self._connection, query)

    def names(self, kind: str) -> dict[int, str]:
        """All models or projects by id; `kind` is 'model' or 'project'."""
        with self._told:
            return queries.names(self._connection, kind)

    def kept_advice(self) -> str | None:
        """The advice that was kept last; None for nothing."""
        from tokenbudget.ledger import advice

        with self._told:
            return advice.kept(self._connection)

    def sessions(self, limit: int = -1) -> list[SessionRow]:
        """What is known of every session (or the last `limit`) beside its usage."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.sessions(self._connection, limit)

    def sessions_beginning(self, start: str, limit: int) -> list[SessionRow]:
        """Sessions whose id begins so, answered or not."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.sessions_beginning(self._connection, start, limit)

    def last_sessions(self, cwd: str) -> list[SessionRow]:
        """The session that was used last, begun in `cwd` or ('') anywhere; one or none."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.last_sessions(self._connection, cwd)

    def active_sessions(self, since_ms: int, until_ms: int, limit: int) -> list[ActiveSession]:
        """Sessions with a request since then; see `live.active_sessions`."""
        from tokenbudget.ledger import live

        with self._told:
            return live.active_sessions(self._connection, since_ms, until_ms, limit)

    def last_requests(self, session: str, since_ms: int, limit: int) -> list[RequestRow]:
        """The last requests of a session's main thread; see `live.last_requests`."""
        from tokenbudget.ledger import live

        with self._told:
            return live.last_requests(self._connection, session, since_ms, limit)

    def project_uses(self, projects: Sequence[str], since_ms: int, until_ms: int) -> ProjectUses:
        """What a project's sessions used in a period; see `uses.project_uses`."""
        from tokenbudget.ledger import uses

        with self._told:
            return uses.project_uses(self._connection, projects, since_ms, until_ms)

    def named_uses(self) -> NamedUses:
        """The uses of every skill and agent in all sessions; see `named_uses.named_uses`."""
        from tokenbudget.ledger import named_uses

        with self._told:
            return named_uses.named_uses(self._connection)

    def skill_listing_of(self, session: str) -> tuple[str, int] | None:
        """Where a session's listing of skills stands; see `named_uses.skill_listing_of`."""
        from tokenbudget.ledger import named_uses

        with self._told:
            return named_uses.skill_listing_of(self._connection, session)

    def subagent_tokens(self, session: str) -> int:
        """All tokens of a session's subagents."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.subagent_tokens(self._connection, session)

    def tools_of(self, session: str) -> list[ToolRow]:
        """The tools that a session used."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.tools_of(self._connection, session)

    def compactions_of(self, session: str) -> list[tuple[int, str, str, int | None]]:
        """(time in ms, kind, trigger, tokens before) of a session's compactions."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.compactions_of(self._connection, session)

    def first_prompt(self, session: str) -> tuple[str, int] | None:
        """File and offset of the line with the session's first prompt."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.first_prompt(self._connection, session)

    def last_context(self, session: str) -> tuple[str, int, int] | None:
        """(model, tokens in the window, time in ms) of the session's last main-thread response."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.last_context(self._connection, session)

    def file_report(self) -> FileReport:
        """Sums over all files, for `doctor`."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.file_report(self._connection)

    def problems(self, limit: int) -> list[ProblemRow]:
        """Lines that were passed over and files that could not be read."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.problems(self._connection, limit)

    def copy_sums(self) -> CopySums:
        """The parts of the total that other counters are known to treat differently."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.copy_sums(self._connection)

    def low_confidence(self) -> list[LowConfidence]:
        """Where output counts are too low."""
        from tokenbudget.ledger import inspection

        with self._told:
            return inspection.low_confidence(self._connection)
