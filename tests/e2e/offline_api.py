"""A fake Messages API in a network namespace of its own, and the way in for a client.

The namespace has loopback and nothing else: whatever a client asks for, only the fake can answer.
Its process keeps the namespace alive; `enter` wraps a command so that it runs inside.
"""

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tests.e2e.billing import Exchange, read_exchanges
from tests.e2e.install_clients import PROGRAM_FOLDERS, program
from tests.e2e.scripted_answers import Scripts, save_scripts

CHECKOUT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT_SECONDS = 10


class OfflineApi:
    """The running fake, seen from outside of its namespace."""

    def __init__(self, process_id: int, port: int, records: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._process_id = process_id
        self._records = records

    def enter(self, command: Sequence[str]) -> list[str]:
        """The command, to be run inside the namespace."""
        namespaces = ["--preserve-credentials", "--user", "--net"]
        return [_path_of("nsenter"), *namespaces, f"--target={self._process_id}", *command]

    def exchanges(self) -> list[Exchange]:
        """Every request for a message so far, with what was billed for it."""
        return read_exchanges(self._records)


@contextlib.contextmanager
def serving(
    scripts: Scripts, folder: Path, window_tokens: int | None = None
) -> Iterator[OfflineApi]:
    """Serve scripts offline until the block ends; records are kept in `folder`.

    A prompt of more than `window_tokens`, by a quarter of its bytes, is refused as too long.
    """
    records = folder / "records"
    records.mkdir(parents=True)
    save_scripts(scripts, folder / "scripts.json")
    server = [sys.executable, "-m", "tests.e2e.fake_messages_api"]
    files = ["--scripts", str(folder / "scripts.json"), "--records", str(records)]
    files += [] if window_tokens is None else ["--window", str(window_tokens)]
    with (
        (folder / "server.log").open("wb") as log,
        _in_new_namespace([*server, *files], log) as api,
    ):
        assert api.stdout is not None
        announced = api.stdout.readline()  # ends with the process, so it cannot wait for ever
        if not announced:
            raise RuntimeError(f"no fake API: {(folder / 'server.log').read_text()}")
        yield OfflineApi(api.pid, int(announced), records)


@contextlib.contextmanager
def _in_new_namespace(command: list[str], log: IO[bytes]) -> Iterator["subprocess.Popen[str]"]:
    """Run a command as the one keeper of a new namespace, and end it by its own id."""
    script = f"{shlex.quote(_path_of('ip'))} link set lo up && exec {shlex.join(command)}"
    with subprocess.Popen(
        [_path_of("unshare"), "--map-root-user", "--net", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        cwd=CHECKOUT,
        env={"PATH": PROGRAM_FOLDERS, "LANG": "C.UTF-8"},
    ) as keeper:
        try:
            yield keeper
        finally:
            keeper.terminate()
            keeper.wait(STOP_TIMEOUT_SECONDS)


def _path_of(name: str) -> str:
    found = program(name)
    if not found:
        raise RuntimeError(f"{name} is not installed: run tests/e2e/install_clients.py")
    return found
