"""Stories of the controller: what is never touched, and who decides."""

from __future__ import annotations

import pytest
from tests.optimizer.desk import (
    ALL_ADVISE,
    ALL_AUTO,
    ALL_OFF,
    COLD,
    Desk,
    history,
    memory,
    server,
    skill,
)

from tokenbudget.model.control import (
    ACT,
    ADVISE,
    HISTORY,
    MARK,
    MEMORY,
    SKILLS,
    WAIT,
    Held,
    Wishes,
)
from tokenbudget.optimizer.trust import Trust


@pytest.mark.parametrize(
    ("held", "wishes"),
    [
        (server(is_pinned=True), ALL_AUTO),
        (server(is_essential=True), ALL_AUTO),
        (server(), ALL_AUTO._replace(pins=("mcp-servers/github",))),
        (server(), ALL_AUTO._replace(pins=("mcp-servers/*",))),
        (history(is_pinned=True), ALL_AUTO),
        (history(is_essential=True), ALL_AUTO),
    ],
    ids=[
        *("pinned", "essential", "pin by id", "pin by its beginning"),
        *("pinned history", "essential history"),
    ],
)
def test_what_is_pinned_or_essential_never_leaves(held: Held, wishes: Wishes) -> None:
    desk = Desk(held, wishes=wishes)
    found = [desk.request(98_000, cache=COLD) for _ in range(5)]
    assert {one.kind for one in found} == {WAIT}


def test_history_that_is_in_use_is_left_alone_until_an_emergency() -> None:
    desk = Desk(history(reread_requests=2.0, reread_tokens=20_000.0))
    told = {"cache": COLD, "expected_requests": 1_000.0}
    assert desk.requests(76_000, 77_000, **told).kind == MARK
    assert desk.request(78_000).code == "in-use"
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
