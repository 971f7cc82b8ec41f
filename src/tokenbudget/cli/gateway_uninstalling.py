"""`tokens gateway uninstall`: give the servers back to the client, as they were written."""

from __future__ import annotations

from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, settings, show, style
from tokenbudget.gateway.mcp.taken import PROJECT, USER
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.gateway import given_back_lines, leaving_lines, uninstall_document
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

NOT_SO = 1
"""Exit code where a server could not be given back."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    from tokenbudget.app.gateway_installing_done import behind

    options = _options(arguments)
    found = settings()
    names = behind(found, options.scope)
    plain = style(options.no_color)
    if names is None:
        show([uninstall_document((), None)] if options.json else given_back_lines(None, plain))
        return 0
    if not options.json:
        show(leaving_lines(names, plain))
    if options.dry_run or not is_wanted("\nTake the gateway out?", options.yes):
        dry = " (--dry-run)" if options.dry_run else ""
        said = ["", f"Nothing was changed{dry}."]
        show([uninstall_document(names, None)] if options.json else said)
        return 0
    return _do(options, names)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "gateway uninstall",
        "Give the MCP servers behind the gateway back to the client, byte for byte.",
        reads_sessions=False,
    )
    made.add_argument(
        "--scope",
        choices=(PROJECT, USER),
        default=PROJECT,
        help="those of this project (default), or your own everywhere (user)",
    )
    made.add_argument("--dry-run", action="store_true", help="show what goes and change nothing")
    made.add_argument("--yes", action="store_true", help="do not ask")
    options = made.parse_args(arguments)
    if options.dry_run and options.yes:
        raise BadRequest("--dry-run and --yes do not go together; leave one of them out")
    return options


def _do(options: Namespace, names: Sequence[str]) -> int:
    from tokenbudget.app.gateway_installing_done import given_back
    from tokenbudget.app.installing_done import wiring_ledger

    found, clock = settings(is_silent=True), SystemClock()
    with wiring_ledger(found, clock, is_only_read=False) as ledger:
        done = given_back(found, ledger, clock, options.scope)
    lines = given_back_lines(done, style(options.no_color))
    show([uninstall_document(names, done)] if options.json else lines)
    return NOT_SO if done is not None and done.faults else 0
