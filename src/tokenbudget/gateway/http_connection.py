"""Requests and answers of HTTP/1.1 on one connection: bytes in, bytes out, nothing decided.

Read with limits of size (`http_head`) and of time (`Patience`), so that nobody is waited for who
sends slowly, too much, or nothing. Both doors stand on it, that of hooks and that of the gateway;
hooks wait for what is done here, so that nothing heavy is imported.
"""

from __future__ import annotations

import contextlib
import json
import socket
from typing import NamedTuple

from tokenbudget.gateway.http_head import Refusal, head_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.protocols import Clock

JSON = "application/json"
LINGER_SECONDS = 0.2
MOST_LINGERING_READS = 16
_READ_BYTES = 1 << 16
_GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"
_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    505: "HTTP Version Not Supported",
}


class Patience(NamedTuple):
    """How long a client is waited for."""

    request_seconds: float
    """From the first byte of a request, or the beginning of a connection, to its last byte."""
    rest_seconds: float
    """Between two requests."""
    write_seconds: float
    """Until it has taken in what is sent to it."""


class HttpConnection:
    """One connection: what has been read of it and not been understood yet.

    Every method raises OSError where the client is gone or does not read what it is sent.
    """

    def __init__(self, connection: socket.socket, clock: Clock, patience: Patience) -> None:
        self._connection = connection
        self._clock = clock
        self._patience = patience
        self._pending = bytearray()
        self._is_first = True
        self._wait_for(patience.request_seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def next_head(self) -> bytes | None:
        """The head of the next request; None where the client says nothing more.

        Raises:
            Refusal: it is too long, or has begun and is not there in time.
        """
        if not self._is_first and not self._rested():
            return None
        while (end := head_end(self._pending)) < 0:
            if not self._has_more():
                return None
        self._is_first = False
        return self._taken(end)

    def body(self, size: int, *, wants_go_ahead: bool) -> bytes:
        """The `size` bytes behind the head; a client that waits to be asked for them is asked.

        Raises:
            Refusal: they end too early, or are not there in time.
        """
        if wants_go_ahead and not self._pending:
            self.send(_GO_AHEAD)
        while len(self._pending) < size:
            if not self._has_more():
                raise Refusal(400, "the body ends too early")
        return self._taken(size)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._connection.settimeout(self._patience.write_seconds)
        self._connection.sendall(data)

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and close. What still comes is read for a moment, else the answer is lost."""
        body = json.dumps({"error": refusal.reason}).encode()
        allow = [f"Allow: {refusal.allow}"] if refusal.allow else []
        more = [*allow, "Connection: close"]
        self.send(response_head(refusal.status, JSON, len(body), more) + body)
        self._connection.shutdown(socket.SHUT_WR)
        self._connection.settimeout(LINGER_SECONDS)
        with contextlib.suppress(OSError):
            for _ in range(MOST_LINGERING_READS):
                if not self._connection.recv(_READ_BYTES):
                    break

    def _rested(self) -> bool:
        """Wait for the next request to begin; whether it does. From then on its time runs."""
        if not self._pending:
            self._wait_for(self._patience.rest_seconds)
            if not self._has_more():
                return False
        self._wait_for(self._patience.request_seconds)
        return True

    def _wait_for(self, seconds: float) -> None:
        self._end = self._clock.monotonic_seconds() + seconds

    def _has_more(self) -> bool:
        """Read what comes; False where the client says nothing more, or nothing in time.

        Raises:
            Refusal: a request has begun and is not there in time.
        """
        left = self._end - self._clock.monotonic_seconds()
        try:
            if left <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            part = self._connection.recv(_READ_BYTES)
        except TimeoutError:
            if self._pending:
                raise Refusal(408, "the request took too long") from None
            return False
        self._pending += part
        return bool(part)

    def _taken(self, size: int) -> bytes:
        """The first bytes of what was read; they are understood now."""
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data


def response_head(status: int, kind: str, size: int | None, more: list[str]) -> bytes:
    """The head of an answer: its body's type ('': it has none) and size (None: in chunks)."""
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += ["Transfer-Encoding: chunked" if size is None else f"Content-Length: {size}"]
    lines += ["Cache-Control: no-store", "X-Content-Type-Options: nosniff", *more, "", ""]
    return "\r\n".join(lines).encode()
