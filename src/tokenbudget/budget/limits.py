"""Whether a usage limit lasts until its reset: the 5-hour and the 7-day window of a subscription.

Only what the agent itself reports is used: a share in whole percent, a little late, and the time of
the reset. Local token counts say nothing about it: the weights of a quota are not published, and
other devices spend from it too.

The forecast lays the rest of each past window, taken from the same age, behind the present one and
scales it to the present rate. Past windows carry the pauses, nights and weekends in them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import exp, inf
from typing import NamedTuple

from tokenbudget.budget.forecast import Spread, spread_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FIVE_HOURS_MS = 5 * 3_600_000
SEVEN_DAYS_MS = 7 * 86_400_000

LEAST_SAMPLES = 3
LEAST_SPAN_MS = 10 * 60_000
"""Below either nothing is foretold: late, whole percents need that much to mean a rate."""

MOST_WINDOWS = 40
"""The latest past windows that are used."""

_SAME_RESET_MS = 10 * 60_000  # the reported reset of one window wavers by seconds to minutes
_FULL_HISTORY = 8  # past windows from which on the built-in shape is left out
_SPENT_SHARE = 0.995  # shown as 100 percent
_DAY_MS = 86_400_000

# By the backtest (docs/forecast.md): how far back a rate looks, and how much the past windows'
# mean says against it, both as parts of the window; and by what factors it may be wrong.
_MEMORY = 0.25
_PRIOR = 0.20
_DOUBTS = (0.85, 1.0, 1.18)  # a rate from whole, late percents may well be off by that

_BUILT_IN_SHARES = (0.08, 0.18, 0.28, 0.38, 0.50, 0.65, 0.85, 1.20)  # used at reset, a broad guess
_SLOTS = 40


class LimitSample(NamedTuple):
    """One report of a limit."""

    at_ms: int
    used_share: float
    """0 to 1; more is taken for 1."""
    resets_at_ms: int


class LimitForecast(NamedTuple):
    """What a limit's window will have come to; `None` is unknown, see `reason`."""

    used_share: float | None
    """The latest report."""
    resets_at_ms: int | None
    share_at_reset: Spread | None
    """Never above 1."""
    exhausted_at_ms: Spread | None
    """Milliseconds since 1970; a `None` inside means: not before the reset."""
    reason: str
    """Why there is no forecast; '' when there is."""


class LimitPath(NamedTuple):
    """One window as steps: from `ages_ms[i]` after its start on, `shares[i]` was used."""

    ages_ms: list[float]
    shares: list[float]

    def share_at(self, age_ms: float) -> float:
        """What was used at this age, as far as it had been reported."""
        return self.shares[bisect_right(self.ages_ms, age_ms) - 1]


class LimitExperience(NamedTuple):
    """Past windows of one limit."""

    window_ms: int
    paths: list[LimitPath]
    typical_rate: float
    """Mean share used per millisecond."""


def limit_experience_of(
    history: Sequence[Sequence[LimitSample]], window_ms: int
) -> LimitExperience:
    """Learn from past windows, oldest first, each as its reports; any number, none included.

    With fewer than 8 of them the built-in shape fills up the rest.
    """
    past = [samples for samples in history if len(samples) >= LEAST_SAMPLES][-MOST_WINDOWS:]
    paths = [_path(samples, window_ms) for samples in past]
    built_in = _built_in_paths(window_ms)[: max(0, _FULL_HISTORY - len(paths))]
    # One built-in window always counts, so that windows without any use do not make a rate of 0.
    guess = sum(_BUILT_IN_SHARES) / len(_BUILT_IN_SHARES)
    weight = max(1, len(built_in))
    used = sum(path.shares[-1] for path in paths) + weight * guess
    rate = used / (len(paths) + weight) / window_ms
    return LimitExperience(
        window_ms, [_carried_on(path, window_ms) for path in paths] + built_in, rate
    )


def limit_forecast(
    samples: Sequence[LimitSample], now_ms: int, experience: LimitExperience
) -> LimitForecast:
    """The state of the window at its reset, and when it will be exhausted.

    Args:
        samples: Reports, oldest first; those of earlier windows are left out by their reset.
        now_ms: The present, in milliseconds since 1970.
        experience: Past windows of the same limit.
    """
    if not samples or samples[-1].resets_at_ms <= now_ms:
        return _unknown(None, "no report of a window that is still open")
    last = samples[-1]
    seen = [s for s in samples if abs(s.resets_at_ms - last.resets_at_ms) <= _SAME_RESET_MS]
    if len(seen) < LEAST_SAMPLES:
        return _unknown(last, f"{len(seen)} reports so far; a forecast needs {LEAST_SAMPLES}")
    if last.at_ms - seen[0].at_ms < LEAST_SPAN_MS:
        return _unknown(last, "less than 10 minutes of reports so far")
    return _foretold(seen, now_ms, experience)


