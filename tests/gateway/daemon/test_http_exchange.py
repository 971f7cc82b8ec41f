"""Hooks over real connections: kept ones, slow ones, too many of them, and those of strangers."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.gateway.daemons import until
from tests.gateway.listening import Listening

from tokenbudget.gateway.daemon import http_exchange
from tokenbudget.gateway.daemon.crew import Guest
from tokenbudget.gateway.daemon.http_exchange import PATIENCE, Service, serve_connection
from tokenbudget.system.clock import SystemClock

SECRET = "5e" * 32
MOST = 6


class Server(Listening):
    """An HTTP service on a real port."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.release = threading.Event()
        self.release.set()
        super().__init__(MOST)

    def serve(self, guest: Guest) -> None:
        clock = SystemClock()
        health = {"version": "1"}
        serve_connection(
            guest, Service(self.port, lambda: SECRET, self._reply, lambda: health, clock)
        )

    def _reply(self, payload: bytes) -> bytes:
        self.heard.append(payload)
        self.release.wait(5)
        if payload == b'"compact"':
            return b"Keep exactly: this."
        return b"" if payload == b"{}" else b'{"n":%d}' % len(payload)

    def request(self, body: bytes, *more: str, secret: str = SECRET) -> bytes:
        """A request with this body."""
        lines = ["POST /v1/hook HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *more]
        lines += [f"Authorization: Bearer {secret}", "Content-Type: application/json"]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    def close(self) -> None:
        """End all of it."""
        self.release.set()
        super().close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer; status 0 where the connection just closes."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            part = connection.recv(1)
        except ConnectionResetError:
            part = b""
        if not part:
            return 0, {}, data
        data += part
    first, *lines = data[:-4].decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = b""
    wanted = int(fields.get("content-length", "0"))
    while len(body) < wanted:
        body += connection.recv(wanted - len(body))
    return int(first.split(" ")[1]), fields, body


def test_only_json_goes_out(server: Server) -> None:
    """Words for a summary reach it by a command alone."""
    with server.connected() as connection:
        connection.sendall(server.request(b'"compact"'))
        assert answer(connection)[::2] == (200, b"")


def test_one_connection_serves_many_hooks(server: Server) -> None:
    with server.connected() as connection:
        for at in range(50):
            body = b'{"n": %d}' % at
            connection.sendall(server.request(body))
            status, fields, got = answer(connection)
            assert (status, got) == (200, b'{"n":%d}' % len(body))
            assert fields["content-type"] == "application/json"
            assert "connection" not in fields
    assert len(server.heard) == 50


def test_a_hook_without_an_answer_gets_an_empty_body(server: Server) -> None:
    with server.connected() as connection:
        connection.sendall(server.request(b"{}"))
        assert answer(connection)[::2] == (200, b"")


def test_requests_in_one_piece_or_in_single_bytes_are_the_same(server: Server) -> None:
    with server.connected() as connection:
        connection.sendall(server.request(b'{"a":1}') * 3)
        assert [answer(connection)[0] for _ in range(3)] == [200] * 3
        for sign in server.request(b'{"bc":2}'):
            connection.sendall(bytes([sign]))
        assert answer(connection)[2] == b'{"n":8}'


def test_a_large_body_arrives_whole(server: Server) -> None:
    body = json.dumps({"tool_response": "x" * 3_000_000}).encode()
    with server.connected() as connection:
        connection.sendall(server.request(body))
        assert answer(connection)[2] == b'{"n":%d}' % len(body)
    assert server.heard == [body]


def test_whoever_waits_to_be_told_to_go_ahead_is_told(server: Server) -> None:
    with server.connected() as connection:
        whole = server.request(b'{"a":1}', "Expect: 100-continue")
        connection.sendall(whole[:-7])
        assert answer(connection)[0] == 100
        connection.sendall(whole[-7:])
        assert answer(connection)[0] == 200


def test_after_a_refusal_the_connection_is_closed_and_nothing_was_done(server: Server) -> None:
    with server.connected() as connection:
        connection.sendall(server.request(b'{"a":1}', secret="no"))
        status, fields, body = answer(connection)
        assert (status, fields["connection"]) == (401, "close")
        assert json.loads(body) == {"error": "the secret is missing or wrong"}
        assert answer(connection)[0] == 0
    assert server.heard == []


def test_a_refused_sender_of_much_still_reads_why(server: Server) -> None:
    with server.connected() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(server.request(b"x" * 600_000, secret="no"))
        assert answer(connection)[0] == 401


def test_health_needs_the_secret_and_says_little(server: Server) -> None:
    def ask(secret: str) -> tuple[int, bytes]:
        with server.connected() as connection:
            lines = ["GET /v1/health HTTP/1.1", f"Host: localhost:{server.port}"]
            lines += [f"Authorization: Bearer {secret}", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            return answer(connection)[::2]

    assert ask("no")[0] == 401
    assert json.loads(ask(SECRET)[1]) == {"format": "tokenbudget/health/1", "version": "1"}


@pytest.mark.parametrize("sent", [b"", b"POST /v1/ho", b"POST /v1/hook HTTP/1.1\r\nHost: x\r\n"])
def test_who_is_too_slow_is_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_exchange, "PATIENCE", PATIENCE._replace(request_seconds=0.1))
    with server.connected() as connection:
        with server.not_reading():
            connection.sendall(sent)
        assert answer(connection)[0] == (408 if sent else 0)
    until(lambda: server.crew.count == 0)


def test_a_body_that_drips_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is for the whole request: a byte now and then does not prolong it."""
    monkeypatch.setattr(http_exchange, "PATIENCE", PATIENCE._replace(request_seconds=0.2))
    with server.connected() as connection:
        connection.sendall(server.request(b"x" * 100)[:-99])
        with contextlib.suppress(OSError):
            for _ in range(30):
                connection.sendall(b"x")
                SystemClock().sleep(0.01)
        assert answer(connection)[0] == 408
    assert server.heard == []


def test_a_body_that_ends_too_early_is_refused(server: Server) -> None:
    with server.connected() as connection:
        connection.sendall(server.request(b'{"a":1}')[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert answer(connection)[0] == 400
    assert server.heard == []


def test_a_rested_connection_is_closed_without_a_word(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_exchange, "PATIENCE", PATIENCE._replace(rest_seconds=0.1))
    with server.connected() as connection:
        connection.sendall(server.request(b'{"a":1}'))
        assert answer(connection)[0] == 200
        assert answer(connection)[0] == 0


def test_strangers_that_hold_connections_open_keep_nobody_out(server: Server) -> None:
    """They make room, the oldest first; who has shown the secret stays."""
    with contextlib.ExitStack() as open_ones:
        known = open_ones.enter_context(server.connected())
        known.sendall(server.request(b'{"a":1}'))
        assert answer(known)[0] == 200
        for _ in range(3 * MOST):
            open_ones.enter_context(server.connected())
        late = open_ones.enter_context(server.connected())
        late.sendall(server.request(b'{"b":1}'))
        assert answer(late)[0] == 200
        known.sendall(server.request(b'{"c":1}'))
        assert answer(known)[0] == 200
        assert server.crew.count <= MOST


def test_connections_that_are_being_answered_are_not_given_up(server: Server) -> None:
    server.release.clear()
    with contextlib.ExitStack() as open_ones:
        busy = [open_ones.enter_context(server.connected()) for _ in range(MOST)]
        for connection in busy:
            connection.sendall(server.request(b'{"a":1}'))
        until(lambda: len(server.heard) == MOST)
        late = open_ones.enter_context(server.connected())
        assert answer(late)[0] == 0  # closed: its client goes on without an answer
        server.release.set()
        assert [answer(connection)[0] for connection in busy] == [200] * MOST


def test_garbage_on_many_connections_leaves_the_service_as_it_is(server: Server) -> None:
    for junk in (b"\x00" * 5000, b"\r\n\r\n", b"\x16\x03\x01" * 500, b"GET / HTTP/1.1\r\n\r\n"):
        with server.connected() as connection, contextlib.suppress(OSError):
            connection.sendall(junk)
            connection.shutdown(socket.SHUT_WR)
            assert answer(connection)[0] in (0, 400, 421, 431)
    with server.connected() as connection:
        connection.sendall(server.request(b'{"a":1}'))
        assert answer(connection)[0] == 200
