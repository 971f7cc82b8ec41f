"""What a session still has before it, by how long others became."""

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget.remaining import (
    LEAST_SESSIONS,
    OWN_SHARE,
    UNSURE_SHARE,
    expected_requests,
    sure_requests,
)

lengths = st.lists(st.integers(1, 2_000), max_size=60)


def test_only_sessions_that_came_as_far_are_asked() -> None:
    assert expected_requests([3, 5, 8, 40, 50, 60, 70, 80], 30) == 30.0  # of 10, 20, 30, 40, 50


def test_where_too_few_came_as_far_half_of_its_own_past_is_expected() -> None:
    assert expected_requests([3, 5, 8, 40, 50, 60, 70], 300) == 150.0
    assert expected_requests([3, 5, 8, 400, 500], 300) == 150.0


def test_without_any_experience_nothing_is_known() -> None:
    assert expected_requests([40, 50, 60, 70], 30) is None
    assert expected_requests([], 1) is None


@given(lengths, st.integers(0, 2_000))
def test_it_is_what_others_say_or_less_than_what_has_passed(
    found: list[int], requests: int
) -> None:
    told = expected_requests(found, requests)
    further = [one - requests for one in found if one >= requests]
    if len(found) < LEAST_SESSIONS:
        assert told is None
    elif len(further) < LEAST_SESSIONS:
        assert told == OWN_SHARE * requests
    else:
        assert told is not None
        assert 0 <= min(further) <= told <= max(further)
        assert told == median(further)


def test_what_is_sure_is_what_nine_sessions_of_ten_still_had() -> None:
    assert sure_requests([*range(100, 2100, 100)], 100) == 100.0  # 0, 100, 200, ... still came
    assert sure_requests([3, 5, 8, 40, 50, 60, 70, 80], 30) == 10.0, "of a few, the shortest"


def test_where_too_few_came_as_far_a_ninth_of_its_own_past_is_sure() -> None:
    assert sure_requests([3, 5, 8, 40, 50, 60, 70], 90) == 10.0
    assert sure_requests([40, 50, 60, 70], 30) is None


@given(lengths, st.integers(0, 2_000))
def test_what_is_sure_is_never_more_than_what_is_expected(found: list[int], requests: int) -> None:
    sure, middle = sure_requests(found, requests), expected_requests(found, requests)
    assert (sure is None) == (middle is None)
    if sure is not None and middle is not None:
        assert 0 <= sure <= middle
        ended = sum(one - requests < sure for one in found if one >= requests)
        came = sum(one >= requests for one in found)
        assert came < LEAST_SESSIONS or ended <= UNSURE_SHARE * came
