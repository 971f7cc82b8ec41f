"""What the screens of the monitor have in common: boxes, panels in them, a last line of keys."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.screen import Screen

from tokenbudget.dashboard.terminal.board import Board, Spot
from tokenbudget.dashboard.terminal.find_line import FindLine
from tokenbudget.dashboard.terminal.keys import APP_KEYS
from tokenbudget.dashboard.terminal.lattice import Labels, drawn
from tokenbudget.dashboard.terminal.list_panel import ListPanel
from tokenbudget.dashboard.terminal.panel import Panel
from tokenbudget.dashboard.terminal.places import LEAST_HEIGHT, LEAST_WIDTH, Box, is_enough
from tokenbudget.dashboard.terminal.spans import (
    FAINT,
    STRONG,
    Line,
    Span,
    first_fitting,
    in_role,
    line,
    plain_text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from tokenbudget.dashboard.terminal.moment import Moment

FOOT = "foot"


class BoardScreen(Screen[None]):
    """A screen of boxes. Subclasses say which boxes there are and what stands in them."""

    CSS = "BoardScreen { background: $background; }"
    AUTO_FOCUS: ClassVar[str | None] = ""
    foot_words: ClassVar[tuple[str, ...]] = ()
    """The keys of the last line that are named there, the most important ones first."""

    def __init__(self, panels: Sequence[Panel], theme_name: str) -> None:
        super().__init__()
        self.moment: Moment | None = None
        self.find_line = FindLine()
        self.notice = ""
        """Shown once in place of the keys."""
        self.board = Board([*panels, Panel(FOOT), self.find_line])
        self._is_finding = False
        self.wear(theme_name)

    # ── what a screen is made of ─────────────────────────────────────────────────────────────────

    def boxes(self, moment: Moment, width: int, height: int) -> Sequence[Box]:
        """The boxes of this screen."""
        raise NotImplementedError

    def labels(self, moment: Moment, box: Box) -> Labels:
        """What stands in the border of a box."""
        raise NotImplementedError

    def fill(self, moment: Moment, box: Box, panel: Panel) -> None:
        """Draw what stands in a box."""
        raise NotImplementedError

    def searched(self) -> ListPanel | None:
        """The list that `/` and `o` are about."""
        return None

    def find(self, query: str) -> None:
        """Look for these words."""

    def sort(self) -> str:
        """Sort in the next way; says which, '' where there is nothing to sort."""
        return ""

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        """One board."""
        yield self.board

    def wear(self, theme_name: str) -> None:
        """Show everything in this theme."""
        for panel in (self.board.ground, *self.board.panels.values()):
            panel.wear(theme_name)

    def draw(self, moment: Moment, only: frozenset[str] = frozenset()) -> None:
        """Show this moment; `only` these panels where the others cannot have changed."""
        self.moment = moment
        width, height = self.app.size
        if not width or not height:
            return
        if not is_enough(width, height):
            self._ask_for_room(width, height)
            return
        boxes = self.boxes(moment, width, height - 1)
        self._arrange(boxes, width, height)
        for box in boxes:
            if not only or box.name in only:
                self.fill(moment, box, self.board.panels[box.name])
        if not only:
            self._draw_borders(boxes, width, height)
        self._draw_foot(width)

    def on_resize(self, event: events.Resize) -> None:
        """Everything finds its new place."""
        if self.moment is not None:
            self.draw(self.moment)

    @on(ListPanel.Moved)
    def redraw(self) -> None:
        """A cursor moved."""
        if self.moment is not None:
            self.draw(self.moment)

    def _arrange(self, boxes: Sequence[Box], width: int, height: int) -> None:
        spots: dict[str, Spot] = {box.name: box.inside for box in boxes}
        last = (0, height - 1, width, 1)
        spots[self.find_line.id or "" if self._is_finding else FOOT] = last
        self.board.arrange_spots(spots)

    def _draw_borders(self, boxes: Sequence[Box], width: int, height: int) -> None:
        moment = self.moment
        if moment is None:
            return
        focus = self.focused.id or "" if self.focused else ""
        labels = {box.name: self.labels(moment, box) for box in boxes}
        if moment.is_stale:
            labels = {name: _greyed(label) for name, label in labels.items()}
        borders = drawn(width, height - 1, boxes, labels, focus, _faults(moment))
        self.board.ground.show(borders, width, height)

    def _draw_foot(self, width: int) -> None:
        if self._is_finding:
            self.find_line.draw(width)
            return
        foot = self.board.panels[FOOT]
        if self.notice:
            foot.show([line(Span(f" {self.notice}", STRONG))], width, 1)
        else:
            foot.show([foot_line(self.foot_words, width)], width, 1)

    def _ask_for_room(self, width: int, height: int) -> None:
        self.board.arrange_spots({})
        choices = [
            f"tokens monitor needs {LEAST_WIDTH}x{LEAST_HEIGHT}, this is {width}x{height}; q quits",
            f"needs {LEAST_WIDTH}x{LEAST_HEIGHT}, is {width}x{height}; q quits",
            f"{LEAST_WIDTH}x{LEAST_HEIGHT} please",
        ]
        asking = first_fitting([line(text) for text in choices], width)
        self.board.ground.show([*[()] * (height // 2), asking], width, height)

    # ── finding and sorting ──────────────────────────────────────────────────────────────────────

    def start_finding(self) -> None:
        """The last line becomes a place to type in."""
        if self.searched() is None or self.moment is None:
            return
        self._is_finding = True
        self.draw(self.moment)
        self.find_line.focus()

    @on(FindLine.Changed)
    def look_for(self, message: FindLine.Changed) -> None:
        """What is found changes with every letter."""
        self._apply(message.query)

    @on(FindLine.Left)
    def stop_finding(self, message: FindLine.Left) -> None:
        """Back to the list: with the words, or without them."""
        self._is_finding = False
        searched = self.searched()
        if not message.is_kept:
            self.find_line.query_text = ""
            self._apply("")
        if searched is not None:
            searched.focus()
        self.redraw()

    def _apply(self, query: str) -> None:
        searched = self.searched()
        if searched is not None:
            searched.start_over()
        self.find(query)
        self.redraw()


def foot_line(names: Sequence[str], width: int) -> Line:
    """The keys with their words: as many as fit, help and quit always."""
    shown = {key.word: key.shown_below or key.shown for key in APP_KEYS if key.word}
    kept = ["help", "quit"]
    for name in names:
        trial = [*kept[:-1], name, "quit"]
        if len(plain_text(_foot([shown[one] for one in trial], trial))) <= width:
            kept = trial
    return _foot([shown[one] for one in kept], kept)


def _foot(keys: Sequence[str], names: Sequence[str]) -> Line:
    found: list[Span] = []
    for key, name in zip(keys, names, strict=True):
        found += [Span(f" {key} ", STRONG), Span(f"{name} ", FAINT)]
    return tuple(found)


def _greyed(label: Labels) -> Labels:
    left, right = in_role(label.left, FAINT), in_role(label.right, FAINT)
    return label._replace(left=left, right=right)


def _faults(moment: Moment) -> Line:
    """What went wrong, in one line."""
    faults = moment.faults
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return line(Span(f"! {faults[0]}{more}", STRONG)) if faults else ()


def titled(text: str, right: str = "") -> Labels:
    """A title and a remark."""
    return Labels(line(Span(text, STRONG)), line(Span(right, FAINT)) if right else ())
