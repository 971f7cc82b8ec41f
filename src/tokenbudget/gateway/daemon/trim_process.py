"""The process that shortens results for the daemon, asked over a pair of sockets.

Shortening 5 MB takes the interpreter for a second: in the daemon itself every other hook would wait
for it. So another process does it, one result after the other, with the vocabulary loaded. Whoever
asks waits as long as its hook may wait; then the result goes on as it is.

    a question    a number, the lengths of header and payload (8 digits each), the two
    an answer     the number, a length, JSON; 0 is said once, when it is ready
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading

from tokenbudget.gateway.hook_client import RESULT_BYTES
from tokenbudget.gateway.hooks.session_state import fault_words
from tokenbudget.gateway.hooks.trim_question import NOTHING, Trimmed, question_from
from tokenbudget.gateway.statusline_values import parsed, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.gateway.hooks.trim_question import Question
    from tokenbudget.model.protocols import Clock

SECONDS, SECONDS_MORE, SECONDS_PER_BYTE = 0.2, 0.3, 1 / (1 << 19)
MOST_SECONDS = 1.4
"""A tenth of a second less than `hook_client` waits for the daemon."""
HUNG_SECONDS = 10.0
"""A process that has not answered for so long is ended."""
AGAIN_SECONDS = 30.0
"""And no other is started before that."""
END_SECONDS = 1.0
MOST_ANSWER = 1 << 24
_DIGITS = 8


class TrimProcess:
    """Asks the process, and starts it when it is not there; from any thread."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._command = command
        self._environment = environment
        self._clock = clock
        self._log = log
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_ready = False
        self._asked = 0
        self._waiting_since = 0.0
        """When the first question was asked that has no answer yet; 0 is none."""
        self._not_before = 0.0

    def wake(self) -> None:
        """Have it begin to load what it needs; waits for nothing."""
        if self._process is None and self._turn.acquire(blocking=False):
            try:
                self._start()
            finally:
                self._turn.release()

    def shorten(self, question: Question) -> Trimmed:
        """The decision about a result; none where that takes too long.

        Raises:
            TimeoutError, OSError: it was too slow, or is gone.
        """
        seconds = _seconds_for(len(question.payload))
        end = self._clock.monotonic_seconds() + seconds
        if not self._turn.acquire(timeout=seconds):
            return NOTHING  # others are before it
        try:
            return self._asked_until(question, end)
        except TimeoutError:
            raise
        except (OSError, ValueError):
            self._end("it is gone")
            raise
        finally:
            self._turn.release()

    def close(self) -> None:
        """End it."""
        with self._turn:
            self._end("")

    # ── one question ──────────────────────────────────────────────────────────────────────────────

    def _asked_until(self, question: Question, end: float) -> Trimmed:
        self._start()
        if self._socket is None or not self._has_begun(end):
            return NOTHING
        self._asked += 1
        header = question.header()
        head = b"%08d%08d%08d" % (self._asked, len(header), len(question.payload))
        self._waiting_since = self._waiting_since or self._clock.monotonic_seconds()
        try:
            self._socket.settimeout(self._left(end))
            self._socket.sendall(head + header + question.payload)
        except TimeoutError:
            self._end("it does not listen")  # half a question cannot be taken back
            raise
        while True:
            number, data = self._heard(end)
            if number == self._asked:
                self._waiting_since = 0.0
                return Trimmed(parsed(data))

    def _has_begun(self, end: float) -> bool:
        """Whether it is ready: a result does not wait for it to load."""
        try:
            while not self._is_ready:
                self._is_ready = self._heard(end)[0] == 0
        except TimeoutError:
            return False
        return True

    def _heard(self, end: float) -> tuple[int, bytes]:
        head = self._read(2 * _DIGITS, end)
        number, length = int(head[:_DIGITS]), int(head[_DIGITS:])
        if length > MOST_ANSWER:
            raise ValueError("an answer of that length is none")
        return number, self._read(length, self._clock.monotonic_seconds() + END_SECONDS)

    def _read(self, length: int, end: float) -> bytes:
        """So many bytes; nothing of a head is taken before all of it is there."""
        assert self._socket is not None
        data = b""
        while len(data) < length:
            self._socket.settimeout(self._left(end) if not data else END_SECONDS)
            try:
                part = self._socket.recv(length - len(data))
            except TimeoutError:
                if not data:
                    raise
                part = b""  # half a head: what follows could not be understood
            if not part:
                raise ConnectionResetError
            data += part
        return data

    def _left(self, end: float) -> float:
        left = end - self._clock.monotonic_seconds()
        if left <= 0:
            raise TimeoutError
        return left

    # ── the process ───────────────────────────────────────────────────────────────────────────────

    def _start(self) -> None:
        now = self._clock.monotonic_seconds()
        if self._waiting_since and now - self._waiting_since > HUNG_SECONDS:
            self._end("it does not answer")
        if self._process is not None or now < self._not_before:
            return
        ours, its = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=its.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(self._environment),
            )
        except OSError as failure:
            ours.close()
            self._not_before = now + AGAIN_SECONDS
            self._log(f"no process that shortens ({failure.strerror})")
            return
        finally:
            its.close()
        self._socket, self._is_ready, self._waiting_since = ours, False, 0.0

    def _end(self, reason: str) -> None:
        """End it; the next question after a pause starts another one."""
        if self._process is None or self._socket is None:
            return
        if reason:
            self._log(f"shortening: {reason}")
            self._not_before = self._clock.monotonic_seconds() + AGAIN_SECONDS
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process, self._socket, self._waiting_since = None, None, 0.0


def _seconds_for(size: int) -> float:
    more = SECONDS_MORE if size >= RESULT_BYTES else 0
    return min(MOST_SECONDS, SECONDS + more + size * SECONDS_PER_BYTE)


# ── its own side ──────────────────────────────────────────────────────────────────────────────────


def answer_all(connection: socket.socket, shorten: Callable[[Question], Trimmed]) -> None:
    """Answer questions until no more come."""
    connection.sendall(b"%08d%08d" % (0, 0))
    with contextlib.suppress(OSError), connection.makefile("rb") as asked:
        while len(head := asked.read(3 * _DIGITS)) == 3 * _DIGITS:
            number, *lengths = (int(head[at : at + _DIGITS]) for at in (0, _DIGITS, 2 * _DIGITS))
            header, payload = (asked.read(length) for length in lengths)
            data = _answered(header, payload, shorten)
            connection.sendall(b"%08d%08d" % (number, len(data)) + data)


def _answered(header: bytes, payload: bytes, shorten: Callable[[Question], Trimmed]) -> bytes:
    """A decision as JSON; a fault goes back by its name alone."""
    try:
        question = question_from(header, payload)
        done = NOTHING if question is None else shorten(question)
        data = written(done.fields()).encode()
        json.loads(data)  # what is no JSON must not go on
    except Exception as fault:  # noqa: BLE001 - the next result may do better
        return written({"fault": fault_words(fault)}).encode()
    return data
