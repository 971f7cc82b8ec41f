"""A PostgreSQL server of one test: its data and its socket in a temporary folder, no TCP."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tokenbudget.system.clock import SystemClock

NOBODY = 65534
"""The server refuses to be run by root."""
START_SECONDS = 30
POLL_SECONDS = 0.05


class Server(NamedTuple):
    """A running server, and how to ask it."""

    psql: str
    folder: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """`psql` against it, as a person would type it, with errors ending it."""
        return subprocess.run(
            [self.psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
            env=self._environment(),
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "PGHOST": str(self.folder),
            "PGUSER": "tester",
            "PGDATABASE": "postgres",
            "LANG": "C.UTF-8",
        }

    def is_answering(self) -> bool:
        """Whether it takes questions by now."""
        return self.run("-c", "SELECT 1").returncode == 0


@contextlib.contextmanager
def running_server(programs: dict[str, str]) -> Iterator[Server]:
    """A server with an empty UTF-8 database, ended by its own process id."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has few letters
    data = folder / "data"
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        made = [programs["initdb"], "-D", str(data), "-U", "tester", "-A", "trust"]
        made += ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(_as_nobody(made), check=True, capture_output=True, env=_plain(folder))
        serve = [programs["postgres"], "-D", str(data), "-k", str(folder)]
        serve += ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB"]
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                _as_nobody(serve), stdout=log, stderr=log, env=_plain(folder), cwd=folder
            )
        try:
            server = Server(programs["psql"], folder)
            _wait_for(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # a fast shutdown
            process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    clock = SystemClock()
    until = clock.monotonic_seconds() + START_SECONDS
    while not server.is_answering():
        if process.poll() is not None or clock.monotonic_seconds() > until:
            raise RuntimeError((server.folder / "log").read_text(errors="replace")[-2000:])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)


def _as_nobody(command: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise RuntimeError("a server must not be run by root, and there is no setpriv to change it")
    return [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def _plain(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C", "TZ": "UTC"}
