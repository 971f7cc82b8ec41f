"""One turn of the controller as a value: what it saw of a session, decided and did."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Decision, Receipt, Signals, Wishes
    from tokenbudget.optimizer.state import State
    from tokenbudget.optimizer.trust import Trust


class Turn(NamedTuple):
    """What one turn saw, decided and did."""

    session: str
    signals: Signals | None
    """None: nobody looked, for every lever is off, or the ledger knows no such session."""
    before: State
    """The state that the decision was made with."""
    state: State
    wishes: Wishes
    trust: Trust
    decision: Decision
    receipt: Receipt | None = None
    """Of what was done, or put back; one that failed says so."""
    settled: tuple[Receipt, ...] = ()
    """What was measured by this look."""
    fault: str = ""
    """What went wrong, in one sentence; '' is nothing."""
    title: str = ""
    """Of the session; '' where it has none."""
