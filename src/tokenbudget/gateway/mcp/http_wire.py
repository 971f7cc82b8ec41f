"""Requests and answers of streamable HTTP on one connection: bytes in, bytes out, nothing decided.

The head is read as strictly as the daemon reads hooks (`daemon.http_head`). Stricter or laxer is
only what a web page could be told by: an MCP client may be a program of a library that sends some
headers of browsers, so it is the `Origin` and where a request comes from that refuse one.
"""

from __future__ import annotations

import contextlib
import json
import socket
from typing import NamedTuple

from tokenbudget.gateway.daemon.http_head import (
    Refusal,
    body_bytes,
    head_end,
    parts_of,
    refuse_other_hosts,
    refuse_strangers,
)
from tokenbudget.gateway.mcp.stdio_door import line_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenbudget.gateway.daemon.crew import Guest
    from tokenbudget.gateway.mcp.client import Message
    from tokenbudget.model.protocols import Clock

ROUTE = "/mcp"
METHODS = ("POST", "GET", "DELETE")
REQUEST_SECONDS = 10.0
"""From the first byte of a request, or the beginning of a connection, to its last byte."""
REST_SECONDS = 600.0
"""Between two requests of a client that is known."""
WRITE_SECONDS = 10.0
LINGER_SECONDS = 0.2
SESSION_HEADER = "mcp-session-id"
_READ_BYTES = 1 << 16
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


class Asked(NamedTuple):
    """One request of somebody who knows the secret."""

    method: str
    fields: Mapping[str, str]
    body: bytes
    is_last: bool

    @property
    def takes_events(self) -> bool:
        """Whether the client reads a stream of events."""
        return "text/event-stream" in self.fields.get("accept", "")


class Wire:
    """One connection."""

    def __init__(self, guest: Guest, port: int, secret: str, clock: Clock) -> None:
        self._guest = guest
        self._port = port
        self._secret = secret
        self._clock = clock
        self._pending = bytearray()
        self._end = clock.monotonic_seconds() + REQUEST_SECONDS
        self._is_streaming = False
        guest.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self) -> Asked | None:
        """The next request; None where the client says nothing more.

        Raises:
            Refusal: it is not one that is answered.
            OSError: the client is gone.
        """
        head = self._head()
        if head is None:
            return None
        method, target, fields = parts_of(head)
        refuse_other_hosts(fields, self._port)
        if "origin" in fields or "sec-fetch-site" in fields:
            raise Refusal(403, "web pages are not answered")
        refuse_strangers(fields, self._secret)
        if target != ROUTE:
            raise Refusal(404, "there is no such route")
        if method not in METHODS:
            raise Refusal(405, f"{ROUTE} is for {', '.join(METHODS)}", allow=", ".join(METHODS))
        self._guest.is_known = self._guest.is_busy = True
        body = self._body(fields) if method == "POST" else b""
        return Asked(method, fields, body, fields.get("connection", "").lower() == "close")

    def over(self) -> None:
        """The request is answered; the connection may rest."""
        self._guest.is_busy = False
        self._end = self._clock.monotonic_seconds() + REST_SECONDS

    def is_gone(self) -> bool:
        """Whether the client has closed its end while it waits for an answer."""
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return not self._guest.connection.recv(1, flags)
        except BlockingIOError:
            return False
        except OSError:
            return True

    # ── answers ───────────────────────────────────────────────────────────────────────────────────

    def answer(self, status: int, message: Message | None, session: str = "") -> None:
        """Answer with one message, or with none. Raises OSError."""
        body = b"" if message is None else line_of(message)
        kind = "application/json" if body else ""
        self._send(_head(status, kind, len(body), session) + body)

    def event(self, message: Message | None, session: str = "") -> None:
        """Send one message of a stream, which begins with the first; None only shows that we live.

        Raises OSError.
        """
        data = b": \n\n" if message is None else b"data: " + line_of(message) + b"\n"
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        if not self._is_streaming:
            self._is_streaming = True
            chunk = _head(200, "text/event-stream", -1, session) + chunk
        self._send(chunk)

    def end_events(self) -> None:
        """The stream is over; the connection is not. Raises OSError."""
        self._is_streaming = False
        self._send(b"0\r\n\r\n")

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and close. What still comes is read for a moment, else the answer is lost."""
        body = json.dumps({"error": refusal.reason}).encode()
        head = _head(refusal.status, "application/json", len(body), "", allow=refusal.allow)
        self._send(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
        connection = self._guest.connection
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(LINGER_SECONDS)
        with contextlib.suppress(OSError):
            for _ in range(16):
                if not connection.recv(_READ_BYTES):
                    break

    # ── bytes ─────────────────────────────────────────────────────────────────────────────────────

    def _head(self) -> bytes | None:
        if self._guest.is_known and not self._pending:
            if not self._more():
                return None
            self._end = self._clock.monotonic_seconds() + REQUEST_SECONDS
        while (end := head_end(self._pending)) < 0:
            if not self._more():
                return None
        head = bytes(self._pending[:end])
        del self._pending[:end]
        return head

    def _body(self, fields: dict[str, str]) -> bytes:
        size = body_bytes(fields, "POST")
        if fields.get("expect", "").lower() == "100-continue" and not self._pending:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._pending) < size:
            if not self._more():
                raise Refusal(400, "the body ends too early")
        body = bytes(self._pending[:size])
        del self._pending[:size]
        return body

    def _more(self) -> bool:
        """Read what comes; False where nothing more comes, or nothing in time."""
        left = self._end - self._clock.monotonic_seconds()
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


def _head(status: int, kind: str, size: int, session: str, allow: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"Content-Length: {size}"] if size >= 0 else ["Transfer-Encoding: chunked"]
    lines += ["Cache-Control: no-store", "X-Content-Type-Options: nosniff"]
    lines += [f"Mcp-Session-Id: {session}"] if session else []
    lines += [f"Allow: {allow}"] if allow else []
    return "\r\n".join([*lines, "", ""]).encode()
