"""Which things leave first, and how many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.optimizer.desk import memory, skill

from tokenbudget.model.control import DELEGATION, SKILLS, TRIMMING, Held
from tokenbudget.optimizer.policy import AIM_TOKENS, LEAST_TOKENS, MOST_ITEMS
from tokenbudget.optimizer.ranking import chosen, is_pinned, victims

SKILLS_HELD = st.lists(
    st.builds(
        skill,
        st.text(min_size=1, max_size=4),
        st.integers(-100, 9_000),
        last_used_ms=st.one_of(st.none(), st.integers(0, 9)),
        is_pinned=st.booleans(),
        is_essential=st.booleans(),
    ),
    max_size=20,
)


def names(held: list[Held]) -> list[str]:
    return [one.id.rpartition("/")[2] for one in held]


def test_what_was_never_used_leaves_first_then_what_was_used_longest_ago_then_the_largest() -> None:
    held = [
        skill("lately", 9_000, last_used_ms=500),
        skill("long ago", 1_000, last_used_ms=100),
        skill("never, small", 600),
        skill("never, large", 2_000),
    ]
    order = ["never, large", "never, small", "long ago", "lately"]
    assert names(victims(held, SKILLS, ())) == order


def test_of_two_alike_the_name_decides_whatever_order_they_come_in() -> None:
    held = [skill("b", 1_000), skill("a", 1_000)]
    assert names(victims(held, SKILLS, ())) == ["a", "b"]
    assert names(victims(held[::-1], SKILLS, ())) == ["a", "b"]


def test_only_the_levers_own_things_are_its_victims() -> None:
    assert names(victims([skill("a"), memory("b")], SKILLS, ())) == ["a"]


def test_what_can_be_taken_back_goes_before_what_cannot() -> None:
    held = [skill("for good", is_reversible=False), skill("for now")]
    assert names(victims(held, SKILLS, ())) == ["for now"]
    assert names(victims(held[:1], SKILLS, ())) == ["for good"]


def test_a_pin_is_an_id_or_its_beginning() -> None:
    assert is_pinned("skills/a", ["skills/a"])
    assert is_pinned("skills/a", ["skills/*"])
    assert is_pinned("skills/a", ["*"])
    assert not is_pinned("skills/ab", ["skills/a"])
    assert not is_pinned("skills/a", ["", "mcp-servers/*"])


def test_what_has_no_size_is_chosen_where_it_needs_none() -> None:
    trim = Held("trimming/more", TRIMMING, "trim more", "", 0)
    agent = Held("delegation/x", DELEGATION, "delegate x", "", 0)
    assert victims([skill("a", 0), trim], SKILLS, ()) == []
    assert chosen([trim], "warning", 0).items == ("trimming/more",)
    assert chosen([agent], "warning", 0).items == ("delegation/x",)


def test_no_more_leave_than_one_action_can_name() -> None:
    held = [skill(f"s{i}", 1_000) for i in range(500)]
    assert len(chosen(held, "emergency", 0).items) == MOST_ITEMS


@given(held=SKILLS_HELD, surplus=st.integers(-50_000, 50_000))
def test_a_choice_is_as_large_as_needed_and_no_larger(held: list[Held], surplus: int) -> None:
    ranked = victims(held, SKILLS, ())
    choice = chosen(ranked, "warning", surplus)
    needed = max(AIM_TOKENS["warning"], surplus + 1)
    assert list(choice.victims) == [one for one in ranked if one in choice.victims]
    assert not any(one.is_pinned or one.is_essential or one.tokens <= 0 for one in choice.victims)
    if choice.victims:
        assert choice.tokens - choice.victims[-1].tokens < needed
    if sum(one.tokens for one in ranked) >= AIM_TOKENS["warning"]:
        assert choice.left_small == 0
        assert choice.tokens >= AIM_TOKENS["warning"]
    else:
        assert all(one.tokens >= LEAST_TOKENS for one in choice.victims)
        assert choice.left_small == sum(one.tokens < LEAST_TOKENS for one in ranked)
