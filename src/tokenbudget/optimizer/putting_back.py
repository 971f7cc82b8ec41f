"""What was taken or lent is put back: when it is due, and what a decision about it means."""

from __future__ import annotations

from tokenbudget.budget.health import HEALTHY, MARGIN_SHARE, WARNING
from tokenbudget.model.control import HISTORY, RESERVE, RESTORE, Decision
from tokenbudget.model.spans import shown_span
from tokenbudget.optimizer.policy import NEIGHBOUR_SHARE
from tokenbudget.optimizer.receipts import FAILED
from tokenbudget.optimizer.signals import amount
from tokenbudget.optimizer.state import FOR_THE_SESSION, LENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Signals, Wishes
    from tokenbudget.optimizer.state import Pulled, State


def due(state: State, seen: Signals, wishes: Wishes, now_ms: int) -> Decision | None:
    """The first thing that is to be put back now; cool-downs and modes do not hold for it."""
    if seen.session != state.session or now_ms < state.restore_after_ms:
        return None
    for one in state.pulled:
        found = None if one.back else _why(one, state, seen, wishes, now_ms)
        if found and one.receipt.action is not None:
            return _decision(one, state, seen, now_ms, *found)
    return None


def reserve_first(state: State, seen: Signals, now_ms: int) -> Decision | None:
    """What comes before the history: the reserve, if it is released, for both are one setting."""
    for one in state.pulled:
        if one.receipt.lever == RESERVE and one.receipt.action is not None and not one.back:
            said = "the conversation can be compacted now, so the reserve is kept free again"
            return _decision(one, state, seen, now_ms, "history", said)
    return None


def meant_by(state: State, decision: Decision) -> Pulled | None:
    """The action that a `RESTORE` takes back; None: there is none, or it was taken back."""
    for one in state.pulled:
        is_meant = (one.receipt.lever, one.receipt.items) == (decision.lever, decision.items)
        if is_meant and not one.back and one.receipt.action is not None:
            return one
    return None


def put_back(state: State, decision: Decision) -> State:
    """The state once that is done."""
    found = meant_by(state, decision)
    pulled = tuple(
        one._replace(back=decision.code) if one is found else one for one in state.pulled
    )
    return state._replace(pulled=pulled, restore_after_ms=0)


def is_awaited(one: Pulled) -> bool:
    """Whether something of it is still to come: what it did, or that it is put back."""
    comes_back = one.receipt.lever in (*LENT, *FOR_THE_SESSION)
    return one.is_open or (comes_back and one.receipt.action is not None and not one.back)


def _decision(
    one: Pulled, state: State, seen: Signals, now_ms: int, code: str, reason: str
) -> Decision:
    return Decision(
        now_ms,
        state.session,
        RESTORE,
        state.health.level,
        code,
        reason,
        one.receipt.lever,
        one.receipt.items,
        request_key=seen.request_key,
    )


def _why(
    one: Pulled, state: State, seen: Signals, wishes: Wishes, now_ms: int
) -> tuple[str, str] | None:
    lever, items = one.receipt.lever, one.receipt.items
    if lever == HISTORY and seen.compactions > one.compactions:
        return "boundary", "the conversation was compacted, so the client's own setting comes back"
    as_full = NEIGHBOUR_SHARE * one.receipt.before_tokens
    if lever == HISTORY and any(tokens >= as_full for tokens in seen.neighbours):
        return "neighbour", "another session of the project would be compacted with this one"
    if lever == HISTORY and one.receipt.outcome == FAILED:
        return (
            "failed",
            "two requests were made without the compaction that was to come before them",
        )
    if lever == RESERVE and _has_room_again(one, state, seen, wishes):
        return "recovered", f"the window is {state.health.level} again, so the reserve is kept free"
    if lever in LENT:
        return _lease_over(one, seen, wishes, now_ms)
    if lever in FOR_THE_SESSION and _is_over_for_all(seen):
        return "over", "the session is over, so what was changed for it is put back"
    again = [thing for thing in items if thing in seen.reloaded]
    if again:
        return (
            "asked-for",
            f"{again[0]} was asked for since it was taken out, and stays from now on",
        )
    return None


def _has_room_again(one: Pulled, state: State, seen: Signals, wishes: Wishes) -> bool:
    """Whether the window is well below critical, with the reserve and without it.

    Releasing it makes the usable window larger, and so the level a better one at once: by that
    alone it would be put back into an emergency, and released again.
    """
    if state.health.level not in (HEALTHY, WARNING):
        return False
    used = amount(seen.used_tokens)
    if used is None or one.part_tokens is None:
        return used is not None
    return used < (wishes.critical_share - MARGIN_SHARE) * one.part_tokens


def _is_over_for_all(seen: Signals) -> bool:
    """Whether no warm cache is lost by it: this session's, should it go on, or a neighbour's."""
    return seen.is_over and seen.cache.is_cold is not False and not seen.neighbours


def _lease_over(one: Pulled, seen: Signals, wishes: Wishes, now_ms: int) -> tuple[str, str] | None:
    if seen.is_over:
        return "over", "the session is over, so what was changed for it is put back"
    age_ms = now_ms - one.since_ms
    if age_ms >= wishes.lease_ms:
        return "lease", f"it was changed {shown_span(age_ms)} ago, for no longer than that"
    return None
