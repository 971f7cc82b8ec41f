"""`tokens control undo`: take an action of the controller back, as `tokens undo` does.

A compaction that was brought about early is another matter: the setting that did it is emptied, for
a running client goes on with a setting that is merely taken away (`resources.history`).
"""

from __future__ import annotations

from tokenbudget.app import open_workbench
from tokenbudget.app.control_held import restore_steps
from tokenbudget.app.controlling_acts import CAUSE, Acts
from tokenbudget.app.undoing import is_to_undo, journal_ledger, named
from tokenbudget.cli import undo
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import LONGEST_COUNT, show, style
from tokenbudget.cli.terminal import terminal
from tokenbudget.model.control import HISTORY
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.figures import wrapped
from tokenbudget.resources.history import GIVE_BACK
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord

NOT_SO = 1
UNDONE = "undone"
NOTHING = "Nothing that the controller did is left to take back; tokens control history lists it."
LENT = "The client was told to compact earlier than it usually does; that would be taken back."
GIVEN_BACK = "Given back: the client compacts when it usually does."


def run(options: Namespace, settings: Settings) -> int:
    """Carry it out: the last action, or the one that is named; 1 where some of it stays."""
    with journal_ledger(settings, SystemClock(), is_only_read=True) as ledger:
        action = _meant(ledger, options.session)
        is_history = action is not None and _is_lending(ledger, action)
    if action is None:
        from tokenbudget.reports.undo import nothing_document

        show([nothing_document()] if options.json else _lines(options, NOTHING))
        return 0
    code = _give_back(options, settings, action) if is_history else _undo(options, action)
    if not options.dry_run:
        _note(settings, action)
    return code


def _undo(options: Namespace, action: ActionRecord) -> int:
    given = [str(action.id)]
    given += ["--dry-run"] if options.dry_run else []
    given += ["--yes"] if options.yes else []
    given += ["--json"] if options.json else []
    given += ["--no-color"] if options.no_color else []
    given += ["--tz", options.tz] if options.tz else []
    return undo.run(given)


def _note(settings: Settings, action: ActionRecord) -> None:
    """Close the receipt of what was taken back before its effect was seen."""
    clock = SystemClock()
    with journal_ledger(settings, clock, is_only_read=False) as ledger:
        record, receipt = ledger.journal.action(action.id), None
        if record is not None and record.undone_at_ms is not None:
            receipt = ledger.control.receipt_of_action(action.id)
        if receipt is not None and not receipt.outcome:
            ended = receipt._replace(outcome=UNDONE, settled_at_ms=clock.now_ms())
            ledger.control.settle(ended)


def _meant(ledger: Ledger, number: str) -> ActionRecord | None:
    """The action that is meant; None: there is none. Raises BadRequest."""
    if number:
        if not number.isdecimal() or len(number) > LONGEST_COUNT:
            raise BadRequest(f"'{number}' is no number; tokens control history shows them")
        action = named(ledger, int(number))
        if not is_ours(action):
            raise BadRequest(
                f"action {number} is not the controller's, but of: {action.cause};"
                f" tokens undo {number} takes it back"
            )
        return action
    for action in ledger.journal.actions(-1):
        if is_ours(action) and is_to_undo(action) and not _was_given_back(ledger, action):
            return action
    return None


def is_ours(action: ActionRecord) -> bool:
    """Whether the controller did it."""
    return action.cause == CAUSE or action.cause.startswith(f"{CAUSE} ")


def _is_lending(ledger: Ledger, action: ActionRecord) -> bool:
    receipt = ledger.control.receipt_of_action(action.id)
    return receipt is not None and receipt.lever == HISTORY


def _was_given_back(ledger: Ledger, action: ActionRecord) -> bool:
    """Whether a later action of the project gave back what this one lent."""
    if not _is_lending(ledger, action):
        return False
    later = ledger.journal.actions(-1, action.project)
    return any(one.id > action.id and one.cause.endswith(f"({GIVE_BACK})") for one in later)


def _give_back(options: Namespace, settings: Settings, action: ActionRecord) -> int:
    """Empty the setting that has the client compact early; what was in the way is told."""
    is_done, fault = False, ""
    if not options.dry_run:
        if not options.json and not options.yes:
            show(_lines(options, LENT))
        if is_wanted("\nTake it back?", options.yes):
            with open_workbench(settings, terminal(), zone_name=options.tz) as bench:
                bench.ledger.let_go()
                is_done, fault = Acts(bench, restore_steps).give_back_history(action.project)
                if is_done:
                    bench.ledger.journal.note_undone(action.id)
    if options.json:
        from tokenbudget.reports.json import document

        fields = {"is_dry_run": options.dry_run, "action": action.id, "is_given_back": is_done}
        show([document("control-undo", 1, {**fields, "fault": fault or None})])
    elif options.dry_run:
        show([*_lines(options, LENT), "Nothing was changed (--dry-run)."])
    else:
        unchanged = f"Nothing was changed{f': {fault}' if fault else ''}."
        show(_lines(options, GIVEN_BACK if is_done else unchanged))
    return NOT_SO if fault else 0


def _lines(options: Namespace, sentence: str) -> list[str]:
    """A sentence in lines that the terminal has room for."""
    return wrapped(sentence, style(options.no_color).width)
