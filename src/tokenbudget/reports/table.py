"""Tables that stay aligned at any width: exact numbers where there is room, short ones where not.

A library would do (rich), but importing one costs more than the whole warm command (55 ms of 45).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tokenbudget.reports.sanitize import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Cell: TypeAlias = str | int | Decimal | None

PREFERRED_TEXT = 24
"""Words are cut to this before a column is left out, and"""
SHORTEST_TEXT = 8
"""to this after all others are."""

_GAP = "  "
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")


class Style(NamedTuple):
    """What the output device takes: its width in columns, and whether it shows weight."""

    width: int
    is_styled: bool

    def bold(self, text: str) -> str:
        """Strong, where that can be shown."""
        return f"\x1b[1m{text}\x1b[0m" if self.is_styled else text

    def faint(self, text: str) -> str:
        """Weak, where that can be shown."""
        return f"\x1b[2m{text}\x1b[0m" if self.is_styled else text


class Column(NamedTuple):
    """A heading, and whether the cells are words (left, may be cut) or amounts (right)."""

    title: str
    is_text: bool = False
    drop_rank: int = 0
    """Where the width does not suffice, the highest rank is left out first; 0 always stays."""
    may_cut: bool = True
    """Whether words may lose their middle; a date may not."""


def short_count(count: int) -> str:
    """Three significant digits: 950, 1.24K, 33.6K, 1.67B."""
    size = abs(count)
    if size < 1000:
        return str(count)
    for unit, factor in (("K", 10**3), ("M", 10**6), ("B", 10**9), ("T", 10**12)):
        value = count / factor
        digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
        if abs(round(value, digits)) < 1000 or unit == "T":
            return f"{value:.{digits}f}{unit}"
    raise AssertionError  # the last unit takes everything


def dollars(amount: Decimal) -> str:
    """Two digits; four under a cent; never a rounded-away zero."""
    if amount == 0:
        return "$0.00"
    step = _CENT if abs(amount) >= _CENT else _FINE
    if abs(amount) < _FINE:
        return "<$0.0001"
    return f"${amount.quantize(step, ROUND_HALF_UP):,}"


def _shown(cell: Cell, is_short: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return one_line(cell)
    if isinstance(cell, Decimal):
        return dollars(cell)
    return short_count(cell) if is_short else f"{cell:,}"


def text_width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    marks = sum(unicodedata.combining(char) != 0 for char in text)
    return len(text) + wide - marks


def cut(text: str, width: int) -> str:
    """The text, its middle replaced by an ellipsis where it is wider than `width`."""
    if text_width(text) <= width:
        return text
    if width < 2:
        return "…"[:width]
    tail = (width - 1) // 2
    head = width - 1 - tail
    while text_width(text[:head] + text[len(text) - tail :]) > width - 1 and head + tail > 1:
        head, tail = (head - 1, tail) if head > tail else (head, tail - 1)
    return f"{text[:head]}…{text[len(text) - tail :] if tail else ''}"


def _widths(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(text_width(column.title), *(text_width(line[i]) for line in lines), 1)
        for i, column in enumerate(columns)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def render(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    totals: Sequence[Cell] | None,
    style: Style,
) -> list[str]:
    """The table's lines: a heading, a rule, the rows, and the totals under another rule."""
    everything = [*rows, totals] if totals is not None else list(rows)
    attempt = _Attempt(columns, everything, False, max(c.drop_rank for c in columns))
    if not attempt.fits(style.width):
        for rank in sorted({column.drop_rank for column in columns}, reverse=True):
            attempt = _Attempt(columns, everything, True, rank)
            if attempt.fits(style.width):
                break
    _squeeze(attempt.columns, attempt.widths, style.width, SHORTEST_TEXT)
    return _laid_out(attempt.columns, attempt.lines, attempt.widths, totals, style)


class _Attempt:
    """The table with exact or short numbers, and without the columns above a rank."""

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        is_short: bool,
        highest_rank: int,
    ) -> None:
        kept = [i for i, column in enumerate(columns) if column.drop_rank <= highest_rank]
        self.columns = [columns[i] for i in kept]
        self.lines = [[_shown(row[i], is_short) for i in kept] for row in rows]
        self.widths = _widths(self.columns, self.lines)

    def fits(self, room: int) -> bool:
        """Whether it fits, its words cut moderately."""
        _squeeze(self.columns, self.widths, room, PREFERRED_TEXT)
        return _total(self.widths) <= room


def _squeeze(columns: Sequence[Column], widths: list[int], room: int, shortest: int) -> None:
    """Take from the widest text until the table fits or no text is longer than `shortest`."""
    while _total(widths) > room:
        texts = [
            i
            for i, column in enumerate(columns)
            if column.is_text and column.may_cut and widths[i] > shortest
        ]
        if not texts:
            return
        widths[max(texts, key=lambda i: widths[i])] -= 1


def _laid_out(
    columns: Sequence[Column],
    lines: Sequence[Sequence[str]],
    widths: Sequence[int],
    totals: Sequence[Cell] | None,
    style: Style,
) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        padded = [
            _padded(cell, width, column.is_text)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        ]
        return _GAP.join(padded).rstrip()

    rule = style.faint("─" * min(_total(widths), style.width))
    body = [line(cells) for cells in lines]
    head = [style.bold(line([column.title for column in columns])), rule]
    if totals is None:
        return [*head, *body]
    return [*head, *body[:-1], rule, style.bold(body[-1])]


def _padded(cell: str, width: int, is_text: bool) -> str:
    shown = cut(cell, width)
    room = " " * (width - text_width(shown))
    return shown + room if is_text else room + shown


def sparkline(values: Sequence[int]) -> str:
    """One block per value, as high as its share of the largest; a dot where there is nothing."""
    top = max(values, default=0)
    if not top:
        return "·" * len(values)
    return "".join("▁▂▃▄▅▆▇█"[min(7, value * 8 // top)] if value else "·" for value in values)
