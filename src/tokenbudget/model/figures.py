"""How amounts, bars and words of a fixed width are written, wherever a person reads them.

A library would do (rich), but importing one costs more than a whole warm command (55 ms of 45).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TAKES_NO_ROOM = ("Mn", "Me", "Cf")
_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")
_EIGHTHS = " ▏▎▍▌▋▊▉"


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


def bar(share: float, cells: int) -> str:
    """A share as a bar, to an eighth of a cell; beyond the whole it is full."""
    eighths = round(min(1.0, max(0.0, share)) * cells * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[part] if part else "")
    return filled + "░" * (cells - len(filled))


def sparkline(values: Sequence[int]) -> str:
    """One block per value, as high as its share of the largest; a dot where there is nothing."""
    top = max(values, default=0)
    if not top:
        return "·" * len(values)
    return "".join("▁▂▃▄▅▆▇█"[min(7, value * 8 // top)] if value else "·" for value in values)


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
