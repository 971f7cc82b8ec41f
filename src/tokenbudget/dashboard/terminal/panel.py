"""A rectangle of lines that repaints only the cells that differ from the picture before."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tokenbudget.dashboard.terminal.palette import AUTO, styles
from tokenbudget.dashboard.terminal.spans import PLAIN, Line, Span, fitted, width_of
from tokenbudget.model.figures import text_width

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Panel(Widget):
    """Shows lines; who made them is not its business."""

    DEFAULT_CSS = "Panel { background: $background; width: auto; height: auto; }"

    def __init__(self, name: str, *, can_focus: bool = False) -> None:
        super().__init__(id=name)
        self.can_focus = can_focus
        self.theme_name = AUTO
        self.repaints = 0
        """How often anything of it had to be painted again."""
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line], width: int, height: int) -> None:
        """Have these lines shown, cut to the size; what is as before is not painted again."""
        blank = (Span(" " * width),)
        new = tuple(fitted(one, width) for one in lines[:height])
        new += (blank,) * (height - len(new))
        old, self._lines = self._lines, new
        if len(old) != len(new):
            self.repaints += 1
            self.refresh()
            return
        changed = [
            Region(*_difference(before, after, y))
            for y, (before, after) in enumerate(zip(old, new, strict=True))
            if before != after
        ]
        if changed:
            self.repaints += 1
            self.refresh(*changed)

    def wear(self, theme_name: str) -> None:
        """Show the same lines in another theme."""
        if theme_name != self.theme_name:
            self.theme_name = theme_name
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line as Textual wants it: text and style, never markup."""
        looks = styles(self.theme_name)
        spans = self._lines[y] if y < len(self._lines) else ()
        strip = Strip([Segment(span.text, looks[span.role]) for span in spans if span.text])
        return strip.adjust_cell_length(self.size.width, looks[PLAIN])


def _difference(before: Line, after: Line, y: int) -> tuple[int, int, int, int]:
    """The cells of row `y` from the first to the last that differ: x, y, width, height."""
    old, new = _cells(before), _cells(after)
    if old is None or new is None or len(old) != len(new):
        return 0, y, max(width_of(before), width_of(after)), 1
    begin, end = 0, len(new)
    while begin < end and old[begin] == new[begin]:
        begin += 1
    while end > begin and old[end - 1] == new[end - 1]:
        end -= 1
    return begin, y, max(1, end - begin), 1


def _cells(spans: Line) -> list[tuple[str, str]] | None:
    """Every cell with its role; None where a character takes more or less than one."""
    for span in spans:
        if not span.text.isascii() and any(text_width(char) != 1 for char in span.text):
            return None
    return [(char, span.role) for span in spans for char in span.text]
