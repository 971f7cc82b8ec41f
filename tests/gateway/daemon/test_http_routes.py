"""The head of a request is understood or refused, and only whoever knows the secret gets in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenbudget.gateway import http_head
from tokenbudget.gateway.daemon.http_routes import ROUTES, Request, understood
from tokenbudget.gateway.http_head import Refusal, head_end

PORT = 27_100
SECRET = "5e" * 32
GOOD = {
    "Host": f"127.0.0.1:{PORT}",
    "Authorization": f"Bearer {SECRET}",
    "Content-Type": "application/json",
    "Content-Length": "2",
}


def head(*more: bytes, first: bytes = b"POST /v1/hook HTTP/1.1", **changes: str | None) -> bytes:
    """A head that is good but for these changes; underscores stand for hyphens."""
    fields: dict[str, str | None] = dict(GOOD)
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}".encode() for name, value in fields.items() if value is not None]
    return b"\r\n".join([first, *lines, *more, b"", b""])


def changed(changes: dict[str, str | None]) -> bytes:
    """The same for changes in a table."""
    return head(**changes)  # type: ignore[arg-type]


def refused(data: bytes) -> int:
    """The status of its refusal."""
    with pytest.raises(Refusal) as refusal:
        understood(data, PORT, SECRET)
    return refusal.value.status


def test_a_good_request_is_understood() -> None:
    assert understood(head(), PORT, SECRET) == Request("/v1/hook", 2, False, False)
    assert understood(head(Host=f"localhost:{PORT}"), PORT, SECRET).body_bytes == 2
    assert understood(head(Connection="close"), PORT, SECRET).is_last
    assert understood(head(Content_Type="application/json; charset=utf-8"), PORT, SECRET)
    health = head(first=b"GET /v1/health HTTP/1.1", Content_Length=None, Content_Type=None)
    assert understood(health, PORT, SECRET) == Request("/v1/health", 0, False, False)


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "localhost",
        f"127.0.0.1:{PORT + 1}",
        f"127.0.0.1:0{PORT}",
        f"127.0.0.1:{PORT}:{PORT}",
        f"127.0.0.1:{PORT} evil.example",
        f"127.0.0.1:{PORT}@evil.example",
        f"evil.example@127.0.0.1:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"localhost.:{PORT}",
        f"LOCALHOST:{PORT}",
        f"[::1]:{PORT}",
        f"127.1:{PORT}",
        f"2130706433:{PORT}",
        f"0.0.0.0:{PORT}",
        f"127.0.0.1:{PORT}, 127.0.0.1:{PORT}",
    ],
)
def test_another_host_is_refused(host: str | None) -> None:
    assert refused(head(Host=host)) == 421


def test_two_hosts_are_refused_even_equal_ones() -> None:
    for second in (f"Host: 127.0.0.1:{PORT}", "host: evil.example", "HOST:"):
        assert refused(head(second.encode())) == 400


@pytest.mark.parametrize("origin", ["null", "", "http://evil.example", f"http://127.0.0.1:{PORT}"])
def test_any_origin_is_refused(origin: str) -> None:
    assert refused(head(Origin=origin)) == 403
    assert refused(head(Sec_Fetch_Site="same-origin")) == 403


@pytest.mark.parametrize(
    "given_",
    [
        None,
        "",
        SECRET,
        "Bearer",
        "Bearer ",
        f"Bearer  {SECRET}",
        f"Bearer {SECRET[:-1]}",
        f"Bearer {SECRET}0",
        f"Bearer {SECRET.upper()}",
        f"Basic {SECRET}",
        f'Bearer "{SECRET}"',
        "Bearer \xff\xfe",
    ],
)
def test_without_the_secret_nothing_is_answered(given_: str | None) -> None:
    assert refused(head(Authorization=given_)) == 401
    health = head(first=b"GET /v1/health HTTP/1.1", Authorization=given_)
    assert refused(health) == 401
    assert refused(head(first=b"GET /nothing HTTP/1.1", Authorization=given_)) == 401


def test_an_empty_secret_lets_nobody_in() -> None:
    with pytest.raises(Refusal) as refusal:
        understood(head(Authorization="Bearer "), PORT, "")
    assert refusal.value.status == 401


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"GET /v1/hook HTTP/1.1", 405),
        (b"PUT /v1/hook HTTP/1.1", 405),
        (b"OPTIONS /v1/hook HTTP/1.1", 405),
        (b"post /v1/hook HTTP/1.1", 405),
        (b"POST /v1/health HTTP/1.1", 405),
        (b"POST / HTTP/1.1", 404),
        (b"POST /v1/hook/ HTTP/1.1", 404),
        (b"POST /v1/hook?run=x HTTP/1.1", 404),
        (b"POST //v1/hook HTTP/1.1", 404),
        (b"POST /v1/../v1/hook HTTP/1.1", 404),
        (b"POST /v1/%68ook HTTP/1.1", 404),
        (b"POST http://127.0.0.1:27100/v1/hook HTTP/1.1", 404),
        (b"CONNECT evil.example:443 HTTP/1.1", 404),
        (b"POST /v1/hook HTTP/1.0", 505),
        (b"POST /v1/hook HTTP/2.0", 505),
        (b"POST /v1/hook", 400),
        (b"POST  /v1/hook HTTP/1.1", 400),
        (b"POST /v1/hook HTTP/1.1 ", 400),
        (b"POST\t/v1/hook HTTP/1.1", 400),
        (b"PO\x00ST /v1/hook HTTP/1.1", 400),
        (b"POST /v1/h\x7fook HTTP/1.1", 400),
        (b"POST /v1/h\xc3\xb6ok HTTP/1.1", 400),
        (b"POST /" + b"a" * 9000 + b" HTTP/1.1", 400),
        (b"", 400),
        (b"\x16\x03\x01\x02\x00", 400),
    ],
)
def test_another_first_line_is_refused(first: bytes, status: int) -> None:
    assert refused(head(first=first)) == status


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b" folded: line", 400),
        (b"No colon", 400),
        (b": nameless", 400),
        (b"Spaced : name", 400),
        (b"Bare\nLine: feed", 400),
        (b"Nul: \x00", 400),
        (b"Content-Length: 2", 400),
        (b"content-length: 3", 400),
        (b"Authorization: Bearer x", 400),
        (b"Content-Type: text/plain", 400),
        (b"Transfer-Encoding: chunked", 411),
        (b"X: " + b"a" * 9000, 400),
    ],
)
def test_a_strange_header_is_refused(more: bytes, status: int) -> None:
    assert refused(head(more)) == status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Content_Type": None}, 415),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": "application/jsonp"}, 415),
        ({"Content_Length": None}, 411),
        ({"Content_Length": "-1"}, 400),
        ({"Content_Length": "+2"}, 400),
        ({"Content_Length": "2, 2"}, 400),
        ({"Content_Length": "0x2"}, 400),
        ({"Content_Length": ""}, 400),
        ({"Content_Length": str(http_head.BODY_BYTES + 1)}, 413),
        ({"Content_Length": "9" * 5000}, 413),
    ],
)
def test_a_body_must_be_json_of_a_told_and_bearable_length(
    changes: dict[str, str | None], status: int
) -> None:
    assert refused(changed(changes)) == status


def test_too_many_lines_are_refused() -> None:
    assert refused(head(*[b"X-%d: y" % at for at in range(70)])) == 431


def test_no_route_takes_a_command_a_program_or_an_environment() -> None:
    """Two routes: one takes the agent's own words, the other nothing."""
    assert ROUTES == {"/v1/hook": "POST", "/v1/health": "GET"}


@given(st.binary(max_size=600))
@example(b"\r\n\r\n")
@example(b"POST /v1/hook HTTP/1.1\r\n\r\n")
def test_any_bytes_are_refused(data: bytes) -> None:
    """Nobody who does not know the secret is understood, whatever he says."""
    with contextlib.suppress(Refusal):
        end = head_end(data)
        if end >= 0:
            with pytest.raises(Refusal):
                understood(data[:end], PORT, SECRET)


@given(st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_one_wound_never_raises_anything_else(at: int, wound: bytes) -> None:
    data = head()
    at = min(at, len(data))
    hurt = data[:at] + wound + data[at:]
    with contextlib.suppress(Refusal):
        end = head_end(hurt)
        assert end == -1 or understood(hurt[:end], PORT, SECRET).route == "/v1/hook"
