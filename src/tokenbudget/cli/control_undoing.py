"""`tokens control undo`: take an action of the controller back, as `tokens undo` does.

Of a window that is lent it tells no more than what that means: there is one setting to give back.
"""

from __future__ import annotations

from tokenbudget.app.controlling_loans import is_loan, is_ours
from tokenbudget.app.taking_back import take_back, to_come_back
from tokenbudget.app.undoing import journal_ledger, latest_where, named
from tokenbudget.cli import undo
from tokenbudget.cli.asking import is_wanted
from tokenbudget.cli.options import LONGEST_COUNT, show, style
from tokenbudget.model.errors import BadRequest
from tokenbudget.model.figures import wrapped
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from tokenbudget.app.undoing import Undoing
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord

NOT_SO = 1
NOTHING = "Nothing that the controller did is left to take back; tokens control history lists it."
LENT = "The client was told to compact earlier than it usually does; that would be taken back."
GIVEN_BACK = "Given back: the client compacts when it usually does."


def run(options: Namespace, settings: Settings) -> int:
    """Carry it out: the last action, or the one that is named; 1 where some of it stays."""
    clock, seen = SystemClock(), None
    with journal_ledger(settings, clock, is_only_read=True) as ledger:
        action = _meant(ledger, options.session)
        if action is not None and is_loan(action):
            seen = to_come_back(settings, ledger, action, clock)
    if action is None:
        from tokenbudget.reports.undo import nothing_document

        show([nothing_document()] if options.json else _lines(options, NOTHING))
        return 0
    if seen is not None and (seen.steps or options.json):
        return _give_back(options, settings, seen)
    return _undo(options, action)


def _undo(options: Namespace, action: ActionRecord) -> int:
    given = [str(action.id)]
    given += ["--dry-run"] if options.dry_run else []
    given += ["--yes"] if options.yes else []
    given += ["--json"] if options.json else []
    given += ["--no-color"] if options.no_color else []
    given += ["--tz", options.tz] if options.tz else []
    return undo.run(given)


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
    return latest_where(ledger, is_ours)


def _give_back(options: Namespace, settings: Settings, seen: Undoing) -> int:
    """Empty the setting that has the client compact early; what was in the way is told."""
    is_done, made = False, seen
    if not options.dry_run:
        if not options.json and not options.yes:
            show(_lines(options, LENT))
        if is_wanted("\nTake it back?", options.yes):
            clock = SystemClock()
            with journal_ledger(settings, clock, is_only_read=False) as ledger:
                made = take_back(settings, ledger, seen.action, clock)
            is_done = not made.left
    fault = "; ".join(one.outcome.message for one in made.left)
    if options.json:
        from tokenbudget.reports.json import document

        fields = {"is_dry_run": options.dry_run, "action": seen.action.id, "is_given_back": is_done}
        show([document("control-undo", 1, {**fields, "fault": fault or None})])
    elif is_done:
        show(_lines(options, GIVEN_BACK))
    else:
        how = f"{' (--dry-run)' if options.dry_run else ''}{f': {fault}' if fault else ''}"
        lent = _lines(options, LENT) if options.dry_run else []
        show([*lent, *_lines(options, f"Nothing was changed{how}.")])
    return NOT_SO if fault else 0


def _lines(options: Namespace, sentence: str) -> list[str]:
    """A sentence in lines that the terminal has room for."""
    return wrapped(sentence, style(options.no_color).width)
