"""The view in a real pseudo terminal: what is on the wire, and what is left when it is over."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
_CHILD = """
import sys
sys.path[:0] = {paths!r}
import threading
import monitor_frames
from make_monitor_picture import FixedSource
from tokenbudget.dashboard.terminal.app import MonitorApp
from tests.dashboard.terminal.hostile import NASTY, hostile_frame

class Stuck(FixedSource):
    asked = 0
    def next_frame(self, chosen):
        self.asked += 1
        if self.asked > 1:
            threading.Event().wait()
        return self.frame

frame = monitor_frames.frame("warning")
{setup}
app = MonitorApp(source, {interval}, {options})
app.run()
print("ended well")
"""


class Ended(NamedTuple):
    """How it went."""

    wire: bytes
    code: int
    seconds_to_end: float
    """From the last key, or the signal, to the end of the process."""
    modes_restored: bool
    waits_seconds: tuple[float, ...]
    """From each key, the last one apart, to the first byte that it brought."""


def run_in_pty(
    *keys: bytes,
    setup: str = "source = lambda: FixedSource(frame)",
    options: str = "theme='dark'",
    interval: float = 30.0,
    size: tuple[int, int] = (100, 30),
    signal_number: int = 0,
    **variables: str,
) -> Ended:
    """Start it, wait for the first picture, and send each of `keys` when the last one is done."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    before = termios.tcgetattr(follower)
    paths = [str(ROOT / "src"), str(ROOT / "tools"), str(ROOT)]
    script = _CHILD.format(paths=paths, setup=setup, options=options, interval=interval)
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm-256color",
                   "COLORTERM": "truecolor", **variables}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        wire = _read(leader, until=b"quit")
        waits = []
        for key in keys[:-1]:
            began = time.perf_counter()
            os.write(leader, key)
            wire += _read(leader, until=b"\x1b[")
            waits.append(time.perf_counter() - began)
            wire += _read(leader)
        began = time.perf_counter()
        if signal_number:
            os.kill(process.pid, signal_number)
        else:
            os.write(leader, keys[-1])
        wire += _read(leader, until=b"ended well")
        code = process.wait(10)
        seconds = time.perf_counter() - began
    finally:
        process.kill()
        process.wait()
    after = termios.tcgetattr(follower)
    os.close(follower)
    os.close(leader)
    return Ended(wire, code, seconds, before[:4] == after[:4], tuple(waits))


def _read(leader: int, until: bytes = b"", most_seconds: float = 10.0) -> bytes:
    """What comes until this is among it; without it, until nothing comes any more."""
    found = b""
    end = time.perf_counter() + most_seconds
    while time.perf_counter() < end:
        ready, _, _ = select.select([leader], [], [], 0.05 if until else 0.12)
        if ready:
            try:
                found += os.read(leader, 65_536)
            except OSError:
                break
            if until and until in found:
                break
        elif not until:
            break
    return found
