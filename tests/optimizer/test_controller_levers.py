"""Stories of the controller: which lever is pulled at which level, and how much leaves."""

from __future__ import annotations

from tests.optimizer.desk import (
    ALL_AUTO,
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
)
from tokenbudget.optimizer.controller import considered

RELEASE = Held("reserve/all", RESERVE, "release the reserve", "", 20_000)


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
