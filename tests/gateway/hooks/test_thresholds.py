"""Once per crossing, and again only after a fall of three points."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.hooks.thresholds import MARGIN_SHARE, crossed, level_after

STANDARD = (0.5, 0.7, 0.8, 0.9)
SHARES = st.floats(0, 1.5)


def told_at(*shares: float, thresholds: tuple[float, ...] = STANDARD) -> list[float | None]:
    """The threshold that is told at each of these shares, in their order."""
    told: list[float] = []
    found = []
    for share in shares:
        told, one = crossed(share, thresholds, told)
        found.append(one)
    return found


def test_each_threshold_is_told_when_it_is_reached_and_not_again() -> None:
    shares = (0.2, 0.4999, 0.5, 0.6, 0.71, 0.72, 0.80, 0.9, 0.95, 1.2)
    assert told_at(*shares) == [None, None, 0.5, None, 0.7, None, 0.8, 0.9, None, None]


def test_of_several_that_are_crossed_at_once_only_the_highest_is_told() -> None:
    assert told_at(0.1, 0.85, 0.86) == [None, 0.8, None]


def test_what_hovers_at_a_boundary_is_told_once() -> None:
    assert told_at(0.7, 0.69, 0.7, 0.671, 0.71) == [0.7, None, None, None, None]


def test_after_a_fall_of_three_points_it_is_news_again() -> None:
    assert told_at(0.7, 0.67, 0.7) == [0.7, None, 0.7]


def test_after_a_compaction_everything_is_news_again() -> None:
    assert told_at(0.92, 0.1, 0.55, 0.91) == [0.9, None, 0.5, 0.9]


def test_a_threshold_below_what_was_told_is_no_news() -> None:
    told, first = crossed(0.75, (0.7,), [])
    assert first == 0.7
    assert crossed(0.75, (0.6, 0.7), told) == ([0.6, 0.7], None)


def test_no_thresholds_are_never_crossed() -> None:
    assert told_at(0.5, 1.0, thresholds=()) == [None, None]


@given(st.lists(SHARES, max_size=60))
def test_between_two_tellings_of_one_threshold_lies_a_fall_of_three_points(
    shares: list[float],
) -> None:
    last_told: dict[float, int] = {}
    for at, one in enumerate(told_at(*shares)):
        if one is None:
            continue
        assert shares[at] >= one
        if one in last_told:
            between = shares[last_told[one] : at]
            assert min(between) <= one - MARGIN_SHARE + 1e-6
        last_told[one] = at


@given(st.lists(SHARES, max_size=60), st.floats(0, 1))
def test_a_rise_past_a_threshold_from_well_below_is_always_told(
    shares: list[float], start: float
) -> None:
    told: list[float] = []
    for share in shares:
        told, _ = crossed(share, STANDARD, told)
    told, _ = crossed(0.0, STANDARD, told)
    assert crossed(0.95, STANDARD, told)[1] == 0.9


@given(st.lists(SHARES, min_size=1, max_size=40))
def test_a_level_is_never_lower_than_the_share_says_and_never_more_than_three_points_too_high(
    shares: list[float],
) -> None:
    bounds = (0.5, 0.75, 0.9)
    level = 0
    for share in shares:
        level = level_after(level, share, bounds)
        assert level >= sum(share >= one for one in bounds)
        assert level == 0 or share > bounds[level - 1] - MARGIN_SHARE - 1e-9


def test_a_stored_level_of_other_bounds_does_no_harm() -> None:
    assert level_after(8, 0.1, (0.5,)) == 0
    assert level_after(8, 0.6, (0.5,)) == 1
