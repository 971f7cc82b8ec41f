"""Packing: within the budget, and as good as trying everything."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.compression.selection_packing import (
    Choice,
    Packing,
    _best_at,
    cost_of,
    packed,
)

_BLOCKS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=1, max_size=9)


def choice(blocks: list[tuple[int, int]]) -> Choice:
    return Choice([value for value, _ in blocks], [cost for _, cost in blocks])


def worth(one: Choice, flags: list[bool]) -> float:
    return sum(value for value, is_shown in zip(one.values, flags, strict=True) if is_shown)


@given(st.lists(_BLOCKS, min_size=1, max_size=4), st.integers(0, 300))
def test_what_is_packed_costs_no_more_than_the_budget(
    files: list[list[tuple[int, int]]], budget: int
) -> None:
    choices = [choice(blocks) for blocks in files]
    shown = packed(choices, budget)
    is_nothing = not any(any(flags) for flags in shown)
    assert is_nothing or cost_of(choices, shown) <= budget


@settings(max_examples=60)
@given(_BLOCKS, st.floats(0.01, 5))
def test_at_a_price_no_other_choice_is_worth_more(
    blocks: list[tuple[int, int]], price: float
) -> None:
    one = choice(blocks)

    def gain(flags: list[bool]) -> float:
        return worth(one, flags) - price * cost_of([one], [flags])

    every = product((True, False), repeat=len(blocks))
    assert gain(_best_at(one, price)) >= max(gain(list(other)) for other in every) - 1e-6


@given(st.lists(_BLOCKS, min_size=1, max_size=3), st.integers(1, 250))
def test_one_after_another_budgets_get_what_each_gets_alone(
    files: list[list[tuple[int, int]]], budget: int
) -> None:
    choices = [choice(blocks) for blocks in files]
    packing = Packing(choices)
    for one in (budget, budget // 2, budget + 40, budget):
        assert packing.packed(one) == packed(choices, one)


_UNLIKE = st.lists(st.tuples(st.floats(0.01, 50), st.integers(1, 40)), min_size=1, max_size=9)


@settings(max_examples=150)
@given(st.lists(_UNLIKE, min_size=1, max_size=3), st.integers(20, 200))
def test_going_through_the_open_blocks_alone_loses_nothing(
    files: list[list[tuple[float, int]]], budget: int
) -> None:
    """At the price that just fits, the choice from all blocks is worth no more."""
    choices = [Choice([v for v, _ in one], [c for _, c in one]) for one in files]
    shown = packed(choices, budget)
    low, high = 0.0, 200.0
    for _ in range(60):
        price = (low + high) / 2
        best = [_best_at(one, price) for one in choices]
        low, high = (low, price) if cost_of(choices, best) <= budget else (price, high)
    best = [_best_at(one, high) for one in choices]
    if cost_of(choices, best) <= budget:
        value = sum(worth(one, flags) for one, flags in zip(choices, shown, strict=True))
        least = sum(worth(one, flags) for one, flags in zip(choices, best, strict=True))
        assert value >= least - 1e-3


def test_the_likely_block_is_shown_and_the_dear_one_is_not() -> None:
    assert packed([Choice([1.0, 9.0, 1.0], [100, 20, 100])], 60) == [[False, True, False]]


def test_everything_is_shown_where_everything_fits() -> None:
    assert packed([Choice([0.0, 0.0], [5, 5])], 10) == [[True, True]]


def test_a_gap_that_costs_less_than_its_marker_is_closed() -> None:
    one = Choice([9.0, 0.0, 9.0, 0.0], [20, 2, 20, 500])
    assert packed([one], 60) == [[True, True, True, False]]
