"""From what could leave to one decision."""

from __future__ import annotations

from tests.optimizer.desk import ALL_ADVISE, ALL_AUTO, COLD, Desk, history, memory, server, skill

from tokenbudget.model.control import ACT, ADVISE, HISTORY, MARK, MEMORY, SKILLS, WAIT
from tokenbudget.optimizer.deciding import parts_of
from tokenbudget.optimizer.state import MOST_PARTS


def test_an_action_goes_before_a_mark_and_the_mark_comes_next() -> None:
    desk = Desk(history(), skill())
    desk.request(55_000)
    first = desk.request(56_000, expected_requests=1.0)
    desk.done(first)
    second = desk.look()
    assert [(one.kind, one.lever) for one in (first, second)] == [(ACT, SKILLS), (MARK, HISTORY)]


def test_a_mark_goes_before_advice_and_advice_before_the_reason_to_wait() -> None:
    wishes = ALL_AUTO._replace(modes={**ALL_AUTO.modes, SKILLS: "advise"})
    desk = Desk(history(), skill(), wishes=wishes)
    desk.request(55_000)
    found = [desk.request(56_000, expected_requests=1.0), desk.look(), desk.look(), desk.look()]
    assert [one.kind for one in found] == [MARK, ADVISE, WAIT, WAIT]
    assert found[-1].code == "warm"


def test_advice_is_said_again_at_another_level() -> None:
    desk = Desk(skill(), memory(), wishes=ALL_ADVISE)
    desk.requests(55_000, 56_000)
    desk.look()
    assert desk.state.said == (SKILLS, MEMORY)
    desk.request(76_000)
    assert len(desk.state.said) == 1


def test_a_mark_names_what_would_leave_now() -> None:
    desk = Desk(server("a"))
    desk.requests(76_000, 76_000, held=())
    desk.request(76_000, held=(server("a", kept_tokens=70_000),), expected_requests=1.0)
    since = [mark.at_ms for mark in desk.state.marks]
    both = (server("a", 9_000, kept_tokens=70_000), server("b", kept_tokens=70_000))
    desk.look(held=both)
    assert [mark.items for mark in desk.state.marks] == [("mcp-servers/b", "mcp-servers/a")]
    assert [mark.at_ms for mark in desk.state.marks] == since


def test_what_is_pinned_or_in_use_is_told_where_nothing_may_leave() -> None:
    desk = Desk(skill(is_pinned=True), memory(is_essential=True))
    decision = desk.requests(55_000, 56_000)
    assert decision.reason.endswith(
        "nothing that may leave would make room (2 of 2 are pinned or in use)"
    )


def test_several_things_are_told_as_one_and_how_many_more() -> None:
    desk = Desk(skill("a", 3_000), skill("b", 2_000), skill("c", 2_000))
    decision = desk.requests(56_000, 56_000, cache=COLD)
    assert "switch off the skill a, and 2 more, which frees 7,000 tokens" in decision.reason


def test_parts_of_the_window_are_kept_as_far_as_they_can_be_meant() -> None:
    desk = Desk()
    composition = {f"part {number:02}": number for number in range(2 * MOST_PARTS)}
    kept = parts_of(desk.seen._replace(composition={**composition, "bad": -1}))
    assert len(kept) == MOST_PARTS
    assert kept[0] == ("part 00", 0)
