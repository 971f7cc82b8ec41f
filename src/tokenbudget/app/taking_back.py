"""Whatever the journal holds is taken back in its own way; a loan of the controller is given back.

What a person takes back is written down as taken back, and its receipt is closed: the controller
does not do it again in that session.
"""

from __future__ import annotations

from tokenbudget.app.gateway_record import INSTALL
from tokenbudget.app.undoing import foreseen, lending, undo, workshop_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app.undoing import Undoing
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.protocols import Clock

UNDONE = "undone"


def to_come_back(settings: Settings, ledger: Ledger, action: ActionRecord, clock: Clock) -> Undoing:
    """What taking an action back would come to; nothing is changed.

    Raises:
        LedgerUnusable, LedgerDamaged: it cannot be read.
        Refused: what stands on it would be lost with it.
    """
    _refuse_under_others(settings, ledger, action)
    made = None
    if lending(action) is not None:
        from tokenbudget.app.controlling_loans import to_give_back  # costs as much as all the rest

        made = to_give_back(settings, ledger, action, clock)
    return made or foreseen(workshop_for(settings, action, clock), action)


def take_back(settings: Settings, ledger: Ledger, action: ActionRecord, clock: Clock) -> Undoing:
    """Take an action back as far as that is possible; the journal says how far it came.

    Raises:
        LedgerUnusable: the journal cannot be written; nothing more was changed.
        Refused: another command is changing files, or what stands on it would be lost with it.
    """
    _refuse_under_others(settings, ledger, action)
    made = None
    if lending(action) is not None:
        from tokenbudget.app.controlling_loans import give_back

        made = give_back(settings, ledger, action, clock)
    if made is None:
        workshop = workshop_for(settings, action, clock)
        made = undo(ledger, workshop, action, settings.data_dir, clock)
    _close_receipt(ledger, action.id, clock)
    return made


def _refuse_under_others(settings: Settings, ledger: Ledger, action: ActionRecord) -> None:
    if action.cause == INSTALL:
        from tokenbudget.app.gateway_journal import refuse_under_others

        refuse_under_others(settings.data_dir, ledger, action)


def _close_receipt(ledger: Ledger, action: int, clock: Clock) -> None:
    """Have the receipt of what was taken back before its effect was seen say so."""
    record = ledger.journal.action(action)
    if record is None or record.undone_at_ms is None:
        return
    receipt = ledger.control.receipt_of_action(action)
    if receipt is not None and not receipt.outcome:
        ledger.control.settle(receipt._replace(outcome=UNDONE, settled_at_ms=clock.now_ms()))
