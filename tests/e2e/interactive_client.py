"""Drive a real Claude Code client as a person does: in a terminal, key by key, offline."""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator

from tests.e2e.claude_client import API_KEY, ClaudeClient, ClientError, Sandbox
from tests.e2e.install_clients import program

from tokenbudget.system.clock import SystemClock

ROWS, COLUMNS = 50, 160
PATIENCE_SECONDS = 90
TYPING_SECONDS = 5
"""Within so long a client that listens has drawn what it was told."""
QUIET_SECONDS = 0.3
"""A screen that has not changed for so long is drawn."""
MOVING_SECONDS = 2.0
SEEN_CHARACTERS = 40
"""Of a prompt: what is longer may go on in another line."""
CLEAR_LINE = b"\x15"
CLOCK = SystemClock()
_SPACES = re.compile(rb"\x1b\[(\d*)C")
_ESCAPES = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[\[(][0-9;?<>=]*[ -/]*[@-~]|\x1b.")


def answer_every_question(sandbox: Sandbox, version: str) -> None:
    """Have the client ask nothing before it takes a prompt: it is known, and so is the folder."""
    key = API_KEY["ANTHROPIC_API_KEY"]
    known = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    answers = {
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": version,
        "hasSeenAutoDefaultNudge": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [key[-20:]], "rejected": []},
        "projects": {str(sandbox.project): {**known, "allowedTools": []}},
    }
    (sandbox.config / ".claude.json").write_text(json.dumps(answers), encoding="utf-8")


@dataclasses.dataclass(slots=True)
class Terminal:
    """A terminal in which a client runs."""

    descriptor: int
    _columns: int = COLUMNS

    def say(self, words: str) -> None:
        """Type a prompt and, once it is to be seen, send it off.

        Keys that come before the client listens are lost, and an end of line that comes together
        with the words is a part of what it takes for a paste: on a busy machine either happens.
        """
        known = self._count_of(words)
        until = CLOCK.monotonic_seconds() + PATIENCE_SECONDS
        while CLOCK.monotonic_seconds() < until:
            os.write(self.descriptor, words.encode())
            if self._is_drawn(words, known):
                os.write(self.descriptor, b"\r")
                return
            os.write(self.descriptor, CLEAR_LINE)
        raise ClientError(f"{words!r} is not taken; the screen:{self.screen()}")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other: together they would be taken for a paste."""
        for key in keys:
            os.write(self.descriptor, key.encode())
            self._read(QUIET_SECONDS)

    def screen(self) -> str:
        """All that is on the screen, as text: a client draws all of it for another width."""
        self._columns = COLUMNS + COLUMNS - 1 - self._columns
        _resize(self.descriptor, self._columns)
        select.select([self.descriptor], [], [], TYPING_SECONDS)
        drawn = _SPACES.sub(lambda found: b" " * int(found[1] or 1), self._read(QUIET_SECONDS))
        return _ESCAPES.sub(b"\n", drawn).decode("utf-8", "replace")

    def wait_for(self, what: str, found: Callable[[], bool]) -> None:
        """Let the client work until it is so; raises ClientError where that takes too long."""
        until = CLOCK.monotonic_seconds() + PATIENCE_SECONDS
        while not found():
            if CLOCK.monotonic_seconds() > until:
                raise ClientError(f"no {what} in {PATIENCE_SECONDS} s; the screen:{self.screen()}")
            self._read(0.1)

    def _is_drawn(self, words: str, known: int) -> bool:
        until = CLOCK.monotonic_seconds() + TYPING_SECONDS
        while CLOCK.monotonic_seconds() < until:
            if self._count_of(words) > known:
                return True
        return False

    def _count_of(self, words: str) -> int:
        """How often they are on the screen, or as much of them as stands on one line."""
        return _squeezed(self.screen()).count(_squeezed(words)[:SEEN_CHARACTERS])

    def _read(self, quiet_seconds: float) -> bytes:
        """What the client draws until it is quiet for a while, or something on it only spins."""
        drawn = b""
        until = CLOCK.monotonic_seconds() + MOVING_SECONDS
        while CLOCK.monotonic_seconds() < until:
            if not select.select([self.descriptor], [], [], quiet_seconds)[0]:
                break
            try:
                drawn += os.read(self.descriptor, 65536)
            except OSError as exc:  # how a terminal says that nobody is left in it
                raise ClientError(f"the client has gone, saying {drawn[-2000:]!r}") from exc
        return drawn


@contextlib.contextmanager
def in_a_terminal(client: ClaudeClient, *flags: str) -> Iterator[Terminal]:
    """The client in a terminal of its own until the block ends, with all that it started."""
    ours, its = os.openpty()
    _resize(ours, COLUMNS)
    # Only to whom the terminal belongs does it tell of another width.
    as_its_owner = [program("setsid") or "setsid", "--ctty"]
    with subprocess.Popen(
        [*as_its_owner, *client.command(*flags)],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=client.sandbox.project,
        env={**client.environment(), "TERM": "xterm-256color"},
    ) as process:
        os.close(its)
        try:
            yield Terminal(ours)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _resize(descriptor: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
