"""How long until a window reaches a threshold: always as a spread, never as one number.

Every number is a quantile over paths that earlier sessions took (`experience`), scaled to the rate
of the running one. `docs/forecast.md` holds the measured coverage and loss.
"""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from tokenbudget.budget.burn import IDLE_MS, steps
from tokenbudget.budget.experience import rates_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.budget.burn import Sample
    from tokenbudget.budget.experience import Experience, Rates, Start

LEAST_SAMPLES = 3
"""Below this many requests nothing is foretold."""

MOST_REQUESTS = 2_000
"""What lies further away is not foreseeable: no session that was measured is that long."""


class Spread(NamedTuple):
    """Three quantiles, ascending; `None` lies beyond what is foreseeable, above every number."""

    p10: float | None
    p50: float | None
    p90: float | None


class Threshold(NamedTuple):
    """A size of the window that means something."""

    name: str
    tokens: int


_RECENT_SAMPLES = 128  # as many as `rates_now` gives any weight


class Crossing(NamedTuple):
    """When the window will reach a threshold, if the session goes on."""

    name: str
    threshold_tokens: int
    requests: Spread | None
    """Whole requests from now on; 0 when it is reached already. `None` is unknown, see `reason`."""
    active_minutes: Spread | None
    """Minutes of work; pauses longer than the idle limit are not in it."""
    sent_tokens: Spread | None
    """Prompt tokens that these requests send, cached ones included."""
    reason: str
    """Why something is unknown or beyond the horizon; '' when all three are known."""


def crossings(
    samples: Sequence[Sample],
    thresholds: Sequence[Threshold],
    experience: Experience,
    idle_ms: int = IDLE_MS,
) -> list[Crossing]:
    """The crossing of each threshold, in the order given.

    Args:
        samples: The running session so far, oldest first.
        thresholds: Sizes in tokens.
        experience: What earlier sessions taught; see `experience_of`.
        idle_ms: A longer pause is not work; the same limit that the experience was learnt with.
    """
    if len(samples) < LEAST_SAMPLES:
        so_far = "1 request" if len(samples) == 1 else f"{len(samples)} requests"
        reason = f"{so_far} so far; a forecast needs {LEAST_SAMPLES}"
        held = samples[-1].window_tokens if samples else 0
        return [
            _unknown(goal, reason) if goal.tokens > held else _reached(goal) for goal in thresholds
        ]
    now = rates_now(
        steps(samples[-_RECENT_SAMPLES:], idle_ms), experience.rates, experience.weight_requests
    )
    window_tokens = samples[-1].window_tokens
    return [_crossing(window_tokens, goal, now, experience) for goal in thresholds]


def passages(ahead_tokens: int, now: Rates, experience: Experience) -> list[tuple[float, float]]:
    """Requests and active minutes until the window has grown by that much (> 0), for each path.

    All are equally likely; infinite ones lie beyond the horizon.
    """
    return [_passage(ahead_tokens, now, start) for start in experience.starts]


def _crossing(window_tokens: int, goal: Threshold, now: Rates, experience: Experience) -> Crossing:
    ahead = goal.tokens - window_tokens
    if ahead <= 0:
        return _reached(goal)
    outcomes = passages(ahead, now, experience)
    requests = spread_of([outcome[0] for outcome in outcomes])
    minutes = spread_of([outcome[1] for outcome in outcomes])
    prompt = window_tokens + ahead / 2  # the average one on the way
    sent = Spread(*(None if count is None else round(count * prompt) for count in requests))
    reason = f"beyond {MOST_REQUESTS:,} requests" if None in requests else ""
    return Crossing(goal.name, goal.tokens, requests, minutes, sent, reason)


def _passage(ahead_tokens: int, now: Rates, start: Start) -> tuple[float, float]:
    """Requests and minutes along one path, scaled from its rates to the present ones."""
    scaled = ahead_tokens * start.rates.tokens / now.tokens
    requests, minutes = start.path.passage(start.position, scaled)
    if requests > MOST_REQUESTS:
        return inf, inf
    return requests, minutes * now.minutes / start.rates.minutes


def spread_of(values: Sequence[float]) -> Spread:
    """The quantiles of equally likely outcomes: the smallest value with that share at or below it.

    There is at least one value; infinite ones are outcomes beyond the horizon.
    """
    ordered = sorted(values)
    chosen = [ordered[-(-len(ordered) * tenths // 10) - 1] for tenths in (1, 5, 9)]
    return Spread(*(None if value == inf else value for value in chosen))


def _reached(goal: Threshold) -> Crossing:
    nothing = Spread(0, 0, 0)
    return Crossing(goal.name, goal.tokens, nothing, nothing, nothing, "")


def _unknown(goal: Threshold, reason: str) -> Crossing:
    return Crossing(goal.name, goal.tokens, None, None, None, reason)
