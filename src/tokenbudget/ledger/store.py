"""The ledger as the rooms above see it: one open connection and what can be asked of it."""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger import rollups
from tokenbudget.ledger.connection import TEMPORARY, Told, Transaction, open_ledger
from tokenbudget.ledger.files import file_states
from tokenbudget.ledger.questions import Questions

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
    from tokenbudget.ledger.journal import JournalRows
    from tokenbudget.ledger.project_work import ProjectWork
    from tokenbudget.ledger.salvage import Saved
    from tokenbudget.ledger.session_signals import SessionSignals
    from tokenbudget.ledger.studies import StudyStore
    from tokenbudget.ledger.window_store import WindowStore
    from tokenbudget.ledger.writer import Writer
    from tokenbudget.model.protocols import Clock, Source

__all__ = ["TEMPORARY", "Ledger"]

SHORT_PATIENCE_MS = 3_000


class Ledger(Questions):
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
