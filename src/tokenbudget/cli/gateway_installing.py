"""`tokens gateway install`: take MCP servers behind the gateway."""

from __future__ import annotations

from tokenbudget.app.gateway_errand import GatewayErrand
from tokenbudget.app.gateway_installing import plan_of
from tokenbudget.app.gateway_place import SCOPES
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.config.gateway import MODES
from tokenbudget.gateway.mcp.taken import PROJECT
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.gateway import (
    install_document,
    installed_lines,
    nothing_lines,
    plan_lines,
)
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.gateway_plan import GatewayPlan
    from tokenbudget.config.settings import Settings

NOT_SO = 1
"""Exit code where it could not be done."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.metering.tokenizer import BytePairCounter

    options = _options(arguments)
    found, counter = settings(), BytePairCounter()
    plan = plan_of(found, _errand(options), counter)
    plain = style(options.no_color)
    if not plan.is_any:
        show([install_document(plan, None)] if options.json else nothing_lines(plan, plain))
        return 0
    if not options.json:
        show(plan_lines(plan, plain))
    if options.dry_run:
        return _unchanged(options, plan, "Nothing was changed (--dry-run).")
    question = "Take them behind the gateway?" if plan.taken else "Change it so?"
    if not is_wanted(f"\n{question}", options.yes):
        return _unchanged(options, plan, "Nothing was changed.")
    return _do(options, found, plan)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "gateway install",
        "Take MCP servers behind one gateway: their tools are found and called there, and their"
        " schemas and results stay out of the window. Shows the plan, asks, and can be taken back.",
        reads_sessions=False,
    )
    made.add_argument(
        "--scope",
        choices=SCOPES,
        default=PROJECT,
        help="which servers: of the project's .mcp.json (default), your own in this project"
        " (local), or your own everywhere (user)",
    )
    made.add_argument(
        "servers", metavar="SERVER", nargs="*", default=[], help="only these; else all that can be"
    )
    made.add_argument(
        "--server", metavar="NAME", action="append", default=[], help="the same; repeatable"
    )
    made.add_argument(
        "--mode",
        metavar="NAME=MODE",
        action="append",
        default=[],
        help="how a server's tools are offered: code (default), compact or direct",
    )
    way = made.add_mutually_exclusive_group()
    way.add_argument(
        "--local",
        dest="is_shared",
        action="store_false",
        default=False,
        help="leave .mcp.json as it is, and change it for you alone (default)",
    )
    way.add_argument(
        "--shared",
        dest="is_shared",
        action="store_true",
        help="write the gateway into .mcp.json, for everybody who shares it",
    )
    made.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    made.add_argument("--yes", action="store_true", help="do not ask")
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    if options.is_shared and options.scope != PROJECT:
        raise BadRequest("--shared is for the servers of .mcp.json; leave --scope out")
    return options


def _errand(options: Namespace) -> GatewayErrand:
    modes = {}
    for given in options.mode:
        name, _, mode = given.rpartition("=")
        if not name or mode not in MODES:
            raise BadRequest(f"'{given[:80]}' is no mode; write NAME={'|'.join(MODES)}")
        modes[name] = mode
    names = tuple(dict.fromkeys([*options.servers, *options.server]))
    return GatewayErrand(options.scope, options.is_shared, names, modes)


def _unchanged(options: Namespace, plan: GatewayPlan, sentence: str) -> int:
    show([install_document(plan, None)] if options.json else ["", sentence])
    return 0


def _do(options: Namespace, found: Settings, plan: GatewayPlan) -> int:
    from tokenbudget.app.gateway_installing_done import installed
    from tokenbudget.app.installing_done import wiring_ledger
    from tokenbudget.metering.tokenizer import BytePairCounter

    clock = SystemClock()
    with wiring_ledger(found, clock, is_only_read=False) as ledger:
        done = installed(found, ledger, clock, plan, BytePairCounter())
    plain = style(options.no_color)
    lines = installed_lines(done, plan, plain)
    show([install_document(plan, done)] if options.json else lines)
    return NOT_SO if done.faults else 0
