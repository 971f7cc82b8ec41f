"""Stories of the controller, with a fake clock: levels, their grace, and recovery."""

from __future__ import annotations

from tests.optimizer.desk import (
    ALL_AUTO,
    COLD,
    PAYS,
    Desk,
    history,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    HISTORY,
    SERVERS,
    SKILLS,
    WAIT,
)


def test_below_half_nothing_is_done_however_much_could_leave() -> None:
    desk = Desk(skill(), server(), history())
    decision = desk.requests(10_000, 30_000, 49_999, cache=COLD, **PAYS)
    assert (decision.kind, decision.code, decision.level) == (WAIT, "healthy", "healthy")
    assert decision.reason.startswith("49% of the usable window is used (49,999 of 100,000 tokens")
    assert decision.next == "from 50% on"


def test_warning_is_given_a_grace_of_one_request() -> None:
    desk = Desk(skill())
    assert desk.request(52_000).code == "grace"
    assert desk.look().code == "grace"  # time alone does not serve it
    decision = desk.request(53_000)
    assert (decision.kind, decision.lever, decision.code) == (ACT, SKILLS, "soft")


def test_critical_is_given_a_grace_of_two_requests() -> None:
    desk = Desk(server(kept_tokens=1_000))
    first = desk.requests(76_000, **PAYS)
    assert (first.level, first.code) == ("critical", "grace")
    assert desk.request(77_000).kind == WAIT
    decision = desk.request(78_000)
    assert (decision.kind, decision.lever, decision.level) == (ACT, SERVERS, "critical")


def test_while_critical_is_in_its_grace_what_warning_does_is_done() -> None:
    desk = Desk(skill(), server())
    desk.requests(55_000)
    decision = desk.request(76_000)
    assert (decision.level, decision.lever) == ("critical", SKILLS)


def test_an_emergency_has_no_grace() -> None:
    decision = Desk(history()).request(90_000)
    assert (decision.kind, decision.lever, decision.code) == (ACT, HISTORY, "emergency")


def test_a_session_that_is_first_seen_full_is_an_emergency_at_once() -> None:
    assert Desk(history()).request(140_000).kind == ACT


def test_a_tick_without_a_new_request_never_changes_the_level() -> None:
    desk = Desk()
    desk.request(52_000)
    for _ in range(100):
        assert desk.look(after_ms=60_000).level == "warning"


def test_time_alone_is_no_recovery() -> None:
    desk = Desk()
    desk.requests(60_000, 40_000)
    for _ in range(100):
        assert desk.look(after_ms=60_000).level == "warning"


def test_recovery_is_believed_after_three_requests_below_the_margin() -> None:
    desk = Desk()
    desk.requests(60_000, 61_000)
    levels = [desk.request(40_000).level for _ in range(3)]
    assert levels == ["warning", "warning", "healthy"]


def test_during_recovery_nothing_is_done() -> None:
    desk = Desk(skill(), history())
    desk.requests(60_000)
    decision = desk.request(40_000, cache=COLD)
    assert (decision.kind, decision.code, decision.level) == (WAIT, "recovering", "warning")


def test_a_dip_of_less_than_the_margin_is_no_recovery_and_the_grace_goes_on() -> None:
    desk = Desk(skill())
    desk.request(50_500)
    assert desk.request(49_000).kind == ACT


def test_an_emergency_goes_down_one_level_at_a_time() -> None:
    desk = Desk()
    desk.request(95_000)
    levels = [desk.request(20_000).level for _ in range(9)]
    assert levels == [*["emergency"] * 2, *["critical"] * 3, *["warning"] * 3, "healthy"]


def test_a_level_that_is_met_again_has_to_serve_its_grace_again() -> None:
    desk = Desk(skill())
    desk.requests(55_000, 40_000, 40_000, 40_000)
    assert desk.request(55_000).code == "grace"


def test_the_thresholds_are_the_persons() -> None:
    wishes = ALL_AUTO._replace(warning_share=0.2, critical_share=0.3, emergency_share=0.4)
    assert Desk(history(), wishes=wishes).request(40_000).code == "emergency"
