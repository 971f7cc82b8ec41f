"""Any text: repetitions, terminal codes, and at `compressed` the middle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_accounted, assert_survives, drafted

from tokenbudget.compression.codecs.text import CODEC, decode
from tokenbudget.compression.marks import Marks
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE, Origin

LONG = [f"line {chr(97 + n % 26)}{n} of a long text that says nothing" for n in range(400)]


def test_a_repeated_line_is_counted() -> None:
    text = "start\n" + "waiting for the server\n" * 40 + "done"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text == ("start\nwaiting for the server\n[~ line above 39 more times]\ndone")
    assert draft.removed == (("repeated", 39, ((2, 41),)),)


def test_a_repeated_block_is_counted() -> None:
    block = "poll the queue of the worker\n  nothing there\n  sleep for a while\n"
    text = "start\n" + block * 9 + "poll the queue of the worker\n  one job"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text.count("nothing there") == 1
    assert "[~ 3 lines above 8 more times]\npoll the queue of the worker\n  one job" in draft.text
    assert_accounted(text, draft)


def test_two_equal_lines_are_not_worth_a_marker() -> None:
    assert drafted(CODEC, "a\na\nb\nb\n\n\n\nc") is None


def test_colours_go_and_what_they_coloured_stays() -> None:
    text = "\x1b[1m\x1b[31mred\x1b[0m and \x1b]8;;http://x\x1b\\link\x1b]8;;\x07\nplain"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text == "[~ 5 terminal codes]\nred and link\nplain"
    assert_accounted(text, draft)


def test_of_a_progress_bar_the_last_state_stays() -> None:
    text = "get\n" + "\r".join(f"{n}% of 20 MB" for n in range(0, 101, 5)) + "\r\nsaved"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert draft.text == "[~ 20 overwritten]\nget\n100% of 20 MB\r\nsaved"


def test_an_error_that_was_overwritten_stays() -> None:
    text = "1% done\r2% error: disk full\r3% done" + "\nx" * 3
    assert drafted(CODEC, text) is None


def test_carriage_returns_at_line_ends_are_no_progress_bars() -> None:
    assert drafted(CODEC, "one\r\ntwo\r\nthree\r\n") is None


@pytest.mark.parametrize(("level", "ends"), [(BALANCED, 80), (COMPRESSED, 30)])
def test_the_middle_of_a_long_text_goes(level: str, ends: int) -> None:
    text = "\n".join(LONG)
    draft = drafted(CODEC, text, level)
    assert draft is not None
    left = [*LONG[:ends], f"[~ {400 - 2 * ends} lines]", *LONG[-ends:]]
    assert draft.text.split("\n") == left
    assert_accounted(text, draft)


def test_a_file_that_a_shell_printed_is_cut_at_compressed_only() -> None:
    origin = Origin("Bash", "cd src && sed -n 1,400p cart.py")
    assert drafted(CODEC, "\n".join(LONG), BALANCED, origin) is None
    assert drafted(CODEC, "\n".join(LONG), COMPRESSED, origin) is not None


def test_trouble_in_the_middle_stays_with_what_is_around_it() -> None:
    lines = list(LONG)
    lines[200] = "error: could not open the file"
    text = "\n".join(lines)
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert "\n".join(["[~ 168 lines]", *lines[198:203], "[~ 167 lines]"]) in draft.text
    assert_accounted(text, draft)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("\n".join(LONG), Origin("Read", path="notes.txt")),
        ("On branch main\n" + "\n".join(f"\tmodified:   f{n}.py" for n in range(900)), Origin()),
        ("\n".join(f" M f{n}.py" for n in range(900)), Origin("Bash", "git status --short")),
    ],
)
def test_files_and_the_state_of_a_working_tree_are_never_cut(text: str, origin: Origin) -> None:
    assert drafted(CODEC, text, COMPRESSED, origin) is None


def test_repetitions_can_be_made_again_so_they_go_at_verbose_too() -> None:
    text = "same line again and again\n" * 90
    draft = drafted(CODEC, text, VERBOSE)
    assert draft is not None
    assert draft.is_lossless
    assert decode(draft.text, "[~") == text
    assert drafted(CODEC, "\n".join(LONG), VERBOSE) is None
    assert drafted(CODEC, f"\x1b[1mred\x1b[0m\n{text}", BALANCED) is not None


@given(
    st.lists(
        st.sampled_from(["a longer line of some words", "b", "", "[~ line above 9 more times]"]),
        max_size=60,
    ),
    st.integers(1, 9),
)
def test_what_repeats_can_be_made_again(lines: list[str], times: int) -> None:
    text = "\n".join(lines * times)
    draft = drafted(CODEC, text, VERBOSE)
    if draft is not None:
        assert draft.is_lossless
        assert decode(draft.text, Marks(text).opening) == text
        assert_accounted(text, draft)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


@given(
    st.lists(
        st.sampled_from(["alpha beta gamma", "delta epsilon", "", "x", "error: y", "\x1b[1mz\r1"]),
        max_size=200,
    )
)
def test_every_line_is_accounted_for(lines: list[str]) -> None:
    assert_survives(CODEC, "\n".join(lines), LEVELS)


@pytest.mark.parametrize("level", [BALANCED, COMPRESSED])
def test_a_report_of_failures_in_the_middle_stays_whole(level: str) -> None:
    differing = [f"E     'item {chr(97 + n)}' != 'item {chr(98 + n)}'" for n in range(8)]
    report = ["=" * 9 + " FAILURES " + "=" * 9, *LONG[:20], *differing, *LONG[20:40]]
    summary = "=" * 9 + " short test summary info " + "=" * 9
    text = "\n".join([*LONG[100:240], *report, summary, *LONG[240:390]])
    draft = drafted(CODEC, text, level)
    assert draft is not None
    assert "\n".join(report) in draft.text
    assert_accounted(text, draft)


def test_of_a_report_that_is_longer_than_any_the_first_part_stays() -> None:
    report = ["=" * 9 + " FAILURES " + "=" * 9, *LONG * 4]
    text = "\n".join([*LONG, *report, "1 failed in 0.12s", *LONG])
    draft = drafted(CODEC, text, COMPRESSED)
    assert draft is not None
    assert "\n".join(report[:90]) in draft.text
    assert len(draft.text) < 6_000 + 2 * 1_800 + 500
    assert_accounted(text, draft)


def test_what_begins_like_a_report_and_never_ends_is_none() -> None:
    lines = list(LONG)
    lines[40] = "ERROR: what a program printed long ago"
    draft = drafted(CODEC, "\n".join(lines), COMPRESSED)
    assert draft is not None
    assert LONG[60] not in draft.text.split("\n")


def test_what_pytest_says_of_a_failure_stays_without_its_heading() -> None:
    lines = list(LONG)
    lines[200] = "E     {'b': [1, 2, 3]} != {'b': [1, 2, 4]}"
    draft = drafted(CODEC, "\n".join(lines), COMPRESSED)
    assert draft is not None
    assert lines[200] in draft.text
