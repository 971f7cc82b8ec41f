"""The application: keys, time and the feed. What is drawn where is the screens' business."""

from __future__ import annotations

import asyncio
import signal
from typing import Any, ClassVar

from textual import on
from textual.app import App
from textual.binding import BindingType
from textual.message import Message

from tokenbudget.dashboard.terminal import palette
from tokenbudget.dashboard.terminal.bindings import bindings
from tokenbudget.dashboard.terminal.feed import Answer, Feed, FrameSource
from tokenbudget.dashboard.terminal.head import interval_words
from tokenbudget.dashboard.terminal.keys import next_interval
from tokenbudget.dashboard.terminal.list_panel import ListPanel
from tokenbudget.dashboard.terminal.main_screen import TICKING, MainScreen
from tokenbudget.dashboard.terminal.moment import Moment
from tokenbudget.dashboard.terminal.other_screens import PageScreen, SessionsScreen
from tokenbudget.dashboard.terminal.pages import ADVICE, CONSUMER
from tokenbudget.dashboard.terminal.places import CONSUMERS, SESSIONS
from tokenbudget.dashboard.terminal.screens import BoardScreen
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.filter import LineFilter

    from tokenbudget.dashboard.view_model import Frame
    from tokenbudget.model.protocols import Clock

__all__ = ["FrameSource", "MonitorApp"]

TICK_SECONDS = 1.0
ALL_AGAIN_TICKS = 20
"""Ages are told in minutes: everything is looked at again three times in each."""
NOTICE_TICKS = 3
_SLACK_SECONDS = 0.05
"""A timer that comes this much too early is in time."""


