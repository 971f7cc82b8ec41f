"""The shape of a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.shapes import differing, parts_of, shape_of


@pytest.mark.parametrize(
    ("line", "shape"),
    [
        ("served /a in 12 ms", "served /a in 0 ms"),
        ("2026-01-31T12:00:05.120Z ok", "0-0-0:0:0.0 ok"),
        ("job a1b2c3 of worker-7", "job 0 of worker-0"),
        ("no digits at all", "no digits at all"),
        ("", ""),
    ],
)
def test_words_with_a_digit_are_variable(line: str, shape: str) -> None:
    assert shape_of(line) == shape


def test_what_differs_stands_in_rows_and_what_does_not_is_left_out() -> None:
    lines = [f"2026-01-31 12:00:{n:02} worker 3 took {n * 2} ms" for n in range(3)]
    assert differing(lines) == ("00 0", "01 2", "02 4")
    assert differing(["same 1", "same 1"]) == ("", "")


def test_values_side_by_side_keep_what_stands_between_them() -> None:
    assert differing(["at 1:2 x", "at 3:4 x"]) == ("1:2", "3:4")
    assert differing(["at 1 -> 2", "at 3 -> 4"]) == ("1 2", "3 4")


def test_a_part_of_an_address_is_never_told_alone() -> None:
    assert differing(["from 10.0.0.7 x", "from 10.0.1.7 x"]) == ("10.0.0.7", "10.0.1.7")
    assert differing(["a 1 took 2.50 s", "a 1 took 2.75 s"]) == ("2.50", "2.75")
    assert differing(["v 1, 2", "v 1, 3"]) == ("2", "3")


@given(st.text(alphabet="ab1_ -:é٣\ud800\n", max_size=60))
def test_a_line_is_its_parts(line: str) -> None:
    parts = parts_of(line)
    assert len(parts.fixed) == len(parts.values) + 1
    whole = [piece for pair in zip(parts.fixed, (*parts.values, ""), strict=True) for piece in pair]
    assert "".join(whole) == line
    assert shape_of(line) == "0".join(parts.fixed)


@given(st.lists(st.lists(st.integers(0, 99), min_size=3, max_size=3), min_size=1, max_size=9))
def test_each_row_holds_only_words_of_its_line(rows: list[list[int]]) -> None:
    lines = [f"a {x} b {y}:{z}" for x, y, z in rows]
    for line, row in zip(lines, differing(lines), strict=True):
        assert set(row.replace(":", " ").split()) <= set(line.replace(":", " ").split())
