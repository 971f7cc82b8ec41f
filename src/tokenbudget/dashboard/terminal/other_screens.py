"""The screens that lie over the main one: all live sessions, and pages of text."""

from __future__ import annotations

from typing import ClassVar

from tokenbudget.dashboard.terminal import head, lists, pages
from tokenbudget.dashboard.terminal.list_panel import ListPanel
from tokenbudget.dashboard.terminal.places import SESSIONS, Box
from tokenbudget.dashboard.terminal.screens import BoardScreen, titled
from tokenbudget.dashboard.terminal.spans import FAINT, in_role

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.dashboard.terminal.lattice import Labels
    from tokenbudget.dashboard.terminal.moment import Moment
    from tokenbudget.dashboard.terminal.panel import Panel

PAGE = "page"


class SessionsScreen(BoardScreen):
    """Every live session, across projects; Enter looks at one."""

    AUTO_FOCUS: ClassVar[str | None] = f"#{SESSIONS}"
    foot_words: ClassVar[tuple[str, ...]] = ("back", "find", "sort", "pause", "now", "theme")

    def __init__(self, theme_name: str) -> None:
        self.kind = "sessions"
        self.list_panel = ListPanel(SESSIONS)
        self.query_text = ""
        self.order = lists.SESSION_ORDERS[0]
        super().__init__([self.list_panel], theme_name)

    def searched(self) -> ListPanel | None:
        """The one list of this screen."""
        return self.list_panel

    def find(self, query: str) -> None:
        """Show the sessions that hold these words."""
        self.query_text = query

    def sort(self) -> str:
        """By last activity, use or project."""
        orders = lists.SESSION_ORDERS
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self.list_panel.start_over()
        return self.order

    def boxes(self, moment: Moment, width: int, height: int) -> Sequence[Box]:
        """One."""
        return (Box(SESSIONS, 0, 0, width, height),)

    def labels(self, moment: Moment, box: Box) -> Labels:
        """How many, in which order, as of when."""
        found = f"/{self.query_text}  " if self.query_text else ""
        right = f"{found}by {self.order}  {self.list_panel.range_words()}"
        return titled("Live sessions", f"{right}  {head.time_words(moment)}")

    def fill(self, moment: Moment, box: Box, panel: Panel) -> None:
        """The sessions as rows."""
        _, _, width, height = box.inside
        chosen = moment.view.session if moment.view else ""
        found = lists.chosen_sessions(moment, self.query_text, self.order)
        items = [lists.session_item(one, moment, width, chosen) for one in found]
        if moment.is_stale:
            items = [
                item._replace(lines=tuple(in_role(one, FAINT) for one in item.lines))
                for item in items
            ]
        empty = "nothing holds these words" if self.query_text else "no session is live"
        self.list_panel.show_items(items, empty, width, height)


class PageScreen(BoardScreen):
    """One page of text, scrolled by lines."""

    AUTO_FOCUS: ClassVar[str | None] = f"#{PAGE}"
    foot_words: ClassVar[tuple[str, ...]] = ("back", "sessions", "alerts", "decisions", "theme")

    def __init__(self, kind: str, key: str, theme_name: str) -> None:
        self.kind = kind
        self.key = key
        self.list_panel = ListPanel(PAGE, has_cursor=False)
        super().__init__([self.list_panel], theme_name)

    def boxes(self, moment: Moment, width: int, height: int) -> Sequence[Box]:
        """One."""
        return (Box(PAGE, 0, 0, width, height),)

    def labels(self, moment: Moment, box: Box) -> Labels:
        """The title of the page, and which lines are in sight."""
        shown = pages.page(self.kind, self.key, moment, box.inside[2])
        lines = self.list_panel.range_words()
        # A bare number of lines would be taken for one of alerts.
        return titled(shown.title, lines if "/" in lines else "")

    def fill(self, moment: Moment, box: Box, panel: Panel) -> None:
        """The text."""
        _, _, width, height = box.inside
        lines = pages.page(self.kind, self.key, moment, width).lines
        items = [lists.Item(str(number), (one,)) for number, one in enumerate(lines)]
        self.list_panel.show_items(items, "", width, height)
