"""`tokens gateway uninstall`: give the servers back to the client, as they were written."""

from __future__ import annotations

from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.gateway.mcp.taken import PROJECT, USER
from tokenbudget.reports.gateway import given_back_lines, leaving_lines, uninstall_document
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from tokenbudget.app.gateway_installing_done import GivenBack
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.protocols import Clock

NOT_SO = 1
"""Exit code where a server could not be given back."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    return _some(options) if options.servers else _all(options)


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "gateway uninstall",
        "Give the MCP servers behind the gateway back to the client, byte for byte: all, or those"
        " that are named. With the last one the gateway goes, too.",
        reads_sessions=False,
    )
    made.add_argument(
        "servers", metavar="SERVER", nargs="*", default=[], help="only these; the others stay"
    )
    made.add_argument(
        "--scope",
        choices=(PROJECT, USER),
        default="",
        help="those of this project (default), or your own everywhere (user)",
    )
    made.add_argument("--dry-run", action="store_true", help="show what goes and change nothing")
    made.add_argument("--yes", action="store_true", help="do not ask")
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    return options


def _all(options: Namespace) -> int:
    from tokenbudget.app.gateway_installing_done import behind, given_back

    scope = options.scope or PROJECT
    names = behind(settings(), scope)
    plain = style(options.no_color)
    if names is None:
        show([uninstall_document((), None)] if options.json else given_back_lines(None, plain))
        return 0
    if not options.json:
        show(leaving_lines(names, (), plain))
    if not _is_meant(options, "Take the gateway out?"):
        return _unchanged(options, names)
    return _do(options, names, lambda found, ledger, clock: given_back(found, ledger, clock, scope))


def _some(options: Namespace) -> int:
    from tokenbudget.app.gateway_giving_done import given_back_alone, leaving

    giving = leaving(settings(), options.scope, tuple(dict.fromkeys(options.servers)))
    if not options.json:
        show(leaving_lines(giving.names, giving.left, style(options.no_color)))
    question = "Give it back?" if len(giving.names) == 1 else "Give them back?"
    if not _is_meant(options, question):
        return _unchanged(options, giving.names, giving.left)
    return _do(
        options,
        giving.names,
        lambda found, ledger, clock: given_back_alone(found, ledger, clock, giving, options.scope),
    )


def _is_meant(options: Namespace, question: str) -> bool:
    return not options.dry_run and is_wanted(f"\n{question}", options.yes)


def _unchanged(options: Namespace, names: Sequence[str], left: Sequence[str] = ()) -> int:
    dry = " (--dry-run)" if options.dry_run else ""
    said = ["", f"Nothing was changed{dry}."]
    show([uninstall_document(names, None, left)] if options.json else said)
    return 0


def _do(
    options: Namespace,
    names: Sequence[str],
    give: Callable[[Settings, Ledger, Clock], GivenBack | None],
) -> int:
    from tokenbudget.app.installing_done import wiring_ledger

    found, clock = settings(is_silent=True), SystemClock()
    with wiring_ledger(found, clock, is_only_read=False) as ledger:
        done = give(found, ledger, clock)
    lines = given_back_lines(done, style(options.no_color))
    show([uninstall_document(names, done)] if options.json else lines)
    return NOT_SO if done is not None and done.faults else 0
