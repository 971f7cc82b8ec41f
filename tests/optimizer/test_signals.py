"""Which looks may be believed."""

from __future__ import annotations

import pytest
from tests.optimizer.desk import ALL_AUTO, START_MS, Desk

from tokenbudget.model.control import Signals, Wishes
from tokenbudget.optimizer import signals
from tokenbudget.optimizer.state import State


def looked_at(requests: int = 3) -> tuple[State, Signals]:
    desk = Desk()
    desk.requests(*[10_000] * requests)
    return desk.state, desk.seen


def code_of(found: signals.Fault | None) -> str:
    return found.code if found else ""


def test_a_look_that_is_fresh_and_known_in_full_may_be_acted_on() -> None:
    state, seen = looked_at()
    assert signals.fault(state, seen, ALL_AUTO, seen.observed_at_ms) is None


@pytest.mark.parametrize(
    ("age_ms", "interval_ms", "code"),
    [
        (30_000, 5_000, ""),
        (30_001, 5_000, "stale"),
        (60_000, 20_000, ""),
        (60_001, 20_000, "stale"),
        (-1, 5_000, "clock"),
    ],
)
def test_a_look_is_fresh_for_three_intervals_and_at_least_half_a_minute(
    age_ms: int, interval_ms: int, code: str
) -> None:
    state, seen = looked_at()
    wishes = Wishes(interval_ms=interval_ms)
    assert code_of(signals.fault(state, seen, wishes, seen.observed_at_ms + age_ms)) == code


@pytest.mark.parametrize(
    ("before_ms", "now_ms", "code"),
    [
        (0, START_MS, ""),
        (START_MS, START_MS, ""),
        (START_MS, START_MS + 3_600_000, ""),
        (START_MS, START_MS + 3_600_001, "clock"),
        (START_MS, START_MS - 1, "clock"),
    ],
)
def test_a_clock_may_go_on_for_an_hour_between_two_looks(
    before_ms: int, now_ms: int, code: str
) -> None:
    assert code_of(signals.clock_fault(State("s", before_ms), now_ms)) == code


def test_a_transcript_that_tells_of_less_is_behind() -> None:
    state, seen = looked_at()
    state = state._replace(compactions=1)
    for fewer in (seen._replace(requests=2, compactions=1), seen._replace(compactions=0)):
        found = signals.fault(state, fewer, ALL_AUTO, seen.observed_at_ms)
        assert found is not None
        assert (found.code, found.is_behind) == ("stale", True)


def test_the_end_of_another_session_is_none_of_this_one() -> None:
    state, seen = looked_at()
    assert signals.end(state, seen) is None
    assert code_of(signals.end(state, seen._replace(is_over=True))) == "over"
    assert signals.end(state, seen._replace(is_over=True, session="another")) is None


@pytest.mark.parametrize("value", [None, -1, float("nan"), float("inf"), -float("inf"), 1 << 54])
def test_what_no_amount_can_be_is_unknown(value: float | None) -> None:
    assert not signals.is_amount(value)
    assert signals.amount(value) is None


@pytest.mark.parametrize("value", [0, 0.0, 1, 2.5, 1 << 53])
def test_what_an_amount_can_be_is_taken(value: float) -> None:
    assert signals.is_amount(value)
    assert signals.amount(value) == value
