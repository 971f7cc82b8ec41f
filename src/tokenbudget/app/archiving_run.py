"""Carry a plan of archiving out through the journal, and give the disk space back later."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app.archive_upkeep import TRASH_DAYS, adopt, empty_trash, trash_plan
from tokenbudget.app.archived import archive_folders
from tokenbudget.app.archiving_steps import Archiver, Tools
from tokenbudget.app.journal import carry_out
from tokenbudget.app.liveness import Liveness
from tokenbudget.app.session_hands import archive_hands
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.app import Workbench
    from tokenbudget.app.archiving import ArchivePlan, Planned
    from tokenbudget.model.actions import Outcome, Step


class Done(NamedTuple):
    """What a run has done."""

    results: tuple[tuple[Planned, Outcome], ...]
    """Those that had their turn; after an interruption not all of them."""
    archive_bytes: int
    """Of the archive files that were made."""
    packed_raw_bytes: int
    """What went into them."""

    @property
    def archived(self) -> list[Planned]:
        """The sessions that lie in the archive, and no longer in the agent's folder."""
        return [planned for planned, outcome in self.results if outcome.state == "done"]

    @property
    def failed(self) -> list[tuple[Planned, Outcome]]:
        """Those that stayed after all."""
        return [(planned, outcome) for planned, outcome in self.results if outcome.state != "done"]


def tools_of(bench: Workbench, progress: Callable[[int, int], None]) -> Tools:
    """What archiving works with, on this machine."""
    settings = bench.settings
    return Tools(
        archives=bench.ledger.archives,
        trash=Trash(settings.data_dir, bench.clock),
        clock=bench.clock,
        liveness=Liveness(settings.claude_dirs, bench.clock),
        states=bench.ledger.file_states(),
        progress=progress,
    )


class Run:
    """A plan that is carried out; what it has done so far can be asked at any time."""

    def __init__(
        self,
        bench: Workbench,
        plan: ArchivePlan,
        cause: str,
        progress: Callable[[int, int], None],
    ) -> None:
        self._bench = bench
        self._plan = plan
        self._cause = cause
        self._archiver = Archiver(plan.steps, tools_of(bench, progress))
        self.action: int | None = None
        """The journal's number of it."""

    @property
    def outcomes(self) -> Mapping[Step, Outcome]:
        """How each step that had its turn went."""
        return self._archiver.outcomes

    @property
    def done(self) -> Done:
        """What came of it so far."""
        return done_of(self._plan, self._archiver)

    @property
    def exit_code(self) -> int:
        """0, or the gravest of what kept a session from being archived."""
        codes = [outcome.result.get("exit_code", 0) for outcome in self.outcomes.values()]
        return max((code for code in codes if isinstance(code, int)), default=0)

    def carry_out(self) -> None:
        """Do it, written down before and after each step.

        Raises:
            LedgerUnusable: the journal cannot be written; what was not begun is not done.
            Refused: another command is changing files.
        """
        bench, steps = self._bench, self._plan.steps
        adopt(dict.fromkeys(step.folder for step in steps), bench.ledger.archives)
        before = self._latest_action()
        with self._archiver as archiver:
            workshop = Workshop(
                Trash(bench.settings.data_dir, bench.clock),
                Kept(bench.settings.data_dir),
                (),
                bench.clock,
                archive=archive_hands(archiver),
                cause=self._cause,
            )
            try:
                carry_out(bench, workshop, self._cause, self._project(), self._plan.proposals())
            finally:
                latest = self._latest_action()
                self.action = latest if latest != before else None

    def _latest_action(self) -> int:
        latest = self._bench.ledger.journal.actions(1)
        return latest[0].id if latest else 0

    def _project(self) -> str:
        """The one project that it is about, or ''."""
        projects = {planned.project for planned in self._plan.sessions}
        return projects.pop() if len(projects) == 1 else ""


def run_archive(
    bench: Workbench, plan: ArchivePlan, cause: str, progress: Callable[[int, int], None]
) -> Done:
    """Carry a plan out to its end.

    Raises:
        LedgerUnusable: the journal cannot be written.
    """
    run = Run(bench, plan, cause, progress)
    run.carry_out()
    return run.done


def emptied_by_age(bench: Workbench) -> int:
    """Remove originals from the trash that lay there long, their archive being whole; the bytes.

    The second half of archiving: it is what gives the disk space back without being asked.
    """
    trash = Trash(bench.settings.data_dir, bench.clock)
    folders = archive_folders(bench.settings, bench.ledger)
    plan = trash_plan(trash, folders, TRASH_DAYS, bench.clock.now_ms(), _unheard)
    return empty_trash(trash, plan).bytes if plan.ripe else 0


def _unheard(done: int, total: int) -> None:
    """Progress that nobody waits for."""


def done_of(plan: ArchivePlan, archiver: Archiver) -> Done:
    """What came of a plan, as far as it was carried out."""
    results = [
        (planned, archiver.outcomes[planned.step])
        for planned in plan.sessions
        if planned.step in archiver.outcomes
    ]
    return Done(
        results=tuple(results),
        archive_bytes=sum(one.record.size_bytes for one in archiver.written),
        packed_raw_bytes=sum(one.record.raw_bytes for one in archiver.written),
    )
