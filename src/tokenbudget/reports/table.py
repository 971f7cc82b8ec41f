"""Tables aligned at any width: exact numbers where there is room, short ones where not."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.model.figures import cut, dollars, short_count, text_width
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from tokenbudget.model.figures import Style

    Cell: TypeAlias = "str | int | Decimal | Marked | None"

PREFERRED_TEXT = 24
"""Words are cut to this before a column is left out (see `Column.enough`), and"""
SHORTEST_TEXT = 8
"""to this after all others are."""

_GAP = "  "


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
