"""`tokens uninstall`: take everything of ours out of the agent; what others wrote stays."""

from __future__ import annotations

from tokenbudget.app.installing_done import wiring_ledger
from tokenbudget.app.installing_place import SCOPES, target_of, targets_here
from tokenbudget.app.uninstalling import uninstall_plan, uninstalled
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.terminal import warn
from tokenbudget.reports.install import (
    leaving_lines,
    nothing_lines,
    uninstall_document,
    uninstalled_lines,
)
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.uninstalling import Uninstalled, UninstallPlan
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger

NOT_SO = 1
"""Exit code where something of ours stays."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    found, clock = settings(), SystemClock()
    targets = [target_of(found, options.scope)] if options.scope else list(targets_here(found))
    with wiring_ledger(found, clock, is_only_read=options.dry_run) as ledger:
        plans = [uninstall_plan(found, ledger, clock, target) for target in targets]
        return _uninstall(options, found, ledger, [one for one in plans if one.rows or one.is_any])


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "uninstall",
        "Take the status line, hooks, commands and skill of tokens out of Claude Code again; what"
        " you or other tools wrote stays.",
        reads_sessions=False,
    )
    made.add_argument(
        "--scope", choices=SCOPES, help="only there (else yours, and those of the project here)"
    )
    made.add_argument("--dry-run", action="store_true", help="show what goes and change nothing")
    made.add_argument("--yes", action="store_true", help="do not ask")
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    return options


def _uninstall(
    options: Namespace, found: Settings, ledger: Ledger, plans: list[UninstallPlan]
) -> int:
    plain = style(options.no_color)
    there = [plan for plan in plans if plan.is_any]
    if not there:
        is_refused = any(row.is_refused for plan in plans for row in plan.rows)
        return _answer(options, plans, None, nothing_lines(plans, plain), is_fault=is_refused)
    if not options.json:
        show(leaving_lines(plans, plain, found.home_dir))
    if options.dry_run:
        return _answer(options, plans, None, ["", "Nothing was changed (--dry-run)."])
    if not is_wanted("\nTake it out?", options.yes):
        return _answer(options, plans, None, ["", "Nothing was changed."])
    try:
        done = [uninstalled(found, ledger, SystemClock(), plan.target) for plan in there]
        has_gateway = _has_gateway(found)
    except KeyboardInterrupt:
        warn("stopped in the middle; the same command goes on with it")
        raise
    is_fault = any(one.faults for one in done)
    lines = uninstalled_lines(done, plain)
    if has_gateway:
        lines.append("MCP servers are behind the gateway still: tokens gateway uninstall")
    return _answer(options, plans, done, lines, is_fault=is_fault)


def _has_gateway(found: Settings) -> bool:
    """Whether servers stand behind the gateway here, which is taken out by itself."""
    from tokenbudget.gateway.mcp.taken import taken_for

    return taken_for(found.data_dir, found.working_dir) is not None


def _answer(
    options: Namespace,
    plans: list[UninstallPlan],
    done: list[Uninstalled] | None,
    lines: list[str],
    *,
    is_fault: bool = False,
) -> int:
    show([uninstall_document(plans, done)] if options.json else lines)
    return NOT_SO if is_fault else 0
