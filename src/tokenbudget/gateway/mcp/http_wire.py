"""Requests and answers of streamable HTTP on one connection: who is answered, and in which form.

The head is read as strictly as the daemon reads hooks (`http_head`). Stricter or laxer is only what
a web page could be told by: an MCP client may be a program of a library that sends some headers of
browsers, so it is the `Origin` and where a request comes from that refuse one.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from tokenbudget.gateway.http_connection import JSON, HttpConnection, Patience, response_head
from tokenbudget.gateway.http_head import (
    Refusal,
    body_bytes,
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
PATIENCE = Patience(request_seconds=10.0, rest_seconds=600.0, write_seconds=10.0)
SESSION_HEADER = "mcp-session-id"


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
        self._connection = HttpConnection(guest.connection, clock, PATIENCE)
        self._is_streaming = False

    def request(self) -> Asked | None:
        """The next request; None where the client says nothing more.

        Raises:
            Refusal: it is not one that is answered.
            OSError: the client is gone.
        """
        head = self._connection.next_head()
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
        kind = JSON if body else ""
        self._connection.send(_head(status, kind, len(body), session) + body)

    def event(self, message: Message | None, session: str = "") -> None:
        """Send one message of a stream, which begins with the first; None only shows that we live.

        Raises OSError.
        """
        data = b": \n\n" if message is None else b"data: " + line_of(message) + b"\n"
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        if not self._is_streaming:
            self._is_streaming = True
            chunk = _head(200, "text/event-stream", None, session) + chunk
        self._connection.send(chunk)

    def end_events(self) -> None:
        """The stream is over; the connection is not. Raises OSError."""
        self._is_streaming = False
        self._connection.send(b"0\r\n\r\n")

    def refuse(self, refusal: Refusal) -> None:
        """Say why, and close. Raises OSError."""
        self._connection.refuse(refusal)

    def _body(self, fields: dict[str, str]) -> bytes:
        wants_go_ahead = fields.get("expect", "").lower() == "100-continue"
        return self._connection.body(body_bytes(fields, "POST"), wants_go_ahead=wants_go_ahead)


def _head(status: int, kind: str, size: int | None, session: str) -> bytes:
    return response_head(status, kind, size, [f"Mcp-Session-Id: {session}"] if session else [])
