"""What earlier sessions teach about growth: paths to look ahead along, and typical rates.

A path is the growth of one past session, step by step. A forecast lays many pieces of such paths
from where the running session stands now and counts how long each takes (analogue forecasting:
E. N. Lorenz, 1969, "Atmospheric Predictability as Revealed by Naturally Occurring Analogues").
Whole pieces keep what single steps would lose: large steps come in runs.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import exp, log
from typing import NamedTuple

from tokenbudget.budget.burn import IDLE_MS, Step, steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from tokenbudget.budget.burn import Sample

    _Sums: TypeAlias = tuple[float, float, float]  # tokens, minutes, weight

MOST_SESSIONS = 16
"""The latest sessions that are used; older ones describe older habits and cost time."""

MOST_STEPS = 160
"""Steps used of one session, its latest."""

_LEAST_STEPS = 10  # a shorter session has no shape to repeat
_STARTS_PER_SESSION = 6

# The built-in shape stays in beside any history, as eight sessions more: it keeps the spread honest
# where the latest sessions happen to be alike. Its rates weigh as much as two sessions.
_PRIOR_SESSIONS = 2.0

# How much the running session says against the history, by the backtest (docs/forecast.md): the
# weight of a step halves about every 14 requests, and the history counts as 8 requests, or as few
# as 4 when there is none and a guess stands for it.
_FADE = 0.95
_GUESS_REQUESTS, _HISTORY_REQUESTS = 4.0, 8.0
_GROWN_SESSIONS = 8  # from which on a history has its whole weight
_RECENT_STEPS = 120  # 0.95 ** 120 is 0.002: what is older weighs nothing

# The built-in shape, for a first session: quantiles (1/32, 3/32, ...) of a step over its session's
# mean, and the spread of those means, as measured over 70 public sessions of 2025 and 2026.
_MEAN_TOKENS = 1_400.0
_MEAN_MINUTES = 0.31
_SESSION_SCALES = (0.58, 0.73, 0.84, 0.94, 1.06, 1.19, 1.37, 1.71)
_GROWTH_SHAPE = (
    0.10, 0.16, 0.20, 0.25, 0.29, 0.36, 0.43, 0.53, 0.62, 0.75, 0.95, 1.22, 1.60, 2.20, 3.10, 6.00,
)  # fmt: skip
_MINUTES_SHAPE = (
    0.04, 0.16, 0.21, 0.26, 0.31, 0.36, 0.42, 0.49, 0.57, 0.66, 0.80, 1.00, 1.35, 2.10, 3.60, 7.50,
)  # fmt: skip
_BUILT_IN_STEPS = 48


class Rates(NamedTuple):
    """What one request adds, typically."""

    tokens: float
    minutes: float


class Path(NamedTuple):
    """Cumulative sums over one session's steps; both lists begin with 0 and are equally long."""

    grown_tokens: list[float]
    active_minutes: list[float]

    def passage(self, start: int, tokens: float) -> tuple[int, float]:
        """Requests and active minutes from `start` until the path has grown by `tokens` (> 0).

        A path that ends before goes on with its own beginning, as often as is needed.
        """
        grown = self.grown_tokens
        last = len(grown) - 1
        goal = grown[start] + tokens
        laps = 0
        if goal > grown[last]:
            laps = int(goal / grown[last])
            goal -= laps * grown[last]
        end = min(bisect_left(grown, goal, 0 if laps else start), last)  # a rounded goal may pass
        minutes = self.active_minutes
        return (
            max(1, laps * last + end - start),
            laps * minutes[last] + minutes[end] - minutes[start],
        )


class Start(NamedTuple):
    """A place on a path from which one can look ahead, and the rates as known there."""

    path: Path
    position: int
    rates: Rates


class Experience(NamedTuple):
    """What is known before a session says anything itself."""

    rates: Rates
    weight_requests: float
    """As how many requests of the running session these rates count."""
    starts: list[Start]
    sessions: int
    """How many past sessions it was learnt from; 0 is the built-in shape alone."""


