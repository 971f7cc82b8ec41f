"""`tokens archive [DAYS]`: the plan, the question, the work, what came of it."""

from __future__ import annotations

import sys

from tokenbudget.app import open_workbench
from tokenbudget.app.archive_timer import is_installed
from tokenbudget.app.archive_upkeep import originals_in
from tokenbudget.app.archiving import archive_plan, session_on_disk
from tokenbudget.app.archiving_plan import DEFAULT_DAYS, Rules
from tokenbudget.app.archiving_run import Run, emptied_by_age
from tokenbudget.cli import INTERRUPTED
from tokenbudget.cli.archive_projects import projects_meant
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import show, style
from tokenbudget.cli.terminal import ProgressBar, terminal, warn
from tokenbudget.collector.ingest import Want
from tokenbudget.model.errors import Refused, TokenBudgetError
from tokenbudget.model.figures import counted
from tokenbudget.reports.archive import (
    DoneView,
    LeftRow,
    PlanRow,
    PlanView,
    archive_document,
    done_lines,
    plan_lines,
)
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.app import Workbench
    from tokenbudget.app.archiving import ArchivePlan
    from tokenbudget.config.settings import Settings


def run(options: Namespace, settings: Settings) -> int:
    """Carry it out; the exit code."""
    with open_workbench(settings, terminal(), Want.DETAIL) as bench:
        plan = planned(options, bench)
        if not options.json:
            show(plan_lines(view_of(plan, None), style(options.no_color), bench.zone))
        if options.dry_run or not plan.sessions:
            return _answer_plan(options, plan, bench)
        question = f"\nArchive {counted(len(plan.sessions), 'session')}?"
        if not is_wanted(question, options.yes):
            return _answer_plan(options, plan, bench, "Nothing was changed.")
        return carried_out(options, plan, bench)


def planned(options: Namespace, bench: Workbench) -> ArchivePlan:
    """What would be done, after its warnings; raises BadRequest, Refused."""
    plan = archive_plan(bench, _rules(options, bench))
    for warning in plan.warnings:
        warn(warning)
    _refuse_a_named_one_that_stays(options, plan)
    return plan


def _rules(options: Namespace, bench: Workbench) -> Rules:
    return Rules(
        older_than_days=DEFAULT_DAYS if options.days is None else options.days,
        keep_last=options.keep_last or 0,
        projects=projects_meant(bench.settings, bench.ledger, options.project),
        session=session_on_disk(bench, options.session) if options.session else "",
    )


def _refuse_a_named_one_that_stays(options: Namespace, plan: ArchivePlan) -> None:
    if options.session and not plan.sessions and plan.left:
        left = plan.left[0]
        raise Refused(f"the session {left.session} stays: {left.message}")


def _answer_plan(
    options: Namespace, plan: ArchivePlan, bench: Workbench, sentence: str = ""
) -> int:
    if options.json:
        show([archive_document(view_of(plan, None), None, bench.zone)])
    elif sentence or options.dry_run:
        show(["", sentence or "Nothing was changed (--dry-run)."])
    return 0


def carried_out(options: Namespace, plan: ArchivePlan, bench: Workbench) -> int:
    """Do it and say what came of it; the exit code."""
    progress = ProgressBar("archiving")
    cause = " ".join(["tokens archive", *([options.words[0]] if options.words else [])])
    run = Run(bench, plan, cause, progress)
    is_interrupted, stopped = False, None
    try:
        run.carry_out()
    except KeyboardInterrupt:
        is_interrupted = True
    except TokenBudgetError as wrong:  # such as a disk that is full: some are archived already
        if not run.outcomes:
            raise
        is_interrupted, stopped = True, wrong
    finally:
        progress.clear()
    emptied = 0 if is_interrupted else _emptied(bench)
    trash = originals_in(Trash(bench.settings.data_dir, bench.clock))
    done = run.done
    told = DoneView(
        action=run.action,
        packed_raw_bytes=done.packed_raw_bytes,
        archive_bytes=done.archive_bytes,
        trash_bytes=sum(found.size_bytes for found in trash),
        emptied_bytes=emptied,
        is_interrupted=is_interrupted,
    )
    view = view_of(plan, run)
    if options.json:
        show([archive_document(view, told, bench.zone)])
    else:
        show(["", *done_lines(view, told)])
        if not is_interrupted:
            _offer_timer(bench)
    if stopped is not None:
        raise stopped
    return INTERRUPTED if is_interrupted else run.exit_code


def _emptied(bench: Workbench) -> int:
    """What the trash gave back; where it cannot, that is no word on what was archived."""
    try:
        return emptied_by_age(bench)
    except TokenBudgetError as wrong:
        warn(f"the trash was not emptied: {wrong}")
        return 0


def _offer_timer(bench: Workbench) -> None:
    """One line, for a person only, as long as there is none."""
    if sys.stdout.isatty() and not is_installed(bench.settings):
        show(["A timer can do this daily: tokens archive --timer shows it, --install-timer."])


def view_of(plan: ArchivePlan, run: Run | None) -> PlanView:
    """The plan as it is shown; after the run with what became of it."""
    outcomes = {} if run is None else run.outcomes
    rows = []
    for planned in plan.sessions:
        outcome = outcomes.get(planned.step)
        size = planned.step.size_bytes
        rows.append(
            PlanRow(
                session=planned.step.session,
                title=planned.title,
                project=planned.project,
                last_ms=planned.last_ms,
                files=len(planned.step.files),
                raw_bytes=size,
                expected_bytes=round(size * plan.share),
                folder=planned.step.folder,
                note=planned.note,
                state="planned" if outcome is None else outcome.state,
                message="" if outcome is None else outcome.message,
            )
        )
    return PlanView(
        older_than_days=plan.rules.older_than_days,
        now_ms=plan.now_ms,
        rows=rows,
        left=[LeftRow(*left) for left in plan.left],
        warnings=plan.warnings,
        home=plan.home,
        cleanup_days=plan.cleanup.days,
    )
