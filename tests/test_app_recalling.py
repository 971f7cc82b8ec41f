"""Lines of an original: the same however it comes, with the numbers that an editor shows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.app.recalling import Lines, chosen, lines_in, pattern_of, ranges_of
from tokenbudget.model.errors import BadRequest


@given(st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"x", b"\n"))))
def test_lines_do_not_depend_on_the_parts(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    lines = list(lines_in(parts))
    assert b"".join(lines) == whole
    assert lines == list(lines_in([whole]))
    assert all(line.endswith(b"\n") for line in lines[:-1])
    assert all(line.count(b"\n") <= 1 and line for line in lines)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("10-20", ((10, 20),)),
        ("7", ((7, 7),)),
        ("3-", ((3, 10**12),)),
        ("1-2, 5,9-", ((1, 2), (5, 5), (9, 10**12))),
    ],
)
def test_what_a_person_writes_for_lines(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert ranges_of(text) == ranges


@pytest.mark.parametrize("text", ["", "a", "0", "-5", "20-10", "1--2", "1,,2", "٣", "1" * 13])
def test_what_means_no_lines_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="line"):
        ranges_of(text)


@pytest.mark.parametrize("text", ["(", "*", "[a", "x" * 1001])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="--grep"):
        pattern_of(text)


def numbers(wanted: Lines, count: int = 20) -> list[int]:
    lines = [b"line %d\n" % number for number in range(1, count + 1)]
    return [number for number, _ in chosen(lines, wanted)]


class TestChosen:
    def test_by_number(self) -> None:
        assert numbers(Lines(((2, 3), (3, 4), (9, 9)))) == [2, 3, 4, 9]

    def test_beyond_the_end_there_is_nothing(self) -> None:
        assert numbers(Lines(((19, 30),))) == [19, 20]
        assert numbers(Lines(((25, 30),))) == []

    def test_by_words_with_the_lines_beside(self) -> None:
        assert numbers(Lines((), re.compile(rb"line 1[05]$"), 1)) == [9, 10, 11, 14, 15, 16]
        assert numbers(Lines((), re.compile(rb"line (4|5|7)$"), 2)) == [*range(2, 10)]

    def test_within_a_range(self) -> None:
        assert numbers(Lines(((1, 9),), re.compile(rb"1"))) == [1]

    def test_a_range_that_ends_reads_no_further(self) -> None:
        def endless() -> object:
            while True:
                yield b"line\n"

        assert len(list(chosen(endless(), Lines(((1, 3),))))) == 3  # type: ignore[arg-type]

    def test_the_end_of_a_line_is_not_of_its_words(self) -> None:
        assert [n for n, _ in chosen([b"ends\r\n"], Lines((), re.compile(rb"ends$")))] == [1]
