"""The parts of a head that every door reads, whoever may come through it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.http_head import HEAD_BYTES, Refusal, body_bytes, head_end, parts_of


def test_where_the_head_ends() -> None:
    assert head_end(b"GET / HTTP/1.1\r\nHost: x\r\n") == -1
    assert head_end(b"GET / HTTP/1.1\r\n\r\nbody") == 18
    for data in (b"x" * 20_000, b"x" * 20_000 + b"\r\n\r\n"):
        with pytest.raises(Refusal) as refusal:
            head_end(data)
        assert refusal.value.status == 431


def test_a_head_may_be_as_long_as_that_and_no_longer() -> None:
    longest = b"x" * (HEAD_BYTES - 4) + b"\r\n\r\n"
    assert head_end(longest + b"more") == HEAD_BYTES
    with pytest.raises(Refusal):
        head_end(b"x" + longest)


def test_names_of_headers_are_the_same_in_any_case() -> None:
    method, target, fields = parts_of(b"PUT /a HTTP/1.1\r\nX-Y: \t1 \r\nACCEPT: a, b\r\n\r\n")
    assert (method, target, fields) == ("PUT", "/a", {"x-y": "1", "accept": "a, b"})


@pytest.mark.parametrize(("length", "status"), [("1", 400), ("x", 400), ("00", 400)])
def test_a_request_without_a_body_has_none(length: str, status: int) -> None:
    assert body_bytes({"content-length": "0"}, "GET") == body_bytes({}, "GET") == 0
    with pytest.raises(Refusal) as refusal:
        body_bytes({"content-length": length}, "GET")
    assert refusal.value.status == status


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_body_in_chunks_is_refused_whatever_else_is_told(method: str) -> None:
    told = {"content-length": "2", "content-type": "application/json"}
    with pytest.raises(Refusal) as refusal:
        body_bytes({**told, "transfer-encoding": "chunked"}, method)
    assert refusal.value.status == 411


@given(st.binary(max_size=300))
def test_any_bytes_have_parts_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(Refusal):
        _, _, fields = parts_of(data + b"\r\n\r\n")
        assert all(name == name.lower() and "\n" not in value for name, value in fields.items())
