"""What is no longer sent, as stretches of the window: one for many pieces that left side by side.

A compaction takes thousands of pieces away at once. To price a plan of the oracle nobody asks what
each of them came to; so they are taken together.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.backtest_layout import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.analysis.backtest_layout import Layout
    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.analysis.backtest_walk import Version


class _Stretch(NamedTuple):
    first: int
    last: int
    share: float
    """Of its tokens, what is not sent."""


class Stretches:
    """The changed pieces of one thread; `forget` when they change."""

    def __init__(self, line: Timeline) -> None:
        self._line = line
        self._stretches: list[_Stretch] = []
        self._generation = -1

    def forget(self) -> None:
        """Something is sent in another way from now on."""
        self._generation = -1

    def spare(
        self,
        now: list[float],
        current: Mapping[int, Version],
        layout: Layout,
        moved_from: float,
    ) -> float:
        """Take away what is not sent; how much of that was a read behind the first change."""
        if self._generation != layout.generation:
            self._stretches = self._found(current, layout.row)
            self._generation = layout.generation
        behind = 0.0
        for one in self._stretches:
            begin = layout.start(one.first)
            end = layout.start(one.last) + self._line.pieces[one.last].tokens * layout.scale
            for kind, tokens in layout.range(begin, end):
                now[kind] -= tokens * one.share
                if kind == READ:
                    behind += max(0.0, begin + tokens - max(begin, moved_from)) * one.share
        return behind

    def _found(self, current: Mapping[int, Version], row: Sequence[int]) -> list[_Stretch]:
        found: list[_Stretch] = []
        is_beside = False
        for number in row:
            version, tokens = current.get(number), self._line.pieces[number].tokens
            if tokens <= 0:
                continue
            share = 0.0 if version is None else 1 - version.tokens / tokens
            if is_beside and found and found[-1].share == share:
                found[-1] = found[-1]._replace(last=number)
            elif share:
                found.append(_Stretch(number, number, share))
            is_beside = share != 0.0
        return found
