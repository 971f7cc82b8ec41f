"""A draft out of lines and cuts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import assert_accounted

from tokenbudget.compression.marks import Marks
from tokenbudget.compression.weaving import Cut, apart, cut_of, is_worth, ranges_of, woven

LINES = [f"line {chr(97 + number)}" for number in range(10)]


def test_a_marker_stands_where_the_first_cut_line_stood() -> None:
    draft = woven(LINES, [cut_of("passed", [2, 3, 7], "passed lines")], Marks())
    assert draft.text.split("\n") == [*LINES[:2], "[~ 3 passed lines]", *LINES[4:7], *LINES[8:]]
    assert draft.removed == (("passed", 3, ((2, 4), (7, 8))),)


def test_a_marker_can_stand_under_another_line_and_have_rows() -> None:
    cut = Cut("similar", ((6, 8),), "2 similar, with", 2, ("x", "y"), after=1)
    shown = woven(LINES, [cut], Marks()).text.split("\n")
    assert shown == [*LINES[:2], "[~ 2 similar, with]", "x", "y", *LINES[2:6], *LINES[8:]]


def test_cuts_that_touch_are_taken_in_their_order() -> None:
    taken = bytearray(10)
    first, second = cut_of("a", [1, 2], "a"), cut_of("b", [2, 3], "b")
    assert apart([first, second], taken) == [first]
    assert taken == bytearray(b"\0\1\1\0\0\0\0\0\0\0")


def test_a_cut_must_be_longer_than_its_marker() -> None:
    assert not is_worth(cut_of("a", [1, 2], "a"), LINES)
    assert is_worth(cut_of("a", range(1, 6), "a"), LINES)


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_just_their_numbers(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert [n for start, end in ranges for n in range(start, end)] == sorted(numbers)
    assert all(one[1] < other[0] for one, other in pairwise(ranges))


@given(st.lists(st.sets(st.integers(0, 39), min_size=1), max_size=6))
def test_any_cuts_account_for_every_line(wanted: list[set[int]]) -> None:
    lines = [f"l{number}" for number in range(40)]
    free = apart((cut_of("k", sorted(one), "k") for one in wanted), bytearray(40))
    assert_accounted("\n".join(lines), woven(lines, free, Marks()))
