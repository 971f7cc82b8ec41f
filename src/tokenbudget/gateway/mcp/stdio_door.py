"""Messages as lines of standard input and output, for one client.

The reader is the main thread, which signals interrupt; whoever has something to say writes, one at
a time. Nothing else may reach standard output: what this process or a library prints goes to
standard error. When the client closes its end, or sends a signal, the servers end at once: some
clients kill a tenth of a second later.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenbudget.gateway.mcp.client import Message, Told
    from tokenbudget.gateway.mcp.engine import Engine
    from tokenbudget.gateway.mcp.front import Front

READ_BYTES = 1 << 16
MOST_LINE_BYTES = 64_000_000
LAST_SECONDS = 1.0
"""For the answers that are still on their way when the client has said its last word."""
INPUT, OUTPUT, ERRORS = 0, 1, 2


class StdioDoor:
    """Serves one client over two descriptors."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._turn = threading.Lock()
        self._is_open = True

    def serve(self, front: Front) -> None:
        """Take messages until the client says no more."""
        for line in lines_of(self._source):
            if line is None:
                front.take("too long")  # answered as what it is: no message
            else:
                front.take_line(line)
            if not self._is_open:
                return

    def send(self, message: Message) -> bool:
        """Write one message; False where the client is gone."""
        data = line_of(message)
        with self._turn:
            if self._is_open:
                try:
                    _write(self._sink, data)
                except OSError:
                    self._is_open = False
            return self._is_open


def serve_stdio(make_front: Callable[[Told], Front], engine: Engine) -> None:
    """Serve the client at standard input and output until it is gone; then all ends, this too.

    What is loaded beside (the vocabulary, in native code) may still be at it, and a thread that
    comes back from there while the interpreter is taken down aborts the process.
    """
    door = StdioDoor(INPUT, _own_output())
    with stopped_by_signals(engine):
        front = make_front(door.send)
        try:
            door.serve(front)
            front.wait(LAST_SECONDS)
        finally:
            front.cancel_all()
            engine.close()
    os._exit(0)


@contextlib.contextmanager
def stopped_by_signals(engine: Engine) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end all children, then this process, without a word."""

    def stop(number: int, _: object) -> None:
        try:
            engine.kill()
        finally:
            os._exit(128 + number)

    before = {
        number: signal.signal(number, stop)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def lines_of(source: int) -> Iterator[bytes | None]:
    """The lines of a descriptor as they come; None for one that is too long, which is dropped.

    The last line need not have an end.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            data = os.read(source, READ_BYTES)
        except OSError:
            data = b""
        if not data:
            break
        *ended, rest = data.split(b"\n")
        for line in ended:
            size += len(line)
            yield None if size > MOST_LINE_BYTES else b"".join([*parts, line])
            parts, size = [], 0
        size += len(rest)
        if size > MOST_LINE_BYTES:
            parts = []
        elif rest:
            parts.append(rest)
    if parts and size <= MOST_LINE_BYTES:
        yield b"".join(parts)


def _own_output() -> int:
    """Standard output for messages alone; what prints to it from now on goes to standard error.

    Descriptors that this process was handed beyond the three are not handed on to servers.
    """
    sink = os.dup(OUTPUT)
    try:
        os.dup2(ERRORS, OUTPUT)
    except OSError:  # it is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), OUTPUT)
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                if int(name) > ERRORS:
                    os.set_inheritable(int(name), False)
    return sink


def _write(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def line_of(message: Message) -> bytes:
    """The message as one line of ASCII, which any text can be; else an error in its place."""
    try:
        return json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except (ValueError, TypeError, RecursionError) as exc:
        error = {"code": -32603, "message": f"the answer cannot be written ({type(exc).__name__})"}
        refusal = {"jsonrpc": "2.0", "id": message.get("id"), "error": error}
        return json.dumps(refusal).encode() + b"\n"
