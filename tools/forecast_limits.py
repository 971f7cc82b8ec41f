"""Generated people who use up five-hour and seven-day limits, and predictions inside them."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, NamedTuple

from forecast_scoring import Case, Groups, triple
from tokenbudget.budget.limits import (
    FIVE_HOURS_MS,
    LimitExperience,
    LimitSample,
    limit_experience_of,
    limit_forecast,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HOUR_MS = 3_600_000


class Habit(NamedTuple):
    """One generated user."""

    begins_hour: float
    ends_hour: float
    weekend: float
    """Probability to work on a day of the weekend."""
    work_minutes: float
    rest_minutes: float
    intensity: float
    """Share of the limit used per active minute, on average."""


def habit_of(chance: random.Random, window_ms: int) -> Habit:
    """A plausible user: office or evening hours, longer or shorter bursts, heavy or light use."""
    begins = chance.uniform(7, 12)
    # What a window comes to if it is used as one usually would: 20 to 120 percent.
    typical = math.exp(chance.uniform(math.log(0.2), math.log(1.2)))
    active = 150 if window_ms == FIVE_HOURS_MS else 5.3 * 300
    return Habit(
        begins,
        begins + chance.uniform(6, 12),
        chance.uniform(0.05, 0.5),
        chance.uniform(20, 90),
        chance.uniform(10, 60),
        typical / active,
    )


def minutes_of_use(chance: random.Random, habit: Habit, days: int) -> Iterator[float]:
    """Use in each minute, as a share of the limit: bursts, pauses, nights, weekends."""
    left, rate = 0.0, 0.0
    for day in range(days):
        is_weekend = day % 7 >= 5
        is_working = chance.random() < (habit.weekend if is_weekend else 0.93)
        late = chance.gauss(0, 0.7)
        for minute in range(1_440):
            hour = minute / 60 - late
            if not (is_working and habit.begins_hour <= hour < habit.ends_hour):
                yield 0.0
                continue
            if left <= 0:
                is_burst = rate == 0.0
                left = chance.expovariate(
                    1 / (habit.work_minutes if is_burst else habit.rest_minutes)
                )
                rate = habit.intensity * chance.lognormvariate(-0.18, 0.6) if is_burst else 0.0
            left -= 1
            yield rate * chance.lognormvariate(-0.32, 0.8) if rate else 0.0


class Window(NamedTuple):
    """One generated limit window: the truth by the minute, and what the agent reported of it."""

    starts_ms: int
    used: list[float]
    """At the end of each minute, capped at 1."""
    reports: list[LimitSample]


def windows_of(chance: random.Random, habit: Habit, window_ms: int, days: int) -> list[Window]:
    """Windows one after the other; a 5-hour window opens with the first use after a reset."""
    use = list(minutes_of_use(chance, habit, days))
    length = window_ms // 60_000
    found = []
    minute = 0
    while minute + length <= len(use):
        if window_ms == FIVE_HOURS_MS and not use[minute]:
            minute += 1
            continue
        found.append(_window(chance, use[minute : minute + length], minute, window_ms))
        minute += length
    return found


def _window(chance: random.Random, use: Sequence[float], minute: int, window_ms: int) -> Window:
    starts_ms = minute * 60_000
    used: list[float] = []
    reports: list[LimitSample] = []
    total, next_report = 0.0, 0
    for i, amount in enumerate(use):
        total = min(1.0, total + amount)
        used.append(total)
        if amount and i >= next_report:  # reported only while the agent works; late; whole percent
            late = chance.randint(0, 3)
            share = round(used[max(0, i - late)] * 100) / 100
            reports.append(LimitSample(starts_ms + (i + 1) * 60_000, share, starts_ms + window_ms))
            next_report = i + chance.randint(1, 6)
    return Window(starts_ms, used, reports)


def limit_cases(window_ms: int, users: int, seed: int, with_history: bool) -> Groups:
    """Predictions inside generated windows, by what is predicted."""
    groups: Groups = {}
    for user in range(users):
        chance = random.Random(f"{seed}/{window_ms}/{user}")
        days = 28 if window_ms == FIVE_HOURS_MS else 112
        windows = windows_of(chance, habit_of(chance, window_ms), window_ms, days)
        for number, window in enumerate(windows):
            past = [w.reports for w in windows[:number]] if with_history else []
            known = limit_experience_of(past, window_ms)
            for origin in _origins(window, window_ms):
                _predict_limit(groups, user, window, origin, known)
    return groups


def _origins(window: Window, window_ms: int) -> list[int]:
    """Reports to predict at: at most one per fifteenth of the window, so that none dominates."""
    chosen, due_ms = [], 0.0
    for i, report in enumerate(window.reports):
        age_ms = report.at_ms - window.starts_ms
        if age_ms >= due_ms:
            chosen.append(i)
            due_ms = age_ms + window_ms / 15
    return chosen


def _predict_limit(
    groups: Groups, user: int, window: Window, origin: int, known: LimitExperience
) -> None:
    reports = window.reports[: origin + 1]
    now_ms, resets_ms = reports[-1].at_ms, reports[-1].resets_at_ms
    found = limit_forecast(reports, now_ms, known)
    if found.share_at_reset is None or found.exhausted_at_ms is None or reports[-1].used_share >= 1:
        return
    line = _limit_line(reports, known.window_ms)
    mean = reports[-1].used_share / max(1, now_ms - window.starts_ms)
    remaining = resets_ms - now_ms
    used = reports[-1].used_share
    by_line, by_mean = (min(1.0, used + rate * remaining) for rate in (line, mean))
    ours = triple(found.share_at_reset, 1.0)
    case = Case(user, ours, by_line, by_mean, window.used[-1], True, 1)
    groups.setdefault(("share at reset", "share"), []).append(case)
    # Times in hours from now; "not before the reset" is scored as the reset itself.
    spent = next((i for i, share in enumerate(window.used) if share >= 1), None)
    spent_ms = resets_ms if spent is None else window.starts_ms + (spent + 1) * 60_000
    by_line, by_mean = (
        min(remaining, (1 - used) / max(rate, 1e-15)) / _HOUR_MS for rate in (line, mean)
    )
    p10, p50, p90 = ((ms - now_ms) / _HOUR_MS for ms in triple(found.exhausted_at_ms, resets_ms))
    actual = max(0.0, (spent_ms - now_ms) / _HOUR_MS)
    case = Case(user, (p10, p50, p90), by_line, by_mean, actual, True, 1)
    groups.setdefault(("exhaustion, all", "hours"), []).append(case)
    if spent is not None or found.exhausted_at_ms.p10 is not None:
        groups.setdefault(("exhaustion, in question", "hours"), []).append(case)
    if found.exhausted_at_ms.p90 is not None:
        groups.setdefault(("exhaustion, P90 before the reset", "hours"), []).append(case)


def _limit_line(reports: Sequence[LimitSample], window_ms: int) -> float:
    """Share per millisecond over the last fifth of the window's length."""
    since = reports[-1].at_ms - window_ms / 5
    first = next(report for report in reports if report.at_ms >= since)
    if first is reports[-1]:
        first = reports[-2]
    gone = reports[-1].at_ms - first.at_ms
    return max(0.0, reports[-1].used_share - first.used_share) / max(1, gone)
