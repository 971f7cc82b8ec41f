"""Tables that stay aligned at any width: exact numbers where there is room, short ones where not.

A library would do (rich), but importing one costs more than the whole warm command (55 ms of 45).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Cell: TypeAlias = "str | int | Decimal | Marked | None"

PREFERRED_TEXT = 24
"""Words are cut to this before a column is left out (see `Column.enough`), and"""
SHORTEST_TEXT = 8
"""to this after all others are."""

_GAP = "  "
_TAKES_NO_ROOM = ("Mn", "Me", "Cf")
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


class Marked(NamedTuple):
    """An amount that is not the whole truth: `~` before a count, `?` behind money."""

    amount: int | Decimal


class Column(NamedTuple):
    """A heading, and whether the cells are words (left, may be cut) or amounts (right)."""

    title: str
    is_text: bool = False
    drop_rank: int = 0
    """Where the width does not suffice, the highest rank is left out first; 0 always stays."""
    may_cut: bool = True
    """Whether words may lose their middle; a date may not."""
    keeps_start: bool = False
    """Whether they lose their end instead: of an id, the beginning is what can be typed."""
    enough: int = PREFERRED_TEXT
    """How far words are cut before a column is left out."""


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


def counted(count: int, noun: str) -> str:
    """1 session, 2 sessions."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def dollars(amount: Decimal) -> str:
    """Two digits; four under a cent; never a rounded-away zero."""
    if amount == 0:
        return "$0.00"
    step = _CENT if abs(amount) >= _CENT else _FINE
    if abs(amount) < _FINE:
        return "<$0.0001"
    rounded = amount.quantize(step, ROUND_HALF_UP)
    return f"${rounded:,.2f}" if rounded >= _CENT else f"${rounded:,}"


def shown(cell: Cell, is_short: bool = False) -> str:
    """A cell as it stands in a table or a sentence."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return one_line(cell)
    if isinstance(cell, Marked):
        amount = shown(cell.amount, is_short)
        return f"{amount}?" if isinstance(cell.amount, Decimal) else f"~{amount}"
    if isinstance(cell, Decimal):
        return dollars(cell)
    return short_count(cell) if is_short else f"{cell:,}"


def text_width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(
        0
        if unicodedata.category(char) in _TAKES_NO_ROOM or "\u1160" <= char <= "\u11ff"
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def cut(text: str, width: int, keeps_start: bool = False) -> str:
    """The text, its middle (or end) replaced by an ellipsis where it is wider than `width`."""
    if text_width(text) <= width:
        return text
    if width < 2:
        return "…"[: max(0, width)]
    tail = 0 if keeps_start else (width - 1) // 2
    head = width - 1 - tail
    while text_width(text[:head] + text[len(text) - tail :]) > width - 1:
        head, tail = (head - 1, tail) if head > tail else (head, tail - 1)
    return f"{text[:head]}…{text[len(text) - tail :]}"


def padded(text: str, width: int) -> str:
    """The text, cut or filled with spaces to exactly this width."""
    fitting = cut(text, width)
    return fitting + " " * (width - text_width(fitting))


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines no wider than `width`, the later ones indented; a longer word is cut.

    (`textwrap` takes every character for one column, and imports `re` to do so.)
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        fitting = cut(word, width - len(indent))
        if line.strip() and text_width(line) + 1 + text_width(fitting) > width:
            lines.append(line)
            line = indent
        line += f" {fitting}" if line.strip() else fitting
    return [*lines, line]


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
        columns_of_cells = [_column([row[i] for row in rows], is_short) for i in kept]
        self.lines = [list(cells) for cells in zip(*columns_of_cells, strict=True)]
        self.widths = _widths(self.columns, self.lines)

    def fits(self, room: int) -> bool:
        """Whether it fits, its words cut moderately."""
        _squeeze(self.columns, self.widths, room)
        return _total(self.widths) <= room


def _column(cells: Sequence[Cell], is_short: bool) -> list[str]:
    """A column's cells; money without a mark leaves room for one where others have it."""
    texts = [shown(cell, is_short) for cell in cells]
    if not any(isinstance(cell, Marked) and isinstance(cell.amount, Decimal) for cell in cells):
        return texts
    return [text if text.endswith("?") else f"{text} " for text in texts]


def _squeeze(
    columns: Sequence[Column], widths: list[int], room: int, shortest: int | None = None
) -> None:
    """Take from the widest text until the table fits or no text may become shorter.

    `shortest` is for every column; without it each has its own `enough`.
    """
    texts = [i for i, column in enumerate(columns) if column.is_text and column.may_cut]
    for i in texts:
        widths[i] = min(widths[i], max(room, SHORTEST_TEXT))
    while _total(widths) > room:
        longer = [i for i in texts if widths[i] > (shortest or columns[i].enough)]
        if not longer:
            return
        widths[max(longer, key=lambda i: widths[i])] -= 1


def _laid_out(
    columns: Sequence[Column],
    lines: Sequence[Sequence[str]],
    widths: Sequence[int],
    totals: Sequence[Cell] | None,
    style: Style,
) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        placed = [
            _placed(cell, width, column)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        ]
        return _GAP.join(placed).rstrip()

    rule = style.faint("─" * min(_total(widths), style.width))
    body = [line(cells) for cells in lines]
    head = [style.bold(line([column.title for column in columns])), rule]
    if totals is None:
        return [*head, *body]
    return [*head, *body[:-1], rule, style.bold(body[-1])]


def _placed(cell: str, width: int, column: Column) -> str:
    fitting = cut(cell, width, column.keeps_start)
    room = " " * (width - text_width(fitting))
    return fitting + room if column.is_text else room + fitting


def sparkline(values: Sequence[int]) -> str:
    """One block per value, as high as its share of the largest; a dot where there is nothing."""
    top = max(values, default=0)
    if not top:
        return "·" * len(values)
    return "".join("▁▂▃▄▅▆▇█"[min(7, value * 8 // top)] if value else "·" for value in values)
