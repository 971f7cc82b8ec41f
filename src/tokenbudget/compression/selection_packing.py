"""Which blocks to show when tokens are scarce: the most likelihood for a price per token.

A block is worth its likelihood times its lines, and costs its tokens; each stretch that is left out
costs a marker. For a price per token the best choice is found exactly, in one pass; the price is
halved towards the one at which everything that is shown just fits. One price for all files.

What is shown at a price is shown at every lower one too (a block's worth over its cost only grows,
and the markers' cost is submodular). So between two prices only those blocks are open that one
shows and the other does not, and each halving goes through fewer of them.
"""

from __future__ import annotations

from itertools import groupby
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


class _AtPrice(NamedTuple):
    """What is best at a price, of the blocks that were open there; runs are (first, end)."""

    shown: list[tuple[int, int]]
    hidden: list[tuple[int, int]]
    more_tokens: int
    """Than with all of them hidden."""


def packed(files: Sequence[Choice], budget_tokens: float) -> list[list[bool]]:
    """For every block of every file whether it is shown; together within the budget.

    Where not even the markers for files that are hidden whole fit, nothing is shown.
    """
    return Packing(files).packed(budget_tokens)


class Packing:
    """Some files to choose from, under one budget after another.

    What was found at a price serves the next budget. All blocks stand in one row; before each
    file and after the last stands one of no cost that is always shown.
    """

    def __init__(self, files: Sequence[Choice]) -> None:
        self._values, self._costs = [0.0], [0]
        self._places: list[tuple[int, int]] = []
        for one in files:
            first = len(self._values)
            self._values.extend(one.values)
            self._costs.extend(one.costs)
            self._places.append((first, len(self._values)))
            self._values.append(0.0)
            self._costs.append(0)
        self._all_tokens = sum(self._costs)
        self._dearest = _dearest(files)
        self._at_price: dict[float, _AtPrice] = {}

    def packed(self, budget_tokens: float) -> list[list[bool]]:
        """As the function of this name, for these files."""
        flags = [False] * len(self._values)
        flags[0] = True
        for _, end in self._places:
            flags[end] = True
        if self._all_tokens <= budget_tokens:
            flags = [True] * len(flags)
        else:
            self._show_best(flags, budget_tokens)
        return [flags[first:end] for first, end in self._places]

    def _show_best(self, flags: list[bool], budget_tokens: float) -> None:
        """Halve the price: `flags` is what fits, and with `runs` it is what does not."""
        runs = [place for place in self._places if place[0] < place[1]]
        tokens = GAP_TOKENS * len(runs)
        low, high = 0.0, self._dearest
        for _ in range(_STEPS):
            price = (low + high) / 2
            found = self._at_price.get(price)
            if found is None:
                found = self._at_price[price] = self._best_of(runs, flags, price)
            if tokens + found.more_tokens <= budget_tokens:
                tokens += found.more_tokens
                for first, end in found.shown:
                    flags[first:end] = [True] * (end - first)
                runs, high = found.hidden, price
            else:
                runs, low = found.shown, price
        self._fill(flags, runs, tokens, budget_tokens)

    def _best_of(
        self, runs: Sequence[tuple[int, int]], flags: Sequence[bool], price: float
    ) -> _AtPrice:
        shown: list[tuple[int, int]] = []
        hidden: list[tuple[int, int]] = []
        more = 0
        for first, end in runs:
            here = Choice(self._values[first:end], self._costs[first:end])
            was_shown = flags[first - 1]
            more -= GAP_TOKENS * was_shown  # the marker, were all of them hidden
            at = first
            for is_shown, some in groupby(_best_at(here, price, was_shown, flags[end])):
                since, at = at, at + sum(1 for _ in some)
                (shown if is_shown else hidden).append((since, at))
                if is_shown:
                    more += sum(self._costs[since:at])
                elif was_shown:
                    more += GAP_TOKENS
                was_shown = is_shown
            if was_shown and not flags[end]:
                more += GAP_TOKENS
        return _AtPrice(shown, hidden, more)

    def _fill(
        self,
        flags: list[bool],
        runs: Sequence[tuple[int, int]],
        tokens: int,
        budget_tokens: float,
    ) -> None:
        """From the top as much of the next dearer choice as there is room for.

        Blocks that are alike (rows, log lines) have one price: all of them come with it, or none.
        """
        missing = [at for first, end in runs for at in range(first, end)]
        tokens_with = [tokens]
        for at in missing:
            tokens += self._costs[at] - GAP_TOKENS * (flags[at - 1] - (not flags[at + 1]))
            tokens_with.append(tokens)
            flags[at] = True
        fits, too_many = 0, len(missing) + 1
        while too_many - fits > 1:
            count = (fits + too_many) // 2
            if tokens_with[count] <= budget_tokens:
                fits = count
            else:
                too_many = count
        for at in missing[fits:]:
            flags[at] = False


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


def _best_at(
    one: Choice, price: float, is_before_shown: bool = True, is_after_shown: bool = True
) -> list[bool]:
    """The best choice in a row of blocks at a price per token, between two that are settled."""
    gap = GAP_TOKENS * price
    nothing = float("-inf")
    shown, hidden = (0.0, nothing) if is_before_shown else (nothing, 0.0)
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
    is_hidden = hidden >= (shown if is_after_shown else shown - gap)
    for at in range(len(flags) - 1, -1, -1):
        flags[at] = not is_hidden
        is_hidden = stays_hidden[at] if is_hidden else came_hidden[at]
    return flags
