"""`tokens install`: wire status line, hooks, commands and skill into the agent."""

from __future__ import annotations

from tokenbudget.app.installing import plan_of
from tokenbudget.app.installing_done import installed, kept_up, wiring_ledger, with_secret
from tokenbudget.app.installing_errand import Errand, components_meant
from tokenbudget.app.installing_place import SCOPES, target_of
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import parser, refuse_dry_yes, settings, show, style
from tokenbudget.cli.terminal import warn
from tokenbudget.config.management import USER
from tokenbudget.reports.install import (
    already_lines,
    command_document,
    install_document,
    installed_lines,
    plan_lines,
)
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.installing import InstallPlan
    from tokenbudget.app.installing_done import Installed
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger

NOT_SO = 1
"""Exit code where a component could not be installed; the others are."""


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    found, clock = settings(), SystemClock()
    if options.print_statusline_command:
        return _print_command(options, found)
    errand = Errand(
        components_meant(options.only, options.allow_recall),
        options.http_hooks,
        options.has_model,
        options.client_version,
    )
    target = target_of(found, options.scope)
    with wiring_ledger(found, clock, is_only_read=options.dry_run) as ledger:
        return _install(options, found, ledger, plan_of(found, ledger, clock, target, errand))


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "install",
        "Wire tokens into Claude Code: status line, hooks, commands, skill. Shows the plan, asks,"
        " and can be taken back to the byte with tokens uninstall.",
        reads_sessions=False,
    )
    made.add_argument(
        "--scope", choices=SCOPES, default=USER, help="whose settings (default: user, yours)"
    )
    made.add_argument(
        "--only",
        metavar="LIST",
        help="of statusline,hooks,commands,skill (default: these), or plugin instead of the last"
        " three",
    )
    made.add_argument(
        "--http-hooks",
        action="store_true",
        help="hooks over HTTP to a daemon that stays (tokens serve --persistent); faster",
    )
    made.add_argument(
        "--allow-recall",
        action="store_true",
        help="also a permission rule: the agent calls tokens recall without asking you",
    )
    whose = made.add_mutually_exclusive_group()
    whose.add_argument(
        "--model",
        dest="has_model",
        action="store_true",
        default=None,
        help="commands name a small model, whatever the client means by it",
    )
    whose.add_argument(
        "--no-model",
        dest="has_model",
        action="store_false",
        default=None,
        help="commands run on the session's own model (else where that is cheaper)",
    )
    made.add_argument(
        "--client-version", metavar="V", help="wire what this client takes (else those in use)"
    )
    made.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.add_argument(
        "--print-statusline-command",
        action="store_true",
        help="print the exact command of the status line, and nothing else",
    )
    options = made.parse_args(arguments)
    refuse_dry_yes(options)
    return options


def _print_command(options: Namespace, found: Settings) -> int:
    from tokenbudget.app.installing_client import python
    from tokenbudget.gateway.statusline_files import statusline_command

    command = statusline_command(python(), found.data_dir)
    show([command_document(command) if options.json else command])
    return 0


def _install(options: Namespace, found: Settings, ledger: Ledger, plan: InstallPlan) -> int:
    plain = style(options.no_color)
    clock = SystemClock()
    if not plan.is_any:
        done = None if options.dry_run else kept_up(found, clock, plan)
        return _answer(options, plan, done, already_lines(plan, done, plain, found.home_dir))
    if not options.json:
        show(plan_lines(plan, plain, found.home_dir))
    if options.dry_run:
        return _answer(options, plan, None, ["", "Nothing was changed (--dry-run)."])
    if not is_wanted("\nInstall it?", options.yes):
        return _answer(options, plan, None, ["", "Nothing was changed."], is_refusal_told=False)
    try:
        plan = with_secret(found, ledger, clock, plan)
        done = installed(found, ledger, clock, plan)
    except KeyboardInterrupt:
        warn("stopped in the middle; the same command goes on, tokens uninstall takes it back")
        raise
    return _answer(options, plan, done, installed_lines(done, plan, plain))


def _answer(
    options: Namespace,
    plan: InstallPlan,
    done: Installed | None,
    lines: list[str],
    *,
    is_refusal_told: bool = True,
) -> int:
    show([install_document(plan, done)] if options.json else lines)
    is_fault = bool(done and done.faults) or bool(plan.refused)
    return NOT_SO if is_fault and is_refusal_told else 0
