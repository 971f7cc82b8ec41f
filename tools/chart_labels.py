"""Text on a picture in a face of equal widths: how much room it takes, and where room is left.

Places are in pixels from the top left corner. A text is drawn with its width set, so that its box
is the same on every system, whatever face is found there.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from tokenbudget.model.figures import text_width

CELL_SHARE = 0.6
"""Width of a character, of the size of its face."""
ABOVE_SHARE, BELOW_SHARE = 0.82, 0.24
"""How far a text reaches above and below its line, of its size."""
STEP = 2.0
"""By so much a label is raised until it is free."""

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether they share any place."""
        is_beside = self.right <= other.left or other.right <= self.left
        return not (is_beside or self.bottom <= other.top or other.bottom <= self.top)

    def is_crossed(self, start: Point, end: Point) -> bool:
        """Whether a straight line from one place to another goes through it."""
        low, high = 0.0, 1.0
        for at, to, least, most in (
            (start[0], end[0], self.left, self.right),
            (start[1], end[1], self.top, self.bottom),
        ):
            if at == to:
                if not least < at < most:
                    return False
                continue
            first, last = sorted(((least - at) / (to - at), (most - at) / (to - at)))
            low, high = max(low, first), min(high, last)
        return low < high


class Text(NamedTuple):
    """One line of text."""

    x: float
    y: float
    """Of the line on which it stands."""
    words: str
    size: float = 12
    anchor: str = "start"
    """Which of its ends is at `x`: `start`, `middle` or `end`."""
    paint: str = ""
    is_bold: bool = False
    halo: str = ""
    """Drawn around the letters, in this colour, where lines may lie behind them."""

    @property
    def width(self) -> float:
        """As it is drawn."""
        return text_width(self.words) * self.size * CELL_SHARE

    @property
    def box(self) -> Box:
        """The room that it takes."""
        left = self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width
        top, bottom = self.y - ABOVE_SHARE * self.size, self.y + BELOW_SHARE * self.size
        return Box(left, top, left + self.width, bottom)

    def drawn(self) -> str:
        """As an element of an SVG picture."""
        paint = f' fill="{self.paint}"' if self.paint else ""
        weight = ' font-weight="bold"' if self.is_bold else ""
        halo = (
            f' stroke="{self.halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
            if self.halo
            else ""
        )
        anchor = f' text-anchor="{self.anchor}"' if self.anchor != "start" else ""
        return (
            f'<text x="{self.x:.1f}" y="{self.y:.1f}" font-size="{self.size:g}"{anchor}{paint}'
            f'{weight}{halo} textLength="{self.width:.1f}" lengthAdjust="spacingAndGlyphs"'
            f' xml:space="preserve">{html.escape(self.words)}</text>'
        )


def overlapping(texts: Sequence[Text]) -> Iterator[tuple[str, str]]:
    """Words of every two texts that stand on each other."""
    for index, one in enumerate(texts):
        for other in texts[index + 1 :]:
            if one.box.meets(other.box):
                yield one.words, other.words


def is_free(box: Box, texts: Iterable[Text], lines: Iterable[Sequence[Point]]) -> bool:
    """Whether neither a text nor a line, given by its corners, is in it."""
    if any(box.meets(one.box) for one in texts):
        return False
    return not any(box.is_crossed(*piece) for line in lines for piece in pairwise(line))


def raised(
    block: Sequence[Text],
    texts: Sequence[Text],
    lines: Sequence[Sequence[Point]],
    top: float,
    margin: float = 3.0,
) -> list[Text]:
    """The block moved up to the first place where it is free.

    ValueError: there is none below `top`.
    """
    moved = list(block)
    while not all(is_free(_around(one.box, margin), texts, lines) for one in moved):
        moved = [one._replace(y=one.y - STEP) for one in moved]
        if min(one.box.top for one in moved) < top:
            raise ValueError(f"no room for the label {block[0].words!r}")
    return moved


def spread(first: float, second: float, least: float) -> Point:
    """Two heights, moved apart evenly to be at least so far from each other."""
    gap = least - abs(first - second)
    if gap <= 0:
        return first, second
    push = gap / 2 if first >= second else -gap / 2
    return first + push, second - push


def _around(box: Box, margin: float) -> Box:
    return Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
