"""The screen that a person looks at: one session, whole."""

from __future__ import annotations

from typing import ClassVar

from tokenbudget.dashboard.terminal import (
    ahead,
    burn,
    composition,
    head,
    lists,
    pages,
    places,
)
from tokenbudget.dashboard.terminal.list_panel import ListPanel
from tokenbudget.dashboard.terminal.panel import Panel
from tokenbudget.dashboard.terminal.places import Box, Wants
from tokenbudget.dashboard.terminal.screens import BoardScreen, titled
from tokenbudget.dashboard.terminal.spans import FAINT, STRONG, Line, Span, in_role, line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.dashboard.terminal.lattice import Labels
    from tokenbudget.dashboard.terminal.moment import Moment

WELCOME = "welcome"
_LISTS = (places.CONSUMERS, places.ADVICE, places.ALERTS, places.DECISIONS, places.SESSIONS)
_TITLES = {
    places.ALERTS: "Alerts",
    places.DECISIONS: "Decisions",
    places.SESSIONS: "Live sessions",
    WELCOME: "Welcome",
}
_PICTURES = (places.HEALTH, places.COMPOSITION, places.BURN, places.LIMITS, places.AHEAD, WELCOME)
TICKING = frozenset((places.BURN,))
"""What changes between frames: the time until the cache is cold."""
_WELCOME = (
    ("", "As soon as an agent works, its session appears here by itself."),
    ("", ""),
    ("claude", "start a session, and leave this open beside it"),
    ("tokens doctor", "see where sessions are looked for"),
    ("tokens usage --from PATH", "count sessions that lie elsewhere"),
    ("", ""),
    ("?", "keys and signs"),
    ("q", "leave"),
)


class MainScreen(BoardScreen):
    """Health, composition, burn, what lies ahead, consumers, recommendations, alerts."""

    foot_words: ClassVar[tuple[str, ...]] = (
        "sessions", "find", "sort", "pause", "now", "alerts", "theme", "decisions",
        "interval",
    )  # fmt: skip

    def __init__(self, theme_name: str) -> None:
        lists_of_it = [ListPanel(name) for name in _LISTS]
        super().__init__([*[Panel(name) for name in _PICTURES], *lists_of_it], theme_name)
        self.query_text = ""
        self.order = lists.CONSUMER_ORDERS[0]

    def searched(self) -> ListPanel | None:
        """The consumers."""
        panel = self.board.panels[places.CONSUMERS]
        return panel if isinstance(panel, ListPanel) and self._has_view() else None

    def find(self, query: str) -> None:
        """Show the consumers that hold these words."""
        self.query_text = query

    def sort(self) -> str:
        """By tokens, reads, stale tokens or name."""
        orders = lists.CONSUMER_ORDERS
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        panel = self.searched()
        if panel is not None:
            panel.start_over()
        return self.order

    def boxes(self, moment: Moment, width: int, height: int) -> Sequence[Box]:
        """The panels; a welcome where there is nothing to put into them."""
        view = moment.view
        if view is None:
            below = Box(WELCOME, 0, 4, width, height - 4)
            return (Box(places.HEALTH, 0, 0, width, 5), below)
        alerts = len(moment.frame.alerts) if moment.frame else 0
        control = len(head.control_lines(moment, width)) if moment.frame else 0
        wants = Wants(max(5, len(view.rows)), max(1, len(view.ahead)), alerts, control)
        return places.boxes(width, height, wants)

    def labels(self, moment: Moment, box: Box) -> Labels:
        """The titles of the panels."""
        match box.name:
            case places.HEALTH:
                return head.labels(moment)
            case places.COMPOSITION:
                return composition.labels(moment)
            case places.BURN:
                return burn.labels(moment)
            case places.LIMITS:
                return burn.limit_labels(moment)
            case places.AHEAD:
                return ahead.labels(moment)
            case places.CONSUMERS:
                by = f"by {self.order}  {self._range(box)}".strip()
                return titled("Top consumers", f"/{self.query_text}  {by}" if self.query_text
                              else by)  # fmt: skip
            case places.ADVICE:
                return titled("Recommended", "1-9 in full")
            case _:
                return titled(_TITLES[box.name], self._range(box))

    def fill(self, moment: Moment, box: Box, panel: Panel) -> None:
        """Draw one panel."""
        _, _, width, height = box.inside
        if isinstance(panel, ListPanel):
            items, empty = self._items(moment, box.name, width, height)
            if moment.is_stale:
                items = [_greyed(item) for item in items]
            panel.show_items(items, empty, width, height)
            return
        lines = self._picture(moment, box.name, width, height)
        if moment.is_stale:
            lines = [*lines[:1], *(in_role(one, FAINT) for one in lines[1:])] if (
                box.name == places.HEALTH) else [in_role(one, FAINT) for one in lines]  # fmt: skip
        panel.show(lines, width, height)

    def _picture(self, moment: Moment, name: str, width: int, height: int) -> list[Line]:
        match name:
            case places.HEALTH:
                return head.draw(moment, width)[:height]
            case places.COMPOSITION:
                return composition.draw(moment, width, height)
            case places.BURN:
                has_limits = places.LIMITS not in self.board.spots
                return burn.draw(moment, width, height, has_limits)
            case places.LIMITS:
                return burn.draw_limits(moment, width, height)
            case places.AHEAD:
                return ahead.draw(moment, width, height)
            case _:
                return _welcome(moment)

    def _items(
        self, moment: Moment, name: str, width: int, height: int
    ) -> tuple[list[lists.Item], str]:
        view = moment.view
        if view is None:
            return [], ""
        match name:
            case places.CONSUMERS:
                found = lists.chosen_consumers(view, self.query_text, self.order)
                empty = "nothing holds these words" if self.query_text else "nothing is known yet"
                return [
                    lists.consumer_item(one, view.project, width, self.order) for one in found
                ], empty
            case places.ADVICE:
                empty = "nothing is known yet" if view.level is None else "nothing: all is well"
                return lists.advice_items(view, width, height), empty
            case places.ALERTS:
                return lists.alert_items(moment, width), pages.NO_ALERTS
            case places.DECISIONS:
                return lists.decision_items(moment, width), pages.NO_DECISIONS
            case _:
                sessions = lists.chosen_sessions(moment, "", lists.SESSION_ORDERS[0])
                return [
                    lists.session_item(one, moment, width, view.session) for one in sessions
                ], ""

    def _range(self, box: Box) -> str:
        panel = self.board.panels[box.name]
        return panel.range_words() if isinstance(panel, ListPanel) else ""

    def _has_view(self) -> bool:
        return self.moment is not None and self.moment.view is not None


def _greyed(item: lists.Item) -> lists.Item:
    return item._replace(lines=tuple(in_role(one, FAINT) for one in item.lines))


def _welcome(moment: Moment) -> list[Line]:
    """How to begin; nothing of that before it is known that there is no session."""
    if moment.frame is None:
        return []
    found: list[Line] = [()]
    for command, text in _WELCOME:
        found.append(
            line(Span(f"  {command:<26}", STRONG), Span(text)) if command else line(f"  {text}")
        )
    return found
