"""The ledger as the rooms above see it: one open connection and what can be asked of it."""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger import queries, rollups
from tokenbudget.ledger.connection import TEMPORARY, Transaction, open_ledger, translated
from tokenbudget.ledger.files import file_states

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tokenbudget.ledger.alert_store import AlertRows
    from tokenbudget.ledger.applied_fixes import FixRows
    from tokenbudget.ledger.archive_index import ArchiveRows
    from tokenbudget.ledger.control_store import ControlRows
    from tokenbudget.ledger.export_rows import ExportRows
    from tokenbudget.ledger.files import FileState
    from tokenbudget.ledger.inspection import (
        CopySums,
        FileReport,
        LowConfidence,
        ProblemRow,
        SessionRow,
        ToolRow,
    )
    from tokenbudget.ledger.journal import JournalRows
    from tokenbudget.ledger.live import ActiveSession
    from tokenbudget.ledger.named_uses import NamedUses
    from tokenbudget.ledger.project_work import ProjectWork
    from tokenbudget.ledger.queries import UsageQuery, UsageRow
    from tokenbudget.ledger.salvage import Saved
    from tokenbudget.ledger.session_signals import SessionSignals
    from tokenbudget.ledger.studies import StudyStore
    from tokenbudget.ledger.uses import ProjectUses
    from tokenbudget.ledger.window_store import WindowStore
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.ledger.writer import Writer
    from tokenbudget.model.protocols import Clock, Source

__all__ = ["TEMPORARY", "Ledger"]

SHORT_PATIENCE_MS = 3_000


