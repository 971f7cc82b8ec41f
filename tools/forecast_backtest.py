"""Measure the forecasts of `tokenbudget.budget` on recorded sessions and on generated limits.

    python tools/forecast_backtest.py --sessions PATH... [--json] [--every K]

Rolling origin: sessions in order of time; a prediction knows the sessions that had ended before
this one began, and this one up to the request it is made at. A fork or a resumed copy counts once:
what an earlier file told already is known, but neither predicted again nor learnt twice.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tokenbudget.budget import burn, limits
from tokenbudget.budget.burn import Sample
from tokenbudget.budget.experience import Experience, experience_of, rates_now
from tokenbudget.budget.forecast import (
    LEAST_SAMPLES,
    MOST_REQUESTS,
    Spread,
    Threshold,
    crossings,
    passages,
)
from tokenbudget.budget.health import STANDARD as HEALTH
from tokenbudget.budget.limits import (
    FIVE_HOURS_MS,
    SEVEN_DAYS_MS,
    LimitExperience,
    LimitSample,
    limit_experience_of,
    limit_forecast,
)

QUANTILES = (0.1, 0.5, 0.9)
GRID_TOKENS = 10_000
AHEAD_TOKENS = (10_000, 20_000, 50_000, 100_000)
RESET_SHARE = 0.10  # a window that shrinks by more was compacted or cleared
SMALL_WINDOW = ("claude-3", "claude-sonnet-4", "claude-opus-4-2", "claude-opus-4-1")
LAST_STEPS = 5  # of the last-rate baseline
_HOUR_MS = 3_600_000
NAIVE = 0.5  # the naive interval around a straight line: half to one and a half

# ── recorded sessions ─────────────────────────────────────────────────────────────────────────────


class Point(NamedTuple):
    """One API response of a main thread."""

    key: str
    at_ms: int
    window_tokens: int
    prompt_tokens: int
    model: str


class Session(NamedTuple):
    """One transcript; its first `known` points are copies of an earlier one."""

    points: list[Point]
    samples: list[Sample]
    known: int


def series_of(path: Path) -> list[Point]:
    """One point per API response of a Claude Code transcript's main thread, in order of time.

    Copies of a response (one line per content block) become one by the maximum of each counter.
    """
    found: dict[str, tuple[int, list[int], str]] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            response = _response(line) if '"usage"' in line else None
            if response is None:
                continue
            key, at_ms, counts, model = response
            if key in found:
                first_ms, kept, _ = found[key]
                counts = [max(pair) for pair in zip(kept, counts, strict=True)]
                at_ms = min(first_ms, at_ms)
            found[key] = (at_ms, counts, model)
    points = [
        Point(key, at_ms, sum(counts), sum(counts[:3]), model)
        for key, (at_ms, counts, model) in found.items()
    ]
    return sorted(points, key=lambda point: point.at_ms)


def _response(line: str) -> tuple[str, int, list[int], str] | None:
    names = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    )
    try:
        entry = json.loads(line)
        message = entry["message"]
        usage, key, model = message["usage"], message["id"], message["model"]
        when = datetime.fromisoformat(entry["timestamp"])
        counts = [int(usage.get(name) or 0) for name in names]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if entry.get("isSidechain") or model == "<synthetic>" or not key:
        return None
    return str(key), round(when.timestamp() * 1000), counts, str(model)


def sessions_in(paths: Iterable[Path]) -> list[Session]:
    """Every transcript below the paths with enough new requests to say anything, by first news."""
    files = [f for path in paths for f in ([path] if path.is_file() else path.rglob("*.jsonl"))]
    read = [points for points in map(series_of, sorted(files)) if points]
    read.sort(key=lambda points: (points[0].at_ms, points[-1].at_ms, len(points)))
    seen: set[str] = set()
    found = []
    for points in read:
        known = sum(point.key in seen for point in points)
        seen.update(point.key for point in points)
        if len(points) - known and len(points) >= LEAST_SAMPLES:
            samples = [Sample(point.at_ms, point.window_tokens) for point in points]
            found.append(Session(points, samples, known))
    return sorted(found, key=lambda session: session.points[session.known].at_ms)


# ── scoring ───────────────────────────────────────────────────────────────────────────────────────

Triple = tuple[float, float, float]


class Case(NamedTuple):
    """One prediction and what came of it."""

    session: int
    ours: Triple
    last_rate: float
    mean_rate: float
    actual: float
    """The outcome, or how far the session went without it."""
    is_crossed: bool
    after_requests: int
    """The same in requests, whatever the unit of the prediction: for the censoring weights."""
    central: float = 0.0
    """How much of the outcome's own probability lies between P10 and P90: 0 to 1."""


