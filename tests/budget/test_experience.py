import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget.burn import Sample, Step
from tokenbudget.budget.experience import (
    MOST_SESSIONS,
    Path,
    Rates,
    experience_of,
    rates_now,
)

TYPICAL = Rates(tokens=1_000, minutes=0.5)


def session(growth: int, count: int) -> list[Sample]:
    return [Sample(i * 60_000, 10_000 + i * growth) for i in range(count + 1)]


def test_a_first_session_has_the_built_in_shape_to_go_by() -> None:
    known = experience_of([])
    assert known.sessions == 0
    assert known.rates == pytest.approx((1_400, 0.31))
    assert len(known.starts) == 48


def test_sessions_move_what_is_typical_the_more_the_more_there_are() -> None:
    once, often = (experience_of([session(5_000, 30)] * count).rates for count in (1, 16))
    assert 1_400 < once.tokens < often.tokens < 5_000
    assert 0.31 < once.minutes < often.minutes < 1


def test_a_guess_weighs_less_than_a_history() -> None:
    weights = [
        experience_of([session(5_000, 30)] * count).weight_requests for count in (0, 4, 8, 16)
    ]
    assert weights == [4, 6, 8, 8]


def test_a_session_without_a_shape_teaches_nothing() -> None:
    history = [session(500, 9), session(0, 50), []]
    assert experience_of(history) == experience_of([])


def test_only_the_latest_sessions_are_remembered() -> None:
    latest = [session(3_000, 20)] * MOST_SESSIONS
    assert experience_of([session(9_000, 20), *latest]) == experience_of(latest)


def test_recent_steps_say_more_than_old_ones() -> None:
    slow, fast = [Step(0, 100, 0.1)] * 20, [Step(0, 4_000, 0.9)] * 20
    assert rates_now(slow + fast, TYPICAL, 8).tokens > 2_100
    assert rates_now(fast + slow, TYPICAL, 8).tokens < 1_500


def test_without_any_step_the_typical_rate_is_all_there_is() -> None:
    assert rates_now([], TYPICAL, 8) == TYPICAL


def test_a_passage_counts_requests_and_minutes() -> None:
    path = Path([0.0, 10.0, 30.0, 60.0], [0.0, 1.0, 2.0, 4.0])
    assert path.passage(0, 10) == (1, 1.0)
    assert path.passage(0, 11) == (2, 2.0)
    assert path.passage(1, 20) == (1, 1.0)


def test_a_passage_goes_on_with_the_beginning_of_its_path() -> None:
    path = Path([0.0, 10.0, 30.0, 60.0], [0.0, 1.0, 2.0, 4.0])
    assert path.passage(2, 35) == (2, 3.0)
    assert path.passage(0, 600) == (30, 40.0)


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=20).filter(any),
    st.floats(0.001, 1e7),
    st.floats(0.001, 1e7),
    st.data(),
)
def test_a_longer_way_takes_no_fewer_requests(
    growth: list[int], one: float, other: float, data: st.DataObject
) -> None:
    path = Path([0.0], [0.0])
    for grown in growth:
        path.grown_tokens.append(path.grown_tokens[-1] + grown)
        path.active_minutes.append(path.active_minutes[-1] + 0.3)
    start = data.draw(st.integers(0, len(growth) - 1))
    near, far = (path.passage(start, tokens)[0] for tokens in sorted((one, other)))
    assert 1 <= near <= far
