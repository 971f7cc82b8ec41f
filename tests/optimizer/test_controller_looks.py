"""Stories of the controller: looks that are no ground to act on, and figures that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from tests.optimizer.desk import (
    ALL_AUTO,
    COLD,
    PAYS,
    PAYS_IN_A_PAUSE,
    USABLE,
    WARM,
    Desk,
    history,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    WAIT,
)
from tokenbudget.optimizer.controller import fresh, tick
from tokenbudget.optimizer.trust import Trust

HOUR_MS = 3_600_000


def test_nothing_is_done_on_an_old_look() -> None:
    desk = Desk(history())
    decision = desk.request(95_000, observed_at_ms=desk.now_ms - 40_000)
    assert (decision.kind, decision.code) == (WAIT, "stale")
    assert desk.look().kind == ACT


def test_a_slow_loop_allows_for_older_looks() -> None:
    desk = Desk(history(), wishes=ALL_AUTO._replace(interval_ms=60_000))
    assert desk.request(95_000, observed_at_ms=desk.now_ms - 100_000).kind == ACT


def test_a_fresh_look_at_an_old_request_counts() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, **PAYS_IN_A_PAUSE)
    for _ in range(3):
        desk.look(after_ms=50 * 60_000)
    assert desk.look(cache=COLD).kind == ACT


def test_a_clock_that_went_back_is_waited_out_and_the_cool_down_goes_on() -> None:
    desk = Desk(skill())
    desk.failed(desk.requests(55_000, 56_000))
    decision = desk.look(after_ms=-10 * HOUR_MS)
    assert (decision.kind, decision.code) == (WAIT, "clock")
    assert desk.request(56_000).code == "cooldown"
    assert desk.look(after_ms=300_000).kind == ACT


def test_a_clock_that_jumped_ahead_is_waited_out() -> None:
    desk = Desk(history())
    desk.request(40_000)
    desk.now_ms += 2 * HOUR_MS
    assert desk.request(95_000).code == "clock"
    assert desk.look().kind == ACT


def test_a_look_from_the_future_is_no_ground() -> None:
    desk = Desk(history())
    assert desk.request(95_000, observed_at_ms=desk.now_ms + HOUR_MS).code == "clock"


@pytest.mark.parametrize(
    "unfit",
    [
        {"used_tokens": None},
        {"used_tokens": -1},
        {"used_tokens": float("nan")},
        {"used_tokens": 1 << 60},
        {"usable_tokens": None},
        {"usable_tokens": 0},
        {"usable_tokens": -5},
        {"usable_tokens": float("inf")},
        {"request_key": ""},
        {"session": "another"},
    ],
    ids=lambda unfit: " ".join(f"{key}={value}" for key, value in unfit.items()),
)
def test_nothing_is_done_on_what_is_not_known(unfit: dict[str, Any]) -> None:
    desk = Desk(history())
    desk.request(95_000, held=())
    decision = desk.look(held=(history(),), **unfit)
    assert (decision.kind, decision.code) == (WAIT, "unknown")


def test_more_used_than_usable_is_an_emergency() -> None:
    assert Desk(history()).request(3 * USABLE).level == "emergency"


def test_a_transcript_that_was_written_anew_is_looked_at_once_more() -> None:
    desk = Desk(history())
    desk.requests(20_000, 30_000, 95_000, held=())
    desk.seen = desk.seen._replace(requests=0)
    assert desk.request(95_000, held=(history(),)).code == "stale"
    assert desk.look().kind == ACT


@pytest.mark.parametrize(
    "unfit",
    [
        (0.5, 0.5, 0.9),
        (0.9, 0.75, 0.5),
        (0.0, 0.5, 0.9),
        (0.5, 0.75, 1.5),
        (float("nan"), 0.7, 0.9),
    ],
    ids=str,
)
def test_thresholds_that_cannot_be_meant_are_refused_with_the_reason(
    unfit: tuple[float, float, float],
) -> None:
    warning, critical, emergency = unfit
    wishes = ALL_AUTO._replace(
        warning_share=warning, critical_share=critical, emergency_share=emergency
    )
    decision = Desk(history(), wishes=wishes).request(95_000)
    assert (decision.kind, decision.code) == (WAIT, "config")
    assert "do not ascend" in decision.reason


def test_a_resource_that_vanished_is_not_marked_any_more() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, **PAYS_IN_A_PAUSE)
    assert desk.state.marks
    desk.look(held=())
    assert desk.state.marks == ()


def test_a_session_that_is_over_is_left_alone() -> None:
    decision = Desk(history()).request(95_000, is_over=True)
    assert (decision.kind, decision.code) == (WAIT, "over")


def test_everything_unknown_at_once_is_waited_out() -> None:
    desk = Desk()
    desk.seen = desk.seen._replace(usable_tokens=None, window_tokens=None)
    assert desk.look().code == "unknown"


@pytest.mark.parametrize(
    "unfit",
    [
        {"tokens": -5_000},
        {"tokens": 0},
        {"tokens": 20_000, "kept_tokens": -9},
        {"tokens": 20_000, "error_tokens": -9},
        {"tokens": 20_000, "replacement_tokens": -9},
        {"tokens": 20_000, "production_input_tokens": -9, "production_output_tokens": -9},
        {"tokens": 20_000, "reread_requests": -9.0, "reread_tokens": -9.0},
        {"tokens": 20_000, "reread_requests": float("nan"), "reread_tokens": float("inf")},
    ],
    ids=lambda unfit: " ".join(f"{key}={value}" for key, value in unfit.items()),
)
def test_impossible_figures_of_what_is_held_never_crash_the_tick(unfit: dict[str, Any]) -> None:
    decision = Desk(server(**unfit)).request(95_000, **PAYS)
    assert decision.kind == (ACT if unfit["tokens"] > 0 else WAIT)


@pytest.mark.parametrize("figure", [None, -1.0, float("nan"), float("inf"), 0.0])
def test_impossible_prices_never_crash_the_tick_and_leave_the_money_unknown(
    figure: float | None,
) -> None:
    cache = WARM._replace(read=figure, write=figure, output=figure, input_usd=figure)
    decision = Desk(history()).request(95_000, cache=cache, expected_requests=figure)
    assert decision.kind == ACT
    assert decision.prediction is not None
    if figure != 0.0:
        assert decision.prediction.usd is None


def test_every_decision_says_why_with_its_figures_and_rests_on_a_request() -> None:
    desk = Desk(history())
    decision = desk.request(92_000, **PAYS)
    assert decision.reason.startswith(
        "92% of the usable window is used (92,000 of 100,000 tokens, 69% of the whole):"
        " compact the conversation, which frees 40,000 tokens and saves about $"
    )
    assert decision.next == "the next request shows what it did"
    assert decision.request_key == "request 1"
    assert decision.prediction is not None
    assert decision.prediction.known_by == "9.9 model next request"


def test_a_tick_changes_nothing_of_what_it_is_given() -> None:
    desk = Desk(history())
    desk.request(40_000)
    before = desk.state
    seen = desk.seen._replace(used_tokens=95_000, request_key="new", requests=2)
    kept = str((before, seen))
    after, _ = tick(before, seen, ALL_AUTO, Trust(), desk.now_ms)
    assert after != before
    assert str((before, seen)) == kept
    assert fresh("s") == fresh("s")
