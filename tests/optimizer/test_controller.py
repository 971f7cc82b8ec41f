"""Stories of the controller, with a fake clock: one for every transition and every rule."""

from __future__ import annotations

from typing import Any

import pytest
from tests.optimizer.desk import (
    ALL_ADVISE,
    ALL_AUTO,
    ALL_OFF,
    COLD,
    USABLE,
    WARM,
    Desk,
    history,
    memory,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    ADVISE,
    DELEGATION,
    HISTORY,
    MARK,
    MEMORY,
    MODEL,
    RESERVE,
    RESTORE,
    SCRATCH,
    SERVERS,
    SKILLS,
    TERSENESS,
    TRIMMING,
    WAIT,
    Held,
    Wishes,
)
from tokenbudget.optimizer.controller import considered, fresh, noted, pulled_for, recalled, tick
from tokenbudget.optimizer.trust import Trust

HOUR_MS = 3_600_000
PAYS = {"expected_requests": 100.0}
PAYS_IN_A_PAUSE = {"expected_requests": 15.0}
"""From 1.5 to 3 times the break-even of `history()`."""


# ── levels and grace ─────────────────────────────────────────────────────────────────────────────


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


# ── what is done at each level ───────────────────────────────────────────────────────────────────


def test_warning_frees_at_least_two_thousand_where_there_is_that_much() -> None:
    desk = Desk(*(skill(f"s{i}", 700) for i in range(8)))
    decision = desk.requests(50_000, 50_100)
    assert decision.prediction is not None
    assert decision.prediction.tokens == 2_100
    assert len(decision.items) == 3


def test_critical_frees_at_least_fifteen_thousand_where_there_is_that_much() -> None:
    wishes = ALL_AUTO._replace(warning_share=0.7)
    desk = Desk(*(server(f"s{i}", 4_000) for i in range(8)), wishes=wishes)
    decision = desk.requests(75_000, 75_000, 75_000, cache=COLD)
    assert decision.prediction is not None
    assert decision.prediction.tokens == 16_000


def test_a_bite_is_large_enough_to_come_below_half() -> None:
    desk = Desk(*(skill(f"s{i}", 1_000) for i in range(30)))
    decision = desk.requests(60_000, 60_000)
    assert len(decision.items) == 11


def test_a_lever_that_reaches_the_aim_goes_before_one_that_does_not() -> None:
    desk = Desk(skill(tokens=900), memory(tokens=4_000))
    assert desk.requests(55_000, 55_000).lever == MEMORY


def test_at_warning_servers_are_left_alone() -> None:
    desk = Desk(server())
    assert desk.requests(55_000, 56_000, cache=COLD, **PAYS).code == "nothing"


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
    assert "about 1 request more can be expected" in decision.reason


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


def test_history_goes_before_the_servers() -> None:
    desk = Desk()
    desk.requests(76_000, 77_000, cache=COLD, **PAYS)
    both = (server(tokens=30_000), history(tokens=30_000))
    assert desk.request(78_000, held=both).lever == HISTORY


def test_a_server_waits_for_the_compaction_that_is_to_come() -> None:
    desk = Desk(server(kept_tokens=60_000), history())
    desk.done(desk.request(92_000, **PAYS))
    decision = desk.look()
    assert (decision.code, decision.lever) == ("open", HISTORY)
    weighed = considered(desk.state, desk.seen, desk.wishes, desk.trust, desk.now_ms)
    assert weighed[0] == "emergency"


def test_a_server_in_a_warm_window_stays_where_it_does_not_pay() -> None:
    desk = Desk(server(kept_tokens=60_000))
    decision = desk.requests(76_000, 77_000, 78_000, expected_requests=20.0)
    assert (decision.kind, decision.lever) == (MARK, SERVERS)


def test_a_server_leaves_right_after_a_boundary() -> None:
    desk = Desk(server(kept_tokens=60_000))
    desk.requests(76_000, 77_000, 78_000, expected_requests=20.0)
    decision = desk.look(compactions=1)
    assert (decision.kind, decision.lever, decision.code) == (ACT, SERVERS, "boundary")


