"""Processes that have a file open, for as long as a test lasts."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator

Start = Callable[..., "subprocess.Popen[str]"]


@contextlib.contextmanager
def holders(script: str) -> Iterator[Start]:
    """Starts processes of a script, which gets what it is started with and says `open` first."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.communicate()
