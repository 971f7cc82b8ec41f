"""Hooks over HTTP: requests of one connection, one after the other, each answered as a whole."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import NamedTuple

from tokenbudget.gateway.daemon.http_head import Refusal, Request, head_end, understood
from tokenbudget.gateway.hook_files import HOOK_ROUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.daemon.crew import Guest
    from tokenbudget.model.protocols import Clock

HEALTH_FORMAT = "tokenbudget/health/1"
REQUEST_SECONDS = 3.0
"""From the first byte of a request, or the beginning of a connection, to its last byte."""
REST_SECONDS = 300.0
"""Between two requests of a client that is known."""
WRITE_SECONDS = 2.0
LINGER_SECONDS = 0.2
_READ_BYTES = 1 << 16
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    505: "HTTP Version Not Supported",
}


class Service(NamedTuple):
    """What a connection is served with."""

    port: int
    secret: Callable[[], str]
    """The secret as it is now; '' lets nobody in."""
    reply_to: Callable[[bytes], bytes]
    health: Callable[[], Mapping[str, object]]
    clock: Clock


def serve_connection(guest: Guest, service: Service) -> None:
    """Answer requests until the client has had enough, or was too slow.

    Raises:
        OSError: the client is gone, or does not read its answer.
    """
    conversation = _Conversation(guest, service)
    guest.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while conversation.answer_next():
            pass
    except Refusal as refusal:
        conversation.refuse(refusal)


class _Conversation:
    """One connection: what has been read of it and not been understood yet."""

    def __init__(self, guest: Guest, service: Service) -> None:
        self._guest = guest
        self._service = service
        self._pending = bytearray()
        self._end = service.clock.monotonic_seconds() + REQUEST_SECONDS

    def answer_next(self) -> bool:
        """Read one request and answer it; whether there may be another one."""
        request = self._read_head()
        if request is None:
            return False
        self._guest.is_known = self._guest.is_busy = True
        try:
            body = self._read_body(request)
            self._send(_response(200, self._content(request, body), is_last=request.is_last))
        finally:
            self._guest.is_busy = False
        return not request.is_last

    def _content(self, request: Request, body: bytes) -> bytes:
        if request.route == HOOK_ROUTE:
            reply = self._service.reply_to(body)
            return reply if reply.startswith(b"{") else b""  # plain words reach nobody over HTTP
        told = {"format": HEALTH_FORMAT, **self._service.health()}
        return json.dumps(told).encode()

    def _read_head(self) -> Request | None:
        """The next request's head; None where the client says nothing more."""
        clock = self._service.clock
        if self._guest.is_known and not self._pending:
            self._end = clock.monotonic_seconds() + REST_SECONDS
            if not self._read_more():
                return None
            self._end = clock.monotonic_seconds() + REQUEST_SECONDS
        while (end := head_end(self._pending)) < 0:
            if not self._read_more():
                return None
        head = bytes(self._pending[:end])
        del self._pending[:end]
        return understood(head, self._service.port, self._service.secret())

    def _read_body(self, request: Request) -> bytes:
        if request.wants_go_ahead and not self._pending:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._pending) < request.body_bytes:
            if not self._read_more():
                raise Refusal(400, "the body ends too early")
        body = bytes(self._pending[: request.body_bytes])
        del self._pending[: request.body_bytes]
        return body

    def _read_more(self) -> bool:
        """Read what comes; False where the client says nothing more, or nothing in time.

        Raises:
            Refusal: a request has begun and is not there in time.
        """
        left = self._end - self._service.clock.monotonic_seconds()
        try:
            if left <= 0:
                raise TimeoutError
            self._guest.connection.settimeout(left)
            part = self._guest.connection.recv(_READ_BYTES)
        except TimeoutError:
            if self._pending:
                raise Refusal(408, "the request took too long") from None
            return False
        self._pending += part
        return bool(part)

    def _send(self, data: bytes) -> None:
        self._guest.connection.settimeout(WRITE_SECONDS)
        self._guest.connection.sendall(data)

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and close. What still comes is read for a moment, else the answer is lost."""
        body = json.dumps({"error": refusal.reason}).encode()
        self._send(_response(refusal.status, body, is_last=True, allow=refusal.allow))
        connection = self._guest.connection
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(LINGER_SECONDS)
        with contextlib.suppress(OSError):
            for _ in range(16):
                if not connection.recv(_READ_BYTES):
                    break


def _response(status: int, body: bytes, is_last: bool, allow: str = "") -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
    ]
    lines += [f"Allow: {allow}"] if allow else []
    lines += ["Connection: close"] if is_last else []
    return "\r\n".join([*lines, "", ""]).encode() + body
