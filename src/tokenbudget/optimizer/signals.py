"""Whether a look may be believed: nothing is done on what is old, impossible or not known."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from tokenbudget.optimizer.policy import JUMP_MS, STALE_INTERVALS, STALE_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Signals, Wishes
    from tokenbudget.optimizer.state import State

CLOCK, STALE, UNKNOWN, OVER = "clock", "stale", "unknown", "over"

_MOST = 1 << 53  # what every reader of JSON can hold as a whole number; nothing here is that large


class Fault(NamedTuple):
    """Why a look is no ground to act on."""

    code: str
    reason: str
    next: str
    is_behind: bool = False
    """Whether the look tells of less than was seen before."""

    @property
    def told(self) -> tuple[str, str, str]:
        """What a decision says of it."""
        return self.code, self.reason, self.next


def clock_fault(state: State, now_ms: int) -> Fault | None:
    """The clock went back since the last tick, or further ahead than a pause explains."""
    ahead_ms = now_ms - state.now_ms
    if not state.now_ms or 0 <= ahead_ms <= JUMP_MS:
        return None
    if ahead_ms < 0:
        said = f"the clock went back by {-ahead_ms / 1000:,.0f} s since the last look"
    else:
        said = f"nobody looked for {ahead_ms / 60_000:,.0f} minutes, or the clock was set ahead"
    return Fault(CLOCK, said, "the next look counts again")


def end(state: State, seen: Signals) -> Fault | None:
    """The session has ended."""
    is_over = seen.is_over and seen.session == state.session
    return Fault(OVER, "the session is over", "") if is_over else None


def fault(state: State, seen: Signals, wishes: Wishes, now_ms: int) -> Fault | None:
    """What is wrong with a look; None: it may be acted on."""
    again = "at the next look that shows it"
    if seen.session != state.session:
        return Fault(UNKNOWN, "the look was at another session", again)
    age_ms = now_ms - seen.observed_at_ms
    if age_ms < 0:
        return Fault(CLOCK, f"the look is dated {-age_ms / 1000:,.1f} s ahead of the clock", again)
    if age_ms > max(STALE_MS, STALE_INTERVALS * wishes.interval_ms):
        return Fault(STALE, f"the last look is {age_ms / 1000:,.0f} s old", "at a new look")
    if not all(map(is_amount, (seen.request_at_ms, seen.requests, seen.compactions))):
        return Fault(UNKNOWN, "what the look counted cannot be", again)
    if not seen.request_key or seen.requests < 1:
        return Fault(UNKNOWN, "no request has been completed yet", "with the first answer")
    if seen.requests < state.requests or seen.compactions < state.compactions:
        said = (
            f"the transcript tells of {seen.requests:,} requests, and of {state.requests:,} before"
        )
        return Fault(STALE, said, "the next look counts from there", is_behind=True)
    if not is_amount(seen.used_tokens):
        return Fault(UNKNOWN, "it is not known how much of the window is used", again)
    if not is_amount(seen.usable_tokens) or not seen.usable_tokens:
        return Fault(UNKNOWN, "it is not known how large the usable window is", again)
    return None


def is_amount(value: float | None) -> bool:
    """Whether it is a number that an amount can be: known, finite, not below 0."""
    return value is not None and isfinite(value) and 0 <= value <= _MOST


def amount(value: float | None) -> float | None:
    """The number, if an amount can be it."""
    return value if is_amount(value) else None
