"""Stories of the controller: what was lent is put back, and giving up."""

from __future__ import annotations

from tests.optimizer.desk import (
    ALL_AUTO,
    ALL_OFF,
    COLD,
    Desk,
    history,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    HISTORY,
    RESTORE,
    WAIT,
)
from tokenbudget.optimizer.controller import noted, pulled_for


def test_the_clients_setting_comes_back_when_the_boundary_is_seen() -> None:
    desk = Desk(history())
    receipt = desk.done(desk.request(92_000))
    decision = desk.look(compactions=1)
    assert (decision.kind, decision.code, decision.lever) == (RESTORE, "boundary", HISTORY)
    assert pulled_for(desk.state, decision) == receipt
    desk.state = noted(desk.state, decision, receipt)
    after = desk.request(30_000)
    assert (after.kind, after.code) == (WAIT, "recovering")
    assert desk.state.pulled[0].receipt.measured_tokens == 62_000


def test_putting_back_is_not_kept_back_by_a_cool_down_or_a_mode() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    desk.wishes = ALL_OFF
    assert desk.look(compactions=1).kind == RESTORE


def test_what_was_lent_comes_back_when_the_session_is_over() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    decision = desk.look(is_over=True)
    assert (decision.kind, decision.code) == (RESTORE, "over")
    desk.done(decision)
    assert desk.look().code == "over"
    assert desk.state.pulled[0].receipt.outcome == "ended"


def test_what_was_lent_comes_back_when_its_lease_is_over() -> None:
    desk = Desk(history(), wishes=ALL_AUTO._replace(lease_ms=10 * 60_000))
    desk.done(desk.request(92_000))
    assert desk.look(after_ms=9 * 60_000).code == "open"
    decision = desk.look(after_ms=60_000)
    assert (decision.kind, decision.code) == (RESTORE, "lease")
    desk.done(decision)
    desk.look()
    assert desk.state.pulled[0].receipt.outcome == "expired"


def test_a_compaction_that_does_not_come_before_two_requests_has_failed() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    assert desk.request(93_000).code == "open"
    decision = desk.request(94_000)
    assert (decision.kind, decision.code) == (RESTORE, "failed")
    assert desk.state.pulled[0].receipt.outcome == "failed"


def test_a_compaction_of_somebody_else_is_just_seen() -> None:
    desk = Desk(skill(), wishes=ALL_AUTO)
    desk.request(92_000, held=())
    decision = desk.request(20_000, compactions=1)
    assert (decision.kind, decision.code) == (WAIT, "recovering")
    assert desk.state.pulled == ()


def test_a_compaction_of_somebody_else_settles_ours_that_was_pending() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    desk.request(20_000, compactions=1)
    assert desk.state.pulled[0].receipt.outcome == "measured"


def test_putting_back_that_failed_is_tried_again_after_a_minute() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    desk.failed(desk.look(compactions=1))
    assert desk.look().kind != RESTORE
    assert desk.look(after_ms=60_000).kind == RESTORE


def test_what_was_asked_for_again_is_put_back_and_pinned_from_then_on() -> None:
    desk = Desk(server(kept_tokens=0))
    desk.done(desk.requests(76_000, 77_000, 78_000, cache=COLD))
    decision = desk.request(70_000, reloaded=("mcp-servers/github",))
    assert (decision.kind, decision.code) == (RESTORE, "asked-for")
    desk.done(decision)
    later = [desk.request(95_000, reloaded=()) for _ in range(100)]
    assert {one.kind for one in later} == {WAIT}


def test_two_poor_passes_in_a_row_and_the_controller_gives_up() -> None:
    desk = Desk(history())
    for compactions in (1, 2):
        desk.done(desk.request(92_000, cache=COLD))
        desk.done(desk.look(compactions=compactions))
        desk.request(91_000, held=())
        desk.look(after_ms=400_000)
        desk.seen = desk.seen._replace(held=(history(),))
    decision = desk.request(91_000)
    assert (decision.kind, decision.code) == (WAIT, "gave-up")
    assert "/clear" in decision.next


def test_a_boundary_lets_the_controller_begin_anew_after_it_gave_up() -> None:
    desk = Desk(history())
    desk.request(92_000, held=())
    desk.state = desk.state._replace(poor_passes=2)
    assert desk.request(92_000, held=(history(),)).code == "gave-up"
    assert desk.look(compactions=1).kind == ACT


def test_a_level_less_lets_the_controller_begin_anew_after_it_gave_up() -> None:
    desk = Desk()
    desk.request(92_000)
    desk.state = desk.state._replace(poor_passes=2)
    desk.requests(80_000, 80_000, 80_000)
    assert desk.state.poor_passes == 0


def test_a_soft_action_that_frees_little_is_no_poor_pass() -> None:
    desk = Desk(skill())
    desk.done(desk.requests(55_000, 56_000, composition={"skills": 3_000}))
    desk.request(50_000, compactions=1, composition={"skills": 0})
    assert desk.state.pulled[0].receipt.measured_tokens == 3_000
    assert desk.state.poor_passes == 0
