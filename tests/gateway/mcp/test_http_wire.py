"""The gateway's own connection over HTTP, byte by byte: the strange, the slow and the hasty."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest
from tests.gateway.daemons import until
from tests.gateway.listening import Listening

from tokenbudget.gateway.daemon.crew import Guest
from tokenbudget.gateway.http_head import Refusal
from tokenbudget.gateway.mcp import http_wire
from tokenbudget.gateway.mcp.http_wire import Wire
from tokenbudget.system.clock import SystemClock

SECRET = "5e" * 32
PLAIN = b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
ECHO = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" + PLAIN


class Echo(Listening):
    """Answers every request with the length of its body, and a GET with two events."""

    def serve(self, guest: Guest) -> None:
        wire = Wire(guest, self.port, SECRET, SystemClock())
        try:
            while (asked := wire.request()) is not None:
                if asked.method == "GET":
                    wire.event({"n": 1}, "s1")
                    wire.event(None)
                    wire.end_events()
                else:
                    wire.answer(200, {"n": len(asked.body)}, "s1" if asked.is_last else "")
                wire.over()
                if asked.is_last:
                    return
        except Refusal as refusal:
            wire.refuse(refusal)

    def request(self, body: bytes = b"", *more: str, method: str = "POST") -> bytes:
        """A request with this body."""
        lines = [f"{method} /mcp HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *more]
        lines += [f"Authorization: Bearer {SECRET}", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
        return "\r\n".join([*lines, "", ""]).encode() + body

    def told(self, *parts: bytes) -> bytes:
        """All that it says to these, until it closes."""
        with self.connected() as connection:
            for part in parts:
                connection.sendall(part)
            return rest_of(connection)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo(8)
    yield made
    made.close()


def rest_of(connection: socket.socket) -> bytes:
    """Everything that still comes."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            data += part
    return data


def refusal(status: bytes, reason: bytes, allow: bytes = b"") -> bytes:
    """What a refusal looks like, whole."""
    body = b'{"error": "%b"}' % reason
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b"
        b"Connection: close\r\n\r\n%b" % (status, len(body), PLAIN, allow, body)
    )


def test_the_bytes_of_an_answer(echo: Echo) -> None:
    got = echo.told(echo.request(b"{}", "Connection: close"))
    assert got == ECHO % 8 + b'Mcp-Session-Id: s1\r\n\r\n{"n":2}\n'


def test_the_bytes_of_a_stream_and_that_the_connection_goes_on(echo: Echo) -> None:
    """Sent ahead, both in one piece: answered one after the other."""
    got = echo.told(echo.request(method="GET") + echo.request(b"{ }", "Connection: close"))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    stream = b'f\r\ndata: {"n":1}\n\n\r\n4\r\n: \n\n\r\n0\r\n\r\n'
    second = ECHO % 8 + b'Mcp-Session-Id: s1\r\n\r\n{"n":3}\n'
    assert got == head + PLAIN + b"Mcp-Session-Id: s1\r\n\r\n" + stream + second


def test_requests_in_single_bytes_are_the_same(echo: Echo) -> None:
    whole = echo.request(b'{"a": 1}', "Connection: close")
    got = echo.told(*(bytes([sign]) for sign in whole))
    assert got.endswith(b'{"n":8}\n')


def test_who_waits_to_be_told_to_go_ahead_is_told(echo: Echo) -> None:
    whole = echo.request(b"{}", "Expect: 100-continue", "Connection: close")
    with echo.connected() as connection:
        connection.sendall(whole[:-2])
        ahead = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.recv(len(ahead), socket.MSG_WAITALL) == ahead
        connection.sendall(whole[-2:])
        assert rest_of(connection).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("make", "status", "reason"),
    [
        (lambda of: b"x" * 20_000, b"431 Request Header Fields Too Large", b"the head is too long"),
        (
            lambda of: of.request(b"{}", "Transfer-Encoding: chunked"),
            b"411 Length Required",
            b"the length of the body must be told",
        ),
        (
            lambda of: of.request(b"{}").replace(b"Host: 127", b"Host: 128"),
            b"421 Misdirected Request",
            b"this host is not served here",
        ),
        (
            lambda of: of.request(b"{}", "Origin: http://127.0.0.1"),
            b"403 Forbidden",
            b"web pages are not answered",
        ),
        (
            lambda of: of.request(b"{}").replace(b"HTTP/1.1", b"HTTP/1.0", 1),
            b"505 HTTP Version Not Supported",
            b"only HTTP/1.1 is spoken here",
        ),
        (
            lambda of: of.request(b"{}").replace(b"Length: 2", b"Length: 99999999"),
            b"413 Content Too Large",
            b"the body is too long",
        ),
    ],
)
def test_the_bytes_of_a_refusal(
    echo: Echo, make: Callable[[Echo], bytes], status: bytes, reason: bytes
) -> None:
    assert echo.told(make(echo)) == refusal(status, reason)


def test_the_bytes_of_a_refusal_that_tells_what_would_do(echo: Echo) -> None:
    allow = b"Allow: POST, GET, DELETE\r\n"
    got = echo.told(echo.request(method="PUT"))
    assert got == refusal(b"405 Method Not Allowed", b"/mcp is for POST, GET, DELETE", allow)


def test_what_was_sent_ahead_of_a_refusal_is_not_carried_out(echo: Echo) -> None:
    wrong = echo.request(b"{}").replace(b"5e5e", b"0000", 1)
    got = echo.told(echo.request(b"{}") + wrong + echo.request(b"{}"))
    assert got.count(b"HTTP/1.1 ") == 2
    assert got.endswith(refusal(b"401 Unauthorized", b"the secret is missing or wrong"))


def test_a_body_that_ends_too_early_is_refused(echo: Echo) -> None:
    with echo.connected() as connection:
        connection.sendall(echo.request(b'{"a":1}')[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert rest_of(connection) == refusal(b"400 Bad Request", b"the body ends too early")


@pytest.mark.parametrize("sent", [0, 9, 60, -1])
def test_who_is_too_slow_is_sent_away(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    """At the first line, in the middle of the head, and in the body; silence has no answer."""
    short = http_wire.PATIENCE._replace(request_seconds=0.5)
    monkeypatch.setattr(http_wire, "PATIENCE", short)
    late = refusal(b"408 Request Timeout", b"the request took too long")
    with echo.connected() as connection:
        with echo.not_reading():
            connection.sendall(echo.request(b"{}")[:sent])
        assert rest_of(connection) == (late if sent else b"")
    until(lambda: echo.crew.count == 0)


def test_a_rested_connection_is_closed_without_a_word(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = http_wire.PATIENCE._replace(rest_seconds=0.2)
    monkeypatch.setattr(http_wire, "PATIENCE", short)
    got = echo.told(echo.request(b"{}"))
    assert got == ECHO % 8 + b'\r\n{"n":2}\n'


def test_half_a_request_that_was_sent_ahead_is_not_waited_for_as_if_it_rested(
    echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = http_wire.PATIENCE._replace(request_seconds=0.5)
    monkeypatch.setattr(http_wire, "PATIENCE", short)
    got = echo.told(echo.request(b"{}") + b"POST /mcp")
    assert got.endswith(refusal(b"408 Request Timeout", b"the request took too long"))
