"""What the live view costs: memory over many frames, and time and bytes while nothing happens.

python tools/monitor_soak.py                  4,000 frames, then 20 s at rest in a pseudo terminal
python tools/monitor_soak.py --frames 960 --idle-seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import os
import pty
import resource
import select
import struct
import subprocess
import sys
import termios
import time
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import monitor_frames
from make_monitor_picture import FixedSource, StoppedClock, until_shown
from tokenbudget.dashboard.terminal.app import MonitorApp
from tokenbudget.dashboard.view_model import Frame

HERE = Path(__file__).parent
LEVELS = ("healthy", "warning", "critical", "emergency")
SIZE = (120, 40)


class Growing(FixedSource):
    """Every frame is new: later, fuller, in another state now and then."""

    def __init__(self) -> None:
        super().__init__(monitor_frames.frame())
        self.count = 0

    def next_frame(self, chosen: str) -> Frame:
        """The next half minute."""
        self.count += 1
        level = LEVELS[self.count // 40 % len(LEVELS)]
        at_ms = monitor_frames.MADE_AT_MS + self.count * 30_000
        return monitor_frames.frame(level, at_ms=at_ms, grown_by=self.count % 40 * 100)


class Held(NamedTuple):
    """What the process holds at one moment."""

    frames: int
    kilobytes: float
    objects: int


async def soak(frames: int) -> list[Held]:
    """Show so many frames, each half a simulated minute after the other; weigh now and then."""
    clock, source = StoppedClock(), Growing()
    app = MonitorApp(lambda: source, 30.0, theme="dark", clock=clock)
    found: list[Held] = []
    async with app.run_test(size=SIZE) as pilot:
        await until_shown(app)
        tracemalloc.start()
        for number in range(frames + 1):
            if number % max(1, frames // 8) == 0:
                await pilot.pause()
                gc.collect()
                held, _ = tracemalloc.get_traced_memory()
                found.append(Held(number, held / 1024, len(gc.get_objects())))
            clock.seconds += 30
            app.tick()
            await until_shown(app)
    tracemalloc.stop()
    return found


class Rest(NamedTuple):
    """What a process did in a time in which nothing happened."""

    wall_seconds: float
    cpu_seconds: float
    bytes_written: int

    @property
    def told(self) -> str:
        """In one line."""
        share = self.cpu_seconds / self.wall_seconds
        per_minute = self.bytes_written / self.wall_seconds * 60
        return (
            f"{self.cpu_seconds:.3f} s of CPU in {self.wall_seconds:.1f} s: {share:.2%}; "
            f"{self.bytes_written:,} bytes, {per_minute:,.0f} a minute"
        )


def rest(seconds: float, level: str = "warning") -> Rest:
    """Run the view in a pseudo terminal, let it come to rest, and measure what it does then."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    command = [sys.executable, __file__, "--child", level]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONPATH": os.pathsep.join((str(HERE.parent / "src"), str(HERE))),
    }
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower,
                               env=environment, start_new_session=True)  # fmt: skip
    try:
        _drain(leader, 3.0)
        cpu, began = _cpu_seconds(process.pid), time.perf_counter()
        written = _drain(leader, seconds)
        wall = time.perf_counter() - began
        cpu = _cpu_seconds(process.pid) - cpu
        os.write(leader, b"q")
        _drain(leader, 1.0)
        process.wait(10)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
        os.close(follower)
    return Rest(wall, cpu, written)


def _drain(leader: int, seconds: float) -> int:
    end, count = time.perf_counter() + seconds, 0
    while (left := end - time.perf_counter()) > 0:
        if select.select([leader], [], [], left)[0]:
            try:
                count += len(os.read(leader, 65_536))
            except OSError:
                break
    return count


def _cpu_seconds(pid: int) -> float:
    """User and system time so far, by the kernel's clock ticks (1/100 s)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=4_000)
    parser.add_argument("--idle-seconds", type=float, default=20.0)
    parser.add_argument("--child", default="")
    asked = parser.parse_args()
    if asked.child:
        frame = monitor_frames.frame(asked.child)
        MonitorApp(lambda: FixedSource(frame), 30.0, theme="dark").run()
        return
    if asked.frames:
        began = time.perf_counter()
        weights = asyncio.run(soak(asked.frames))
        each_ms = (time.perf_counter() - began) / asked.frames * 1000
        print(f"{asked.frames:,} frames, {each_ms:.1f} ms each; traced by tracemalloc, after gc:")
        for one in weights:
            print(f"{one.frames:>7,}  {one.kilobytes:>9,.1f} KB  {one.objects:>9,} objects")
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.1f} MB resident")
    if asked.idle_seconds:
        print(f"at rest: {rest(asked.idle_seconds).told}")


if __name__ == "__main__":
    main()
