"""Stories of the controller: when the conversation is compacted."""

from __future__ import annotations

from tests.optimizer.desk import (
    COLD,
    PAYS,
    PAYS_IN_A_PAUSE,
    WARM,
    Desk,
    history,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    HISTORY,
    MARK,
    WAIT,
)


def test_history_is_only_marked_at_warning_while_the_cache_is_warm() -> None:
    desk = Desk(history())
    decision = desk.requests(55_000, 56_000, cache=WARM, **PAYS_IN_A_PAUSE)
    assert (decision.kind, decision.lever, decision.code) == (MARK, HISTORY, "mark")
    assert decision.items == ("history/compact",)
    assert desk.look().code == "warm"


def test_what_was_marked_is_done_when_the_cache_is_cold_without_a_new_request() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, **PAYS_IN_A_PAUSE)
    decision = desk.look(after_ms=300_000, cache=COLD)
    assert (decision.kind, decision.lever, decision.code) == (ACT, HISTORY, "cold")


def test_what_was_marked_is_done_between_two_turns_if_it_pays() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, **PAYS_IN_A_PAUSE)
    decision = desk.look(is_between_turns=True)
    assert (decision.kind, decision.lever, decision.code) == (ACT, HISTORY, "pays")


def test_a_compaction_that_frees_less_than_a_quarter_waits_for_an_emergency() -> None:
    desk = Desk(history(tokens=24_999))
    decision = desk.requests(76_000, 77_000, 78_000, cache=COLD, **PAYS)
    assert (decision.kind, decision.code) == (WAIT, "small")
    assert desk.look(held=(history(tokens=25_000),)).kind == ACT
    assert Desk(history(tokens=2_000)).request(90_000).kind == ACT


def test_what_waits_for_the_compaction_counts_towards_its_quarter() -> None:
    desk = Desk(skill(tokens=9_000), history(tokens=18_000))
    desk.done(desk.requests(56_000, 57_000, cache=COLD, **PAYS))
    assert desk.request(58_000, held=(history(tokens=18_000),)).lever == HISTORY
    assert desk.state.tried_at_ms(HISTORY) == desk.now_ms


def test_a_long_loop_is_compacted_at_warning_where_it_pays_three_times_over() -> None:
    after = Desk(history()).request(92_000, expected_requests=100.0).prediction
    assert after is not None
    assert after.break_even_requests is not None
    for factor, kind in ((2.99, MARK), (3.01, ACT)):
        desk = Desk(history())
        expected = factor * after.break_even_requests
        assert desk.requests(55_000, 56_000, expected_requests=expected).kind == kind


def test_between_two_turns_a_warm_history_stays_where_it_does_not_pay() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, expected_requests=3.0)
    assert desk.look(is_between_turns=True).code == "warm"


def test_a_cold_history_stays_where_too_few_requests_are_expected() -> None:
    desk = Desk(history())
    decision = desk.requests(55_000, 56_000, cache=COLD, expected_requests=1.0)
    assert decision.kind == MARK
    assert "about 1 request more can be counted on" in decision.reason


def test_at_critical_a_warm_history_is_compacted_from_one_and_a_half_break_evens_on() -> None:
    after = Desk(history()).request(92_000, expected_requests=100.0).prediction
    assert after is not None
    assert after.break_even_requests is not None
    for share, kind in ((1.49, MARK), (1.51, ACT)):
        other = Desk(history())
        expected = share * after.break_even_requests
        other.requests(76_000, 77_000, held=())
        assert other.request(78_000, held=(history(),), expected_requests=expected).kind == kind


def test_at_critical_a_warm_history_stays_where_nobody_knows_how_long_the_session_goes_on() -> None:
    decision = Desk(history()).requests(76_000, 77_000, 78_000, expected_requests=None)
    assert (decision.kind, decision.lever, decision.code) == (WAIT, HISTORY, "warm")
    assert "nobody knows how many requests will come" in decision.reason


def test_in_an_emergency_history_is_compacted_at_a_loss_and_the_loss_is_told() -> None:
    desk = Desk(history())
    decision = desk.request(92_000, expected_requests=1.0)
    assert (decision.kind, decision.code) == (ACT, "emergency")
    assert decision.prediction is not None
    assert decision.prediction.usd is not None
    assert decision.prediction.usd < 0
    assert "room comes first, and it costs $" in decision.reason
