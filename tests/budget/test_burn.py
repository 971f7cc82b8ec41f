import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget.burn import IDLE_MS, Sample, burns, steps

MINUTE_MS = 60_000
samples_of_any_kind = st.lists(
    st.builds(Sample, st.integers(0, 10**9), st.integers(0, 10**6)), max_size=30
)


def at(*pairs: tuple[float, int]) -> list[Sample]:
    return [Sample(round(minute * MINUTE_MS), tokens) for minute, tokens in pairs]


def test_burn_is_growth_per_active_minute_and_per_request() -> None:
    (burn,) = burns(at((0, 1_000), (1, 3_000), (3, 4_000)), 3 * MINUTE_MS, [5])
    assert (burn.requests, burn.grown_tokens, burn.active_minutes) == (2, 3_000, 3.0)
    assert (burn.tokens_per_minute, burn.tokens_per_request) == (1_000, 1_500)


def test_each_span_looks_only_at_what_completed_in_it() -> None:
    samples = at((0, 0), (4, 100), (8, 1_100), (12, 1_200))
    five, fifteen, sixty = burns(samples, 12 * MINUTE_MS)
    assert [burn.grown_tokens for burn in (five, fifteen, sixty)] == [1_100, 1_200, 1_200]


def test_a_long_pause_is_no_work() -> None:
    (burn,) = burns(at((0, 0), (1, 100), (31, 200), (32, 300)), 32 * MINUTE_MS, [60])
    assert (burn.grown_tokens, burn.active_minutes) == (300, 2.0)


def test_the_idle_limit_is_the_callers_choice() -> None:
    samples = at((0, 0), (10, 100))
    (strict,) = burns(samples, 10 * MINUTE_MS, [60])
    (patient,) = burns(samples, 10 * MINUTE_MS, [60], idle_ms=10 * MINUTE_MS)
    assert strict.tokens_per_minute is None
    assert "idle" in strict.reason
    assert patient.tokens_per_minute == 10


def test_a_compaction_is_a_reset_and_no_burn() -> None:
    (burn,) = burns(at((0, 100_000), (1, 20_000), (2, 21_000)), 2 * MINUTE_MS, [5])
    assert (burn.requests, burn.grown_tokens) == (1, 1_000)


@pytest.mark.parametrize("samples", [[], at((0, 5))])
def test_one_request_says_nothing_about_speed(samples: list[Sample]) -> None:
    for burn in burns(samples, 0):
        assert burn.tokens_per_minute is None
        assert burn.tokens_per_request is None
        assert burn.reason == "fewer than 2 requests"


def test_an_old_session_has_no_burn_now() -> None:
    (burn,) = burns(at((0, 0), (1, 100)), 600 * MINUTE_MS, [5])
    assert burn.reason == "no growth measured in the last 5 minutes"


@given(samples_of_any_kind)
def test_no_step_is_negative_whatever_the_samples(samples: list[Sample]) -> None:
    walk = steps(samples)
    assert len(walk) <= max(0, len(samples) - 1)
    for step in walk:
        assert step.grown_tokens >= 0
        assert 0 <= step.active_minutes <= IDLE_MS / MINUTE_MS