def experience_of(history: Sequence[Sequence[Sample]], idle_ms: int = IDLE_MS) -> Experience:
    """Learn from past sessions, oldest first; any number of them, none included.

    A session of fewer than 10 steps teaches nothing, and neither does one that never grew.
    """
    walks: list[list[Step]] = []
    for samples in reversed(history):
        walk = steps(samples[-MOST_STEPS - 1 :], idle_ms)
        if len(walk) >= _LEAST_STEPS and any(step.grown_tokens for step in walk):
            walks.append(walk)
        if len(walks) == MOST_SESSIONS:
            break
    typical = Rates(
        _typical([sum(s.grown_tokens for s in walk) / len(walk) for walk in walks], _MEAN_TOKENS),
        _typical(
            [sum(s.active_minutes for s in walk) / len(walk) for walk in walks], _MEAN_MINUTES
        ),
    )
    known = min(1.0, len(walks) / _GROWN_SESSIONS)
    weight = _GUESS_REQUESTS + known * (_HISTORY_REQUESTS - _GUESS_REQUESTS)
    starts = [start for walk in walks for start in _starts(walk, typical, weight)]
    return Experience(typical, weight, starts + _built_in_starts(weight), len(walks))


def rates_now(walk: Sequence[Step], typical: Rates, weight_requests: float) -> Rates:
    """The rates at the end of a walk: its recent steps, drawn towards what is typical."""
    *_, sums = _faded_sums(walk[-_RECENT_STEPS:])
    return _drawn(sums, typical, weight_requests)


def _faded_sums(walk: Sequence[Step]) -> Iterator[_Sums]:
    """Sums in which older steps weigh less: before each step, and after the last."""
    tokens, minutes, weight = 0.0, 0.0, 0.0
    yield tokens, minutes, weight
    for step in walk:
        tokens = _FADE * tokens + step.grown_tokens
        minutes = _FADE * minutes + step.active_minutes
        weight = _FADE * weight + 1
        yield tokens, minutes, weight


def _drawn(sums: _Sums, typical: Rates, prior: float) -> Rates:
    tokens, minutes, weight = sums
    return Rates(
        (tokens + prior * typical.tokens) / (weight + prior),
        (minutes + prior * typical.minutes) / (weight + prior),
    )


def _starts(walk: Sequence[Step], typical: Rates, weight: float) -> list[Start]:
    """Evenly spaced places on a walk, each with the rates as one would have known them there."""
    path = Path(
        list(accumulate((float(step.grown_tokens) for step in walk), initial=0.0)),
        list(accumulate((step.active_minutes for step in walk), initial=0.0)),
    )
    count = min(_STARTS_PER_SESSION, len(walk))
    chosen = {(2 * i + 1) * len(walk) // (2 * count) for i in range(count)}
    return [
        Start(path, position, _drawn(sums, typical, weight))
        for position, sums in enumerate(_faded_sums(walk))
        if position in chosen
    ]


def _built_in_starts(weight: float) -> list[Start]:
    rates = Rates(_MEAN_TOKENS, _MEAN_MINUTES)
    walks = [_built_in_walk(scale, i) for i, scale in enumerate(_SESSION_SCALES)]
    return [start for walk in walks for start in _starts(walk, rates, weight)]


def _built_in_walk(scale: float, number: int) -> list[Step]:
    """Steps of the built-in shape, in an order that has runs, as real sessions have.

    The powers of 3, and of 5, modulo 257 visit 1 to 256 once each, without a visible pattern.
    """
    first = 32 * number
    return [
        Step(
            0,
            round(scale * _MEAN_TOKENS * _GROWTH_SHAPE[(pow(3, i, 257) - 1) // 16]),
            _MEAN_MINUTES * _MINUTES_SHAPE[(pow(5, i, 257) - 1) // 16],
        )
        for i in range(first, first + _BUILT_IN_STEPS)
    ]


def _typical(means: Sequence[float], built_in: float) -> float:
    """The geometric mean over sessions and the built-in rate; it is not moved by one giant."""
    # Below a ten-thousandth of the usual a session says no more than that it was slow.
    logs = [log(max(mean, built_in * 1e-4)) for mean in means]
    return exp((sum(logs) + _PRIOR_SESSIONS * log(built_in)) / (len(logs) + _PRIOR_SESSIONS))
