"""The loop's decision: one look at a session in, at most one action out.

`tick` reads aloud: verify what was done, observe, put back what is due, find the thresholds that
are met and past their grace, rank what could leave, and decide on at most one thing. It touches
nothing and keeps nothing: the state goes in and comes out, and the same input gives the same
decision. The rules and their figures are `policy`'s.
"""

from __future__ import annotations

from tokenbudget.budget.health import EMERGENCY, HEALTHY, LEVELS
from tokenbudget.model.control import ACT, RESTORE, WAIT, Decision
from tokenbudget.model.errors import BadConfig
from tokenbudget.model.spans import shown_span
from tokenbudget.optimizer import deciding, lever_facts, putting_back, receipts, signals, words
from tokenbudget.optimizer.ground import Ground
from tokenbudget.optimizer.policy import POOR_PASSES, RETRY_MS
from tokenbudget.optimizer.state import MOST_PINNED, MOST_PULLED, Pulled, State, fresh
from tokenbudget.optimizer.thresholds import limits_of, observed, past_grace, thresholds_met

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.budget.health import Thresholds
    from tokenbudget.model.control import Receipt, Signals, Wishes
    from tokenbudget.optimizer.deciding import Judged
    from tokenbudget.optimizer.ground import Known
    from tokenbudget.optimizer.thresholds import Met
    from tokenbudget.optimizer.trust import Trust

__all__ = ["State", "considered", "fresh", "noted", "pulled_for", "recalled", "tick"]


def tick(
    state: State,
    seen: Signals,
    wishes: Wishes,
    trust: Trust,
    now_ms: int,
    known: Known = lever_facts.fact,
) -> tuple[State, Decision]:
    """The state after one look, and what to do about it.

    Save the state before the decision is carried out: it holds the cool-down already, so that a
    crash in between never leads to a second action. Then tell `noted` how it went.

    Args:
        state: As the last tick, or `noted`, left it.
        seen: The look.
        wishes: What the person wants.
        trust: How far each lever's predictions are believed.
        now_ms: The clock.
        known: What is known of a lever, by client, model, tool search and lever.
    """
    verified = _verified(state, seen, now_ms)
    if jump := signals.clock_fault(state, now_ms):
        return _clocked(verified, now_ms), _wait(state, seen, now_ms, *jump.told)
    verified = verified._replace(now_ms=now_ms)
    try:
        limits = limits_of(wishes)
    except BadConfig as unfit:
        if due := putting_back.due(verified, seen, wishes, now_ms):
            return verified, due
        return verified, _wait(state, seen, now_ms, "config", str(unfit), "when they are put right")
    wrong = signals.fault(state, seen, wishes, now_ms)
    present = verified if wrong else _remembered(observed(verified, seen, limits), state, seen)
    if due := putting_back.due(present, seen, wishes, now_ms):
        return present, due
    if wrong := signals.end(state, seen) or wrong:
        return _recounted(present, seen, wrong), _wait(present, seen, now_ms, *wrong.told)
    met = thresholds_met(present, seen, limits)
    ripe = past_grace(met)
    if not ripe:
        return _at_rest(present, seen, now_ms, met, limits)
    if present.poor_passes >= POOR_PASSES:
        return present, _given_up(present, seen, now_ms)
    ground = Ground(present, seen, wishes, trust, known, ripe[0].level, now_ms)
    return deciding.at_most_one(ground, deciding.ranked(ground))


def considered(
    state: State,
    seen: Signals,
    wishes: Wishes,
    trust: Trust,
    now_ms: int,
    known: Known = lever_facts.fact,
) -> tuple[str, list[Judged]]:
    """What `tick` would weigh, for a person to see: the level acted on, and its levers in order.

    Raises:
        BadConfig: the thresholds cannot be meant.
    """
    limits = limits_of(wishes)
    verified = _verified(state, seen, now_ms)
    if signals.fault(state, seen, wishes, now_ms):
        return HEALTHY, []
    present = _remembered(observed(verified, seen, limits), state, seen)
    ripe = past_grace(thresholds_met(present, seen, limits))
    if not ripe:
        return HEALTHY, []
    ground = Ground(present, seen, wishes, trust, known, ripe[0].level, now_ms)
    return ground.level, deciding.ranked(ground)


def noted(state: State, decision: Decision, receipt: Receipt | None) -> State:
    """The state once a decision was carried out.

    Args:
        state: As `tick` left it with this decision.
        decision: What was to be done; anything but `ACT` and `RESTORE` changes nothing.
        receipt: What was done, as recorded; for a `RESTORE` any receipt, such as that of
            `pulled_for`. None: it was refused, or failed.
    """
    if decision.kind == RESTORE:
        if receipt is None:
            return state._replace(restore_after_ms=decision.at_ms + RETRY_MS)
        return putting_back.put_back(state, decision)
    if decision.kind != ACT or receipt is None:
        return state
    return recalled(state, [receipt])


def recalled(state: State, known: Sequence[Receipt]) -> State:
    """The state with open receipts that it lost: it was killed before it could be told of them."""
    have = {(one.receipt.lever, one.receipt.at_ms) for one in state.pulled}
    new = [
        Pulled(
            one,
            one.at_ms,
            state.compactions,
            receipts.part_of(one.lever, dict(state.parts), state.usable_tokens),
        )
        for one in known
        if not one.outcome and (one.lever, one.at_ms) not in have and one.session == state.session
    ]
    return state._replace(pulled=_kept((*state.pulled, *new)))


