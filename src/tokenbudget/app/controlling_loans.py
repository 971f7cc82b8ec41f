"""A window that the controller lent is given back because a person says so.

A running client goes on with a window that is merely taken out of its settings. So the setting is
made empty, which the client takes up; the key itself goes later, by the controller's hands
(`resources.history`).
"""

from __future__ import annotations

from tokenbudget.app.control_held import restore_steps
from tokenbudget.app.controlling_acts import CAUSE, Acts
from tokenbudget.app.controlling_closing import unclear
from tokenbudget.app.controlling_leaving import bench_of
from tokenbudget.app.undoing import StepUndone, Undoing, given_back, gives_back, lending
from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.model.actions import EditSettings, Outcome
from tokenbudget.resources.agent_settings import MOST_BYTES
from tokenbudget.resources.history import CLEAR_UP, lent_values, told_in
from tokenbudget.resources.looking import text_at
from tokenbudget.resources.settings import differences, edited
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.protocols import Clock

EMPTIED = (
    "made empty, and taken away half a minute later (by tokens control or tokens serve): a client"
    " that runs would go on with a window that is merely taken away"
)


def is_ours(action: ActionRecord) -> bool:
    """Whether the controller did it."""
    return action.cause == CAUSE or action.cause.startswith(f"{CAUSE} ")


def is_loan(action: ActionRecord) -> bool:
    """Whether the controller told a client a window by it, so that it compacts early."""
    return is_ours(action) and not gives_back(action) and lending(action) is not None


def to_give_back(
    settings: Settings, ledger: Ledger, action: ActionRecord, clock: Clock
) -> Undoing | None:
    """What giving a loan back would come to: no step where it is given back already.

    None where it is no loan, or none any more: the person has written something of their own.
    """
    steps = _steps(bench_of(settings, ledger, clock), action)
    return None if steps is None else Undoing(action, steps, is_foreseen=True)


def give_back(
    settings: Settings, ledger: Ledger, action: ActionRecord, clock: Clock
) -> Undoing | None:
    """Give a loan back, and write down that it was taken back; None as `to_give_back`.

    Raises:
        LedgerUnusable, LedgerDamaged: it cannot be written down; the same command goes on.
    """
    bench = bench_of(settings, ledger, clock)
    steps = _steps(bench, action)
    if steps is None:
        return None
    made = Undoing(action, steps, is_foreseen=False)
    if made.left:
        return made
    if steps:
        is_done, fault = Acts(bench, restore_steps).give_back_history(action.project)
        if not is_done:
            failed = [one._replace(outcome=Outcome("failed", fault)) for one in steps]
            return made._replace(steps=tuple(failed))
    ledger.journal.note_undone(action.id)
    return made


def _steps(bench: Workbench, action: ActionRecord) -> tuple[StepUndone, ...] | None:
    lent = lending(action)
    if lent is None or not is_loan(action) or action.undone_at_ms is not None:
        return None
    fault = unclear(action.project)
    if fault:
        return (StepUndone(lent, Outcome("failed", fault)),)
    due = restore_steps(bench, action.project)
    giving = due[0].steps[0] if due else None
    if not isinstance(giving, EditSettings):
        return None
    text = text_at(giving.path, (action.project,), MOST_BYTES) or ""
    is_its_own = told_in(text) in lent_values([action], giving.path)
    if due[0].id == CLEAR_UP or not is_its_own or _is_lent_again(bench, action):
        return ()
    return (StepUndone(lent, _emptied(text, giving)),)


def _is_lent_again(bench: Workbench, action: ActionRecord) -> bool:
    """Whether this loan is over and another one put there what stands there, though it is as much.

    What was given back and stands there all the same is what somebody restored: it is given back.
    """
    actions = bench.ledger.journal.actions(-1, action.project)
    is_over = action.id in given_back(actions)
    return is_over and any(one.id > action.id and is_loan(one) for one in actions)


def _emptied(text: str, giving: EditSettings) -> Outcome:
    """What giving back changes of the settings, or why it cannot."""
    try:
        difference = differences(text, edited(text, giving.edits), giving.edits)
    except (ValueError, NotEditable) as wrong:
        return Outcome("failed", f"{quoted(giving.path)} cannot be changed safely: {wrong}")
    return Outcome("undone", EMPTIED, {"difference": [*difference]})
