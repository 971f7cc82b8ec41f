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
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from forecast_limits import limit_cases
from forecast_scoring import QUANTILES, Case, Groups, Triple, scored, triple
from tokenbudget.budget import burn, limits
from tokenbudget.budget.burn import Sample
from tokenbudget.budget.experience import Experience, experience_of, rates_now
from tokenbudget.budget.forecast import (
    LEAST_SAMPLES,
    MOST_REQUESTS,
    Threshold,
    crossings,
    passages,
)
from tokenbudget.budget.health import STANDARD as HEALTH
from tokenbudget.budget.limits import (
    FIVE_HOURS_MS,
    SEVEN_DAYS_MS,
    LimitSample,
    limit_experience_of,
    limit_forecast,
)

GRID_TOKENS = 10_000
AHEAD_TOKENS = (10_000, 20_000, 50_000, 100_000)
RESET_SHARE = 0.10  # a window that shrinks by more was compacted or cleared
SMALL_WINDOW = ("claude-3", "claude-sonnet-4", "claude-opus-4-2", "claude-opus-4-1")
LAST_STEPS = 5  # of the last-rate baseline

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
                triple(spreads[i], MOST_REQUESTS * (1.0 if i < 2 else prompt)),
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
