"""From shares of the window to thresholds met and past their grace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.optimizer.desk import USABLE, Desk

from tokenbudget.budget.health import LEVELS, STANDARD
from tokenbudget.model.control import Wishes
from tokenbudget.model.errors import BadConfig
from tokenbudget.optimizer.thresholds import limits_of, past_grace, thresholds_met


def met_after(*used_tokens: int) -> list[tuple[str, int]]:
    desk = Desk()
    desk.requests(*used_tokens)
    return [(one.level, one.held) for one in thresholds_met(desk.state, desk.seen, STANDARD)]


def test_the_thresholds_as_wished_are_those_of_the_levels() -> None:
    assert limits_of(Wishes()) == STANDARD
    with pytest.raises(BadConfig, match="do not ascend"):
        limits_of(Wishes(warning_share=0.8))


def test_a_worse_threshold_meets_the_lesser_ones_too() -> None:
    assert met_after(95_000) == [("emergency", 0), ("critical", 0), ("warning", 0)]
    assert met_after(40_000) == []


def test_a_threshold_is_held_from_the_request_that_first_met_it() -> None:
    assert met_after(55_000, 76_000, 77_000) == [("critical", 1), ("warning", 2)]


def test_a_threshold_is_still_met_within_the_margin_below_it() -> None:
    assert met_after(76_000, 72_000) == [("critical", 1), ("warning", 1)]
    assert met_after(76_000, 71_999) == [("warning", 1)]


def test_each_level_has_its_own_grace() -> None:
    desk = Desk()
    desk.requests(76_000, 77_000)
    ripe = past_grace(thresholds_met(desk.state, desk.seen, STANDARD))
    assert [one.level for one in ripe] == ["warning"]
    desk.request(91_000)
    ripe = past_grace(thresholds_met(desk.state, desk.seen, STANDARD))
    assert [one.level for one in ripe] == ["emergency", "critical", "warning"]


@given(st.lists(st.integers(0, 120_000), min_size=1, max_size=40))
def test_what_is_met_never_is_worse_than_the_level_of_health(used: list[int]) -> None:
    desk = Desk()
    for one in used:
        desk.request(one)
        met = thresholds_met(desk.state, desk.seen, STANDARD)
        levels = [LEVELS.index(threshold.level) for threshold in met]
        assert levels == sorted(levels, reverse=True)
        assert all(level <= LEVELS.index(desk.state.health.level) for level in levels)
        assert all(0 <= threshold.held < len(used) for threshold in met)
        if one >= 0.9 * USABLE:
            assert met[0].level == "emergency"
