"""Runs of lines that stand in earlier texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.known_lines import known_runs
from tokenbudget.compression.line_numbers import without_numbers

few_lines = st.lists(st.sampled_from(["a", "b", "", "}", "c d"]), max_size=40)


@given(few_lines, st.lists(few_lines, max_size=3), st.integers(1, 4))
def test_every_run_is_equal_to_its_place_and_runs_never_overlap(
    new: list[str], earlier: list[list[str]], window: int
) -> None:
    done = 0
    for run in known_runs(new, earlier, window):
        assert run.start >= done
        assert run.end - run.start >= window
        size = run.end - run.start
        assert run.at >= 0
        assert new[run.start : run.end] == earlier[run.source][run.at : run.at + size]
        done = run.end


@given(few_lines.filter(lambda lines: len(lines) >= 2))
def test_a_copy_is_one_run(lines: list[str]) -> None:
    (run,) = known_runs(lines, [["x"], lines], 2)
    assert (run.start, run.end, run.source) == (0, len(lines), 1)


def test_a_run_goes_on_where_the_last_one_lay() -> None:
    block = ["}", "", "}"]
    old = [*block, "one", *block, "two", *block]
    new = [*block, "changed", *block, "two", *block]
    assert [run.shift for run in known_runs(new, [old], 3)] == [0, 0]


def test_the_numbers_of_a_reader_are_taken_off() -> None:
    numbered = without_numbers(["     9→def f():", "    10→    pass", "<reminder>", "   11→"])
    assert numbered.bodies == ["def f():", "    pass", "<reminder>", ""]
    assert numbered.numbers == [9, 10, 0, 11]
    assert without_numbers(["1\tx", "2\ty"]).bodies == ["x", "y"]


def test_numbers_that_do_not_count_on_belong_to_the_text() -> None:
    table = ["4\tred", "9\tblue"]
    assert without_numbers(table).bodies == ["red", "9\tblue"]
    assert without_numbers(["name\tsize", "1\ta"]).bodies == ["name\tsize", "1\ta"]
    assert without_numbers(["²→x", "0→y"]).bodies == ["²→x", "0→y"]


def test_a_part_of_a_file_knows_where_it_begins() -> None:
    assert without_numbers(["x", "y"], 40).numbers == [40, 41]
    assert without_numbers(["x", "y"]).numbers == [0, 0]
