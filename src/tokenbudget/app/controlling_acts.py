"""What a decision of the controller changes, so that a kill at any instruction leaves it whole.

The order is always the same, and each line is durable before the next begins:

    1  the state with its cool-down, the decision, an open receipt        (one transaction)
    2  the journal's action, whose cause names the receipt; its steps, each noted
    3  the receipt with the action, the state that knows of it            (one transaction)

So an open receipt without an action says that its controller was killed in between, and
`controlling_closing.recovered` finds out what was done. Putting back is safe to do twice, and a
decision to do so is come to again until the state says that it was done.
"""

from __future__ import annotations

import os

from tokenbudget.app.compacting_place import project_meant
from tokenbudget.app.controlling_closing import CAUSE, Done, cause_of, closed, said, unclear
from tokenbudget.app.journal import carry_out
from tokenbudget.app.undoing import stands, undo, workshop_for
from tokenbudget.ledger.control_store import LONG_PATIENCE_MS
from tokenbudget.model.control import HISTORY, Receipt
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.optimizer import controller
from tokenbudget.optimizer.state_text import state_text
from tokenbudget.resources.history import CLEAR_UP, GIVE_BACK
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.model.actions import ActionRecord, Outcome, Proposal
    from tokenbudget.model.control import Decision, Signals
    from tokenbudget.optimizer.state import State

__all__ = ["CAUSE", "Acts", "receipt_for"]


def receipt_for(decision: Decision, seen: Signals) -> Receipt:
    """What an action is to do, not recorded yet."""
    foretold = decision.prediction
    return Receipt(
        id=0,
        session=decision.session,
        at_ms=decision.at_ms,
        lever=decision.lever,
        items=decision.items,
        level=decision.level,
        action=None,
        predicted_tokens=0 if foretold is None else foretold.tokens,
        predicted_usd=None if foretold is None else foretold.usd,
        effect="now" if foretold is None else foretold.effect,
        before_tokens=seen.used_tokens or 0,
        request_key=decision.request_key,
    )


