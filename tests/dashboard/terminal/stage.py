"""The live view on a stage: a source that says what it is told, a clock that is moved by hand."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from textual import events
from textual.pilot import Pilot

import monitor_frames
from make_monitor_picture import StoppedClock
from tokenbudget.dashboard.terminal.app import MonitorApp
from tokenbudget.dashboard.terminal.screens import FOOT, BoardScreen
from tokenbudget.dashboard.terminal.spans import plain_text
from tokenbudget.dashboard.view_model import Frame

Told = Frame | Exception


class FakeSource:
    """Gives what it was told last, and remembers who asked for what, in which thread."""

    def __init__(self, told: Told | None = None) -> None:
        self.told: Told = told or monitor_frames.frame()
        self.asked: list[str] = []
        self.threads: list[str] = []
        self.is_closed = False
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def made(self) -> "FakeSource":
        """What the view calls to get it."""
        self._note()
        return self

    def next_frame(self, chosen: str) -> Frame:
        """What was told; waits while the gate is closed."""
        self._note()
        self.asked.append(chosen)
        self.entered.set()
        assert self.gate.wait(20)
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def close(self) -> None:
        """Remember it."""
        self._note()
        self.is_closed = True

    def _note(self) -> None:
        self.threads.append(threading.current_thread().name)


class Stage(NamedTuple):
    """A running view."""

    app: MonitorApp
    pilot: Pilot[None]
    source: FakeSource
    clock: StoppedClock

    async def settle(self) -> None:
        """Until everything that was asked has been answered and drawn."""
        for _ in range(1000):
            await self.drain()
            if not self.app.moment().is_asking or not self.source.gate.is_set():
                break
            await asyncio.sleep(0.002)
        await self.drain()
        self.app.screen._on_timer_update()

    async def drain(self) -> None:
        """Until every message, and those that came of them, has been handled."""
        for _ in range(4):
            if not self.app.is_running or self.app._exit:
                return
            await self.pilot._wait_for_screen()

    async def press(self, *keys: str) -> None:
        """Type, and see what came of it."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await self.drain()
        await self.settle()

    async def pass_seconds(self, seconds: float) -> None:
        """Let time go by, and the view notice."""
        self.clock.seconds += seconds
        self.app.tick()
        await self.settle()

    async def tell(self, told: Told) -> None:
        """A new answer of the source, asked for at once."""
        self.source.told = told
        await self.press("r")
        for _ in range(4):  # until the notice is gone
            self.app.tick()
        await self.settle()

    @property
    def screen(self) -> BoardScreen:
        """The one on top."""
        screen = self.app.screen
        assert isinstance(screen, BoardScreen)
        return screen

    def text(self, name: str = "") -> str:
        """What one panel shows, or the whole screen."""
        board = self.screen.board
        if name:
            panel = board.ground if name == "ground" else board.panels[name]
            return "\n".join(plain_text(line).rstrip() for line in panel._lines).rstrip()
        return "\n".join(self.text(panel) for panel in board.spots)

    @property
    def foot(self) -> str:
        """The last line."""
        return self.text(FOOT)


@contextlib.asynccontextmanager
async def staged(
    told: Told | None = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[Stage]:
    """A view that has got its first answer."""
    source, clock = FakeSource(told), StoppedClock()
    options = {"theme": "dark", **options}
    app = MonitorApp(source.made, 30.0, clock=clock, **options)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, pilot, source, clock)
        await stage.settle()
        yield stage
        source.gate.set()


def play(scene: Callable[[Stage], Any], told: Told | None = None, **options: Any) -> None:
    """Run a scene on a stage of its own."""

    async def played() -> None:
        async with staged(told, **options) as stage:
            await scene(stage)

    asyncio.run(played())
