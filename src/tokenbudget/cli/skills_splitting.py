"""`tokens skills split`: a long skill becomes a core and references that are read on demand."""

from __future__ import annotations

from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.skills_ending import exit_code_of, tell_ending
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.app.skill_splitting import CAUSE, carried_out, planned
    from tokenbudget.metering.tokenizer import BytePairCounter
    from tokenbudget.reports.skills_splitting import planned_lines, split_document

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
    else:
        tell_ending(action, options, has_steps=bool(plan.steps))
    return exit_code_of(action)


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
    refuse_dry_yes(options)
    return options
