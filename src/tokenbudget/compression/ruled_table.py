"""A table with drawn rules (Markdown, psql, boxes) without what pads its cells, and back.

The width of a column is that of its longest cell, so the padding need not be told: it can be made
again. How a writer sets numbers differs: each `Setting` is tried until one gives back every line.
"""

from __future__ import annotations

import re
from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BARS = "|│┃║"
_FILL = r"\-=─━═—"
_RULE = re.compile(rf"[\s:+|{_FILL}│┃║┌┬┐├┼┤└┴┘╔╦╗╠╬╣╚╩╝╭╮╰╯┏┳┓┣╋┫┗┻┛╞╪╡╒╤╕╘╧╛┡╇┩╟╫╢╤╧]+")
_RUN = re.compile(rf"([{_FILL}])\1*")
_RUN_IN_CELL = re.compile(rf"(?P<before> ?:?)(?P<fill>[{_FILL}])(?P=fill)*(?P<after>:? ?)")
_NUMBER = re.compile(r"[-+]?[$€£]?\d[\d.,_]*(?:\s?%|[a-zA-Z]{1,3})?")
_SHORT_RUN = 2

MOST_CHARS = 20_000_000
"""Of a table that is set: a short text must not become one without end."""


class Setting(Enum):
    """How the cells stand within the width of their column; the value is what a marker says."""

    LEFT = "table lines"
    NUMBERS_RIGHT = "table lines, numbers right"
    HEADS_CENTRED = "table lines, heads centred"
    """As sqlite3 writes it."""
    BOTH = "table lines, numbers right, heads centred"
    """As psql writes it."""

    @property
    def are_heads_centred(self) -> bool:
        """Whether the first line stands in the middle of its columns."""
        return self in (Setting.HEADS_CENTRED, Setting.BOTH)

    @property
    def are_numbers_right(self) -> bool:
        """Whether a column of numbers stands at its right edge."""
        return self in (Setting.NUMBERS_RIGHT, Setting.BOTH)


def bar_of(line: str) -> str:
    """What divides the cells of a line, if it looks like one of a table; else ''."""
    inner = line.strip()
    for bar in BARS:
        if inner.count(bar) >= 2 and inner[0] == bar == inner[-1]:
            return bar
    return "|" if " | " in line else ""


def is_rule(line: str) -> bool:
    """Whether the line is drawn and holds no cell."""
    return _RULE.fullmatch(line) is not None and _RUN.search(line) is not None


def unpadded(lines: Sequence[str], bar: str) -> list[str]:
    """Each line without padding, each rule as short as it can be told."""
    return [_short_rule(line) if is_rule(line) else _short_row(line, bar) for line in lines]


def _short_row(line: str, bar: str) -> str:
    return bar.join(cell.strip(" ") for cell in line.split(bar))


def _short_rule(line: str) -> str:
    return _RUN.sub(lambda run: run[1] * min(_SHORT_RUN, len(run[0])), line)


def padded(lines: Sequence[str], bar: str, setting: Setting) -> list[str]:
    """The lines of a table as `setting` sets them; the inverse of `unpadded` where that fits."""
    rows = [None if is_rule(line) else line.split(bar) for line in lines]
    cells = [row for row in rows if row is not None]
    has_frame = bool(cells) and cells[0][0] == "" == cells[0][-1]
    if has_frame:
        cells = [row[1:-1] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=False)]
    if (sum(widths) + 3 * len(widths)) * len(lines) > MOST_CHARS:
        raise ValueError("a table of that size was not written by us")
    numeric = [_is_numeric(column[1:]) for column in zip(*cells, strict=False)]
    texts, first = [], True
    for line, row in zip(lines, rows, strict=True):
        if row is None:
            texts.append(_long_rule(line, widths))
            continue
        inner = row[1:-1] if has_frame else row
        texts.append(_long_row(inner, widths, numeric, setting, first, bar, has_frame))
        first = False
    return texts


def _is_numeric(column: Sequence[str]) -> bool:
    filled = [cell for cell in column if cell]
    return bool(filled) and all(_NUMBER.fullmatch(cell) for cell in filled)


def _long_row(
    row: Sequence[str],
    widths: Sequence[int],
    numeric: Sequence[bool],
    setting: Setting,
    is_head: bool,
    bar: str,
    has_frame: bool,
) -> str:
    cells = []
    for cell, width, is_number in zip(row, widths, numeric, strict=False):
        if setting.are_heads_centred and is_head:
            spare = width - len(cell)
            text = " " * (spare // 2) + cell + " " * (spare - spare // 2)
        elif setting.are_numbers_right and is_number:
            text = cell.rjust(width)
        else:
            text = cell.ljust(width)
        cells.append(f" {text} ")
    if has_frame:
        return f"{bar}{bar.join(cells)}{bar}"
    is_last_bare = setting is Setting.BOTH and not is_head  # psql ends its rows like that
    return bar.join([*cells[:-1], cells[-1].rstrip(" ") if is_last_bare else cells[-1]])


def _long_rule(line: str, widths: Sequence[int]) -> str:
    """The rule over the whole width: what stands beside a run within its cell takes of its room."""
    texts, at = [], 0
    for column, run in enumerate(_RUN_IN_CELL.finditer(line)):
        width = widths[column] + 2 if column < len(widths) else len(run[0])
        beside = len(run["before"]) + len(run["after"])
        rule = run["before"] + run["fill"] * (width - beside) + run["after"]
        texts += [line[at : run.start()], rule]
        at = run.end()
    return "".join([*texts, line[at:]])
