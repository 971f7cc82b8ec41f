"""A panel with a cursor: the list stays where it is when a frame changes what stands around it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tokenbudget.dashboard.terminal.panel import Panel
from tokenbudget.dashboard.terminal.spans import CURSOR, FAINT, Line, Span, fitted, in_role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.dashboard.terminal.lists import Item


class ListPanel(Panel):
    """Items of one or more lines each; the cursor is shown while the panel has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Moved(Message):
        """The cursor stands elsewhere, or the panel got or lost it."""

    class Opened(Message):
        """Enter was pressed on an item."""

        def __init__(self, panel: str, key: str, place: int) -> None:
            super().__init__()
            self.panel = panel
            self.key = key
            self.place = place

    def __init__(self, name: str, *, has_cursor: bool = True) -> None:
        super().__init__(name, can_focus=True)
        self.place = 0
        self._has_cursor = has_cursor
        self._items: Sequence[Item] = ()
        self._top = 0
        self._height = 1

    @property
    def key(self) -> str:
        """Of the item that the cursor stands on; '' where there is none."""
        return self._items[self.place].key if self._items else ""

    def show_items(self, items: Sequence[Item], empty: str, width: int, height: int) -> None:
        """Show these, the cursor on the item that it stood on; `empty` where there are none."""
        kept = self.key
        self._items, self._height = items, max(1, height)
        if not items:
            self.place = 0
            self.show([fitted((Span(empty, FAINT),), width)] if empty else [], width, height)
            return
        places = [place for place, item in enumerate(items) if item.key == kept]
        if places and self.place not in places:
            self.place = places[0]
        self.place = min(self.place, len(items) - 1)
        self.show(self._visible(width), width, height)

    def range_words(self) -> str:
        """`1-9/40` where not everything is in sight, else the number of items."""
        count = len(self._items)
        if count <= 1 or (self._bottom() >= count and not self._top):
            return str(count) if count else ""
        return f"{self._top + 1}-{self._bottom()}/{count}"

    def start_over(self) -> None:
        """The cursor to the top: another order, other words."""
        self.place = self._top = 0
        self._items = ()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        if not self._items:
            return
        if not self._has_cursor:
            self._top = max(0, min(self._top + by, len(self._items) - self._height))
        self.place = max(0, min(self.place + by, len(self._items) - 1))
        if not self._has_cursor:
            self.place = self._top
        self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move by what is in sight."""
        self.action_move(by * max(1, self._height - 1))

    def action_open(self) -> None:
        """Tell which item is meant."""
        if self._items and self._has_cursor:
            self.post_message(self.Opened(self.id or "", self.key, self.place))

    def on_focus(self) -> None:
        """The cursor appears."""
        self.post_message(self.Moved())

    def on_blur(self) -> None:
        """The cursor goes."""
        self.post_message(self.Moved())

    def _visible(self, width: int) -> list[Line]:
        """The lines in sight, after the list has moved as little as it must."""
        if self._has_cursor:
            self._top = min(self._top, self.place)
            while self._rows(self._top, self.place + 1) > self._height and self._top < self.place:
                self._top += 1
        self._top = max(0, min(self._top, len(self._items) - 1))
        while self._top and self._rows(self._top - 1, len(self._items)) <= self._height:
            self._top -= 1
        found: list[Line] = []
        for place in range(self._top, self._bottom()):
            is_marked = self._has_cursor and self.has_focus and place == self.place
            lines = self._items[place].lines
            found += [in_role(fitted(one, width), CURSOR) if is_marked else one for one in lines]
        return found

    def _rows(self, begin: int, end: int) -> int:
        return sum(len(item.lines) for item in self._items[begin:end])

    def _bottom(self) -> int:
        """The item after the last in sight."""
        rows, place = 0, self._top
        while place < len(self._items) and rows + len(self._items[place].lines) <= self._height:
            rows += len(self._items[place].lines)
            place += 1
        return max(place, min(self._top + 1, len(self._items)))