def pulled_for(state: State, decision: Decision) -> Receipt | None:
    """The receipt of what a `RESTORE` puts back; its `action` is the journal's."""
    found = putting_back.meant_by(state, decision)
    return found.receipt if found else None


def _verified(state: State, seen: Signals, now_ms: int) -> State:
    """What a look settles is settled, and what was loaded again is pinned."""
    if seen.session != state.session:
        return state
    done = receipts.settled(state, seen, now_ms)
    ended = {(one.lever, one.at_ms): one for one in done}
    pulled = tuple(
        one._replace(receipt=ended.get((one.receipt.lever, one.receipt.at_ms), one.receipt))
        if one.is_open
        else one
        for one in state.pulled
    )
    is_poor = receipts.is_poor_pass(done)
    passes = state.poor_passes if is_poor is None else (state.poor_passes + 1 if is_poor else 0)
    pinned = tuple(dict.fromkeys((*state.pinned, *seen.reloaded)))[-MOST_PINNED:]
    return state._replace(pulled=_kept(pulled), poor_passes=passes, pinned=pinned)


def _remembered(state: State, before: State, seen: Signals) -> State:
    """The state with what the next look is to be compared with; `before` was the last one."""
    is_boundary = seen.compactions > before.compactions
    is_better = LEVELS.index(state.health.level) < LEVELS.index(before.health.level)
    had_given_up = before.poor_passes >= POOR_PASSES
    if seen.request_key != before.request_key:
        state = state._replace(
            request_key=seen.request_key,
            request_at_ms=seen.request_at_ms,
            requests=seen.requests,
            used_tokens=int(seen.used_tokens or 0),
        )
    return state._replace(
        usable_tokens=int(seen.usable_tokens or 0),
        parts=deciding.parts_of(seen),
        compactions=seen.compactions,
        boundary_key=receipts.boundary_key(before, seen),
        pulled=tuple(
            one._replace(missed_requests=receipts.missed_requests(before, one, seen))
            for one in state.pulled
        ),
        poor_passes=0 if is_better or (is_boundary and had_given_up) else state.poor_passes,
    )


def _clocked(state: State, now_ms: int) -> State:
    """The state by the clock as it goes now; where that was set back, its times go with it."""
    shift_ms = min(0, now_ms - state.now_ms)
    return state._replace(
        now_ms=now_ms,
        tried=tuple((lever, at_ms + shift_ms) for lever, at_ms in state.tried),
        marks=tuple(mark._replace(at_ms=mark.at_ms + shift_ms) for mark in state.marks),
        pulled=tuple(one._replace(since_ms=one.since_ms + shift_ms) for one in state.pulled),
        restore_after_ms=max(0, state.restore_after_ms + shift_ms),
        health=state.health._replace(
            calm_since_ms=max(0, state.health.calm_since_ms + shift_ms),
        ),
    )


def _recounted(state: State, seen: Signals, wrong: signals.Fault) -> State:
    """A transcript that was written anew tells of fewer requests: they count now."""
    if not wrong.is_behind:
        return state
    compactions = seen.compactions
    return state._replace(
        requests=seen.requests,
        compactions=compactions,
        boundary_key=None,
        pulled=tuple(
            one._replace(compactions=min(one.compactions, compactions)) for one in state.pulled
        ),
    )


def _kept(pulled: tuple[Pulled, ...]) -> tuple[Pulled, ...]:
    """The latest, and every one that something still waits for."""
    surplus = len(pulled) - MOST_PULLED
    if surplus <= 0:
        return pulled
    idle = [one for one in pulled if not putting_back.is_awaited(one)][:surplus]
    return tuple(one for one in pulled if one not in idle)


def _at_rest(
    state: State, seen: Signals, now_ms: int, met: Sequence[Met], limits: Thresholds
) -> tuple[State, Decision]:
    """Nothing is past its grace: why, and from when on it would be."""
    said = words.fullness(seen)
    resting = state._replace(marks=())
    if met:
        first = met[0]
        said += f"; {first.level} has held for {first.held} of {first.needed} requests"
        following = _after_requests(first.needed - first.held)
        return resting, _wait(state, seen, now_ms, "grace", said, following)
    if state.health.level != HEALTHY:
        said += f", which is below the boundary of {state.health.level}"
        held = "when it has held for 3 requests"
        return resting, _wait(state, seen, now_ms, "recovering", said, held)
    full = f", full in about {shown_span(seen.full_in_ms)}" if seen.full_in_ms else ""
    following = f"from {words.percent(limits.warning_share)} on"
    return resting, _wait(state, seen, now_ms, "healthy", said + full, following)


def _after_requests(count: int) -> str:
    return "with the next request" if count <= 1 else f"with {count} more requests"


def _given_up(state: State, seen: Signals, now_ms: int) -> Decision:
    reason = (
        f"{words.fullness(seen)}, and the last two clean-ups freed less than 10% of it:"
        " what fills the window cannot leave it"
    )
    advice = "use /clear, begin a new session, or give the large part to a subagent"
    return _wait(state, seen, now_ms, "gave-up", reason, advice)


def _wait(
    state: State, seen: Signals, now_ms: int, code: str, reason: str, following: str
) -> Decision:
    level = state.health.level
    if level == EMERGENCY and not following:
        following = "the client compacts by itself when the window is full"
    return Decision(
        now_ms,
        state.session,
        WAIT,
        level,
        code,
        reason,
        next=following,
        request_key=seen.request_key,
    )
