"""Which proposals are meant, and what they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.compact_plan import (
    Wish,
    chosen_ids,
    conversation_freed,
    kind_weights,
    total,
    totals_by_effect,
    with_joined_edits,
)
from tokenbudget.model.actions import (
    NEVER_SENT,
    UNKNOWN_WEIGHT,
    EditSettings,
    Effect,
    Item,
    Proposal,
    SettingEdit,
    TrashFile,
    Weight,
)
from tokenbudget.model.errors import BadRequest

STEP = TrashFile("/srv/shop/a.bak", 3, 4)


def proposal(
    id_: str,
    freed: Weight = NEVER_SENT,
    effect: Effect = "next start",
    *,
    is_chosen: bool = True,
    has_steps: bool = True,
    freed_bytes: int = 0,
) -> Proposal:
    return Proposal(
        id=id_,
        resource=id_.partition("/")[0],
        title=f"do {id_}",
        reason="nobody used it",
        freed=freed,
        freed_bytes=freed_bytes,
        effect=effect,
        is_chosen=is_chosen,
        steps=(STEP,) if has_steps else (),
        command="" if has_steps else "rm it",
    )


ALL = [
    proposal("skills/unused", Weight(1_000, 100, "calibrated"), "next compaction"),
    proposal("mcp-servers/wiki", Weight(7_000, 500, "estimated")),
    proposal("mcp-servers/github", UNKNOWN_WEIGHT, is_chosen=False),
    proposal("memory-files/long", Weight(9_000, 900, "estimated"), has_steps=False),
    proposal("scratch/backups", effect="disk only", freed_bytes=4_000),
]
BY_ITSELF = {"skills/unused", "mcp-servers/wiki", "scratch/backups"}


def test_by_itself_it_chooses_what_has_no_price_and_can_be_done() -> None:
    assert chosen_ids(ALL, Wish()) == BY_ITSELF


def test_only_leaves_the_other_kinds_out() -> None:
    assert chosen_ids(ALL, Wish(only=("skills", "scratch"))) == {"skills/unused", "scratch/backups"}


def test_include_takes_in_and_exclude_leaves_out_and_has_the_last_word() -> None:
    assert "mcp-servers/github" in chosen_ids(ALL, Wish(include=("mcp-servers/github",)))
    assert chosen_ids(ALL, Wish(exclude=("skills",))) == BY_ITSELF - {"skills/unused"}
    both = Wish(include=("mcp-servers/github",), exclude=("mcp-servers/github",))
    assert chosen_ids(ALL, both) == BY_ITSELF


def test_include_reaches_beyond_only() -> None:
    wish = Wish(only=("scratch",), include=("skills/unused",))
    assert chosen_ids(ALL, wish) == {"scratch/backups", "skills/unused"}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(only=("nothing",)), "there is no kind 'nothing'"),
        (Wish(include=("skills/x",)), "no proposal 'skills/x'"),
        (Wish(exclude=("x",)), "no proposal 'x'"),
        (Wish(include=("memory-files/long",)), "is an advice"),
    ],
)
def test_a_wish_that_names_nothing_is_told(wish: Wish, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        chosen_ids(ALL, wish)


def test_the_sum_says_how_many_weights_are_missing_and_takes_the_worst_basis() -> None:
    sums = total(ALL[:3])
    assert sums.weight == Weight(8_000, 600, "estimated")
    assert (sums.proposals, sums.unknown) == (3, 1)


def test_nothing_weighs_exactly_nothing() -> None:
    assert total([]).weight == NEVER_SENT
    assert totals_by_effect([]) == {}


def test_sums_by_effect_are_the_sum() -> None:
    by_effect = totals_by_effect(ALL)
    assert set(by_effect) == {"next compaction", "next start", "disk only"}
    assert sum(one.freed_bytes for one in by_effect.values()) == total(ALL).freed_bytes


def test_what_stands_there_by_kind() -> None:
    items = [
        Item("skills", "a", "", 10, Weight(5, 1, "estimated"), None, 0),
        Item("skills", "b", "", 20, UNKNOWN_WEIGHT, None, 0),
        Item("scratch", "c", "/c", 40, NEVER_SENT, None, None),
    ]
    found = kind_weights(items)
    assert (found["skills"].items, found["skills"].tokens, found["skills"].unknown) == (2, 5, 1)
    assert found["skills"].size_bytes == 30
    assert found["scratch"].tokens == 0


@given(st.integers(0, 2_000_000), st.lists(st.integers(1, 100_000), max_size=9))
def test_a_compaction_never_frees_more_than_there_is(tokens: int, summaries: list[int]) -> None:
    freed = conversation_freed(tokens, summaries)
    assert freed.tokens is not None
    assert 0 <= freed.tokens <= tokens
    assert 0 <= freed.error_tokens <= freed.tokens
    assert freed.basis == "estimated"


def test_own_compactions_say_what_a_summary_takes() -> None:
    assert conversation_freed(100_000, [3_000, 3_000, 3_000]).tokens == 97_000
    assert conversation_freed(100_000, []).tokens == 87_500


def test_a_settings_file_is_changed_in_one_step() -> None:
    one, two, other = (SettingEdit(("deny",), name, is_member=True) for name in "abc")
    trash = TrashFile("/p/x.bak", 1, 1)
    found = with_joined_edits(
        [
            proposal("agents/a")._replace(steps=(EditSettings("/p/s.json", (one,)),)),
            proposal("scratch/x")._replace(steps=(trash,)),
            proposal("agents/b")._replace(steps=(EditSettings("/p/s.json", (two,)), trash)),
            proposal("agents/c")._replace(steps=(EditSettings("/p/t.json", (other,)),)),
        ]
    )
    assert [list(one.steps) for one in found] == [
        [EditSettings("/p/s.json", (one, two))],
        [trash],
        [trash],
        [EditSettings("/p/t.json", (other,))],
    ]


def test_what_looks_like_it_is_named() -> None:
    found = [proposal("mcp-servers/wiki"), *(proposal(f"agents/a{n}") for n in range(9))]
    for wanted in ("mcp", "mcp-server", "skills/wiki", "wiki"):
        with pytest.raises(BadRequest, match="mcp-servers"):
            chosen_ids(found, Wish(exclude=(wanted,)))
