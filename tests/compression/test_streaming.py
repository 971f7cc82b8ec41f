"""What is too large to hold is shortened as it comes."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE

from tokenbudget.compression.shapes import shape_of
from tokenbudget.compression.streaming import Streamed, chunks_of, shorten_stream


def log(count: int) -> Iterator[str]:
    for n in range(count):
        if n == count // 2:
            yield f"ERROR shard {n} refused\n"
        elif n % 1000 == 7:
            yield f"checkpoint {n} written to disk\n"
        else:
            yield f"12:00:{n % 60:02} served item {n} in {n % 90} ms\n"


def test_what_is_short_comes_back_as_it_is() -> None:
    text = "one\ntwo\r\n\nthree"
    streamed = shorten_stream([text])
    assert streamed == Streamed(text, (), "[~", 4, len(text), True)


def test_beginning_end_trouble_and_templates_stay() -> None:
    lines = list(log(20_000))
    streamed = shorten_stream(lines)
    shown = streamed.text.split("\n")
    assert shown[:60] == [line[:-1] for line in lines[:60]]
    assert shown[-60:] == [*(line[:-1] for line in lines[-59:]), ""]
    assert "\n".join(line[:-1] for line in lines[9_999:10_002]) in streamed.text
    assert "checkpoint 1007 written to disk" in shown
    assert len(streamed.text) < 12_000
    assert not streamed.is_whole


def test_each_number_can_be_counted_again() -> None:
    lines = "".join(log(9_000)).split("\n")
    streamed = shorten_stream(chunks_of("\n".join(lines), 1_000))
    shown = streamed.text.split("\n")
    markers = [number for number, line in enumerate(shown) if line.startswith("[~ ")]
    assert len(markers) == len(streamed.removed)
    for number, one in zip(markers, streamed.removed, strict=True):
        assert f"{one.count:,}" in shown[number].split()
        ((start, end),) = one.ranges
        if one.kind == "lines":
            assert one.count == end - start
        else:
            shape = shape_of(shown[number - 1])
            assert one.count == sum(shape_of(line) == shape for line in lines[start:end])


def test_every_line_is_shown_or_in_a_gap() -> None:
    lines = "".join(log(5_000)).split("\n")
    streamed = shorten_stream(["\n".join(lines)])
    gone = {n for one in streamed.removed if one.kind == "lines" for n in range(*one.ranges[0])}
    left = [line for number, line in enumerate(lines) if number not in gone]
    assert [line for line in streamed.text.split("\n") if not line.startswith("[~ ")] == left


def test_a_line_without_end_is_folded() -> None:
    streamed = shorten_stream(["start\n", *["x" * 10_000 for _ in range(100)], "\nend"])
    assert streamed.text == f"start\n{'x' * 1000}[~ 998,000 characters]{'x' * 1000}\nend"
    assert streamed.removed == (("folded", 998_000, ((1, 2),)),)


def test_memory_is_bounded() -> None:
    def much() -> Iterator[bytes]:
        for n in range(1_500):
            words = " ".join(f"w{chr(97 + n % 26)}{k}" for k in range(40))
            yield f"job {words}\n".encode() * 12 + b"y" * 4_000

    tracemalloc.start()
    try:
        streamed = shorten_stream(much())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert streamed.char_count > 8_000_000
    assert peak < 6_000_000


def test_a_text_that_imitates_markers_gets_other_markers() -> None:
    streamed = shorten_stream([f"[~ {n} lines]\n" for n in range(500)])
    assert streamed.opening == "[~~"
    assert re.search(r"^\[~~ [\d,]+ lines\]$", streamed.text, re.MULTILINE)


def test_a_character_that_is_cut_in_two_is_put_together() -> None:
    content = "grüße → ✓\n".encode() * 30
    parts = [content[at : at + 1] for at in range(len(content))]
    assert shorten_stream(parts).text == content.decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    streamed = shorten_stream(chunks_of(text, 777))
    assert streamed.char_count == len(text)
    assert streamed.line_count == text.count("\n") + 1


@given(st.text(alphabet="ab1 \n", max_size=400), st.integers(1, 50))
def test_how_it_is_cut_makes_no_difference(text: str, size: int) -> None:
    assert shorten_stream(chunks_of(text, size)) == shorten_stream([text])
