"""Messages cut out of a stream, however it comes in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.hub_lines import (
    ENDS_BYTES,
    MOST_SKIPPED,
    Endless,
    Lines,
    TooLong,
    likely_id,
    line_of,
    message_in,
)

LONGEST = 50


@given(
    st.lists(st.binary(max_size=200).filter(lambda line: b"\n" not in line), max_size=8),
    st.lists(st.integers(1, 70), min_size=1, max_size=40),
)
def test_lines_are_the_same_however_they_come(lines: list[bytes], sizes: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    reader, found, at = Lines(LONGEST), list[bytes | TooLong](), 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        found += reader.feed(data[at : at + size])
        at += size
    assert found == [
        line if len(line) <= LONGEST else TooLong(len(line), line[:ENDS_BYTES], found[n].tail)  # type: ignore[union-attr]
        for n, line in enumerate(lines)
    ]
    for line, one in zip(lines, found, strict=True):
        if isinstance(one, TooLong):
            assert line.endswith(one.tail)


def test_of_a_long_line_only_its_ends_are_kept() -> None:
    reader = Lines(1_000)
    list(reader.feed(b'{"jsonrpc":"2.0","result":"'))
    for _ in range(50):
        list(reader.feed(b"x" * 1_000))
    (line,) = reader.feed(b'","id":17}\n')
    assert isinstance(line, TooLong)
    assert line.length_bytes == 50_037
    assert (len(line.head), len(line.tail)) == (ENDS_BYTES, ENDS_BYTES)
    assert likely_id(line.head, line.tail) == 17
    assert list(reader.feed(b"next\n")) == [b"next"]


def test_a_line_without_an_end_is_given_up() -> None:
    reader = Lines(100)
    for _ in range(MOST_SKIPPED):
        assert list(reader.feed(b"x" * 100)) == []
    with pytest.raises(Endless):
        list(reader.feed(b"x"))


@pytest.mark.parametrize(
    ("head", "tail", "number"),
    [
        (b'{"id": 5, "result"', b"...}", 5),
        (b'{"result"', b'"id":5}', 5),
        (b'{"id":5,', b'"id":5}', 5),
        (b'{"id":5,', b'"id":6}', None),
        (b"{", b"}", None),
        (b'{"id":99999999999999999999,', b"", None),
    ],
)
def test_whose_answer_it_was(head: bytes, tail: bytes, number: int | None) -> None:
    assert likely_id(head, tail) == number


@pytest.mark.parametrize(
    "line",
    [
        b"", b"text", b"[]", b"null", b"{", b"{}", b'{"jsonrpc":"1.0"}', b'{"jsonrpc":2.0}',
        b"[" * 10_000, b'{"a":' * 10_000, b'{"jsonrpc":"2.0","id":' + b"9" * 10_000 + b"}",
        b"\xff\xfe{\0}\0",
    ],
)  # fmt: skip
def test_what_is_no_message(line: bytes) -> None:
    assert message_in(line) is None


@given(st.binary(max_size=60))
def test_any_line_is_read_without_an_error(line: bytes) -> None:
    message_in(line)
    message_in(b'{"jsonrpc":"2.0","x":' + line + b"}")


def test_a_message_is_one_line_of_plain_characters() -> None:
    message = {"jsonrpc": "2.0", "a": "é\n\ud800\u2028", "unknown": [None]}
    line = line_of(message)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert message_in(line) == message
