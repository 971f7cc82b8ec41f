"""What an action did, seen from the first request after it took effect."""

from __future__ import annotations

from tokenbudget.budget.health import CRITICAL, EMERGENCY
from tokenbudget.model.control import HISTORY, MEMORY, RESERVE, SCRATCH, SERVERS, SKILLS
from tokenbudget.optimizer.policy import HEARD_MS, MISSED_REQUESTS, POOR_SHARE, SLOWING
from tokenbudget.optimizer.signals import amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.model.control import Receipt, Signals
    from tokenbudget.optimizer.state import Pulled, State

MEASURED, UNMEASURED = "measured", "unmeasured"
ENDED, UNDONE, FAILED, EXPIRED = "ended", "undone", "failed", "expired"

_PARTS = {
    SKILLS: ("skills", "agents"),
    SERVERS: ("mcp_tools",),
    MEMORY: ("memory_files",),
    SCRATCH: ("memory_files",),
}
"""The components of the window in which a lever's things stand, as `analysis.composition` names
them. History is measured by the whole window; what only slows growth cannot be measured by one
request."""

_HARD = (HISTORY, SERVERS, SCRATCH)
"""Levers that are to make room; the soft ones free what little they can."""

_BACK = {"lease": EXPIRED, "over": ENDED, "asked-for": UNDONE, "neighbour": UNDONE}
"""How a receipt ends that was put back before anything was seen of it."""


def part_of(lever: str, parts: Mapping[str, int], usable_tokens: int) -> int | None:
    """What the lever's part of the window weighs; None where that is not known."""
    if lever == RESERVE:
        return usable_tokens
    known = [parts[name] for name in _PARTS.get(lever, ()) if name in parts]
    return sum(known) if known else None


def settled(state: State, seen: Signals, now_ms: int) -> list[Receipt]:
    """The open receipts that this look settles.

    `controller.tick` takes the same ones out of the state; so this is called with the state that
    the tick is given, before or after it, and what it returns is recorded.
    """
    found = [_outcome(state, one, seen) for one in state.pulled if one.is_open]
    done = [receipt._replace(settled_at_ms=now_ms) for receipt in found if receipt is not None]
    done = [_own_share(one, done) for one in done]
    beside = sum(one.measured_tokens or 0 for one in done if one.lever != HISTORY)
    alone = [_without(one, beside) if _is_whole_window(one) else one for one in done]
    return [_with_money(one, seen) for one in alone]


def is_poor_pass(done: Sequence[Receipt]) -> bool | None:
    """Whether what took effect together freed next to nothing; None: it was no hard clean-up."""
    measured = [one for one in done if one.measured_tokens is not None]
    if not any(one.level in (CRITICAL, EMERGENCY) and one.lever in _HARD for one in measured):
        return None
    freed = sum(one.measured_tokens or 0 for one in measured)
    return freed < POOR_SHARE * max(one.before_tokens for one in measured)


def boundary_key(state: State, seen: Signals) -> str | None:
    """The last request before the latest boundary, as far as looks tell; None: none was seen.

    Where a boundary and a request are new in one look, the request stands behind it if it is
    smaller than the one before.
    """
    if not seen.session or seen.compactions <= state.compactions or not state.request_key:
        return state.boundary_key
    used = amount(seen.used_tokens)
    is_smaller = used is not None and used < state.used_tokens
    return state.request_key if is_smaller else seen.request_key


def missed_requests(state: State, one: Pulled, seen: Signals) -> int:
    """How many requests were made since without the compaction that was to come before them."""
    is_late = seen.request_at_ms >= one.since_ms + HEARD_MS
    is_missed = (
        one.receipt.lever == HISTORY
        and not one.back
        and is_late
        and seen.request_key != state.request_key
        and seen.compactions <= one.compactions
    )
    return one.missed_requests + is_missed


def _outcome(state: State, one: Pulled, seen: Signals) -> Receipt | None:
    if seen.session != state.session or seen.requests < state.requests:
        return None
    receipt = one.receipt
    if one.back in _BACK:
        return receipt._replace(outcome=_BACK[one.back])
    if _has_taken_effect(state, one, seen):
        return _measured(state, one, seen)
    if seen.is_over:
        return receipt._replace(outcome=ENDED)
    if missed_requests(state, one, seen) >= MISSED_REQUESTS:
        return receipt._replace(outcome=FAILED, measured_tokens=0)
    return None


def _has_taken_effect(state: State, one: Pulled, seen: Signals) -> bool:
    """Whether the look shows a request that was made after it did."""
    if amount(seen.used_tokens) is None or seen.request_key in ("", one.receipt.request_key):
        return False
    if one.receipt.lever == HISTORY or one.receipt.effect == "next compaction":
        is_past = seen.compactions > one.compactions
        return is_past and seen.request_key not in ("", boundary_key(state, seen))
    is_heard = seen.request_at_ms >= one.since_ms + HEARD_MS
    return is_heard or one.receipt.lever in SLOWING  # of which nothing is measured


def _measured(state: State, one: Pulled, seen: Signals) -> Receipt:
    """What the request lost against what it would have been; growth since is not in it."""
    receipt = one.receipt
    if receipt.lever == HISTORY:
        freed: int | None = state.used_tokens - (seen.used_tokens or 0)
    else:
        now = part_of(receipt.lever, seen.composition, seen.usable_tokens or 0)
        freed = None if now is None or one.part_tokens is None else one.part_tokens - now
        if freed is not None and receipt.lever == RESERVE:
            freed = -freed
    if freed is None:
        return receipt._replace(outcome=UNMEASURED)
    return receipt._replace(outcome=MEASURED, measured_tokens=max(0, freed))


def _with_money(receipt: Receipt, seen: Signals) -> Receipt:
    """What it saves by the tokens that it freed.

    The prediction's costs stay as they are; each token that was freed more or less than predicted
    is read, or not, by every request that is still expected.
    """
    read, price = amount(seen.cache.read), amount(seen.cache.input_usd)
    expected = amount(seen.expected_requests)
    if receipt.predicted_usd is None or receipt.measured_tokens is None:
        return receipt
    if read is None or price is None or expected is None:
        return receipt
    more = receipt.measured_tokens - receipt.predicted_tokens
    return receipt._replace(measured_usd=receipt.predicted_usd + more * read * expected * price)


def _own_share(receipt: Receipt, done: Sequence[Receipt]) -> Receipt:
    """The receipt with its part of what several freed together.

    Levers whose things stand in one component cannot be told apart by it: each is said to have
    freed its part of the fall, as the predictions have it.
    """
    parts = _PARTS.get(receipt.lever)
    same = [one for one in done if _PARTS.get(one.lever) == parts and one.outcome == MEASURED]
    if parts is None or receipt not in same or len(same) < 2:
        return receipt
    fall = max(one.measured_tokens or 0 for one in same)
    predicted = sum(one.predicted_tokens for one in same)
    share = receipt.predicted_tokens / predicted if predicted else 1 / len(same)
    return receipt._replace(measured_tokens=round(fall * share))


def _is_whole_window(receipt: Receipt) -> bool:
    return receipt.lever == HISTORY and receipt.outcome == MEASURED


def _without(receipt: Receipt, beside: int) -> Receipt:
    """A boundary lets other changes take effect, too: they are not the history's doing."""
    return receipt._replace(measured_tokens=max(0, (receipt.measured_tokens or 0) - beside))
