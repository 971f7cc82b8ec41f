"""The lines that are not shown, in a line each: their range, and the names that begin in it."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.structure import Structure

LONGEST_NAME = 48
ALL_NAMES = 1_000_000


class Stretch(NamedTuple):
    """Neighbouring lines of a file that are shown, or are not."""

    first: int
    """From 0."""
    end: int
    is_shown: bool


def stretches_of(structure: Structure, shown: Sequence[bool]) -> list[Stretch]:
    """The file from its first line to its last, as it is shown and left out by turns."""
    found: list[Stretch] = []
    first = end = 0
    was_shown = False
    for block, is_shown in zip(structure.blocks, shown, strict=True):
        if is_shown != was_shown and end > first:
            found.append(Stretch(first, end, was_shown))
            first = end
        was_shown, end = is_shown, block.end
    if end > first:
        found.append(Stretch(first, end, was_shown))
    return found


def outline_words(structure: Structure, stretch: Stretch, most_names: int) -> str:
    """The words of the marker for a hidden stretch: `41-180 Cart add remove +10`.

    The name of what the next shown lines stand in comes first to be kept; names stand in the
    order of the file, and `+10` counts those that there was no room for.
    """
    first, last = stretch.first + 1, stretch.end
    place = f"{first}-{last}" if last > first else f"{first}"
    begun = structure.begun_in(stretch.first, stretch.end)
    if not begun or most_names < 1:
        return place
    kept = sorted(_by_weight(structure, stretch, begun)[:most_names])
    names = [one_line(structure.sections[index].name)[:LONGEST_NAME] for index in kept]
    if len(begun) > len(kept):
        names.append(f"+{len(begun) - len(kept)}")
    return f"{place} {' '.join(names)}"


def _by_weight(structure: Structure, stretch: Stretch, begun: Sequence[int]) -> list[int]:
    """What the lines after the stretch stand in first; then the outer before the inner."""

    def weight(index: int) -> tuple[bool, int, int]:
        goes_on = structure.sections[index].end > stretch.end
        return not goes_on, _depth(structure, index) * (-1 if goes_on else 1), index

    return sorted(begun, key=weight)


def _depth(structure: Structure, index: int) -> int:
    depth = 0
    while index > 0:
        index = structure.sections[index].parent
        depth += 1
    return depth
