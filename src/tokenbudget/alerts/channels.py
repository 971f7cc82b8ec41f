"""The ways to a person. Each takes one message and tells, as a value, how it went.

What fails is told in words of our own, never in those of a library or a server: these may hold the
address, and the address is the secret.
"""

from __future__ import annotations

import os

from tokenbudget.alerts import inert
from tokenbudget.alerts.delivery import ATTEMPT_SECONDS, KINDS, TIMEOUT_SECONDS, Delivery
from tokenbudget.model.errors import BadConfig, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.alerts.secret import SecretSources
    from tokenbudget.alerts.store import OutboxEntry


class TerminalChannel:
    """The bell, and a desktop notification from those terminals that know one (OSC 9 and 777)."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Write it to the terminal."""
        try:
            self._write(terminal_text(entry))
        except (OSError, ValueError):  # gone, or closed
            return Delivery(False, "there is no terminal to ring", is_retryable=False)
        return Delivery(True, "rung")


class DesktopChannel:
    """A notification of the desktop: notify-send or osascript, run by its arguments."""

    def __init__(
        self,
        program: str | None,
        run: Callable[[Sequence[str]], int],
    ) -> None:
        """Take the program as `desktop_program` found it, and what runs it: its exit code."""
        self._program = program
        self._run = run

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Run the program."""
        if self._program is None:
            return Delivery(False, "neither notify-send nor osascript is installed")
        name = os.path.basename(self._program)
        try:
            code = self._run(desktop_command(self._program, entry))
        except Exception as failure:  # noqa: BLE001  an isolated attempt; its text may hold anything
            return Delivery(False, f"{name} failed ({type(failure).__name__})", is_retryable=True)
        return Delivery(code == 0, f"{name} ended with {code}", is_retryable=code != 0)


class RemoteChannel:
    """E-mail, Slack, Discord and whatever else apprise speaks."""

    def __init__(self, kind: str, target: str, secrets: SecretSources) -> None:
        """Take a kind of `REMOTE_KINDS`, and a URL or a reference to where it is kept."""
        self._kind = kind
        self._target = target
        self._secrets = secrets

    def deliver(self, entry: OutboxEntry) -> Delivery:
        """Look the secret up, and send; what takes too long is left to itself."""
        return _in_time(lambda: self._attempted(entry))

    def _attempted(self, entry: OutboxEntry) -> Delivery:
        try:
            from tokenbudget.alerts import remote

            url = self._secrets.resolve(self._target)
            return remote.send(self._kind, url, entry)
        except TokenBudgetError as reason:
            return Delivery(False, inert.one_line(str(reason)))
        except Exception as failure:  # noqa: BLE001  an isolated attempt; its text may hold the secret
            return Delivery(
                False, f"{self._kind} failed ({type(failure).__name__})", is_retryable=True
            )


def _in_time(attempt: Callable[[], Delivery]) -> Delivery:
    """What came of an attempt within `ATTEMPT_SECONDS`.

    One that goes on after that does so in a thread for which the end of the process does not wait.
    """
    import threading

    done: list[Delivery] = []
    worker = threading.Thread(target=lambda: done.append(attempt()), daemon=True)
    worker.start()
    worker.join(ATTEMPT_SECONDS)
    return done[0] if done else Delivery(False, "no answer in time", is_retryable=True)


def terminal_text(entry: OutboxEntry) -> str:
    """Bell, OSC 9 and OSC 777; terminals that do not know them show nothing."""
    title, body = (_osc(text) for text in (entry.title, entry.body))
    return f"\a\x1b]9;{title}\x1b\\\x1b]777;notify;{title};{body}\x1b\\"


def desktop_program(which: Callable[[str], str | None]) -> str | None:
    """The first of the programs that is there."""
    return next((found for name in ("notify-send", "osascript") if (found := which(name))), None)


def desktop_command(program: str, entry: OutboxEntry) -> list[str]:
    """The arguments; the text is an argument of its own and never part of a script."""
    title, body = inert.one_line(entry.title), inert.lines(entry.body, 500)
    if os.path.basename(program) == "notify-send":
        is_grave = entry.level in ("critical", "emergency")
        urgency = "critical" if is_grave else "normal"
        markup = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return [program, "--app-name=tokens", f"--urgency={urgency}", "--", title, markup]
    script = "display notification (item 2 of argv) with title (item 1 of argv)"
    # A leading space: an argument that begins with a dash would be taken for an option.
    texts = [f" {text}" if text.startswith("-") else text for text in (title, body)]
    return [program, "-e", "on run argv", "-e", script, "-e", "end run", *texts]


def run_command(command: Sequence[str]) -> int:
    """Run a program to its end, its output thrown away.

    Raises:
        OSError: it cannot be started.
        TimeoutExpired: it took longer than `TIMEOUT_SECONDS`; it was ended.
    """
    import subprocess

    silent = subprocess.DEVNULL
    done = subprocess.run(
        list(command), stdin=silent, stdout=silent, stderr=silent, timeout=TIMEOUT_SECONDS,
        check=False,
    )  # fmt: skip
    return done.returncode


def checked_kind(kind: str) -> str:
    """The kind, if there is such a one.

    Raises:
        BadConfig: there is not.
    """
    if kind not in KINDS:
        raise BadConfig(f"{inert.one_line(kind, 40)!r} is no channel; use {', '.join(KINDS)}")
    return kind


def _osc(text: str) -> str:
    return inert.one_line(text).replace(";", ",")