def pinball(forecast: Triple, actual: float) -> float:
    """Mean of the quantile losses at .1, .5 and .9 (Koenker and Bassett, 1978)."""
    errors = [(q, actual - f) for q, f in zip(QUANTILES, forecast, strict=True)]
    return sum(max(q * e, (q - 1) * e) for q, e in errors) / len(errors)


def scored(cases: Sequence[Case]) -> dict[str, float | int | None]:
    """Coverage and loss of one group of cases.

    `coverage` and the losses are over the crossed cases. A whole number of requests holds much
    probability, and a spread takes in all of that at both ends: `coverage_randomised` counts only
    the part between the 10th and the 90th percent (Czado, Gneiting and Held, 2009, "Predictive
    Model Assessment for Count Data").

    Sessions that end first are right-censored: `coverage_censored` is a Kaplan-Meier estimate over
    all cases, cut at P10 and P90, and losses that end in `_weighted` give each crossed case the
    inverse of its probability not to be censored before (IPCW, Graf et al. 1999).
    """
    crossed = [case for case in cases if case.is_crossed]
    if not crossed:
        return {"n": 0, "censored": len(cases)}
    inside = [_is_inside(case) for case in crossed]
    by_session: dict[int, list[bool]] = {}
    for case, is_inside in zip(crossed, inside, strict=True):
        by_session.setdefault(case.session, []).append(is_inside)
    weights = _inverse_weights(cases, crossed)
    row: dict[str, float | int | None] = {
        "n": len(crossed),
        "censored": len(cases) - len(crossed),
        "sessions": len(by_session),
        "coverage": sum(inside) / len(inside),
        "coverage_censored": _kaplan_meier_coverage(cases),
        "coverage_by_session": sum(sum(v) / len(v) for v in by_session.values()) / len(by_session),
        "coverage_randomised": sum(case.central for case in crossed) / len(crossed),
        "below_p10": sum(case.actual < case.ours[0] for case in crossed) / len(crossed),
        "above_p90": sum(case.actual > case.ours[2] for case in crossed) / len(crossed),
    }
    rivals: dict[str, Callable[[Case], Triple]] = {
        "pinball": lambda case: case.ours,
        "pinball_last_rate": lambda case: (case.last_rate,) * 3,
        "pinball_mean_rate": lambda case: (case.mean_rate,) * 3,
        "pinball_mean_rate_interval": lambda case: _naive(case.mean_rate),
    }
    for name, forecast in rivals.items():
        losses = [pinball(forecast(case), case.actual) for case in crossed]
        row[name] = sum(losses) / len(losses)
        together = sum(w * loss for w, loss in zip(weights, losses, strict=True))
        row[f"{name}_weighted"] = together / sum(weights)
    return row


def _naive(value: float) -> Triple:
    return value * (1 - NAIVE), value, value * (1 + NAIVE)


def _is_inside(case: Case) -> bool:
    return case.ours[0] <= case.actual <= case.ours[2]


