import time
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.budget.burn import Sample
from tokenbudget.budget.experience import experience_of
from tokenbudget.budget.forecast import (
    MOST_REQUESTS,
    Crossing,
    Spread,
    Threshold,
    crossings,
    spread_of,
)

FIRST_SESSION = experience_of([])
growths = st.lists(st.integers(-50_000, 50_000), max_size=60)
histories = st.lists(growths.map(lambda found: session(found)), max_size=5)


def session(growth: list[int], seconds: int = 30, first: int = 20_000) -> list[Sample]:
    samples = [Sample(0, first)]
    for step in growth:
        before = samples[-1]
        samples.append(Sample(before.at_ms + seconds * 1_000, max(0, before.window_tokens + step)))
    return samples


def ahead(samples: list[Sample], tokens: int, history: list[list[Sample]]) -> Crossing:
    goal = Threshold("goal", samples[-1].window_tokens + tokens)
    return crossings(samples, [goal], experience_of(history))[0]


class Bounds(NamedTuple):
    p10: float
    p50: float
    p90: float


def known(spread: Spread | None) -> Bounds:
    """The same with every `None` as what it stands for: beyond every number."""
    assert spread is not None
    return Bounds(*(float("inf") if value is None else value for value in spread))


def test_steady_growth_is_foretold_within_its_spread() -> None:
    found = ahead(session([1_000] * 40), 20_000, [])
    requests, minutes = known(found.requests), known(found.active_minutes)
    assert requests.p10 < 20 < requests.p90
    assert minutes.p10 < 10 < minutes.p90
    assert found.reason == ""


def test_a_users_own_sessions_make_the_spread_narrower() -> None:
    steady = [session([1_000] * 40) for _ in range(16)]
    running = session([1_000] * 40)
    guessed, learnt = (known(ahead(running, 20_000, h).requests) for h in ([], steady))
    assert abs(learnt.p50 - 20) <= 2
    assert learnt.p90 - learnt.p10 < guessed.p90 - guessed.p10


def test_a_faster_session_gets_there_with_fewer_requests() -> None:
    slow, fast = (known(ahead(session([g] * 40), 50_000, []).requests) for g in (500, 5_000))
    assert (fast.p10, fast.p50, fast.p90) < (slow.p10, slow.p50, slow.p90)
    assert fast.p90 < slow.p10


def test_slow_requests_take_more_minutes_but_not_more_requests() -> None:
    quick, slow = (ahead(session([900] * 40, seconds=s), 30_000, []) for s in (10, 200))
    assert quick.requests == slow.requests
    assert known(quick.active_minutes).p90 < known(slow.active_minutes).p50


def test_only_growth_counts_after_a_compaction() -> None:
    before = session([1_000] * 40)
    compacted = Sample(before[-1].at_ms + 30_000, 15_000)
    after = [*before, compacted]
    assert ahead(after, 20_000, []).requests == ahead(before, 20_000, []).requests


def test_what_will_be_sent_grows_with_the_window() -> None:
    small, large = (
        known(ahead(session([1_000] * 40, first=first), 20_000, []).sent_tokens)
        for first in (10_000, 600_000)
    )
    assert small.p90 < large.p10


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_requests_foretell_nothing(count: int) -> None:
    samples = session([1_000] * 2)[:count]
    (found,) = crossings(samples, [Threshold("full", 200_000)], FIRST_SESSION)
    assert (found.requests, found.active_minutes, found.sent_tokens) == (None, None, None)
    so_far = "1 request" if count == 1 else f"{count} requests"
    assert found.reason == f"{so_far} so far; a forecast needs 3"


def test_a_threshold_behind_is_reached_already() -> None:
    for samples in (session([]), session([1_000] * 5)):
        (found,) = crossings(samples, [Threshold("warning", 20_000)], FIRST_SESSION)
        assert found.requests == found.active_minutes == found.sent_tokens == Spread(0, 0, 0)
        assert found.reason == ""


def test_what_lies_too_far_away_is_not_foreseeable() -> None:
    found = ahead(session([1] * 200), 9_000_000, [])
    assert found.requests == Spread(None, None, None)
    assert found.reason == f"beyond {MOST_REQUESTS:,} requests"


def test_a_session_that_never_grew_still_has_an_answer() -> None:
    known(ahead(session([0] * 30), 10_000, [session([0] * 30)]).requests)


def test_answers_come_in_the_order_of_the_questions() -> None:
    goals = [Threshold("full", 200_000), Threshold("warning", 100_000)]
    names = [found.name for found in crossings(session([1_000] * 9), goals, FIRST_SESSION)]
    assert names == ["full", "warning"]


@settings(deadline=None)
@given(growths.filter(lambda found: len(found) > 1), histories, st.integers(1, 2_000_000))
def test_quantiles_ascend(growth: list[int], history: list[list[Sample]], tokens: int) -> None:
    found = ahead(session(growth), tokens, history)
    for spread in (found.requests, found.active_minutes, found.sent_tokens):
        p10, p50, p90 = known(spread)
        assert 0 <= p10 <= p50 <= p90
    assert known(found.requests).p10 >= 1


@settings(deadline=None)
@given(
    growths.filter(lambda found: len(found) > 1),
    histories,
    st.integers(1, 2_000_000),
    st.integers(1, 2_000_000),
)
def test_a_more_distant_threshold_is_never_nearer(
    growth: list[int], history: list[list[Sample]], one: int, other: int
) -> None:
    near, far = (ahead(session(growth), tokens, history) for tokens in sorted((one, other)))
    for nearer, farther in (
        (near.requests, far.requests),
        (near.active_minutes, far.active_minutes),
        (near.sent_tokens, far.sent_tokens),
    ):
        assert all(a <= b for a, b in zip(known(nearer), known(farther), strict=True))


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=50))
def test_a_quantile_is_the_smallest_value_with_its_share_at_or_below(values: list[int]) -> None:
    for share, value in zip((0.1, 0.5, 0.9), spread_of(values), strict=True):
        assert value is not None
        at_or_below = sum(v <= value for v in values)
        below = sum(v < value for v in values)
        assert below < share * len(values) + 1e-9 <= at_or_below + 1e-6


def test_a_thousand_requests_take_a_few_milliseconds() -> None:
    past = [session([1_000 + i * 10 for i in range(200)]) for _ in range(40)]
    running = session([700] * 1_000)
    goals = [Threshold(str(i), 750_000 + i * 60_000) for i in range(4)]
    taken = []
    for _ in range(7):
        before = time.perf_counter()
        crossings(running, goals, experience_of(past))
        taken.append(time.perf_counter() - before)
    assert min(taken) < 0.015  # 5 ms on an idle machine; room for a busy one
