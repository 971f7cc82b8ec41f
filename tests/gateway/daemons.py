"""Real daemons and pretended ones, for homes of their own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tokenbudget.gateway import hook_client
from tokenbudget.gateway.daemon.status import DaemonStatus, status_of
from tokenbudget.gateway.hook_files import hook_command
from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()

FOLDER = os.path.dirname(hook_client.__file__)
SESSION = "5d0c1f5e-0000-4000-8000-00000000abcd"
QUICK = "hook_client.STDIN_SECONDS = 0.2; hook_client.DAEMON_SECONDS = 0.2;"
PAUSE_SECONDS = 0.01
LONGEST_SECONDS = 20.0


def until(is_so: Callable[[], bool], seconds: float = LONGEST_SECONDS) -> None:
    """Wait for what comes by itself, and fail when it does not."""
    end = CLOCK.monotonic_seconds() + seconds
    while not is_so():
        assert CLOCK.monotonic_seconds() < end, "it did not come"
        CLOCK.sleep(PAUSE_SECONDS)


def bound_by_modes() -> None:
    """For a process that begins: the modes of files hold for it even where root runs the tests."""
    drop = getattr(ctypes.CDLL(None), "prctl", None)  # Linux
    for override in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if drop is not None:
            drop(24, override, 0, 0, 0)  # PR_CAPBSET_DROP


def start_nothing(home: Path) -> None:
    """Have hooks of this home start no daemon."""
    (home / "hooks").mkdir(parents=True, exist_ok=True)
    (home / "hooks/settings.json").write_text('{"is_starting_daemon": false}')


def environment_of(home: Path, **more: str) -> dict[str, str]:
    """All that such a process is told."""
    told = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TOKENS_HOME": str(home)}
    return {**told, "CLAUDE_CONFIG_DIR": str(home / "claude"), "TOKENS_BACKFILL": "off", **more}


def hook(
    home: Path | str, payload: bytes, *options: str, code: str = QUICK
) -> subprocess.CompletedProcess[bytes]:
    """One hook as wired, but that its patience is shorter; `code` may change more of it."""
    command = shlex.split(hook_command(sys.executable, str(home)))
    command[3] = command[3].replace("hook_client.main()", f"{code} hook_client.main()")
    return subprocess.run(
        [*command, *options],
        input=payload,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
        timeout=20,
        preexec_fn=bound_by_modes,
    )


@contextlib.contextmanager
def pretended(home: Path, behave: Callable[[socket.socket], None]) -> Iterator[list[int]]:
    """Something that listens where a daemon would, and does as it likes; counts its visitors."""
    run = home / "run"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    visits: list[int] = []
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.getcwd()
        os.chdir(run)
        listener.bind("daemon.sock")
        os.chdir(before)
        listener.listen()

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                visits.append(1)
                with connection, contextlib.suppress(OSError):
                    behave(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield visits
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def read_all(connection: socket.socket) -> bytes:
    """What the other side says until its end."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def asked(home: Path, payload: bytes) -> bytes:
    """What a daemon sends back, all of it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        before = os.getcwd()
        os.chdir(home)
        connection.connect("run/daemon.sock")
        os.chdir(before)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(payload)
            connection.shutdown(socket.SHUT_WR)
        try:
            return read_all(connection)
        except ConnectionResetError:
            return b""


@contextlib.contextmanager
def daemon(
    home: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`tokens serve` as a process of its own; nothing of it is left at the end."""
    process = spawned(home, *options, environment=environment)
    try:
        until(lambda: process.poll() is not None or answers(home))
        yield process
    finally:
        ended(process)


def spawned(
    home: Path, *options: str, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """The same, without waiting for it."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tokenbudget", "serve", *options],
        env=dict(environment or environment_of(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> None:
    """End it, and its pipes."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
        process.terminate()
    process.communicate(timeout=15)


def answers(home: Path) -> bool:
    """Whether a daemon of this home answers."""
    status = status_of(str(home))
    return status.is_running and status.pid > 0 and not status.trouble.startswith("it ")


def status(home: Path) -> DaemonStatus:
    """How the daemon of this home is."""
    return status_of(str(home))


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