def _foretold(
    seen: Sequence[LimitSample], now_ms: int, experience: LimitExperience
) -> LimitForecast:
    window_ms = experience.window_ms
    resets_at_ms = seen[-1].resets_at_ms
    path = _path(seen, window_ms)
    used = path.shares[-1]
    age_ms = min(max(now_ms - (resets_at_ms - window_ms), 0), window_ms)
    rate = _rate(path, age_ms, experience)
    at_reset, exhausted = [], []
    for past in experience.paths:
        for start_ms in _starts(age_ms, window_ms):
            known = rate / _rate(past, start_ms, experience)
            for scale in [known * doubt for doubt in _DOUBTS]:
                grown, full_after_ms = _rest(past, start_ms, window_ms - age_ms, (1 - used) / scale)
                at_reset.append(min(1.0, used + scale * grown))
                exhausted.append(now_ms + full_after_ms if used < 1 else now_ms)
    return LimitForecast(used, resets_at_ms, spread_of(at_reset), spread_of(exhausted), "")


def _rest(
    path: LimitPath, start_ms: float, remaining_ms: float, room: float
) -> tuple[float, float]:
    """What a past window used in the time that remains, and after how long it had used `room`."""
    before = path.share_at(start_ms)
    grown = path.share_at(start_ms + remaining_ms) - before
    if grown < room:
        return grown, inf
    full = bisect_left(path.shares, before + room)
    return grown, max(0.0, path.ages_ms[min(full, len(path.ages_ms) - 1)] - start_ms)


def _starts(age_ms: float, window_ms: int) -> list[float]:
    """Ages to start from in a past window: this one, and a little earlier at the same hour."""
    earlier = _DAY_MS if window_ms > 2 * _DAY_MS else window_ms / 20
    return [start for start in (age_ms, age_ms - earlier, age_ms - 2 * earlier) if start >= 0]


def _rate(path: LimitPath, age_ms: float, experience: LimitExperience) -> float:
    """Share per millisecond as known at this age: recent use, drawn towards what is typical."""
    memory_ms = _MEMORY * experience.window_ms
    prior_ms = _PRIOR * experience.window_ms
    end = bisect_right(path.ages_ms, age_ms)
    recent = sum(
        (path.shares[i] - path.shares[i - 1]) * exp((path.ages_ms[i] - age_ms) / memory_ms)
        for i in range(1, end)
    )
    span_ms = memory_ms * (1 - exp(-age_ms / memory_ms))
    return (recent + prior_ms * experience.typical_rate) / (span_ms + prior_ms)


def _path(samples: Sequence[LimitSample], window_ms: int) -> LimitPath:
    """The reports as steps upwards: a share that goes down inside a window is a late report."""
    start_ms = samples[-1].resets_at_ms - window_ms
    path = LimitPath([0.0], [0.0])
    for sample in samples:
        share = min(sample.used_share, 1.0)
        if not share >= 0:
            raise ValueError(f"a used share of {share} cannot be; use 0 to 1")
        if share > path.shares[-1]:
            path.ages_ms.append(max(path.ages_ms[-1], sample.at_ms - start_ms))
            path.shares.append(share)
    return path


def _carried_on(path: LimitPath, window_ms: int) -> LimitPath:
    """A window that was spent before its end, as it might have gone on: at its own mean rate."""
    spent_ms = path.ages_ms[-1]
    if path.shares[-1] < _SPENT_SHARE or spent_ms <= 0:
        return path
    ticks = 10
    later = [spent_ms + (window_ms - spent_ms) * i / ticks for i in range(1, ticks + 1)]
    rate = path.shares[-1] / spent_ms
    return LimitPath(path.ages_ms + later, path.shares + [rate * age for age in later])


def _built_in_paths(window_ms: int) -> list[LimitPath]:
    order = (3, 6, 1, 4, 7, 0, 5, 2)  # so that the first few are spread as well
    return [_built_in_path(_BUILT_IN_SHARES[i], i, window_ms) for i in order]


def _built_in_path(share: float, number: int, window_ms: int) -> LimitPath:
    """Blocks of work and of rest, in an order without pattern (powers of 3 modulo 257)."""
    weights = []
    for slot in range(_SLOTS):
        is_work = pow(3, 14 * number + slot // 3, 257) > 128
        weights.append(pow(3, 40 * number + slot, 257) if is_work else 0)
    total, grown = sum(weights), 0
    path = LimitPath([0.0], [0.0])
    for slot, weight in enumerate(weights):
        grown += weight
        if weight:
            path.ages_ms.append((slot + 1) * window_ms / _SLOTS)
            path.shares.append(share * grown / total)
    return path


def _unknown(last: LimitSample | None, reason: str) -> LimitForecast:
    if last is None:
        return LimitForecast(None, None, None, None, reason)
    return LimitForecast(last.used_share, last.resets_at_ms, None, None, reason)
