"""One hook over the socket: frames, limits, and what a payload says of its folder."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway import hook_client
from tokenbudget.gateway.daemon import exchange
from tokenbudget.gateway.daemon.exchange import EMPTY, folder_in, framed, serve_one
from tokenbudget.system.clock import SystemClock


def exchanged(payload: bytes, reply: bytes) -> bytes:
    """What comes back, over a real pair of sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=serve_one, args=(theirs, lambda _: reply, SystemClock()))
        thread.start()
        ours.sendall(payload)
        ours.shutdown(socket.SHUT_WR)
        thread.join(5)
        theirs.shutdown(socket.SHUT_WR)
        parts = []
        while part := ours.recv(1 << 16):
            parts.append(part)
        return b"".join(parts)


@given(st.binary(min_size=1, max_size=500), st.binary(max_size=500))
def test_a_frame_says_how_long_it_is(payload: bytes, reply: bytes) -> None:
    data = exchanged(payload, reply)
    assert data == framed(reply)
    assert int(data[:8]) == len(data) - 9 == len(reply)


def test_both_sides_have_the_same_limits() -> None:
    assert exchange.PAYLOAD_BYTES == hook_client.PAYLOAD_BYTES
    assert exchange.REPLY_BYTES == hook_client.REPLY_BYTES
    assert len(EMPTY) == hook_client.HEAD_BYTES
    assert framed(b"x" * (exchange.REPLY_BYTES + 1)) == EMPTY


def test_a_client_that_says_nothing_more_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not prolong it."""
    monkeypatch.setattr(exchange, "READ_SECONDS", 0.15)
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.02):
            ours.sendall(b"x")

    with ours, theirs:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert not serve_one(theirs, lambda _: b"{}", SystemClock())
        except TimeoutError:
            pass
        finally:
            over.set()
            thread.join(5)


@pytest.mark.parametrize(
    ("payload", "folder"),
    [
        (json.dumps({"cwd": "/srv/web shop"}).encode(), "/srv/web shop"),
        (b'{"cwd": "relative"}', ""),
        (b'{"cwd": "/nul\\u0000"}', ""),
        (b'{"cwd": 7}', ""),
        (b'{"cwd": "/' + b"x" * 5000 + b'"}', ""),
        (b"[]", ""),
        (b"{", ""),
        (b"[" * 100_000, ""),
        (b"\xff", ""),
    ],
)
def test_the_folder_of_a_payload(payload: bytes, folder: str) -> None:
    assert folder_in(payload) == folder
