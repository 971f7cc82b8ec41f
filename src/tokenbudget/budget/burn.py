"""How fast a window fills: tokens per active minute and per request.

Only growth is burn. A window that shrinks was compacted or cleared; that step is a reset and says
nothing about how fast it fills. A long pause is not work and does not dilute the rate.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SPANS_MINUTES = (5, 15, 60)
"""The sliding spans that a burn is given for."""

IDLE_MS = 5 * 60_000
"""A longer pause between two requests is idle time: the short lifetime of a prompt cache."""

_MINUTE_MS = 60_000


class Sample(NamedTuple):
    """What the window held when one request had completed."""

    at_ms: int
    """Milliseconds since 1970, UTC; samples are given in this order."""
    window_tokens: int
    """The prompt with everything cached, plus the output."""


class Step(NamedTuple):
    """What happened between a request and the one before it."""

    at_ms: int
    grown_tokens: int
    active_minutes: float
    """0 when the pause was idle time, or when the clock went back."""


class Burn(NamedTuple):
    """Growth of the window over one span that ends now; `None` is unknown, see `reason`."""

    span_minutes: int
    requests: int
    grown_tokens: int
    active_minutes: float
    tokens_per_minute: float | None
    tokens_per_request: float | None
    reason: str
    """Why a rate is unknown; '' when both are known."""


def steps(samples: Sequence[Sample], idle_ms: int = IDLE_MS) -> list[Step]:
    """The growth between neighbours, resets left out: a list of at most `len(samples) - 1`."""
    found = []
    for before, after in pairwise(samples):
        grown = after.window_tokens - before.window_tokens
        if grown < 0:
            continue
        pause_ms = after.at_ms - before.at_ms
        active_ms = pause_ms if 0 < pause_ms <= idle_ms else 0
        found.append(Step(after.at_ms, grown, active_ms / _MINUTE_MS))
    return found


def burns(
    samples: Sequence[Sample],
    now_ms: int,
    spans_minutes: Sequence[int] = SPANS_MINUTES,
    idle_ms: int = IDLE_MS,
) -> list[Burn]:
    """The burn over each span up to `now_ms`.

    A step belongs to a span when its request completed inside; it then counts whole, growth and
    time alike, so that a step across the border does not distort the rate.
    """
    if len(samples) < 2:
        return [_unknown(span, "fewer than 2 requests") for span in spans_minutes]
    taken = steps(samples, idle_ms)
    return [_burn(taken, now_ms, span) for span in spans_minutes]


def _burn(taken: Sequence[Step], now_ms: int, span_minutes: int) -> Burn:
    since_ms = now_ms - span_minutes * _MINUTE_MS
    inside = [step for step in taken if since_ms < step.at_ms <= now_ms]
    if not inside:
        return _unknown(span_minutes, f"no growth measured in the last {span_minutes} minutes")
    grown = sum(step.grown_tokens for step in inside)
    active = sum(step.active_minutes for step in inside)
    return Burn(
        span_minutes,
        len(inside),
        grown,
        active,
        grown / active if active else None,
        grown / len(inside),
        "" if active else "every pause between these requests was idle time",
    )


def _unknown(span_minutes: int, reason: str) -> Burn:
    return Burn(span_minutes, 0, 0, 0.0, None, None, reason)
