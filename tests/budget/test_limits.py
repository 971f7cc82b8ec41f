import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.budget.forecast import Spread
from tokenbudget.budget.limits import (
    FIVE_HOURS_MS,
    SEVEN_DAYS_MS,
    LimitForecast,
    LimitSample,
    limit_experience_of,
    limit_forecast,
)

MINUTE_MS = 60_000
FIRST = limit_experience_of([], FIVE_HOURS_MS)
uses = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20)), min_size=3, max_size=40)


def window(steps: list[tuple[int, int]], start_ms: int = 0) -> list[LimitSample]:
    """Reports from (minutes later, percent more); what comes after the reset is left out."""
    found, at_ms, percent = [], start_ms, 0
    for minutes, more in steps:
        at_ms, percent = at_ms + minutes * MINUTE_MS, min(100, percent + more)
        if at_ms < start_ms + FIVE_HOURS_MS:
            found.append(LimitSample(at_ms, percent / 100, start_ms + FIVE_HOURS_MS))
    return found


def foretold(samples: list[LimitSample], history: list[list[LimitSample]]) -> LimitForecast:
    return limit_forecast(samples, samples[-1].at_ms, limit_experience_of(history, FIVE_HOURS_MS))


def share(spread: Spread | None) -> tuple[float, float, float]:
    assert spread is not None
    assert spread.p10 is not None
    assert spread.p50 is not None
    assert spread.p90 is not None
    return spread.p10, spread.p50, spread.p90


def test_past_windows_that_were_alike_foretell_their_end() -> None:
    steady = [window([(10, 2)] * 29)] * 12
    p10, p50, p90 = share(foretold(window([(10, 2)] * 12), steady).share_at_reset)
    assert p10 > 0.4
    assert p50 == pytest.approx(0.58, abs=0.04)
    assert p90 < 0.75


def test_twice_the_pace_ends_before_the_reset() -> None:
    steady = [window([(10, 2)] * 29)] * 12
    found = foretold(window([(10, 7)] * 8), steady)
    assert found.exhausted_at_ms is not None
    assert found.exhausted_at_ms.p50 is not None
    assert found.exhausted_at_ms.p50 < FIVE_HOURS_MS
    assert share(found.share_at_reset)[1] == 1


def test_a_slow_start_is_not_exhausted_before_the_reset() -> None:
    found = foretold(window([(10, 1), (10, 0), (10, 0), (60, 1)]), [])
    assert found.exhausted_at_ms == Spread(None, None, None)


def test_a_spent_limit_is_exhausted_now() -> None:
    samples = window([(10, 50), (10, 50), (10, 0)])
    found = foretold(samples, [])
    now_ms = samples[-1].at_ms
    assert found.exhausted_at_ms == Spread(now_ms, now_ms, now_ms)
    assert found.share_at_reset == Spread(1, 1, 1)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([], "no report"),
        (window([(10, 1), (10, 1)]), "2 reports so far"),
        (window([(3, 1), (3, 1), (3, 1)]), "less than 10 minutes"),
    ],
)
def test_too_little_data_is_said_and_not_guessed(samples: list[LimitSample], words: str) -> None:
    found = limit_forecast(samples, 20 * MINUTE_MS, FIRST)
    assert (found.share_at_reset, found.exhausted_at_ms) == (None, None)
    assert words in found.reason


def test_reports_of_a_window_that_is_over_say_nothing() -> None:
    found = limit_forecast(window([(10, 1)] * 5), FIVE_HOURS_MS, FIRST)
    assert found == LimitForecast(
        None, None, None, None, "no report of a window that is still open"
    )


def test_reports_of_an_earlier_window_are_left_out() -> None:
    earlier, now = window([(10, 9)] * 10), window([(10, 2)] * 10, FIVE_HOURS_MS)
    assert foretold(earlier + now, []) == foretold(now, [])


def test_a_late_report_takes_nothing_back() -> None:
    steady = window([(10, 4)] * 10)
    late = [s._replace(used_share=0.08) if i == 5 else s for i, s in enumerate(steady)]
    assert foretold(late, []).used_share == foretold(steady, []).used_share
    p10, _, _ = share(foretold(late, []).share_at_reset)
    assert p10 >= 0.4


def test_windows_without_any_use_still_allow_an_answer() -> None:
    unused = [window([(10, 0)] * 20)] * 12
    p10, _, p90 = share(foretold(window([(10, 0)] * 5), unused).share_at_reset)
    assert 0 <= p10 <= p90 < 0.2


def test_an_impossible_share_is_refused() -> None:
    bad = [s._replace(used_share=float("nan")) for s in window([(10, 1)] * 5)]
    with pytest.raises(ValueError, match="cannot be"):
        foretold(bad, [])


def test_a_week_is_foretold_by_the_same_rules() -> None:
    known = limit_experience_of([], SEVEN_DAYS_MS)
    samples = [LimitSample(i * 3_600_000, i / 200, SEVEN_DAYS_MS) for i in range(1, 60)]
    found = limit_forecast(samples, samples[-1].at_ms, known)
    p10, _, p90 = share(found.share_at_reset)
    assert 59 / 200 <= p10 < p90


@settings(deadline=None)
@given(uses, st.lists(uses.map(window), max_size=12))
def test_quantiles_ascend_and_stay_possible(
    steps: list[tuple[int, int]], history: list[list[LimitSample]]
) -> None:
    samples = window(steps)
    if not samples:
        return
    found = foretold(samples, history)
    if found.share_at_reset is None:
        assert found.reason
        return
    used = max(s.used_share for s in samples)
    p10, p50, p90 = share(found.share_at_reset)
    assert used <= p10 <= p50 <= p90 <= 1
    assert found.exhausted_at_ms is not None
    times = [float("inf") if ms is None else ms for ms in found.exhausted_at_ms]
    assert times == sorted(times)
    assert times[0] >= samples[-1].at_ms
