"""Rows of Markdown tables: their cells, and a row of cells without padding."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_BAR = re.compile(r"(?<!\\)\|")
_DASHES = re.compile(r":?-+:?")


def cells_of(line: str) -> list[str]:
    """The cells of a row that begins and ends with a bar; none where code holds a bar."""
    cells = [cell.strip() for cell in _BAR.split(line.strip()[1:-1])]
    return [] if any(cell.count("`") % 2 for cell in cells) else cells


def row_of(cells: Sequence[str], original: str) -> str:
    """The row with these cells, indented and ended as the original."""
    indent = original[: len(original) - len(original.lstrip())]
    end = "\r" if original.endswith("\r") else ""
    if all(_DASHES.fullmatch(cell) for cell in cells):
        return f"{indent}|{'|'.join(map(_ruled, cells))}|{end}"
    return f"{indent}| {' | '.join(cells)} |{end}"


def _ruled(cell: str) -> str:
    return (":" if cell[0] == ":" else "") + "---" + (":" if cell[-1] == ":" else "")
