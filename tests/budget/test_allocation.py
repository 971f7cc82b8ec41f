import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.budget.allocation import (
    GROUPS,
    LEAVES,
    STANDARD_SHARES,
    Excess,
    allocated,
    group_of,
    over_allotted,
    reallocate,
)
from tokenbudget.model.errors import BadConfig, BadRequest

windows = st.integers(0, 3_000_000)
weights = st.dictionaries(
    st.sampled_from(LEAVES[1:]), st.floats(0, 1e9) | st.integers(0, 10**9), min_size=1
).filter(lambda found: any(found.values()))


def test_the_standard_plan_for_200_000_tokens() -> None:
    plan = allocated(200_000)
    assert plan.tokens_by_leaf == {
        "reserved": 10_000,
        "system_prompt": 2_000,
        "modes": 3_000,
        "symbols": 5_000,
        "mcp_servers": 15_000,
        "skills": 10_000,
        "agents": 5_000,
        "conversation": 100_000,
        "context": 30_000,
        "buffer": 20_000,
    }
    groups = {group: plan.group_tokens(group) for group in GROUPS}
    assert groups == {"reserved": 10_000, "system": 10_000, "dynamic": 30_000, "working": 150_000}


def test_a_window_of_a_million_gets_five_times_as_much_of_everything() -> None:
    small, large = allocated(200_000).tokens_by_leaf, allocated(1_000_000).tokens_by_leaf
    assert large == {leaf: 5 * tokens for leaf, tokens in small.items()}


def test_a_tiny_window_gives_its_tokens_to_the_largest_leaves() -> None:
    assert allocated(0).tokens_by_leaf == dict.fromkeys(LEAVES, 0)
    one = allocated(1).tokens_by_leaf
    assert (one["conversation"], sum(one.values())) == (1, 1)


@given(windows)
def test_the_plan_always_sums_to_the_window(window: int) -> None:
    tokens = allocated(window).tokens_by_leaf
    assert sum(tokens.values()) == window
    assert min(tokens.values()) >= 0
    for leaf, share in STANDARD_SHARES.items():
        assert abs(tokens[leaf] - share * window) < 1


@given(windows, weights)
def test_a_reallocation_keeps_the_window_and_the_reserve(
    window: int, chosen: dict[str, float]
) -> None:
    plan = allocated(window)
    moved = reallocate(plan, chosen)
    assert sum(moved.tokens_by_leaf.values()) == window
    assert min(moved.tokens_by_leaf.values()) >= 0
    assert tuple(moved.tokens_by_leaf) == LEAVES
    assert moved.tokens_by_leaf["reserved"] == plan.tokens_by_leaf["reserved"]


@given(windows, weights)
def test_shares_of_ones_own_sum_to_the_window_too(window: int, chosen: dict[str, float]) -> None:
    total = sum(chosen.values())
    shares = {leaf: weight / total for leaf, weight in chosen.items()}
    tokens = allocated(window, shares).tokens_by_leaf
    assert sum(tokens.values()) == window
    assert all(tokens[leaf] == 0 for leaf in LEAVES if not shares.get(leaf))


def test_percent_and_shares_say_the_same() -> None:
    by_share = allocated(77_777, {"reserved": 0.25, "conversation": 0.75})
    by_percent = allocated(77_777, {"reserved": 25, "conversation": 75})
    assert by_share == by_percent


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"talk": 1.0}, "'talk' is no part of a window"),
        ({"conversation": 1.5, "buffer": -0.5}, "buffer = -0.5 cannot be"),
        ({"conversation": float("nan")}, "conversation = nan cannot be"),
        ({"conversation": 0.5}, "the shares sum to 0.5"),
        ({}, "the shares sum to 0"),
    ],
)
def test_impossible_shares_are_refused_in_a_sentence(shares: dict[str, float], words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        allocated(200_000, shares)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"reserved": 1.0}, "the reserve is not for sharing"),
        ({"buffer": 0.0}, "every weight is 0"),
        ({"talk": 1.0}, "no part of a window"),
        ({"buffer": -1.0}, "cannot be"),
    ],
)
def test_impossible_weights_are_refused_in_a_sentence(chosen: dict[str, float], words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        reallocate(allocated(200_000), chosen)


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(BadRequest, match="a window of -1 tokens"):
        allocated(-1)


def test_every_leaf_knows_its_group() -> None:
    assert {group_of(leaf) for leaf in LEAVES} == set(GROUPS)
    assert group_of("skills") == "dynamic"
    with pytest.raises(BadConfig):
        group_of("talk")


def test_what_holds_too_much_is_named_the_largest_first() -> None:
    used = {"mcp_servers": 40_000, "skills": 1_000, "modes": 3_500, "conversation": 100_000}
    assert over_allotted(allocated(200_000), used) == [
        Excess("mcp_servers", False, 40_000, 15_000, 25_000),
        Excess("dynamic", True, 41_000, 30_000, 11_000),
        Excess("modes", False, 3_500, 3_000, 500),
    ]


def test_nothing_is_over_when_everything_fits() -> None:
    plan = allocated(200_000)
    assert over_allotted(plan, plan.tokens_by_leaf) == []
