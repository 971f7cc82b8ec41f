"""`tokens undo`: take back what the product changed; never what a person changed since."""

from __future__ import annotations

import os

from tokenbudget.analysis.periods import Zone
from tokenbudget.app.compacting_proof import proofs_of
from tokenbudget.app.taking_back import take_back, to_come_back
from tokenbudget.app.undoing import journal_ledger, latest, latest_of, named
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import (
    LONGEST_COUNT,
    parser,
    refuse_dry_yes,
    refuse_impossible,
    settings,
    show,
    style,
    whole_number,
)
from tokenbudget.cli.terminal import warn
from tokenbudget.config.layers import project_dir
from tokenbudget.model.errors import BadRequest
from tokenbudget.reports.undo import (
    MOST_STEPS,
    nothing_document,
    nothing_lines,
    result_lines,
    undoing_document,
    undoing_lines,
)
from tokenbudget.reports.undo_list import list_document, list_lines
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from tokenbudget.app.undoing import Undoing
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord

DEFAULT_ROWS = 20
NOT_SO = 1
"""Exit code where something stays as it is."""
USAGE = "tokens undo [ID] [options]"


def run(arguments: Sequence[str]) -> int:
    """Carry the verb out."""
    options = _options(arguments)
    found, clock = settings(), SystemClock()
    zone = Zone(options.tz or found.timezone, clock.now_ms())
    is_only_read = options.list or options.dry_run
    with journal_ledger(found, clock, is_only_read=is_only_read) as ledger:
        if options.list:
            return _list(options, found, ledger, zone)
        action = _meant(options, found, ledger)
        if action is None:
            show([nothing_document()] if options.json else nothing_lines())
            return 0
        code = _undo(options, found, ledger, action, zone)
    if not options.dry_run:
        from tokenbudget.app.hook_settings import renew_hook_settings
        from tokenbudget.app.settings_check import refuse_impossible

        renew_hook_settings(refuse_impossible)  # what was taken back may have been a setting
    return code


def _options(arguments: Sequence[str]) -> Namespace:
    made = parser(
        "undo",
        "Take back what tokens changed, the latest first; edits of yours since then stay.",
        reads_sessions=False,
    )
    made.usage = USAGE
    made.add_argument("id", nargs="?", metavar="ID", help="which action; --list shows them")
    made.add_argument("--list", action="store_true", help="what was changed, the latest first")
    made.add_argument("--project", metavar="PROJECT", help="only this project: a path, a name or .")
    made.add_argument("--dry-run", action="store_true", help="show exactly what would happen")
    made.add_argument("--yes", action="store_true", help="do not ask")
    made.add_argument("--tz", metavar="ZONE", help="IANA time zone of the dates shown")
    made.add_argument(
        "--limit",
        type=whole_number,
        default=DEFAULT_ROWS,
        metavar="N",
        help=f"with --list: rows shown (default {DEFAULT_ROWS})",
    )
    options = made.parse_args(arguments)
    if options.list and (options.id or options.dry_run or options.yes):
        raise BadRequest("--list goes alone or with --project and --json; leave the rest out")
    if options.id and options.project:
        raise BadRequest("an ID says which action; leave --project out")
    refuse_dry_yes(options)
    return options


def _list(options: Namespace, found: Settings, ledger: Ledger, zone: Zone) -> int:
    actions = ledger.journal.actions(-1)
    if options.project is not None:
        here = _project(options.project, found, ledger)
        actions = [one for one in actions if one.project in (here, os.path.realpath(here))]
    shown = actions[: options.limit]
    measured = {number: one.freed_tokens for number, one in proofs_of(ledger, shown).items()}
    if options.json:
        show([list_document(shown, zone, measured)])
        return 0
    lines = list_lines(shown, zone, style(options.no_color), found.home_dir, measured)
    more = len(actions) - options.limit
    show([*lines, *([f"{more:,} more: tokens undo --list --limit N"] if more > 0 else [])])
    return 0


def _meant(options: Namespace, found: Settings, ledger: Ledger) -> ActionRecord | None:
    if options.id:
        if not options.id.isdecimal() or len(options.id) > LONGEST_COUNT:
            raise BadRequest(f"'{options.id}' is no ID; tokens undo --list shows them")
        return named(ledger, int(options.id))
    if options.project is not None:
        return latest_of(ledger, _project(options.project, found, ledger))
    return latest(ledger, project_dir(found.working_dir or "", found.home_dir))


def _project(given: str, found: Settings, ledger: Ledger) -> str:
    """The project that a path lies in, or one of the journal by its name; never a near miss.

    Raises:
        BadRequest: nothing is there, and the journal knows none of this name, or several.
    """
    wanted = os.path.abspath(given)
    if os.path.exists(given):
        return project_dir(wanted, found.home_dir) or wanted
    known = {one.project for one in ledger.journal.actions(-1) if one.project}
    if wanted in known:  # its folder is gone
        return wanted
    named = [path for path in known if os.path.basename(path) == given]
    if len(named) != 1:
        told = (
            f"{len(named)} projects are named '{given}'; write"
            if named
            else (f"nothing was changed in a project '{given}'; give its name or")
        )
        raise BadRequest(f"{told} the path of one")
    return named[0]


def _undo(
    options: Namespace, found: Settings, ledger: Ledger, action: ActionRecord, zone: Zone
) -> int:
    clock = SystemClock()
    seen = to_come_back(found, ledger, action, clock)
    plain = style(options.no_color)
    if seen.steps and not options.json:
        most = None if options.dry_run else MOST_STEPS
        show(undoing_lines(seen, zone, plain, found.home_dir, most))
    if options.dry_run:
        lines = ["", "Nothing was changed (--dry-run)."]
        return _answer(options, seen, zone, lines if seen.steps else result_lines(seen, zone))
    if seen.steps and not is_wanted("\nTake it back?", options.yes):
        _answer(options, seen, zone, ["Nothing was changed."])
        return 0
    if action.cause.endswith("-timer"):
        from tokenbudget.app.archive_timer import stop_before_undo

        stop_before_undo(found, action)
    try:
        made = take_back(found, ledger, action, clock)
    except KeyboardInterrupt:
        warn(f"stopped in the middle; tokens undo {action.id} goes on with it")
        raise
    _renew_hook_settings()
    stays = made._replace(steps=tuple(made.left))
    told = undoing_lines(stays, zone, plain, found.home_dir) if made.left else []
    lead = [""] if seen.steps else []
    return _answer(options, made, zone, [*lead, *told, *result_lines(made, zone)])


def _renew_hook_settings() -> None:
    """What was taken back may be a setting that hooks go by."""
    from tokenbudget.app.hook_settings import renew_hook_settings

    renew_hook_settings(refuse_impossible)


def _answer(options: Namespace, undoing: Undoing, zone: Zone, lines: list[str]) -> int:
    show([undoing_document(undoing, zone)] if options.json else lines)
    return NOT_SO if undoing.left else 0
