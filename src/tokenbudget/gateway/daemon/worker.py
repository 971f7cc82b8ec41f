"""The process that does the chores, as the daemon holds it: lines of JSON go in, lines come back.

It ends when the daemon does, however that one ends: nothing more comes to its stdin then.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess

from tokenbudget.gateway.daemon.chores import Job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

END_SECONDS = 1.0
KILLED_SECONDS = 2.0
"""Nothing keeps a killed process but a disk that hangs, and hooks do not wait for that."""
LONGEST_LINE = 4096
LONGEST_FAULT = 80


class Worker:
    """A running worker process."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self.descriptor = self._process.stdout.fileno()
        os.set_blocking(self.descriptor, False)
        self._pending = b""
        self.is_gone = False
        self.sent = 0

    def send(self, job: Job) -> None:
        """Have it do something; it has nothing else to do now, so its pipe is empty.

        Raises:
            OSError: it is gone.
        """
        self._input.write(json.dumps(job._asdict()).encode() + b"\n")
        self._input.flush()
        self.sent += 1

    def heard(self) -> list[str]:
        """Of each job that it has ended since the last call: its fault, '' is none.

        Behind a tab stands what else it has to say.
        """
        with contextlib.suppress(BlockingIOError):
            while not self.is_gone:
                part = os.read(self.descriptor, LONGEST_LINE)
                self.is_gone = not part
                self._pending += part
        *lines, self._pending = self._pending.split(b"\n")
        self._pending = self._pending[-LONGEST_LINE:]
        return [line.decode("utf-8", "replace")[:LONGEST_FAULT] for line in lines]

    def end(self) -> None:
        """End it, now; whatever it writes it writes as a whole or not at all."""
        with contextlib.suppress(OSError):
            self._input.close()
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # on a disk that hangs
                self._process.wait(KILLED_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()


def work(take: BinaryIO, tell: BinaryIO, do: Callable[[Job], str]) -> None:
    """The worker's own side: do one job after the other until no more come.

    What `do` returns goes back behind a tab. A fault goes back by its name alone: its words may
    hold what a person wrote.
    """
    for line in take:
        try:
            said = do(job_of(line))
            answer = f"\t{said}" if said else ""
        except Exception as failure:  # noqa: BLE001 - the next job may do better
            answer = type(failure).__name__
        tell.write(answer.encode() + b"\n")
        tell.flush()


def job_of(line: bytes) -> Job:
    """The job of a line.

    Raises:
        ValueError: it is none.
    """
    told = json.loads(line)
    kind, session, folder = (str(told.get(name, "")) for name in Job._fields)
    return Job(kind, session, folder)
