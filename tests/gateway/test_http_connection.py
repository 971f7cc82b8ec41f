"""One connection over HTTP, told as a story: what comes when, and what is made of it."""

from __future__ import annotations

import ast
import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.light_modules import brought_by

from tokenbudget.gateway import http_connection
from tokenbudget.gateway.http_connection import HttpConnection, Patience, response_head
from tokenbudget.gateway.http_head import HEAD_BYTES, Refusal

PATIENCE = Patience(request_seconds=10.0, rest_seconds=600.0, write_seconds=5.0)
HEAD = b"POST /x HTTP/1.1\r\nHost: y\r\n\r\n"


class Part(NamedTuple):
    """What the other side sends, so many seconds after what it sent before."""

    data: bytes
    after_seconds: float = 0.0


class Line:
    """A connection whose other side has a script, and the clock that both look at."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._now = 1_000.0
        self._patience = 0.0
        self.sent = b""
        self.patience_to_write = 0.0
        self.is_ended = False
        self.reads = 0

    # the clock

    def now_ms(self) -> int:
        return int(1_000 * self._now)

    def monotonic_seconds(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds

    # the socket

    def setsockopt(self, *told: int) -> None:
        """Takes any."""

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0  # 0 would be another thing: a socket that waits for nothing
        self._patience = seconds

    def recv(self, most: int) -> bytes:
        self.reads += 1
        if not self._parts:
            return b""
        data, after_seconds = self._parts.pop(0)
        if after_seconds > self._patience:
            self.sleep(self._patience)
            self._parts.insert(0, Part(data, after_seconds - self._patience))
            raise TimeoutError
        self.sleep(after_seconds)
        if len(data) > most:
            self._parts.insert(0, Part(data[most:]))
        return data[:most]

    def sendall(self, data: bytes) -> None:
        self.sent += data
        self.patience_to_write = self._patience

    def shutdown(self, how: int) -> None:
        self.is_ended = True

    @property
    def open(self) -> HttpConnection:
        """The connection, begun now."""
        return HttpConnection(cast("socket.socket", self), self, PATIENCE)


def line(*parts: bytes | Part) -> Line:
    """The other side sends these."""
    return Line([one if isinstance(one, Part) else Part(one) for one in parts])


def refused(connection: HttpConnection) -> tuple[int, str]:
    """Status and reason, where the next head is refused."""
    with pytest.raises(Refusal) as refusal:
        connection.next_head()
    return refusal.value.status, refusal.value.reason


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.data())
def test_however_it_is_cut_the_same_requests_come_out(
    bodies: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(HEAD + body for body in bodies)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(whole) - 1), max_size=30)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True) if b > a]
    connection = line(*pieces).open

    for body in bodies:
        assert connection.next_head() == HEAD
        assert connection.body(len(body), wants_go_ahead=False) == body
    assert connection.next_head() is None


def test_a_head_that_drips_is_refused_when_its_time_is_over() -> None:
    """A byte now and then does not prolong it."""
    other = line(*(Part(b"x", 3.0) for _ in range(100)))

    assert refused(other.open) == (408, "the request took too long")
    assert other.monotonic_seconds() == 1_010.0


def test_a_body_that_drips_has_no_more_time_than_is_left_of_its_head() -> None:
    other = line(Part(HEAD, 6.0), *(Part(b"x", 1.0) for _ in range(100)))
    connection = other.open
    assert connection.next_head() == HEAD
    with pytest.raises(Refusal) as refusal:
        connection.body(50, wants_go_ahead=False)

    assert refusal.value.status == 408
    assert other.monotonic_seconds() == 1_010.0


def test_who_never_says_anything_is_left_without_a_word() -> None:
    other = line(Part(b"x", 1_000.0))

    assert other.open.next_head() is None
    assert other.monotonic_seconds() == 1_010.0
    assert other.sent == b""


def test_a_head_without_an_end_is_read_to_its_limit_only() -> None:
    other = line(*(b"x" * 1_000 for _ in range(1_000)))

    assert refused(other.open) == (431, "the head is too long")
    assert other.reads == HEAD_BYTES // 1_000 + 1


def test_between_two_requests_there_is_time_to_rest() -> None:
    other = line(HEAD, Part(HEAD, 590.0))
    connection = other.open
    assert connection.next_head() == connection.next_head() == HEAD
    assert connection.next_head() is None


def test_who_rests_too_long_is_left_without_a_word() -> None:
    other = line(HEAD, Part(HEAD, 700.0))
    connection = other.open
    assert connection.next_head() == HEAD

    assert connection.next_head() is None
    assert other.monotonic_seconds() == 1_600.0


def test_the_time_of_a_second_request_begins_with_its_first_byte() -> None:
    other = line(HEAD, Part(b"P", 300.0), *(Part(b"x", 3.0) for _ in range(100)))
    connection = other.open
    assert connection.next_head() == HEAD

    assert refused(connection) == (408, "the request took too long")
    assert other.monotonic_seconds() == 1_310.0


def test_what_was_sent_ahead_has_the_time_of_a_request_and_not_that_of_a_rest() -> None:
    """Its time begins when it is its turn: however long the answer before it took."""
    other = line(HEAD + HEAD[:5], Part(HEAD[5:], 9.0), Part(b"P", 1.0), Part(b"x", 11.0))
    connection = other.open
    assert connection.next_head() == HEAD
    other.sleep(100.0)
    assert connection.next_head() == HEAD

    assert refused(connection)[0] == 408
    assert other.monotonic_seconds() == 1_120.0


def test_a_body_that_ends_too_early_is_refused() -> None:
    connection = line(HEAD + b"abc").open
    connection.next_head()
    with pytest.raises(Refusal) as refusal:
        connection.body(4, wants_go_ahead=False)
    assert (refusal.value.status, refusal.value.reason) == (400, "the body ends too early")


def test_who_waits_to_go_ahead_is_told_once_and_only_before_the_body() -> None:
    other = line(HEAD, b"ab", b"cd")
    connection = other.open
    connection.next_head()
    assert connection.body(4, wants_go_ahead=True) == b"abcd"
    assert other.sent == b"HTTP/1.1 100 Continue\r\n\r\n"

    hasty = line(HEAD + b"a", b"b")
    connection = hasty.open
    connection.next_head()
    assert connection.body(2, wants_go_ahead=True) == b"ab"
    assert hasty.sent == b""


def test_a_refusal_says_why_and_that_it_is_the_end() -> None:
    other = line()
    other.open.refuse(Refusal(405, "no", allow="GET, POST"))

    assert other.is_ended
    assert other.patience_to_write == PATIENCE.write_seconds
    assert other.sent == (
        b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: application/json\r\n"
        b"Content-Length: 15\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        b'Allow: GET, POST\r\nConnection: close\r\n\r\n{"error": "no"}'
    )


def test_a_refused_client_that_sends_for_ever_is_read_for_a_moment_only() -> None:
    other = line(*(b"x" * 1_000 for _ in range(1_000)))
    other.open.refuse(Refusal(401, "no"))
    assert other.reads == http_connection.MOST_LINGERING_READS


def statuses_in(folder: Path) -> set[int]:
    """Every status that our own code refuses with."""
    calls = (
        node
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )
    first = (call.args[0] for call in calls if call.func.id == "Refusal")  # type: ignore[attr-defined]
    return {one.value for one in first if isinstance(one, ast.Constant)}  # type: ignore[misc]


def test_every_status_that_is_refused_with_has_a_reason_phrase() -> None:
    statuses = statuses_in(Path(http_connection.__file__).parent)
    assert statuses >= {400, 401, 403, 404, 405, 406, 408, 411, 413, 415, 421, 429, 431, 505}
    for status in sorted(statuses):
        other = line()
        other.open.refuse(Refusal(status, 'a "reason"'))
        first, _, rest = other.sent.partition(b"\r\n")
        assert first.startswith(b"HTTP/1.1 %d " % status)
        assert len(first.split(b" ", 2)[2]) > 1
        assert json.loads(rest.partition(b"\r\n\r\n")[2]) == {"error": 'a "reason"'}


def test_hooks_do_not_wait_for_imports_that_they_do_not_need() -> None:
    heavy = ("asyncio", "dataclasses", "email", "http", "inspect", "sqlite3", "ssl", "subprocess")
    above = ("tokenbudget.gateway.daemon", "tokenbudget.gateway.mcp", "tokenbudget.resources")
    module = "tokenbudget.gateway.http_connection"
    known = "contextlib, hmac, json, socket, typing"
    assert brought_by(module, [*heavy, *above, "urllib"], known) == []


def test_an_answer_tells_its_size_or_that_it_comes_in_chunks() -> None:
    assert response_head(202, "", 0, []) == (
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nCache-Control: no-store\r\n"
        b"X-Content-Type-Options: nosniff\r\n\r\n"
    )
    assert response_head(200, "text/event-stream", None, ["A: b"]) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nA: b\r\n\r\n"
    )
