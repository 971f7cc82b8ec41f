"""Measure the monitor on a transcript that grows; print the table of docs/monitor.md.

`python tools/bench_monitor.py [--seconds 60] [--hours 8] [--output FILE]`. A home of its own under
a temporary folder; real processes (`tokens monitor 1s --json`, and the full screen in a pseudo
terminal), a writer of 50 lines a second, and eight hours of ticks on a clock that is moved by hand.

Update latency: from the moment a line is on disk until a frame shows it. CPU: user and system time
of the monitor's process over wall time, of one core.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import json
import os
import pty
import resource
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

LINES_PER_SECOND = 50
BEAT_SECONDS = 30.0
SCREEN = (40, 120)
KEY = b"?"


class Home:
    """A home in which an agent works."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.project = path / "shop"
        self.project.mkdir(parents=True)
        self._folder = path / ".claude" / "projects" / "-shop"
        self._folder.mkdir(parents=True)
        self.begin("s1")

    def begin(self, session: str) -> None:
        """Go on in a session of its own."""
        self._session = session
        self.transcript = self._folder / f"{session}.jsonl"
        self.responses = 0
        self.written_at: dict[int, float] = {}

    @property
    def environment(self) -> dict[str, str]:
        """All that a command is told from outside."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.path),
            "TOKENS_HOME": str(self.path / "tokens"),
            "CLAUDE_CONFIG_DIR": str(self.path / ".claude"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }

    def write(self, count: int, at: datetime) -> None:
        """So many lines: every second one an answer that makes the window 100 tokens larger."""
        lines = []
        for number in range(count):
            is_answer = number % 2 == 1
            self.responses += is_answer
            lines.append(self._answer(at) if is_answer else self._result(at))
        with self.transcript.open("a") as handle:
            handle.write("".join(json.dumps(line) + "\n" for line in lines))
        self.written_at[tokens_after(self.responses)] = time.monotonic()

    def _line(self, kind: str, at: datetime, message: dict[str, object]) -> dict[str, object]:
        return {
            "type": kind,
            "uuid": f"{self._session}-{kind}-{self.responses}",
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            "sessionId": self._session,
            "cwd": str(self.project),
            "gitBranch": "main",
            "version": "2.1.329",
            "message": message,
        }

    def _result(self, at: datetime) -> dict[str, object]:
        text = f"line {self.responses}: " + "the cart rounds its totals once, " * 6
        return self._line("user", at, {"role": "user", "content": text})

    def _answer(self, at: datetime) -> dict[str, object]:
        usage = {
            "input_tokens": 4,
            "cache_creation_input_tokens": 90,
            "cache_read_input_tokens": tokens_after(self.responses) - 100,
            "output_tokens": 6,
        }
        message: dict[str, object] = {
            "id": f"msg_{self._session}_{self.responses}",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "stop_reason": "end_turn",
            "usage": usage,
            "content": [{"type": "text", "text": "Done."}],
        }
        request = f"req_{self._session}_{self.responses}"
        return self._line("assistant", at, message) | {"requestId": request}


def tokens_after(responses: int) -> int:
    """What is in the window after so many answers."""
    return 20_000 + 100 * responses


@contextmanager
def writing(home: Home, seconds: float) -> Iterator[None]:
    """In the background: 50 lines a second, ten times a second five of them."""
    is_over = threading.Event()

    def write() -> None:
        begun = time.monotonic()
        beat = 0
        while not is_over.is_set() and time.monotonic() - begun < seconds:
            home.write(LINES_PER_SECOND // 10, datetime.now(UTC))
            beat += 1
            is_over.wait(max(0.0, begun + beat / 10 - time.monotonic()))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        is_over.set()
        writer.join()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int | str = "self") -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def shown_tokens(told: dict[str, dict[str, int | None] | None]) -> int:
    """How full the window is by a frame; 0 is unknown."""
    return (told["current"] or {}).get("total_tokens") or 0


def followed(home: Home, interval: str, seconds: float) -> tuple[list[float], float]:
    """Latencies in seconds of what was written while a stream of frames ran, and its CPU share."""
    command = [sys.executable, "-m", "tokenbudget", "monitor", interval, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=home.environment) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        seen = shown_tokens(first)
        latencies = []
        cpu, begun = cpu_seconds(process.pid), time.monotonic()
        with writing(home, seconds):
            while time.monotonic() - begun < seconds:
                shown = shown_tokens(json.loads(process.stdout.readline()))
                now = time.monotonic()
                latencies += [
                    now - at
                    for tokens, at in list(home.written_at.items())
                    if seen < tokens <= shown
                ]
                seen = max(seen, shown)
        share = (cpu_seconds(process.pid) - cpu) / (time.monotonic() - begun)
        process.send_signal(signal.SIGINT)
    return latencies, share


class Screen:
    """The monitor's full screen in a pseudo terminal."""

    def __init__(self, home: Home, interval: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            command = [sys.executable, "-m", "tokenbudget", "monitor", interval]
            os.execve(sys.executable, command, home.environment)
        size = struct.pack("HHHH", *SCREEN, 0, 0)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, size)
        self.bytes = 0

    def read_for(self, seconds: float) -> None:
        """Take what it draws, so that it never has to wait."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._end], [], [], left)[0]:
                try:
                    self.bytes += len(os.read(self._end, 1 << 16))
                except OSError:
                    return

    def key_seconds(self, key: bytes) -> float:
        """How long until something is drawn after a key."""
        begun = time.monotonic()
        os.write(self._end, key)
        select.select([self._end], [], [], 5.0)
        spent = time.monotonic() - begun
        self.read_for(0.3)
        return spent

    def cpu_share(self, seconds: float) -> tuple[float, float]:
        """CPU share of one core, and bytes drawn a second, over a while."""
        cpu, drawn, begun = cpu_seconds(self.pid), self.bytes, time.monotonic()
        self.read_for(seconds)
        wall = time.monotonic() - begun
        return (cpu_seconds(self.pid) - cpu) / wall, (self.bytes - drawn) / wall

    def quit(self) -> None:
        """Leave as a person does."""
        os.write(self._end, b"q")
        self.read_for(1.0)
        os.waitpid(self.pid, 0)
        os.close(self._end)


def on_screen(home: Home, interval: str, seconds: float) -> list[str]:
    """The rows of the full screen: at rest, and while the transcript grows."""
    screen = Screen(home, interval)
    screen.read_for(4.0)
    rest, rest_bytes = screen.cpu_share(seconds)
    keys = [screen.key_seconds(KEY) for _ in range(20)]  # opens and closes the help
    with writing(home, seconds):
        busy, busy_bytes = screen.cpu_share(seconds)
    memory = resident_mb(screen.pid)
    screen.quit()
    return [
        f"| screen of 120 x 40, every {interval}, at rest | {rest:.2%} of a core"
        f" | {rest_bytes:,.0f} bytes/s drawn |",
        f"| ... while 50 lines/s are written | {busy:.2%} | {busy_bytes:,.0f} bytes/s |",
        f"| ... a key answers | {statistics.median(keys) * 1000:.0f} ms median"
        f" | {max(keys) * 1000:.0f} ms at most of {len(keys)} |",
        f"| ... memory | {memory:.0f} MB | |",
    ]


class MovedClock:
    """A clock for a day that passes in a minute."""

    def __init__(self, at_ms: int) -> None:
        self.ms = at_ms

    def now_ms(self) -> int:
        """What it was moved to."""
        return self.ms

    def monotonic_seconds(self) -> float:
        """The same."""
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.ms += round(seconds * 1000)


def soaked(home: Home, hours: int) -> list[str]:
    """Memory after each simulated hour of ticks; every hour a session of 240 answers begins."""
    from tokenbudget.app.live import LiveSource
    from tokenbudget.config.settings import settings_from
    from tokenbudget.dashboard.plain import frame_lines
    from tokenbudget.model.figures import Style

    clock = MovedClock(time.time_ns() // 1_000_000)
    settings = settings_from(home.environment)
    source = LiveSource(lambda _: settings, BEAT_SECONDS, clock=clock)
    ticks_per_hour = round(3600 / BEAT_SECONDS)
    memory = []
    for hour in range(hours):
        home.begin(f"hour-{hour}")
        for _ in range(ticks_per_hour):
            clock.sleep(BEAT_SECONDS)
            home.write(4, datetime.fromtimestamp(clock.ms / 1000, UTC))
            frame_lines(source.next_frame(), Style(120, is_styled=False))
        gc.collect()
        memory.append((resident_mb(), len(gc.get_objects())))
    source.close()
    grown = memory[-1][0] - memory[0][0]
    objects = memory[-1][1] - memory[0][1]
    return [
        f"| {hours} simulated hours, {hours * ticks_per_hour:,} ticks, {home.responses:,} answers"
        f" an hour | {memory[0][0]:.0f} MB after the first hour,"
        f" {memory[-1][0]:.0f} MB after the last | {grown:+.1f} MB, {objects:+,} objects |"
    ]


def table(seconds: float, hours: int) -> Iterator[str]:
    """The rows, as they are measured."""
    yield "| | | |"
    yield "|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "a")
        home.write(200, datetime.now(UTC))
        for interval in ("1s", "5s"):
            latencies, share = followed(home, interval, seconds)
            ordered = sorted(latencies)
            yield (
                f"| `monitor {interval} --json`, 50 lines/s: a line is shown after"
                f" | {statistics.median(ordered):.2f} s median,"
                f" {ordered[len(ordered) * 9 // 10]:.2f} s p90, {ordered[-1]:.2f} s at most"
                f" | {share:.2%} of a core |"
            )
        for interval in ("5s", "30s"):
            yield from on_screen(home, interval, seconds)
        other = Home(Path(folder) / "b")
        other.write(200, datetime.now(UTC))
        yield from soaked(other, hours)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each measurement")
    parser.add_argument("--hours", type=int, default=8, help="simulated")
    options = parser.parse_args(arguments)
    for row in table(options.seconds, options.hours):
        print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
