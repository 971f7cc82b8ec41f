"""Work in parallel, and work that outlives the command that started it.

`fan_out` forks plain children and reads their results through pipes. It stands in place of a
process pool because a pool costs 30 ms to import and start, which is a tenth of a cold run, and
because children of a killed parent must end by themselves: here the next write to the broken pipe
ends them.
"""

from __future__ import annotations

import contextlib
import fcntl
import marshal
import os
import select
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    Task = TypeVar("Task")

_FRAME_HEADER_BYTES = 4
_READ_BYTES = 1 << 20


class WorkerLost(Exception):
    """A child ended before its share was done; what it sent until then was delivered."""


def can_fork() -> bool:
    """Whether forking is safe here: the call exists and no other thread runs."""
    threading = sys.modules.get("threading")
    alone = threading is None or threading.active_count() == 1
    return hasattr(os, "fork") and alone


def fan_out(
    work: Callable[[Sequence[Task]], Iterable[Any]], shares: Sequence[Sequence[Task]]
) -> Iterator[Any]:
    """Run `work` on every share in a child of its own; yield what they yield, as it comes.

    The yielded values cross a pipe through `marshal`: plain tuples, lists, strings and numbers.

    Raises:
        WorkerLost: a child died or failed.
        OSError: there may be no further process now.
    """
    children: dict[int, int] = {}
    try:
        for share in shares:
            descriptor, pid = _start(work, share, list(children))
            children[descriptor] = pid
        yield from _frames(list(children))
    finally:
        for descriptor in children:
            os.close(descriptor)  # a child that still writes gets EPIPE and ends
        lost = [pid for pid in children.values() if os.waitpid(pid, 0)[1] != 0]
    if lost:
        raise WorkerLost(f"{len(lost)} of {len(shares)} reading processes ended early")


def _start(
    work: Callable[[Sequence[Task]], Iterable[Any]],
    share: Sequence[Task],
    inherited: Sequence[int],
) -> tuple[int, int]:
    reading, writing = os.pipe()
    _widen(writing)
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid:
        os.close(writing)
        return reading, pid
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for descriptor in (reading, *inherited):
            os.close(descriptor)
        with os.fdopen(writing, "wb", buffering=_READ_BYTES) as out:
            for value in work(share):
                frame = marshal.dumps(value)
                out.write(len(frame).to_bytes(_FRAME_HEADER_BYTES, "big"))
                out.write(frame)
        status = 0
    finally:
        os._exit(status)  # no exit handler of the parent may run twice


def _widen(pipe: int) -> None:
    """Let a child run ahead of the parent: 64 KiB, the usual room, makes them wait in turns."""
    command = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
    if command is not None:
        with contextlib.suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe, command, _READ_BYTES)


def _frames(descriptors: list[int]) -> Iterator[Any]:
    pending = {descriptor: bytearray() for descriptor in descriptors}
    while pending:
        ready, _, _ = select.select(list(pending), [], [])
        for descriptor in ready:
            data = os.read(descriptor, _READ_BYTES)
            if not data:
                del pending[descriptor]
                continue
            buffer = pending[descriptor]
            buffer += data
            yield from _complete(buffer)


def _complete(buffer: bytearray) -> Iterator[Any]:
    """Take every whole frame off the front of the buffer."""
    at = 0
    while len(buffer) - at >= _FRAME_HEADER_BYTES:
        body = at + _FRAME_HEADER_BYTES
        end = body + int.from_bytes(buffer[at:body], "big")
        if len(buffer) < end:
            break
        with memoryview(buffer) as view:
            value = marshal.loads(view[body:end])
        yield value
        at = end
    del buffer[:at]


def start_detached(command: Sequence[str], environment: dict[str, str]) -> int:
    """Start a command that goes on when this process ends: own session, no terminal.

    Returns its id: whoever lives longer has to `reaped` it.

    Raises:
        OSError: the program cannot be started.
    """
    null = os.open(os.devnull, os.O_RDWR)
    try:
        return os.posix_spawn(
            command[0],
            list(command),
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, null, n) for n in (0, 1, 2)],
            setsid=True,
        )
    finally:
        os.close(null)


def reaped(pid: int) -> bool:
    """Whether a process that was started here has ended; the kernel then forgets it."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:  # it was none of ours, or was waited for elsewhere
        return True


def be_polite() -> None:
    """Give way to whatever a person is waiting for."""
    os.nice(10)
