"""Ranges of a row of pieces, remembered by their ends until somebody wants them piece by piece."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.carrying_accounts import Carried
    from tokenbudget.analysis.window_pieces import Held


class Covered:
    """How often requests covered each piece of a row of pieces, and the parts at the edges."""

    __slots__ = ("parts", "steps")

    def __init__(self) -> None:
        self.steps: dict[int, int] = {}
        self.parts: dict[int, float] = {}

    def add(self, ends: Sequence[float], begin: float, end: float) -> None:
        """Cover the tokens from `begin` to `end`; `ends` says where each piece ends."""
        first = bisect_right(ends, begin)
        last = bisect_right(ends, end)
        start = ends[first - 1] if first else 0.0
        if first == last:
            self._part(first, end - begin, len(ends))
            return
        if begin > start:
            self._part(first, ends[first] - begin, len(ends))
            first += 1
        if last > first:
            self.steps[first] = self.steps.get(first, 0) + 1
            self.steps[last] = self.steps.get(last, 0) - 1
        if last < len(ends):
            self._part(last, end - ends[last - 1], len(ends))

    def _part(self, place: int, tokens: float, count: int) -> None:
        if tokens > 0 and place < count:
            self.parts[place] = self.parts.get(place, 0.0) + tokens

    def tokens(self, pieces: Sequence[Held]) -> dict[int, float]:
        """What was covered of each piece, all requests together."""
        found = dict(self.parts)
        times = 0
        places = sorted(self.steps)
        for begin, end in pairwise([*places, len(pieces)]):
            times += self.steps[begin]
            if times:
                for place in range(begin, end):
                    found[place] = found.get(place, 0.0) + times * pieces[place].tokens
        return found


class Row:
    """Pieces that stand behind each other, and the token at which each ends."""

    def __init__(self) -> None:
        self.pieces: list[Carried] = []
        self.ends: list[float] = []

    @property
    def size(self) -> float:
        """Their tokens."""
        return self.ends[-1] if self.ends else 0.0

    def append(self, piece: Carried) -> None:
        """Behind all others."""
        self.ends.append(self.size + piece.tokens)
        self.pieces.append(piece)
