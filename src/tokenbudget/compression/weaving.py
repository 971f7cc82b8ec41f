"""A shortened text out of lines: what stays stays verbatim, what is cut leaves a marker.

The rules of a codec say which lines they would cut; here the cuts become a draft in which every
line of the text is accounted for.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.codec import Draft
from tokenbudget.compression.receipts import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.compression.marks import Marks

MARKER_CHARS = 28
"""About what a marker and its line end take: a cut must be worth more."""

Range = tuple[int, int]


class Cut(NamedTuple):
    """Lines that one marker stands for."""

    kind: str
    ranges: tuple[Range, ...]
    """In order, not overlapping."""
    words: str
    """What the marker says, its number included."""
    number: int = 0
    """The number in the words, for the receipt."""
    rows: tuple[str, ...] = ()
    """What is kept of the lines: parts of them, under the marker."""
    after: int = -1
    """The line that the marker stands under; without one it stands where the first range begins."""

    @property
    def place(self) -> int:
        """The line before which the marker stands."""
        return self.ranges[0][0] if self.after < 0 else self.after + 1


def ranges_of(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Line numbers in rising order as ranges."""
    ranges: list[Range] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number:
            ranges[-1] = (ranges[-1][0], number + 1)
        else:
            ranges.append((number, number + 1))
    return tuple(ranges)


def size_of(ranges: Sequence[Range]) -> int:
    """How many lines there are in ranges."""
    return sum(end - start for start, end in ranges)


def cut_of(kind: str, numbers: Sequence[int], words: str) -> Cut:
    """The cut of these lines, told by their number: `12 passed lines`."""
    ranges = ranges_of(numbers)
    return Cut(kind, ranges, f"{len(numbers):,} {words}", len(numbers))


def is_worth(cut: Cut, lines: Sequence[str], least: int = MARKER_CHARS) -> bool:
    """Whether the lines are longer than what takes their place."""
    spent = least + sum(len(row) + 1 for row in cut.rows)
    for start, end in cut.ranges:
        for number in range(start, end):
            spent -= len(lines[number]) + 1
            if spent < 0:
                return True
    return False


def apart(cuts: Iterable[Cut], taken: bytearray) -> list[Cut]:
    """The cuts that touch no line that an earlier one took; their lines are taken now."""
    free: list[Cut] = []
    for cut in cuts:
        if any(any(taken[start:end]) for start, end in cut.ranges):
            continue
        take(cut, taken)
        free.append(cut)
    return free


def take(cut: Cut, taken: bytearray) -> None:
    """Mark what no other cut may touch: its lines, and the one that its marker stands under."""
    for start, end in cut.ranges:
        taken[start:end] = b"\1" * (end - start)
    if cut.after >= 0:
        taken[cut.after] = 1


def woven(
    lines: Sequence[str],
    cuts: Sequence[Cut],
    marks: Marks,
    before: Sequence[Cut] = (),
) -> Draft:
    """The lines without those that are cut; a marker, and what is kept of them, instead.

    `before`: cuts inside lines that stay (terminal codes); their markers stand at the beginning.
    """
    by_place = sorted(cuts, key=lambda cut: (cut.place, cut.ranges[0]))
    is_gone = bytearray(len(lines))
    for cut in by_place:
        for start, end in cut.ranges:
            is_gone[start:end] = b"\1" * (end - start)
    shown = [marks.mark(cut.words) for cut in before]
    at = 0
    for cut in by_place:
        shown.extend(lines[number] for number in range(at, cut.place) if not is_gone[number])
        shown.append(marks.mark(cut.words))
        shown.extend(cut.rows)
        at = cut.place
    shown.extend(lines[number] for number in range(at, len(lines)) if not is_gone[number])
    removed = (Removed(cut.kind, cut.number, cut.ranges) for cut in (*before, *by_place))
    return Draft("\n".join(shown), tuple(removed))
