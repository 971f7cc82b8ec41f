"""Stories of the controller: at most one action for a request, and a rest after it."""

from __future__ import annotations

from tests.optimizer.desk import (
    COLD,
    PAYS,
    Desk,
    history,
    memory,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    MEMORY,
    TRIMMING,
    WAIT,
    Held,
)
from tokenbudget.optimizer.controller import recalled


def test_one_request_leads_to_one_action() -> None:
    desk = Desk(skill(tokens=4_000), memory(tokens=3_000))
    desk.done(desk.requests(55_000, 56_000))
    assert desk.look().code == "feedback"
    assert desk.request(57_000).lever == MEMORY


def test_a_lever_rests_for_its_cool_down() -> None:
    desk = Desk(skill("one", 9_000))
    desk.done(desk.requests(55_000, 56_000))
    desk.look(compactions=1)
    decision = desk.request(57_000, held=(skill("two", 9_000),))
    assert desk.state.pulled[0].receipt.outcome == "unmeasured"
    assert (decision.kind, decision.code) == (WAIT, "cooldown")
    assert decision.next == "again in 4m"
    assert desk.look(after_ms=300_000).kind == ACT


def test_a_lever_is_not_pulled_again_while_its_receipt_is_open() -> None:
    desk = Desk(skill())
    desk.done(desk.requests(55_000, 56_000))
    desk.look(after_ms=30 * 60_000)
    assert desk.request(57_000).code == "open"


def test_what_failed_is_tried_again_after_the_cool_down() -> None:
    desk = Desk(skill())
    desk.failed(desk.requests(55_000, 56_000))
    assert desk.request(56_000).code == "cooldown"
    assert desk.look(after_ms=300_000).kind == ACT


def test_while_enough_is_about_to_leave_nothing_else_is_taken_from_the_next_request() -> None:
    trim = Held("trimming/compressed", TRIMMING, "trim more", "", 3_000)
    desk = Desk(history(), server(), trim)
    desk.done(desk.requests(76_000, 77_000, 78_000, cache=COLD, **PAYS))
    kinds = {desk.request(79_000, request_at_ms=desk.now_ms - 9_000).kind for _ in range(3)}
    assert kinds == {WAIT}


def test_a_crash_between_the_decision_and_its_note_leads_to_no_second_action() -> None:
    desk = Desk(skill())
    assert desk.requests(55_000, 56_000).kind == ACT
    assert {desk.request(56_000).kind for _ in range(9)} == {WAIT}


def test_after_a_crash_an_open_receipt_is_taken_up_from_the_record() -> None:
    desk = Desk(skill())
    decision = desk.requests(55_000, 56_000)
    before = desk.state
    receipt = desk.done(decision)
    desk.state = recalled(before, [receipt, receipt._replace(outcome="measured", at_ms=1)])
    assert [one.receipt for one in desk.state.pulled] == [receipt]
    assert recalled(desk.state, [receipt]) == desk.state
