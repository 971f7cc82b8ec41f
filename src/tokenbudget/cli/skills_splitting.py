"""`tokens skills split`: a long skill becomes a core and references that are read on demand."""

from __future__ import annotations

from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.model.errors import BadRequest
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NOT_SO = 1
"""Exit code where a file could not be written."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.app.skill_splitting import CAUSE, carried_out, planned
    from tokenbudget.metering.tokenizer import BytePairCounter
    from tokenbudget.reports.skills_splitting import done_lines, planned_lines, split_document

    options = _options(arguments)
    found = settings()
    plan = planned(found, options.file, BytePairCounter())
    if not options.json:
        show(planned_lines(plan, style(options.no_color)))
    action = None
    can_split = bool(plan.steps) and not options.dry_run
    if can_split and is_wanted("\nSplit it?", options.yes):
        action = carried_out(
            found,
            SystemClock(),
            plan.steps,
            cause=CAUSE,
            title=f"split a skill into a core and {len(plan.steps) - 1} references",
            freed_tokens=0,  # of every request: a body is read when it is loaded
        )
    if options.json:
        show([split_document(plan, action)])
    elif action is not None:
        show(["", *done_lines(action)])
    elif plan.steps:
        show(["", f"Nothing was changed{' (--dry-run)' if options.dry_run else ''}."])
    has_failed = action is not None and any(one.outcome.state == "failed" for one in action.steps)
    return NOT_SO if has_failed else 0


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "skills split",
        "Split a long SKILL.md: a core with purpose, rules and steps, and references that are read"
        " when a step needs them. Shows what moves where, asks, and can be undone.",
        reads_sessions=False,
    )
    made.add_argument("file", metavar="FILE", help="a SKILL.md, or its folder")
    made.add_argument("--dry-run", action="store_true", help="show it and change nothing")
    made.add_argument("--yes", action="store_true", help="do it without asking")
    options = made.parse_args(arguments)
    if options.dry_run and options.yes:
        raise BadRequest("--dry-run and --yes do not go together; leave one of them out")
    return options
