"""Whether every line of the original is told, once, in its place, and no other line is.

A line is told verbatim, or regrouped (`src/cart.py` above `12:total`, a tree of names), or a marker
stands for it. Colours, overwritten progress and blanks at a line's end tell nothing.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from tokenbudget.analysis.fidelity_atoms import bare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.analysis.fidelity_marks import Apart, Claimed, OutLine

INVENTED, MISSING, ORDER, PLACE = "invented line", "missing line", "order", "place"
JOINTS = ("", ":", "-", "/", ": ", " ", "\t", ", ")
"""What a heading and a line below it are joined by in the original."""
MOST_HEADINGS = 64
INSIDE = frozenset(("codes", "rewrites", "like"))
"""Kinds that leave something out inside lines that stay, or count lines that others leave out."""
PARTIAL = INSIDE | {"folded", "items", "rows", "layout", "markup"}
"""Kinds whose marker does not stand in the place of whole lines; those of all others do."""


BELOW = frozenset(("similar",))
"""Kinds whose marker stands below the line that its own lines are like, wherever these stood."""


class Trouble(NamedTuple):
    """Something that is not so: what kind of thing, where in the output, and the line."""

    rule: str
    number: int
    """Of the output's line, from 0; -1: it is missing there."""
    line: str


def line_troubles(
    lines: Sequence[str], apart: Apart, removed: Sequence[Claimed]
) -> Iterator[Trouble]:
    """Everything that is wrong with the lines of a text that was shortened line by line."""
    hidden = hidden_lines(len(lines), removed)
    skipped = _folded_lines(apart, removed) | value_rows(apart, removed)
    wanted = [at for at, line in enumerate(lines) if not hidden[at] and bare(line)]
    theirs = [line for line in apart.lines if not line.is_ours and bare(line.text)]
    shown = [line for line in theirs if line.number not in skipped]
    if [bare(lines[number]) for number in wanted] == [bare(line.text) for line in shown]:
        yield from _place_troubles(apart, removed, shown, wanted, len(lines))
        return
    yield from _accounts(lines, hidden, shown)


def hidden_lines(count: int, removed: Sequence[Claimed]) -> list[bool]:
    """For each line of the original, whether a marker stands for it."""
    hidden = [False] * count
    for one in removed:
        if one.kind in INSIDE:
            continue
        for start, end in one.ranges:
            for number in range(max(0, start), min(count, end)):
                hidden[number] = True
    return hidden


def _folded_lines(apart: Apart, removed: Sequence[Claimed]) -> set[int]:
    """Lines of the output that show a part of a line that is in a marker's range."""
    return {
        place[0] for place, one in zip(apart.places, removed, strict=False) if one.kind == "folded"
    }


def value_rows(apart: Apart, removed: Sequence[Claimed]) -> set[int]:
    """Lines of the output that the marker above them speaks of, a row for each of its lines.

    Values in which lines of one template differ, or the lines of a table without padding.
    """
    return {
        row
        for (number, _), said, one in zip(apart.places, apart.words, removed, strict=False)
        if one.kind == "table" or (one.kind == "similar" and said.endswith(", with"))
        for row in range(number + 1, number + 1 + one.count)
    }


def _place_troubles(
    apart: Apart,
    removed: Sequence[Claimed],
    shown: Sequence[OutLine],
    wanted: Sequence[int],
    count: int,
) -> Iterator[Trouble]:
    """A marker stands between the lines that its own stood between."""
    before = 0
    edges = [-1, *wanted, count]
    for (number, _), one in zip(apart.places, removed, strict=False):
        while before < len(shown) and shown[before].number <= number:
            before += 1
        if one.kind in PARTIAL | BELOW or len(one.ranges) != 1:
            continue
        start, end = one.ranges[0]
        if not (edges[before] < start and end <= edges[before + 1]):
            yield Trouble(PLACE, number, apart.lines[number].text)


# ── regrouped ────────────────────────────────────────────────────────────────────────────────────


def _accounts(
    lines: Sequence[str], hidden: Sequence[bool], shown: Sequence[OutLine]
) -> Iterator[Trouble]:
    everything = [bare(line) for line in lines]
    there = Counter(line for at, line in enumerate(everything) if line and not hidden[at])
    told = _Told(there)
    for line in shown:
        told.take(line)
    yield from told.troubles()
    left = dict(told.counts)
    is_regrouped = told.is_regrouped
    for number, text in enumerate(everything):
        if not text or hidden[number]:
            continue
        if left.get(text, 0) <= 0:
            yield Trouble(MISSING, -1, text)
        else:
            left[text] -= 1
    if not is_regrouped:
        yield from _order_troubles(everything, hidden, shown)


class _Told:
    """What the lines of an output say, one after the other, under the headings above them."""

    def __init__(self, there: Counter[str]) -> None:
        self._there = there
        self._heads: list[tuple[int, str, int]] = []
        """(indent, text, number in `_unused`) of the headings that a line stands under."""
        self._unused: dict[int, str] = {}
        self.counts: Counter[str] = Counter()
        self.is_regrouped = False
        self._more: list[Trouble] = []

    def take(self, line: OutLine) -> None:
        """Take a line in: verbatim, below a heading, or a heading itself."""
        text = bare(line.text)
        indent = len(text) - len(text.lstrip())
        if self.counts[text] < self._there[text]:
            self.counts[text] += 1
        elif self._below_heading(text, indent):
            return
        elif text in self._there:
            self._more.append(Trouble(INVENTED, line.number, text))
        else:
            self._unused[line.number] = text
        self._push(indent, text.strip(), line.number)

    def _push(self, indent: int, text: str, number: int) -> None:
        while self._heads and self._heads[-1][0] >= indent:
            self._heads.pop()
        self._heads.append((indent, text, number))
        del self._heads[:-MOST_HEADINGS]

    def _below_heading(self, text: str, indent: int) -> bool:
        heads = [one for one in self._heads if one[0] < indent] or self._heads[:1]
        for chain in (heads, heads[-1:]):
            if not chain:
                continue
            head = "".join(one[1] for one in chain)
            whole = self._joined(head, text.strip())
            if whole is not None:
                self.is_regrouped = True
                self.counts[whole] += 1
                for one in chain:
                    self._unused.pop(one[2], None)
                if text.endswith("/"):
                    self._push(indent, text.strip(), -2)
                return True
        return False

    def _joined(self, head: str, part: str) -> str | None:
        for trimmed in (head, head.rstrip(":/")):
            for joint in JOINTS:
                for whole in (f"{trimmed}{joint}{part}", f"./{trimmed}{joint}{part}"):
                    if self._there[whole] > self.counts[whole]:
                        return whole
        return None

    def troubles(self) -> Iterator[Trouble]:
        """Lines that say something that the original does not."""
        yield from self._more
        for number, text in self._unused.items():
            yield Trouble(INVENTED, number, text)


def _order_troubles(
    everything: Sequence[str], hidden: Sequence[bool], shown: Sequence[OutLine]
) -> Iterator[Trouble]:
    """Lines that stand in another order than the original's, where nothing was regrouped."""
    places: dict[str, list[int]] = {}
    for number, told in enumerate(everything):
        if told and not hidden[number]:
            places.setdefault(told, []).append(number)
    turns: list[tuple[int, OutLine]] = []
    taken: Counter[str] = Counter()
    for line in shown:
        text = bare(line.text)
        mine = places.get(text, [])
        if taken[text] < len(mine):
            turns.append((mine[taken[text]], line))
            taken[text] += 1
    for (before, _), (after, line) in pairwise(turns):
        if after < before:
            yield Trouble(ORDER, line.number, bare(line.text))
            return
