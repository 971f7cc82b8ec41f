"""Whether what the controller began was done: as a whole, or it is taken back.

After an action, and after a controller that was killed during one, its receipt is closed in the
same way: by what the journal has under the receipt's cause, and by a look at each step of which
nobody noted how it went.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from tokenbudget.app.journal import only_action
from tokenbudget.app.undoing import undo, workshop_for
from tokenbudget.config.layers import AGENT_FOLDER, LOCAL_NAME
from tokenbudget.ledger.control_store import LONG_PATIENCE_MS
from tokenbudget.optimizer import controller
from tokenbudget.optimizer.receipts import FAILED
from tokenbudget.optimizer.state_text import state_text
from tokenbudget.resources.agent_settings import MOST_BYTES
from tokenbudget.resources.history import VARIABLE
from tokenbudget.resources.looking import text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import ActionRecord
    from tokenbudget.model.control import Receipt, Signals
    from tokenbudget.optimizer.state import State
    from tokenbudget.resources.steps import Workshop

CAUSE = "tokens control"
"""What the journal gives as the cause of every action of the controller begins so."""


class Done(NamedTuple):
    """What came of carrying a decision out."""

    state: State
    receipt: Receipt | None = None
    """That was opened, or that what was put back belongs to; None: nothing was begun."""
    fault: str = ""
    """Why it was not done, or not as a whole, in one sentence."""


def cause_of(receipt: int) -> str:
    """The cause under which the journal has the action of a receipt."""
    return f"{CAUSE} (receipt {receipt})"


def recovered(bench: Workbench, state: State) -> State:
    """The state, once what a killed controller had begun in this session is done or undone."""
    open_ones = bench.ledger.control.open_receipts(state.session)
    for receipt, _ in open_ones:
        if receipt.action is None:
            state = closed(bench, state, receipt, "").state
    known = [one for one, _ in bench.ledger.control.open_receipts(state.session)]
    return controller.recalled(state, known)


def with_undone(bench: Workbench, state: State, seen: Signals) -> tuple[State, Signals]:
    """With what a person took back: it is not put back again, and its items are pinned."""
    out = [one.receipt for one in state.pulled if one.receipt.action and not one.back]
    if not out:
        return state, seen
    actions = [one.action for one in out if one.action is not None]
    undone = bench.ledger.journal.undone_among(actions)
    if not undone:
        return state, seen
    pulled = tuple(
        one._replace(back="asked-for") if one.receipt.action in undone and not one.back else one
        for one in state.pulled
    )
    items = [item for one in out if one.action in undone for item in one.items]
    reloaded = tuple(dict.fromkeys((*seen.reloaded, *items)))
    return state._replace(pulled=pulled), seen._replace(reloaded=reloaded)


def closed(bench: Workbench, state: State, receipt: Receipt, fault: str) -> Done:
    """Have the receipt say what the journal says, and the state know of it."""
    record = bench.ledger.journal.caused_by(cause_of(receipt.id))
    if record is not None:
        record, fault = _whole_or_back(bench, record, fault)
    is_done = record is not None and not fault
    now_ms = bench.clock.now_ms()
    action = None if record is None else record.id
    ended = receipt._replace(action=action)
    if not is_done:
        ended = ended._replace(outcome=FAILED, settled_at_ms=now_ms)
        fault = fault or "it was never begun"
    after = controller.recalled(state, [ended])
    control = bench.ledger.control
    with control.transaction(LONG_PATIENCE_MS, is_durable=True) as writing:
        writing.settle(ended)
        writing.put_state(state.session, state_text(after), now_ms)
    return Done(after, ended, fault)


def _whole_or_back(bench: Workbench, record: ActionRecord, fault: str) -> tuple[ActionRecord, str]:
    """The action as it stands, and '' if it was done as a whole; anything less is undone."""
    workshop = workshop_for(bench.settings, record, bench.clock)
    record = _looked_at(bench, record, workshop)
    states = {one.outcome.state for one in record.steps}
    if record.undone_at_ms is None and states <= {"done", "unchanged"} and "done" in states:
        return record, ""
    why = fault or _message(record)
    if states & {"done", "planned", "conflict"} and record.undone_at_ms is None:
        ledger, settings = bench.ledger, bench.settings
        made = undo(ledger, workshop, record, settings.data_dir, bench.clock)
        left = [one.outcome.message for one in made.left if one.outcome.message]
        why = "; ".join(dict.fromkeys((why, *left)))
    return record, why


def _looked_at(bench: Workbench, record: ActionRecord, workshop: Workshop) -> ActionRecord:
    """The action with every step that is `planned` looked at, and the journal told of it."""
    planned = [one for one in record.steps if one.outcome.state == "planned"]
    if not planned:
        return record
    ledger = bench.ledger
    with only_action(bench.settings.data_dir, bench.clock):
        for one in planned:
            seen = workshop.look(one.step, one.outcome)
            if seen.state == "done":
                ledger.journal.note(record.id, one.number, seen)
    return ledger.journal.action(record.id) or record


def _message(record: ActionRecord) -> str:
    told = [one.outcome.message for one in record.steps if one.outcome.message]
    if told:
        return "; ".join(dict.fromkeys(told))
    if record.undone_at_ms is not None:
        return "it was taken back before it had been noted"
    states = {one.outcome.state for one in record.steps}
    return "it was so already" if states == {"unchanged"} else "it was not done as a whole"


def unclear(project: str) -> str:
    """Why it cannot be told whether a window is lent in a project; '' where it can.

    Whoever edits the file may have it half written for a moment: that it is no JSON then does not
    say that nothing of ours is there.
    """
    path = os.path.join(os.path.realpath(project), AGENT_FOLDER, LOCAL_NAME)
    text = (text_at(path, (project,), MOST_BYTES) or "").removeprefix("\ufeff")
    if VARIABLE not in text:
        return ""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return f"{path} cannot be read as settings now, and is looked at again"
    return ""


def said(wrong: Exception) -> str:
    """The sentence of an error; the system's own are told by their reason."""
    return wrong.strerror or str(wrong) if isinstance(wrong, OSError) else str(wrong)