def _kaplan_meier_coverage(cases: Sequence[Case]) -> float:
    """P(P10 <= T <= P90): survival past just before P10, minus survival past P90."""
    first = [case for case in cases if case.is_crossed or case.actual >= case.ours[0]]
    early = sum(case.is_crossed and case.actual < case.ours[0] for case in first)
    reached = 1 - early / len(first)
    second = [
        case
        for case in first
        if case.actual >= case.ours[0] and (case.is_crossed or case.actual >= case.ours[2])
    ]
    within = sum(case.is_crossed and case.actual <= case.ours[2] for case in second)
    return reached * within / len(second) if second else 0.0


def _inverse_weights(cases: Sequence[Case], crossed: Sequence[Case]) -> list[float]:
    """1 / P(not yet censored), by Kaplan-Meier over the ends of sessions; at most 20."""
    ends = sorted((case.after_requests, case.is_crossed) for case in cases)
    times: list[int] = [0]
    survival = [1.0]
    for at_risk, (after, is_crossed) in zip(range(len(ends), 0, -1), ends, strict=True):
        if not is_crossed:
            times.append(after)
            survival.append(survival[-1] * (1 - 1 / at_risk))
    return [
        min(20.0, 1 / max(survival[bisect_right(times, case.after_requests - 1) - 1], 1e-9))
        for case in crossed
    ]


# ── windows ───────────────────────────────────────────────────────────────────────────────────────


