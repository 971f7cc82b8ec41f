"""The real `tokens monitor` in a real terminal: it grows with the transcript, rings, and leaves."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import Talk, plain_session

from tokenbudget.system.clock import SystemClock

pytestmark = pytest.mark.slow
MOST_SECONDS = 20.0


class Terminal:
    """A terminal of 120 columns in which the monitor runs."""

    def __init__(
        self,
        home: Home,
        *arguments: str,
        elsewhere: str = "",
        term: str = "xterm-256color",
        lines: int = 40,
    ) -> None:
        """`elsewhere` names the one of its streams that is not the terminal."""
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 120, 0, 0))
        environment = home.spawn_environment(TERM=term)
        self.process = subprocess.Popen(
            home.command("monitor", *arguments),
            stdin=subprocess.DEVNULL if elsewhere == "stdin" else follower,
            stdout=follower,
            stderr=subprocess.DEVNULL if elsewhere == "stderr" else follower,
            env=environment,
            start_new_session=True,
        )
        os.close(follower)
        self.wire = b""

    def wait_for(self, text: str) -> None:
        """Read until this is drawn."""
        wanted, end = text.encode(), time.perf_counter() + MOST_SECONDS
        while wanted not in self.wire:
            assert time.perf_counter() < end, f"never drawn: {text}"
            assert self._read(), f"ended before it drew: {text}"

    def press(self, key: str) -> None:
        """Type; what was drawn before is forgotten."""
        self.wire = b""
        os.write(self._leader, key.encode())

    def ended(self) -> int:
        """The exit code, once all is drawn."""
        end = time.perf_counter() + MOST_SECONDS
        while time.perf_counter() < end and self._read():
            pass
        return self.process.wait(5)

    def close(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait()
        os.close(self._leader)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._leader], [], [], 1.0)
        if ready:
            try:
                self.wire += os.read(self._leader, 1 << 16)
            except OSError:  # the other end is closed
                return False
        return True


@pytest.fixture
def talk(home: Home, tmp_path: Path) -> Talk:
    """A session that began ten minutes ago, by the real clock."""
    project = tmp_path / "shop"
    project.mkdir()
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    begun = now - timedelta(minutes=10)
    made = plain_session("s1", cwd=str(project), begin=begun).titled("Round the totals")
    made.write(home)
    return made


@pytest.fixture
def screen(home: Home, talk: Talk) -> Iterator[Terminal]:
    """The monitor, looking every second."""
    assert home.spawn("alert", "50", "--bell").code == 0
    made = Terminal(home, "1s")
    yield made
    made.close()


def test_it_follows_a_session_and_leaves_the_terminal_well(
    home: Home, talk: Talk, screen: Terminal
) -> None:
    screen.wait_for("Round the totals")
    screen.wait_for(f"{talk.window_tokens:,} used")
    written = len(talk.lines)
    talk.read(f"{talk.cwd}/src/tax.py", 4_000).answer()
    with talk.path(home).open("a") as transcript:
        transcript.writelines(json.dumps(line) + "\n" for line in talk.lines[written:])
    screen.wait_for("src/tax.py")
    tracker = Path(talk.cwd) / ".claude" / "context" / "token-tracker.json"
    assert json.loads(tracker.read_text())["current"]["total_tokens"] == talk.window_tokens
    screen.press("q")
    assert screen.ended() == 0
    assert b"\x1b[?1049l" in screen.wire, "the screen that was there before is back"
    assert b"Traceback" not in screen.wire


def test_keys_reach_it(screen: Terminal) -> None:
    screen.wait_for("Round the totals")
    screen.press("?")
    screen.wait_for("look less often")
    screen.press("s")
    screen.wait_for("Live sessions")
    screen.press("\x03")
    assert screen.ended() == 0


@pytest.mark.parametrize("elsewhere", ["stdin", "stderr"])
def test_without_all_of_the_terminal_plain_frames_are_drawn(
    home: Home, talk: Talk, elsewhere: str
) -> None:
    screen = Terminal(home, "1s", elsewhere=elsewhere)
    try:
        screen.wait_for(f"{talk.window_tokens:,} used")
        screen.wait_for("leave standard input and standard error to the terminal")
        screen.wire = b""
        screen.wait_for("\x1b[H\x1b[J")  # the next frame
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0
    finally:
        screen.close()


def test_a_dumb_terminal_gets_frames_one_below_the_other(home: Home, talk: Talk) -> None:
    screen = Terminal(home, "1s", term="dumb")
    try:
        screen.wait_for("TERM is 'dumb'")
        screen.wire = b""
        screen.wait_for(f"{talk.window_tokens:,} used")
        screen.process.send_signal(signal.SIGINT)
        assert screen.ended() == 0
        assert b"\x1b" not in screen.wire
    finally:
        screen.close()


def test_a_plain_frame_leaves_its_first_line_in_sight(home: Home, talk: Talk) -> None:
    for number in range(12):
        Talk(f"other{number}", cwd=talk.cwd, begin=talk.at).ask().answer().write(home)
    screen = Terminal(home, "60s", "--session", "s1", elsewhere="stdin", lines=24)
    try:
        screen.wait_for("Ctrl-C ends this")
        assert screen.wire.count(b"\n") < 24
        assert f"{talk.window_tokens:,} used".encode() in screen.wire
    finally:
        screen.close()