def test_in_an_emergency_every_lever_is_pulled_one_a_tick() -> None:
    trim = Held("trimming/compressed", TRIMMING, "trim more", "", 0)
    scratch = Held("scratch/notes", SCRATCH, "move notes away", "", 2_000)
    desk = Desk(history(), skill(), memory(), trim, scratch)
    pulled = []
    decision = desk.request(95_000)
    while decision.kind == ACT:
        pulled.append(decision.lever)
        desk.done(decision)
        decision = desk.look()
    assert pulled[0] == HISTORY
    assert set(pulled) == {HISTORY, SKILLS, MEMORY, TRIMMING, SCRATCH}
    assert len(pulled) == 5


def test_in_an_emergency_everything_of_a_lever_leaves() -> None:
    desk = Desk(*(skill(f"s{i}", 10_000) for i in range(9)))
    assert len(desk.request(95_000).items) == 9


def test_the_reserve_is_released_in_an_emergency_and_kept_free_again_after_it() -> None:
    desk = Desk(RELEASE)
    decision = desk.request(95_000)
    assert (decision.kind, decision.lever) == (ACT, RESERVE)
    desk.done(decision)
    found = [desk.request(60_000, held=()) for _ in range(6)]
    assert [one.code for one in found if one.kind == RESTORE] == ["recovered"]
    assert found[-1].level == "warning"


def test_of_trimming_and_terseness_one_is_enough() -> None:
    trim = Held("trimming/compressed", TRIMMING, "trim more", "", 0)
    terse = Held("terseness/compressed", TERSENESS, "ask for short answers", "", 0)
    desk = Desk(trim, terse)
    desk.done(desk.requests(55_000, 56_000))
    desk.look(after_ms=400_000)
    assert desk.request(57_000).code == "nothing"


RELEASE = Held("reserve/all", RESERVE, "release the reserve", "", 20_000)


def test_the_reserve_is_not_released_while_a_compaction_is_to_come() -> None:
    desk = Desk(history(), RELEASE)
    desk.done(desk.request(95_000, cache=COLD))
    decision = desk.look()
    assert (decision.kind, decision.code) == (WAIT, "open")


def test_the_reserve_is_kept_free_again_before_the_conversation_is_compacted() -> None:
    desk = Desk(RELEASE)
    desk.done(desk.request(95_000))
    first = desk.request(96_000, held=(history(),))
    assert (first.kind, first.code, first.lever) == (RESTORE, "history", RESERVE)
    desk.done(first)
    second = desk.look()
    assert (second.kind, second.lever) == (ACT, HISTORY)


def test_where_the_turn_is_stopped_in_an_emergency_is_told() -> None:
    desk = Desk(wishes=ALL_AUTO._replace(stop_share=0.97))
    assert desk.request(95_000).next == "the turn is stopped at 97%"
    assert desk.request(98_000).next == "the turn is stopped"


def test_model_and_delegation_are_only_ever_advised() -> None:
    smaller = Held("model/haiku", MODEL, "use a smaller model", "", 0)
    agent = Held("delegation/search", DELEGATION, "search in a subagent", "", 0)
    desk = Desk(smaller, agent)
    first = desk.requests(55_000, 56_000)
    assert {first.lever, desk.look().lever} == {MODEL, DELEGATION}
    assert (first.kind, first.code) == (ADVISE, "advice")


# ── at most one action ───────────────────────────────────────────────────────────────────────────


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
    assert decision.next == "again in 5 min"
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


# ── what is never touched, and who decides ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("held", "wishes"),
    [
        (server(is_pinned=True), ALL_AUTO),
        (server(is_essential=True), ALL_AUTO),
        (server(), ALL_AUTO._replace(pins=("mcp-servers/github",))),
        (server(), ALL_AUTO._replace(pins=("mcp-servers/*",))),
        (history(is_pinned=True), ALL_AUTO),
    ],
    ids=["pinned", "essential", "pin by id", "pin by its beginning", "pinned history"],
)
def test_what_is_pinned_or_essential_never_leaves(held: Held, wishes: Wishes) -> None:
    desk = Desk(held, wishes=wishes)
    found = [desk.request(98_000, cache=COLD) for _ in range(5)]
    assert {one.kind for one in found} == {WAIT}