class Acts:
    """The controller's hands. Whoever uses them holds the control lock."""

    def __init__(
        self, bench: Workbench, restore_steps: Callable[[Workbench, str], Sequence[Proposal]]
    ) -> None:
        """`restore_steps` gives what is due to have a lent history given back in a project."""
        self._bench = bench
        self._restore_steps = restore_steps

    # ── doing ──────────────────────────────────────────────────────────────────────────────────

    def act(
        self,
        state: State,
        decision: Decision,
        seen: Signals,
        settled: Sequence[Receipt],
        proposals: Sequence[Proposal],
    ) -> Done:
        """Carry an `ACT` out; `state` is as the tick left it, `settled` what the look settled.

        Raises:
            LedgerUnusable, LedgerDamaged: the record cannot be written. Nothing was done then, or
                the next turn finds out what was.
        """
        refusal = self._refusal(seen.project, proposals)
        receipt = receipt_for(decision, seen)
        with self._bench.ledger.control.transaction(is_durable=True) as writing:
            for one in settled:
                writing.settle(one)
            writing.put_state(state.session, state_text(state), decision.at_ms)
            writing.record(decision, seen.project)
            if refusal:
                return Done(controller.noted(state, decision, None), None, refusal)
            receipt = receipt._replace(id=writing.open_receipt(receipt, seen.project))
        fault = self._carried_out(cause_of(receipt.id), seen.project, proposals)
        return closed(self._bench, state, receipt, fault)

    def _refusal(self, project: str, proposals: Sequence[Proposal]) -> str:
        """Why nothing may be changed there; '' where it may."""
        if not any(one.steps for one in proposals):
            return "what was to leave is gone, or only a person can change it"
        try:
            project_meant(self._bench.settings, project)
        except (TokenBudgetError, OSError) as wrong:
            return said(wrong)
        return ""

    def _carried_out(
        self, cause: str, project: str, proposals: Sequence[Proposal], undoes: int | None = None
    ) -> str:
        """Do it; '' or what was in the way. The journal knows how far it came."""
        try:
            carry_out(
                *(self._bench, self._workshop(project), cause, os.path.realpath(project)),
                proposals,
                undoes=undoes,
            )
        except (TokenBudgetError, OSError) as wrong:
            return said(wrong)
        return ""

    def _workshop(self, project: str) -> Workshop:
        """Hands for the project, and for nothing else."""
        data_dir, clock = self._bench.settings.data_dir, self._bench.clock
        return Workshop(
            *(Trash(data_dir, clock), Kept(data_dir), [os.path.realpath(project)], clock),
            cause=CAUSE,
        )

    # ── putting back ───────────────────────────────────────────────────────────────────────────

    def put_back(
        self, state: State, decision: Decision, project: str, settled: Sequence[Receipt]
    ) -> Done:
        """Carry a `RESTORE` out; `state` is as the tick left it.

        Raises:
            LedgerUnusable, LedgerDamaged: the record cannot be written; the next turn tries again.
        """
        receipt = controller.pulled_for(state, decision)
        control = self._bench.ledger.control
        with control.transaction(is_durable=True) as writing:
            for one in settled:
                writing.settle(one)
            writing.put_state(state.session, state_text(state), decision.at_ms)
            writing.record(decision, project)
        is_back, fault = self._given_back(receipt, project) if receipt else (True, "")
        after = controller.noted(state, decision, receipt if is_back else None)
        with control.transaction(LONG_PATIENCE_MS, is_durable=True) as writing:
            writing.put_state(state.session, state_text(after), decision.at_ms)
        return Done(after, receipt, fault)

    def _given_back(self, receipt: Receipt, project: str) -> tuple[bool, str]:
        """Whether nothing is left to be put back, and what was in the way."""
        if not os.path.isdir(project):
            return True, f"{project} is gone, and what was changed in it with it"
        if receipt.lever == HISTORY:
            return self.give_back_history(project)
        record = self._bench.ledger.journal.action(receipt.action or 0)
        if record is None:
            return True, "the journal does not know the action any more"
        return self._undone(record)

    def _undone(self, record: ActionRecord, *, is_noted_too: bool = False) -> tuple[bool, str]:
        """Take it back; whether nothing is left to be tried again, and what was in the way."""
        try:
            workshop = workshop_for(self._bench.settings, record, self._bench.clock)
            data_dir = self._bench.settings.data_dir
            made = undo(
                *(self._bench.ledger, workshop, record, data_dir, self._bench.clock),
                is_noted_too=is_noted_too,
            )
        except (TokenBudgetError, OSError) as wrong:
            return False, said(wrong)
        left = [one.outcome for one in made.left]
        told = "; ".join(one.message for one in left if one.message)
        return not any(one.state == "failed" for one in left), told

    def give_back_history(self, project: str) -> tuple[bool, str]:
        """Empty the setting that was lent, so that a running client takes up the usual one."""
        return self._step_back(project, GIVE_BACK)

    def clear_up_history(self, project: str) -> str:
        """Take the emptied setting away, and the loan back; '' or what was in the way.

        What the loan made beside the setting, as an empty file, goes with it.
        """
        is_done, fault = self._step_back(project, CLEAR_UP)
        if not is_done:
            return fault
        journal = self._bench.ledger.journal
        loans = [journal.action(action) for action in self._loans_of(project)]
        standing = [loan for loan in loans if loan is not None and stands(loan)]
        undone = [self._undone(loan, is_noted_too=True) for loan in standing]
        return "; ".join(fault for is_done, fault in undone if fault and not is_done)

    def _step_back(self, project: str, step: str) -> tuple[bool, str]:
        """Have this step done if it is due; whether it is, and what was in the way.

        It is an action that gives another one back: `tokens undo` never lends again.
        """
        try:
            due = [one for one in self._restore_steps(self._bench, project) if one.id == step]
        except (TokenBudgetError, OSError) as wrong:
            return False, said(wrong)
        fault = "" if due else unclear(project)
        if due:
            cause = f"{CAUSE} ({step})"
            fault = self._carried_out(cause, project, due, next(self._loans_of(project), None))
            record = None if fault else self._bench.ledger.journal.caused_by(cause)
            fault = fault or _faults(record)
        return not fault, fault

    def _loans_of(self, project: str) -> Iterator[int]:
        """The journal's actions by which a history was lent its setting there, the last first."""
        for one in self._bench.ledger.control.receipts(project=project):
            if one.lever == HISTORY and one.action is not None:
                yield one.action


def _faults(record: ActionRecord | None) -> str:
    """What was in the way of single steps; '' is nothing."""
    outcomes: list[Outcome] = [] if record is None else [one.outcome for one in record.steps]
    left = [one for one in outcomes if one.state not in ("done", "unchanged")]
    return "; ".join(one.message or f"a step is {one.state}" for one in left)
