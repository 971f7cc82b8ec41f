"""Which blocks to show when tokens are scarce: the most likelihood for a price per token.

A block is worth its likelihood times its lines, and costs its tokens; each stretch that is left out
costs a marker. For a price per token the best choice in a file is found exactly, in one pass; the
price is raised until everything that is shown fits the budget. One price for all files.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

GAP_TOKENS = 8
"""What a marker for a stretch of hidden lines costs, without names."""

_STEPS = 24
"""Halvings of the price: to one part in sixteen million."""


class Choice(NamedTuple):
    """What there is to choose from in one file."""

    values: Sequence[float]
    costs: Sequence[int]


def packed(files: Sequence[Choice], budget_tokens: float) -> list[list[bool]]:
    """For every block of every file whether it is shown; together within the budget.

    Where not even the markers for files that are hidden whole fit, nothing is shown.
    """
    over = [[True] * len(one.costs) for one in files]
    if sum(sum(one.costs) for one in files) <= budget_tokens:
        return over
    best = [[False] * len(one.costs) for one in files]
    low, high = 0.0, _dearest(files)
    for _ in range(_STEPS):
        price = (low + high) / 2
        shown = [_best_at(one, price) for one in files]
        if cost_of(files, shown) <= budget_tokens:
            best, high = shown, price
        else:
            over, low = shown, price
    return _filled(files, best, over, budget_tokens)


def _filled(
    files: Sequence[Choice],
    best: list[list[bool]],
    over: Sequence[Sequence[bool]],
    budget_tokens: float,
) -> list[list[bool]]:
    """What fits, and from the top as much of the next dearer choice as there is room for.

    Blocks that are alike (rows, log lines) have one price: all of them come with it, or none.
    """
    missing = [
        (number, at)
        for number, flags in enumerate(over)
        for at, is_shown in enumerate(flags)
        if is_shown and not best[number][at]
    ]

    def with_first(count: int) -> list[list[bool]]:
        shown = [list(flags) for flags in best]
        for number, at in missing[:count]:
            shown[number][at] = True
        return shown

    fits, too_many = 0, len(missing) + 1
    while too_many - fits > 1:
        count = (fits + too_many) // 2
        if cost_of(files, with_first(count)) <= budget_tokens:
            fits = count
        else:
            too_many = count
    return with_first(fits)


def cost_of(files: Sequence[Choice], shown: Sequence[Sequence[bool]]) -> int:
    """What is shown, and the markers for what is not."""
    total = 0
    for one, flags in zip(files, shown, strict=True):
        was_shown = True
        for cost, is_shown in zip(one.costs, flags, strict=True):
            if is_shown:
                total += cost
            elif was_shown:
                total += GAP_TOKENS
            was_shown = is_shown
    return total


def _dearest(files: Sequence[Choice]) -> float:
    """A price at which nothing is worth showing."""
    ratios = (
        value / max(cost, 1)
        for one in files
        for value, cost in zip(one.values, one.costs, strict=True)
    )
    return max(ratios, default=0.0) * 2 + 1e-9


def _best_at(one: Choice, price: float) -> list[bool]:
    """The best choice in one file at a price per token."""
    gap = GAP_TOKENS * price
    shown, hidden = 0.0, float("-inf")
    came_hidden: list[bool] = []  # to this block shown: whether the one before is hidden
    stays_hidden: list[bool] = []  # to this block hidden: whether the one before is hidden
    for value, cost in zip(one.values, one.costs, strict=True):
        is_better_hidden = hidden > shown
        is_hidden_on = hidden >= shown - gap
        came_hidden.append(is_better_hidden)
        stays_hidden.append(is_hidden_on)
        best_before = hidden if is_better_hidden else shown
        if not is_hidden_on:
            hidden = shown - gap
        shown = best_before + value - price * cost
    flags = [False] * len(one.costs)
    is_hidden = hidden >= shown
    for at in range(len(flags) - 1, -1, -1):
        flags[at] = not is_hidden
        is_hidden = stays_hidden[at] if is_hidden else came_hidden[at]
    return flags
