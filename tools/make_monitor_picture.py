"""Draw the live view with its sample session: the picture of the documentation, and any other.

python tools/make_monitor_picture.py                     writes docs/monitor.svg
python tools/make_monitor_picture.py OUT 80x24 critical  writes OUT; keys may follow, such as s
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import monitor_frames
from tokenbudget.dashboard.terminal.app import MonitorApp
from tokenbudget.dashboard.view_model import Frame

PICTURE = Path("docs/monitor.svg")
FACES = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


class FixedSource:
    """Gives the same frame each time."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def next_frame(self, chosen: str) -> Frame:
        """The frame, whatever is chosen."""
        return self.frame

    def close(self) -> None:
        """Nothing is held."""


class StoppedClock:
    """Time that goes by when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now_ms(self) -> int:
        """Of the sample."""
        return monitor_frames.MADE_AT_MS

    def monotonic_seconds(self) -> float:
        """As far as it was moved."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.seconds += seconds


def photograph(app: MonitorApp) -> str:
    """The screen as SVG in any system's monospace face: nothing in it is fetched from elsewhere."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", app.export_screenshot(), flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", FACES).replace("Fira Code", FACES)
    svg = re.sub(r" *<!--.*?-->\n?", "", svg)
    svg = re.sub(r' clip-path="url\(#[^"]*-line-\d+\)"', "", svg)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    return re.sub(r"<g transform=\"translate\(26,22\)\">.*?</g>\s*", "", svg, flags=re.DOTALL)


async def picture(frame: Frame, size: tuple[int, int], theme: str, keys: list[str]) -> str:
    """The view of this frame after these keys."""
    app = MonitorApp(lambda: FixedSource(frame), 30.0, theme=theme, clock=StoppedClock())
    async with app.run_test(size=size) as pilot:
        await until_shown(app)
        if keys:
            await pilot.press(*keys)
        await pilot.pause()
        return photograph(app)


async def until_shown(app: MonitorApp) -> None:
    """Wait for the feed's thread to have delivered."""
    for _ in range(500):
        if not app.moment().is_asking:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(0)


def main(arguments: list[str]) -> None:
    """Write one picture."""
    out = Path(arguments[0]) if arguments else PICTURE
    width, height = (arguments[1] if len(arguments) > 1 else "120x40").split("x")
    level = arguments[2] if len(arguments) > 2 else "warning"
    theme = arguments[3] if len(arguments) > 3 else "dark"
    frame = monitor_frames.empty_frame() if level == "empty" else monitor_frames.frame(level)
    svg = asyncio.run(picture(frame, (int(width), int(height)), theme, arguments[4:]))
    out.write_text(svg, encoding="utf-8")
    print(out)


if __name__ == "__main__":
    main(sys.argv[1:])