def test_history_that_is_in_use_is_left_alone_until_an_emergency() -> None:
    desk = Desk(history(is_essential=True))
    assert desk.requests(76_000, 77_000, 78_000, cache=COLD).code == "nothing"
    assert desk.request(90_000).kind == ACT


def test_with_every_lever_off_nothing_is_ever_done_or_advised() -> None:
    desk = Desk(skill(), server(), history(), wishes=ALL_OFF)
    codes = {desk.request(used, cache=COLD).code for used in (55_000, 56_000, 80_000, 99_000)}
    assert codes == {"grace", "off"}


def test_a_lever_of_which_nobody_speaks_is_off() -> None:
    assert Desk(history(), wishes=Wishes()).request(99_000).code == "off"


def test_in_advise_mode_each_thing_is_said_once_and_nothing_is_done() -> None:
    desk = Desk(skill(), memory(), wishes=ALL_ADVISE)
    found = [desk.request(55_000)] + [desk.request(56_000) for _ in range(6)]
    assert {one.kind for one in found[1:]} == {ADVISE}
    assert {one.lever for one in found[1:3]} == {SKILLS, MEMORY}
    assert desk.state.tried == ()
    assert "would free" in found[1].reason


def test_advice_does_not_keep_an_action_from_being_done() -> None:
    wishes = ALL_AUTO._replace(modes={**ALL_AUTO.modes, SKILLS: "advise"})
    desk = Desk(skill(tokens=9_000), memory(), wishes=wishes)
    assert desk.requests(55_000, 56_000).lever == MEMORY


def test_auto_from_critical_on_is_advise_before() -> None:
    wishes = ALL_ADVISE._replace(critical_modes={HISTORY: "auto"})
    desk = Desk(history(), wishes=wishes)
    assert desk.requests(55_000, 56_000, cache=COLD).kind == ADVISE
    assert desk.requests(76_000, 77_000, 78_000, cache=COLD).kind == ACT


@pytest.mark.parametrize("client", ["", "0.1"])
def test_what_was_not_measured_is_only_advised(client: str) -> None:
    decision = Desk(history()).request(95_000, client=client)
    assert (decision.kind, decision.code) == (ADVISE, "unknown-lever")
    assert decision.prediction is not None
    assert decision.prediction.known_by == ""


def test_what_cannot_be_taken_back_is_only_advised() -> None:
    decision = Desk(history(is_reversible=False)).request(95_000)
    assert (decision.kind, decision.code) == (ADVISE, "irreversible")


def test_a_lever_that_is_not_trusted_is_only_advised() -> None:
    desk = Desk(history(), trust=Trust({HISTORY: 0.25}, {HISTORY: 0}))
    desk.trust = desk.trust._replace(last_ms={HISTORY: desk.now_ms})
    assert desk.request(95_000).code == "distrust"


def test_a_lever_that_is_half_trusted_promises_half() -> None:
    desk = Desk(history(tokens=40_000), trust=Trust({HISTORY: 0.5}, {}))
    decision = desk.request(95_000)
    assert decision.prediction is not None
    assert (decision.kind, decision.prediction.tokens) == (ACT, 20_000)


def test_things_under_five_hundred_tokens_are_left_alone() -> None:
    desk = Desk(skill("small", 499), skill("tiny", 100))
    assert desk.requests(55_000, 56_000).code == "nothing"


def test_small_things_leave_where_together_they_reach_the_aim() -> None:
    desk = Desk(*(skill(f"s{i}", 400) for i in range(20)))
    assert desk.requests(50_000, 50_000).items == tuple(f"skills/s{i}" for i in (0, 1, 10, 11, 12))


# ── recovery and putting back ────────────────────────────────────────────────────────────────────


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


# ── looks that are no ground to act on ───────────────────────────────────────────────────────────


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