def goals_at(point: Point) -> dict[int, list[str]]:
    """The thresholds ahead of a point, in tokens, each with the groups that it is scored in."""
    now = point.window_tokens
    goals: dict[int, list[str]] = {}
    own = 200_000 if point.model.startswith(SMALL_WINDOW) else 1_000_000
    for name, window in (("health, own window", own), ("health, 200k window", 200_000)):
        ahead = [math.ceil(share * window) for share in HEALTH if share * window > now]
        if ahead:
            goals.setdefault(ahead[0], []).append(name)
    following = (now // GRID_TOKENS + 1) * GRID_TOKENS
    goals.setdefault(following, []).append("grid 10k, the next")
    for step in range(10):
        goals.setdefault(following + step * GRID_TOKENS, []).append("grid 10k, ten ahead")
    for tokens in AHEAD_TOKENS:
        goals.setdefault(now + tokens, []).append(f"{tokens:,} tokens ahead")
    return goals


class Outcome(NamedTuple):
    """What it took to reach a goal, or how far the session went without reaching it."""

    is_crossed: bool
    requests: int
    minutes: float
    sent_tokens: int


def outcomes(session: Session, origin: int, goals: Sequence[int]) -> list[Outcome]:
    """One outcome per goal; goals ascend. The session's end or a reset leaves the rest open."""
    found: list[Outcome] = []
    minutes, sent, requests = 0.0, 0, 0
    for before, after in zip(session.points[origin:], session.points[origin + 1 :], strict=False):
        if after.window_tokens < before.window_tokens * (1 - RESET_SHARE):
            break
        pause_ms = after.at_ms - before.at_ms
        minutes += pause_ms / 60_000 if pause_ms <= burn.IDLE_MS else 0
        sent += after.prompt_tokens
        requests += 1
        while len(found) < len(goals) and after.window_tokens >= goals[len(found)]:
            found.append(Outcome(True, requests, minutes, sent))
        if len(found) == len(goals):
            break
    return found + [Outcome(False, requests, minutes, sent)] * (len(goals) - len(found))


Groups = dict[tuple[str, str], list[Case]]


def window_cases(sessions: Sequence[Session], every: int, with_history: bool) -> Groups:
    """Every prediction over every session, by group of thresholds and by what was predicted."""
    groups: Groups = {}
    for number, session in enumerate(sessions):
        begun_ms = session.points[session.known].at_ms
        earlier = [
            other.samples[other.known :]
            for other in sessions[:number]
            if other.points[-1].at_ms < begun_ms
        ]
        known = experience_of(earlier if with_history else [])
        first = max(LEAST_SAMPLES - 1, session.known)
        for origin in range(first, len(session.points), every):
            _predict(groups, number, session, origin, known)
    return groups


def _predict(groups: Groups, number: int, session: Session, origin: int, known: Experience) -> None:
    by_goal = goals_at(session.points[origin])
    goals = sorted(by_goal)
    found = crossings(session.samples[: origin + 1], [Threshold("", goal) for goal in goals], known)
    walk = burn.steps(session.samples[: origin + 1])
    now = rates_now(walk, known.rates, known.weight_requests)
    last = _line(session, origin, max(0, origin - LAST_STEPS))
    mean = _line(session, origin, 0)
    for goal, crossing, outcome in zip(goals, found, outcomes(session, origin, goals), strict=True):
        ahead = goal - session.points[origin].window_tokens
        prompt = session.points[origin].prompt_tokens + ahead / 2
        straight = [_extrapolated(ahead, line, prompt) for line in (last, mean)]
        spreads = (crossing.requests, crossing.active_minutes, crossing.sent_tokens)
        actual = (outcome.requests, outcome.minutes, outcome.sent_tokens)
        paths = passages(ahead, now, known) if outcome.is_crossed else []
        for i, unit in enumerate(("requests", "minutes", "sent tokens")):
            case = Case(
                number,
                _triple(spreads[i], MOST_REQUESTS * (1.0 if i < 2 else prompt)),
                straight[0][i],
                straight[1][i],
                float(actual[i]),
                outcome.is_crossed,
                outcome.requests,
                _central([path[0] for path in paths], outcome.requests) if i == 0 else 0.0,
            )
            for group in by_goal[goal]:
                groups.setdefault((group, unit), []).append(case)


def _central(values: Sequence[float], actual: float) -> float:
    """How much of the probability that the values give to the actual one lies in [0.1, 0.9]."""
    if not values:
        return 0.0
    low = sum(value < actual for value in values) / len(values)
    high = sum(value <= actual for value in values) / len(values)
    if high == low:
        return float(QUANTILES[0] <= low <= QUANTILES[2])
    return max(0.0, min(high, QUANTILES[2]) - max(low, QUANTILES[0])) / (high - low)


def _triple(spread: Spread | None, most: float) -> Triple:
    assert spread is not None
    p10, p50, p90 = (most if value is None else float(value) for value in spread)
    return p10, p50, p90


def _line(session: Session, origin: int, since: int) -> tuple[float, float]:
    """Tokens and active minutes per request, on average since a point."""
    walk = burn.steps(session.samples[since : origin + 1])
    count = max(1, len(walk))
    return (
        max(1.0, sum(step.grown_tokens for step in walk) / count),
        sum(step.active_minutes for step in walk) / count,
    )


def _extrapolated(ahead: int, line: tuple[float, float], prompt: float) -> Triple:
    requests = min(float(MOST_REQUESTS), math.ceil(ahead / line[0]))
    return requests, requests * line[1], requests * prompt


# ── limits ────────────────────────────────────────────────────────────────────────────────────────


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
    ours = _triple(found.share_at_reset, 1.0)
    case = Case(user, ours, by_line, by_mean, window.used[-1], True, 1)
    groups.setdefault(("share at reset", "share"), []).append(case)
    # Times in hours from now; "not before the reset" is scored as the reset itself.
    spent = next((i for i, share in enumerate(window.used) if share >= 1), None)
    spent_ms = resets_ms if spent is None else window.starts_ms + (spent + 1) * 60_000
    by_line, by_mean = (
        min(remaining, (1 - used) / max(rate, 1e-15)) / _HOUR_MS for rate in (line, mean)
    )
    p10, p50, p90 = ((ms - now_ms) / _HOUR_MS for ms in _triple(found.exhausted_at_ms, resets_ms))
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


# ── the report ────────────────────────────────────────────────────────────────────────────────────

Row = dict[str, float | int | str | None]


def rows_of(block: str, groups: Groups) -> list[Row]:
    """One row per group and unit."""
    return [
        {"block": block, "group": group, "unit": unit, **scored(cases)}
        for (group, unit), cases in sorted(groups.items())
    ]


def timing(sessions: Sequence[Session]) -> dict[str, float]:
    """Milliseconds: four thresholds over 1,000 samples, learning, a limit forecast."""
    past = [session.samples for session in sessions]
    known = experience_of(past)
    long = [Sample(i * 20_000, 20_000 + 700 * i) for i in range(1_000)]
    goals = [Threshold(str(i), 750_000 + 60_000 * i) for i in range(4)]
    week = [LimitSample(i * 3_600_000, min(1.0, i / 160), SEVEN_DAYS_MS) for i in range(1, 160)]
    limit, reports = limit_experience_of([week] * limits.MOST_WINDOWS, SEVEN_DAYS_MS), week[:80]
    return {
        "forecast_ms": _fastest(lambda: crossings(long, goals, known)),
        "learn_ms": _fastest(lambda: experience_of(past)),
        "limit_forecast_ms": _fastest(lambda: limit_forecast(reports, reports[-1].at_ms, limit)),
    }


def _fastest(call: Callable[[], object]) -> float:
    taken = []
    for _ in range(9):
        before = time.perf_counter()
        call()
        taken.append(time.perf_counter() - before)
    return sorted(taken)[4] * 1000


def printed(rows: Sequence[Row]) -> Iterator[str]:
    """The table as Markdown; sent tokens in thousands."""
    names = (
        "What", "Threshold", "Unit", "n", "of sessions", "open", "in P10-P90", "randomised",
        "with open", "by session", "loss", "last rate", "mean rate", "mean ± 50 %",
    )  # fmt: skip
    yield f"| {' | '.join(names)} |"
    yield "|---" * len(names) + "|"
    losses = ("pinball", "pinball_last_rate", "pinball_mean_rate", "pinball_mean_rate_interval")
    for row in rows:
        cells = [str(row["block"]), str(row["group"]), str(row["unit"])]
        cells += [f"{row[name] or 0:,}" for name in ("n", "sessions", "censored") if name in row]
        if row["n"]:
            shares = ("coverage", "coverage_randomised", "coverage_censored", "coverage_by_session")
            cells += [f"{row[name]:.1%}" if row[name] else "" for name in shares]
            scale = 1_000 if row["unit"] == "sent tokens" else 1
            cells += [f"{float(row[name] or 0) / scale:.3g}" for name in losses]
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Run the backtest and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=Path, nargs="*", default=[])
    parser.add_argument("--every", type=int, default=1, help="predict at every k-th request")
    parser.add_argument("--users", type=int, default=40, help="generated users of the limits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sessions = sessions_in(given.sessions)
    rows: list[Row] = []
    if sessions:
        rows += rows_of("window", window_cases(sessions, given.every, True))
        rows += rows_of("window, no history", window_cases(sessions, given.every, False))
    for name, window_ms in (("5 hours", FIVE_HOURS_MS), ("7 days", SEVEN_DAYS_MS)):
        rows += rows_of(name, limit_cases(window_ms, given.users, given.seed, True))
        first = limit_cases(window_ms, given.users, given.seed, False)
        rows += rows_of(f"{name}, no history", first)
    requests = sum(len(session.points) - session.known for session in sessions)
    result = {
        "format": "tokenbudget/forecast-backtest/1",
        "sessions": len(sessions),
        "requests": requests,
        "least_limit_samples": limits.LEAST_SAMPLES,
        "timing": timing(sessions),
        "rows": rows,
    }
    if given.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{len(sessions)} sessions, {requests:,} requests; {result['timing']}")
    print("\n".join(printed(rows)))


if __name__ == "__main__":
    main()