class Told:
    """Tells SQLite's errors as ours; a block that only reads or writes the ledger goes inside."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise translated(self._path, error) from error


class Ledger:
    """The durable record of usage. Use it as a context manager.

    Every method raises LedgerUnusable or LedgerDamaged where SQLite fails.
    """

    def __init__(
        self, path: str, thresholds: Sequence[int] = (), clock: Clock | None = None
    ) -> None:
        """Open the ledger at `path` (`TEMPORARY` for one that nobody keeps).

        `thresholds` are the prompt sizes at which a price changes; see `rollups.use_thresholds`.
        `clock` tells the journal the time; without one, the system's.

        Raises:
            LedgerUnusable, LedgerDamaged, LedgerTooNew: see `open_ledger`.
        """
        self.path = path
        self._told = Told(path)
        self._clock = clock
        self._connection = open_ledger(path)
        try:
            with self._told:
                rollups.use_thresholds(self._connection, tuple(thresholds))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; harmless when it is closed."""
        self._connection.close()

    # ── keeping it up to date ──────────────────────────────────────────────────────────────────

    def file_states(self) -> dict[str, FileState]:
        """Every file by path."""
        with self._told:
            return file_states(self._connection)

    def writer(self, source: Source) -> Writer:
        """A writer for what this source reads."""
        from tokenbudget.ledger.writer import Writer

        return Writer(self._connection, self.path, source.project_root)

    def roll_up(self) -> None:
        """Bring the hourly sums up to date."""
        with self._told:
            rollups.refresh(self._connection)

    def begin_rebuild(
        self, present_paths: Sequence[str], rewritten_paths: Sequence[str] = ()
    ) -> None:
        """Void what these files told; see `rebuild.begin`. Ends with one of the next two."""
        from tokenbudget.ledger import rebuild

        with self._told:
            rebuild.begin(self._connection, present_paths, rewritten_paths)

    def abandon_rebuild(self) -> None:
        """Leave the ledger as it was before `begin_rebuild`."""
        with self._told:
            self._connection.execute("ROLLBACK")

    def end_rebuild(self) -> None:
        """Make the rebuilt ledger the one that others see."""
        with self._told:
            self._connection.execute("COMMIT")

    def check(self) -> None:
        """Have SQLite look at every page, read the journal and receipts; raises LedgerDamaged."""
        with self._told:
            found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")
        self.journal.check()
        self.control.check()

    def take_over(self, aside: str) -> Saved:
        """Merge what a damaged ledger still tells; see `salvage.take_over`."""
        from tokenbudget.ledger import salvage

        with self._told, Transaction(self._connection):
            return salvage.take_over(self._connection, aside)

    def take_copy(self, path: str) -> bool:
        """Begin with what the ledger at `path` holds, where that can be read; see `copying`.

        Raises:
            LedgerDamaged, LedgerTooNew: it can be read, and is no ledger for this program.
        """
        from tokenbudget.ledger import copying

        with Told(path):
            return copying.copy_into(self._connection, path)

    def hold_still(self) -> None:
        """Show one state from now on, whatever other processes write meanwhile.

        An answer takes several questions (sums, names, sessions), which must fit together.
        """
        with self._told:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN")

    def let_go(self) -> None:
        """End what `hold_still` began, so that this connection can write.

        From here on it waits a short time for other writers: an answer is at hand, and can be
        given without being kept.
        """
        with self._told:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            self._connection.execute(f"PRAGMA busy_timeout = {SHORT_PATIENCE_MS}")

    @property
    def windows(self) -> WindowStore:
        """Pieces of context windows, and how to count them."""
        from tokenbudget.ledger.window_store import WindowStore

        return WindowStore(self._connection, self._told)

    @property
    def alerts(self) -> AlertRows:
        """What the alerts remember, decide and send; only read in a ledger that nobody keeps."""
        from tokenbudget.ledger.alert_store import AlertRows

        return AlertRows(self._connection, self._told, is_kept=self.path != TEMPORARY)

    @property
    def journal(self) -> JournalRows:
        """What was changed of a person's files; only read in a ledger that nobody keeps."""
        from tokenbudget.ledger.journal import JournalRows
        from tokenbudget.system.clock import SystemClock

        is_kept = self.path != TEMPORARY
        return JournalRows(self._connection, self._told, self._clock or SystemClock(), is_kept)

    @property
    def control(self) -> ControlRows:
        """What the controller remembers, decides and measures; only read where nobody keeps it."""
        from tokenbudget.ledger.control_store import ControlRows

        return ControlRows(self._connection, self._told, is_kept=self.path != TEMPORARY)

    @property
    def archives(self) -> ArchiveRows:
        """Which session lies in which archive; only read in a ledger that nobody keeps."""
        from tokenbudget.ledger.archive_index import ArchiveRows

        return ArchiveRows(self._connection, self._told, is_kept=self.path != TEMPORARY)

    @property
    def fixes(self) -> FixRows:
        """What was foretold of applied fixes; only read in a ledger that nobody keeps."""
        from tokenbudget.ledger.applied_fixes import FixRows

        return FixRows(self._connection, self._told, is_kept=self.path != TEMPORARY)

    @property
    def studies(self) -> StudyStore:
        """What each transcript spent, and on what."""
        from tokenbudget.ledger.studies import StudyStore

        return StudyStore(self._connection, self._told)

    @property
    def session_signals(self) -> SessionSignals:
        """What the controller asks about a session at every tick."""
        from tokenbudget.ledger.session_signals import SessionSignals

        return SessionSignals(self._connection, self._told)

    @property
    def work(self) -> ProjectWork:
        """The work in one folder: how its sessions begin, what is open in one."""
        from tokenbudget.ledger.project_work import ProjectWork

        return ProjectWork(self._connection, self._told)

    @property
    def export(self) -> ExportRows:
        """Requests and tool calls row by row."""
        from tokenbudget.ledger.export_rows import ExportRows

        return ExportRows(self._connection, self._told)

    def keep_advice(self, text: str) -> None:
        """Keep the last advice that was given; see `advice`."""
        from tokenbudget.ledger import advice

        with self._told:
            advice.keep(self._connection, text)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────

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
