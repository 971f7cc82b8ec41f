"""Which lines of a text stand in earlier texts already: runs of equal lines, in linear time."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Place = tuple[int, int]
    """A line of the earlier texts: which text, which line."""

    Index = dict[tuple[str, ...], list[Place]]

MOST_PLACES = 4
"""Places that are tried for a window of lines that stands in many; more buys no longer runs."""


class Known(NamedTuple):
    """Lines of the new text that stand one after the other in an earlier one."""

    start: int
    end: int
    """Excluded; both count the new text's lines from 0."""
    source: int
    """Which of the earlier texts."""
    at: int
    """The first of these lines there, from 0."""

    @property
    def shift(self) -> int:
        """How far these lines have moved since."""
        return self.at - self.start


def known_runs(new: Sequence[str], earlier: Sequence[Sequence[str]], window: int) -> list[Known]:
    """The runs of at least `window` lines, from the top; of equal ones, in the first text."""
    index = _index(earlier, window)
    runs: list[Known] = []
    start = 0
    while start + window <= len(new):
        places = index.get(tuple(new[start : start + window]), [])
        if not places:
            start += 1
            continue
        run = _longest(new, earlier, start, _as_before(runs, start, places))
        runs.append(run)
        start = run.end
    return runs


def _index(earlier: Sequence[Sequence[str]], window: int) -> Index:
    index: Index = {}
    for source, lines in enumerate(earlier):
        for at in range(len(lines) - window + 1):
            places = index.setdefault(tuple(lines[at : at + window]), [])
            if len(places) < MOST_PLACES:
                places.append((source, at))
    return index


def _as_before(runs: list[Known], start: int, places: list[Place]) -> list[Place]:
    """The places, with the one first that lies as far away as the run before."""
    if not runs:
        return places
    last = runs[-1]
    return [(last.source, start + last.shift), *places]


def _longest(
    new: Sequence[str], earlier: Sequence[Sequence[str]], start: int, places: list[Place]
) -> Known:
    best = Known(start, start, 0, 0)
    for source, at in places:
        end = start + _equal_lines(new, start, earlier[source], at)
        if end > best.end:
            best = Known(start, end, source, at)
    return best


def _equal_lines(new: Sequence[str], start: int, old: Sequence[str], at: int) -> int:
    if at < 0:
        return 0
    most = min(len(new) - start, len(old) - at)
    count = 0
    while count < most and new[start + count] == old[at + count]:
        count += 1
    return count
