"""Bars and charts out of block characters, as lines."""

from __future__ import annotations

from tokenbudget.dashboard.terminal.spans import FAINT, RULE, Line, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = " ▁▂▃▄▅▆▇█"


def block_bar(share: float, cells: int, role: str) -> Line:
    """A share as a bar, to an eighth of a cell, on a track; beyond the whole it is full."""
    eighths = round(min(1.0, max(0.0, share)) * cells * 8)
    if share > 0 and not eighths and cells:
        eighths = 1
    full, part = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[part] if part else "")
    return Span(filled, role), Span("░" * (cells - len(filled)), RULE)


def line_bar(share: float, cells: int, role: str) -> Line:
    """The same as a line, for one of many: to half a cell, heavy on light."""
    halves = round(min(1.0, max(0.0, share)) * cells * 2)
    full, part = divmod(max(halves, 1) if share > 0 and cells else 0, 2)
    filled = "━" * full + "╸" * part
    return Span(filled, role), Span("─" * (cells - len(filled)), RULE)


def chart(values: Sequence[int], width: int, height: int, role: str) -> list[Line]:
    """Columns side by side, as high as their share of the largest, on a dotted ground.

    The columns fill the width; where there are more values than cells, the largest of each few
    stands for them.
    """
    shown = [_slot(values, x, width) for x in range(width)] if values else []
    top = max(shown, default=0)
    levels = [0 if not top else -(-value * height * 8 // top) for value in shown]
    found = []
    for row in range(height - 1, -1, -1):
        glyphs = "".join(_HEIGHTS[min(8, max(0, level - row * 8))] for level in levels)
        found.append(_grounded(glyphs, role) if row == 0 else (Span(glyphs, role),))
    return found


def _slot(values: Sequence[int], x: int, width: int) -> int:
    begin = x * len(values) // width
    return max(values[begin : max(begin + 1, (x + 1) * len(values) // width)])


def _grounded(glyphs: str, role: str) -> Line:
    """The lowest row: where there is nothing stands a dot, so that it is not taken for no data."""
    found: list[Span] = []
    for glyph in glyphs:
        piece = Span("·", FAINT) if glyph == " " else Span(glyph, role)
        if found and found[-1].role == piece.role:
            found[-1] = Span(found[-1].text + piece.text, piece.role)
        else:
            found.append(piece)
    return tuple(found)
