"""What a terminal would show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.screen import CODE, shown


def screen(text: str) -> tuple[list[str], list[tuple[str, int]]]:
    found = shown(text.split("\n"), text)
    return list(found.lines), [(cut.kind, cut.number) for cut in found.cuts]


@pytest.mark.parametrize(
    ("text", "lines", "cuts"),
    [
        ("plain", ["plain"], []),
        ("\x1b[1;31mred\x1b[0m", ["red"], [("codes", 2)]),
        ("\x1b]0;title\x07x", ["x"], [("codes", 1)]),
        ("1%\r50%\r100%", ["100%"], [("rewrites", 2)]),
        ("1%\r\r\r100%\r", ["100%\r"], [("rewrites", 1)]),
        ("one\r\ntwo\r", ["one\r", "two\r"], []),
        ("\r", ["\r"], []),
        ("a\x1b[2K\rb", ["b"], [("codes", 1), ("rewrites", 1)]),
        ("failed\rok", ["failed\rok"], []),
        ("\x1b[999", ["\x1b[999"], []),
    ],
)
def test_lines_are_as_a_terminal_shows_them(
    text: str, lines: list[str], cuts: list[tuple[str, int]]
) -> None:
    assert screen(text) == (lines, cuts)


@given(st.text(alphabet="ab1\r\n\x1b[];m?\x07", max_size=80))
def test_there_are_as_many_lines_and_the_numbers_can_be_counted_again(text: str) -> None:
    lines = text.split("\n")
    found = shown(lines, text)
    assert len(found.lines) == len(lines)
    numbers = {cut.kind: cut.number for cut in found.cuts}
    assert numbers.get("codes", 0) == sum(len(CODE.findall(line)) for line in lines)
    rewrites = 0
    for before, after in zip(lines, found.lines, strict=True):
        clean = CODE.sub("", before)
        if clean != after:
            rewrites += len([one for one in clean.split("\r") if one]) - 1
    assert numbers.get("rewrites", 0) == rewrites
