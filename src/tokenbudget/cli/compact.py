"""`tokens compact`: emergency cleanup of a project: shown, asked, done, measured, taken back."""

from __future__ import annotations

from tokenbudget.analysis.compact_plan import Wish
from tokenbudget.app import open_workbench
from tokenbudget.app.compacting_place import project_meant, session_shown
from tokenbudget.app.statusline import take_reports
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.terminal import ProgressBar, terminal, warn
from tokenbudget.collector.ingest import Want

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.analysis.compact_plan import CompactPlan, Receipt
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.app.compacting_done import Cleanup
    from tokenbudget.model.actions import Outcome, Step

NOT_SO = 1
"""Exit code where a step failed, or something is not as it should be afterwards."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = options_of(arguments)
    told = terminal()
    found = settings()
    project = project_meant(found, options.project)
    with open_workbench(found, told, Want.DETAIL) as bench:
        take_reports(bench)
        if options.measure:
            return _measure(bench, project, options)
        return _compact(bench, project, options, told)


def options_of(arguments: Sequence[str]) -> Namespace:
    """What was typed; raises BadRequest."""
    made = parser(
        "compact",
        "Emergency cleanup of a project: what fills every request without being used, and what"
        " clutters the disk. Shows the plan, asks, does it, and can be undone.",
        reads_sessions=False,
    )
    made.add_argument("--project", metavar="PATH", help="this folder (else the project here)")
    made.add_argument(
        "--session", metavar="ID", help="show this session's window (else the last one here)"
    )
    made.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    made.add_argument("--yes", action="store_true", help="do what is chosen without asking")
    made.add_argument(
        "--only", metavar="KIND[,KIND]", help="only these kinds, such as skills,mcp-servers"
    )
    made.add_argument(
        "--include", metavar="ID", nargs="+", action="extend", default=[], help="choose these too"
    )
    made.add_argument(
        "--exclude", metavar="ID", nargs="+", action="extend", default=[], help="leave these out"
    )
    made.add_argument("--all", action="store_true", help="every item by itself, nothing folded")
    made.add_argument("--no-archive", action="store_true", help="leave old sessions as they are")
    made.add_argument(
        "--measure",
        action="store_true",
        help="what the last cleanup came to, by the first request of the next session",
    )
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    return options


def wish_of(options: Namespace) -> Wish:
    """What is wanted of the plan."""
    only = () if options.only is None else tuple(map(str.strip, options.only.split(",")))
    return Wish(only, tuple(options.include), tuple(options.exclude))


def _measure(bench: Workbench, project: str, options: Namespace) -> int:
    from tokenbudget.app.compacting_proof import last_action
    from tokenbudget.reports.compact import measure_lines
    from tokenbudget.reports.compact_json import measure_document

    past = last_action(bench.ledger, project)
    if options.json:
        show([measure_document(project, past, bench.zone)])
    else:
        show(measure_lines(past))
    return 0


def _compact(bench: Workbench, project: str, options: Namespace, told: Terminal) -> int:
    from tokenbudget.app.compacting_done import cleanup_of

    facts = session_shown(bench, project, options.session)
    has_archive = not options.no_archive
    with cleanup_of(bench, project, facts, told, has_archive=has_archive) as cleanup:
        plan = cleanup.plan(wish_of(options))
        if not options.json:
            from tokenbudget.reports.compact import plan_lines

            out = style(options.no_color)
            show(plan_lines(plan, out, bench.zone, is_whole=options.all))
        if options.dry_run or not plan.meant:
            return _answer(options, plan, bench)
        question = f"\nDo what is chosen ({len(plan.meant)} of {len(plan.proposals)})?"
        if not is_wanted(question, options.yes):
            return _answer(options, plan, bench, "Nothing was changed.")
        return _answer(options, plan, bench, receipt=carried_out(cleanup, plan))


def carried_out(cleanup: Cleanup, plan: CompactPlan) -> Receipt:
    """What was done of the plan; raises KeyboardInterrupt."""
    progress = ProgressBar("cleaning up")
    total = sum(_weight(step) for one in plan.joined for step in one.steps)
    done = 0

    def told(step: Step, outcome: Outcome) -> None:
        nonlocal done
        done += _weight(step)
        progress(done, total)

    try:
        return cleanup.carried_out(plan, told)
    except KeyboardInterrupt:
        warn("stopped in the middle; tokens undo takes back what was done")
        raise
    finally:
        progress.clear()


def _weight(step: Step) -> int:
    """What a step takes of the time, in bytes."""
    return getattr(step, "size_bytes", 0) + 1


def _answer(
    options: Namespace,
    plan: CompactPlan,
    bench: Workbench,
    sentence: str = "",
    receipt: Receipt | None = None,
) -> int:
    from tokenbudget.reports.compact import receipt_lines
    from tokenbudget.reports.compact_json import compact_document

    if options.json:
        show([compact_document(plan, bench.zone, receipt)])
    elif receipt is not None:
        show(["", *receipt_lines(receipt, style(options.no_color))])
    elif plan.meant:
        show(["", sentence or "Nothing was changed (--dry-run)."])
    return NOT_SO if receipt is not None and receipt.faults else 0