class Arrived(Message):
    """The source has answered."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class MonitorApp(App[None]):
    """The live view. `run()` returns when the person leaves."""

    TITLE = "tokens monitor"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False

    def __init__(
        self,
        source_of: Callable[[], FrameSource],
        interval_seconds: float,
        *,
        chosen: str = "",
        theme: str = palette.AUTO,
        is_plain: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """A view of what `source_of()` tells, each `interval_seconds`.

        Args:
            source_of: Called in the thread in which the source is then used and closed.
            interval_seconds: More than 0.
            chosen: The session to look at; '' is the one used last.
            theme: One of `palette.THEMES`.
            is_plain: No colour, whatever the theme.
            clock: For measuring what has gone by since a frame came.
        """
        super().__init__()
        self.animation_level = "none"
        self.interval_seconds = interval_seconds
        self.chosen = chosen
        self._is_plain = is_plain or self.no_color
        self.theme_name = palette.PLAIN if self._is_plain else theme
        self._clock = clock or SystemClock()
        self._feed = Feed(source_of, lambda answer: self.post_message(Arrived(answer)))
        self._frame: Frame | None = None
        self._fault = ""
        self._arrived_at = self._asked_at = self._clock.monotonic_seconds()
        self._is_asking = False
        self._is_paused = False
        self._was_stale = False
        self._ticks = 0
        self._notice_until = 0
        for one in palette.textual_themes():
            self.register_theme(one)
        self.theme = f"tokens-{self.theme_name}"

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    def run(self, *, mouse: bool = False, **options: Any) -> None:
        """Show it until the person leaves.

        The mouse stays the terminal's own, so that text can be marked and copied as anywhere else;
        it would also send every movement over the line.
        """
        super().run(mouse=mouse, **options)

    def get_default_screen(self) -> MainScreen:
        """The one session."""
        return MainScreen(self.theme_name)

    def on_mount(self) -> None:
        """Ask for the first frame; from then on once in each interval."""
        self._feed.start()
        self._ask()
        self.set_interval(min(TICK_SECONDS, self.interval_seconds), self.tick)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                loop.add_signal_handler(number, self.exit)  # so that the terminal is restored
        self._draw()

    def on_unmount(self) -> None:
        """Leave the source behind where it is busy."""
        self._feed.stop()

    def tick(self) -> None:
        """A second has gone by: count down, see how old the data is, ask when it is time."""
        self._ticks += 1
        now = self._clock.monotonic_seconds()
        is_due = now - self._asked_at >= self.interval_seconds - _SLACK_SECONDS
        if is_due and not self._is_paused and not self._is_asking:
            self._ask()
        moment = self.moment()
        if self._ticks == self._notice_until:
            for screen in self._board_screens():  # a page may lie over the one that tells it
                screen.notice = ""
        all_again = moment.is_stale != self._was_stale or not self._ticks % ALL_AGAIN_TICKS
        self._was_stale = moment.is_stale
        self._board_screen().draw(moment, frozenset() if all_again else TICKING)

    def moment(self) -> Moment:
        """The present as far as it is known."""
        gone_by = self._clock.monotonic_seconds() - self._arrived_at
        made_at_ms = self._frame.made_at_ms if self._frame else 0
        return Moment(
            frame=self._frame,
            now_ms=made_at_ms + round(gone_by * 1000),
            interval_seconds=self.interval_seconds,
            is_paused=self._is_paused,
            is_asking=self._is_asking,
            fault=self._fault,
        )

    @on(Arrived)
    def take(self, message: Arrived) -> None:
        """A frame, or a fault: then the last frame stays, marked as old."""
        answer = message.answer
        self._is_asking = False
        self._fault = answer.fault
        if answer.chosen != self.chosen:  # another session was chosen in the meantime
            self._ask()
            return
        if answer.frame is not None:
            self._frame = answer.frame
            self._arrived_at = self._clock.monotonic_seconds()
        self._draw()

    def _ask(self) -> None:
        self._is_asking = True
        self._asked_at = self._clock.monotonic_seconds()
        self._feed.ask(self.chosen)

    def ring(self, text: str) -> None:
        """Send the terminal a bell or a notification; from any thread, between two drawings."""
        if self._driver is not None:
            self._driver.write(text)  # it queues what it is given, each piece whole

    # ── drawing ──────────────────────────────────────────────────────────────────────────────────

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Without colour, one that lets none through; Textual's own would send default colours."""
        if self.theme_name == palette.PLAIN:
            return [palette.NoColour()]
        return super().get_line_filters()

    def _board_screen(self) -> BoardScreen:
        screen = self.screen
        assert isinstance(screen, BoardScreen)
        return screen

    def _board_screens(self) -> list[BoardScreen]:
        return [screen for screen in self.screen_stack if isinstance(screen, BoardScreen)]

    def _draw(self) -> None:
        moment = self.moment()
        self._was_stale = moment.is_stale
        self._board_screen().draw(moment)

    def _tell(self, notice: str) -> None:
        self._board_screen().notice = notice
        self._notice_until = self._ticks + NOTICE_TICKS
        self._draw()

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────

    def action_page(self, kind: str) -> None:
        """Open a page; the same key closes it."""
        screen = self.screen
        if isinstance(screen, PageScreen | SessionsScreen):
            self.pop_screen()
            if screen.kind == kind:
                self._draw()
                return
        is_list = kind == SESSIONS
        self._open(SessionsScreen(self.theme_name) if is_list else self._page(kind))

    def action_advice(self, number: int) -> None:
        """A recommendation in full."""
        if isinstance(self.screen, MainScreen) and self._frame and self._frame.chosen:
            self._open(self._page(ADVICE, str(number)))

    async def action_back(self) -> None:
        """Close a page; on the main screen, leave the list."""
        if isinstance(self.screen, MainScreen):
            self.screen.set_focus(None)
            return
        self.pop_screen()
        self._draw()

    def action_enter_list(self) -> None:
        """An arrow where no list has the focus: the first one takes it."""
        if self.focused is None:
            self.screen.focus_next()

    def action_find(self) -> None:
        """Type what to find."""
        self._board_screen().start_finding()

    def action_sort(self) -> None:
        """Sort the list in the next way."""
        order = self._board_screen().sort()
        if order:
            self._tell(f"sorted by {order}")

    def action_pause(self) -> None:
        """Stop asking; or begin again, at once."""
        self._is_paused = not self._is_paused
        if not self._is_paused and not self._is_asking:
            self._ask()
        self._draw()

    def action_refresh_now(self) -> None:
        """Ask at once, paused or not."""
        if not self._is_asking:
            self._ask()
        self._tell("refreshing …")

    def action_interval(self, step: int) -> None:
        """Look more or less often."""
        self.interval_seconds = next_interval(self.interval_seconds, step)
        self._tell(f"every {interval_words(self.interval_seconds)}")

    def action_next_theme(self) -> None:
        """The next theme, on every screen."""
        if self._is_plain:
            self._tell("no colour, as you asked (NO_COLOR or --no-color)")
            return
        self.theme_name = palette.next_theme(self.theme_name)
        self.theme = f"tokens-{self.theme_name}"
        for screen in self._board_screens():
            screen.wear(self.theme_name)
        self._tell(f"theme: {palette.NAMES[self.theme_name]}")

    @on(ListPanel.Opened)
    def open_item(self, message: ListPanel.Opened) -> None:
        """Enter on something: look at it."""
        if message.panel == SESSIONS:
            self._choose(message.key)
        elif message.panel == CONSUMERS:
            self._open(self._page(CONSUMER, message.key))
        else:  # a page of the same name
            self._open(self._page(message.panel, str(message.place + 1)))

    def _choose(self, session: str) -> None:
        if isinstance(self.screen, SessionsScreen):
            self.pop_screen()
        self.chosen = session
        if not self._is_asking:
            self._ask()
        self._tell("one moment …")

    def _page(self, kind: str, key: str = "") -> PageScreen:
        return PageScreen(kind, key, self.theme_name)

    def _open(self, screen: BoardScreen) -> None:
        screen.moment = self.moment()
        self.push_screen(screen)
