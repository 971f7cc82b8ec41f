"""Our change leaves a text that somebody went on with; theirs never does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.resources.text_merge import MOST_LINES, Merged, without_ours

BEFORE = "one\ntwo\nthree\nfour\nfive\nsix\n"
OURS = BEFORE.replace("two\n", "TWO\nTWO AGAIN\n")
ADDED = BEFORE.replace("four\n", "four\nours\n")
CUT = BEFORE.replace("three\nfour\n", "")


@pytest.mark.parametrize("ours", [OURS, ADDED, CUT, "", "x", BEFORE + "more", BEFORE[:-1]])
def test_what_nobody_edited_goes_back_to_every_byte(ours: str) -> None:
    assert without_ours(ours, ours, BEFORE) == Merged(BEFORE, ())
    assert without_ours(BEFORE, ours, BEFORE) == Merged(BEFORE, ()), "and again"


@pytest.mark.parametrize("ours", [OURS, ADDED, CUT])
def test_an_edit_elsewhere_stays(ours: str) -> None:
    for their in (("six\n", "SIX\nseven\n"), ("one\n", "zero\none\n"), ("six\n", "")):
        assert without_ours(ours.replace(*their), ours, BEFORE) == Merged(
            BEFORE.replace(*their), ()
        )


@pytest.mark.parametrize(
    ("now", "ours"),
    [
        (OURS.replace("TWO AGAIN", "TWO, and mine"), OURS),
        (OURS.replace("TWO\n", "TWO\nmine\n"), OURS),
        (OURS.replace("one\n", "mine\n").replace("three\n", "mine too\n"), OURS),
        (CUT.replace("two\n", "two\nmine\n"), CUT),
        (CUT.replace("two\n", ""), CUT),
    ],
)
def test_an_edit_of_the_very_lines_is_a_conflict_and_stays(now: str, ours: str) -> None:
    found = without_ours(now, ours, BEFORE)
    assert found.text == now
    assert len(found.conflicts) == 1


def test_what_we_added_alone_leaves_whatever_stands_around_it() -> None:
    now = ADDED.replace("four\n", "4\n").replace("five\n", "5\n")
    assert without_ours(now, ADDED, BEFORE).text == now.replace("ours\n", "")


def test_of_a_file_that_we_made_only_their_lines_stay() -> None:
    made = "*.log\ndist/\n"
    for now in (made + "theirs\n", "theirs\n" + made, "a\n" + made + "b\n"):
        assert without_ours(now, made, "") == Merged(now.replace(made, ""), ())
    assert without_ours("*.log\ntheirs\ndist/\n", made, "").conflicts == (1,)


def test_a_part_that_can_be_taken_out_is_whatever_the_rest_does() -> None:
    ours = BEFORE.replace("one\n", "ONE\n").replace("six\n", "SIX\n")
    now = ours.replace("ONE\n", "mine\n")
    assert without_ours(now, ours, BEFORE) == Merged(now.replace("SIX", "six"), (1,))
    again = without_ours(now, ours, BEFORE)
    assert without_ours(again.text, ours, BEFORE, again.conflicts) == Merged(again.text, (1,))


def test_what_was_taken_out_and_somebody_writes_again_is_theirs() -> None:
    ours = BEFORE.replace("one\n", "ONE\n").replace("six\n", "six\nmore\n")
    first = without_ours(ours.replace("ONE\n", "mine\n"), ours, BEFORE)
    assert first.conflicts == (1,)
    now = first.text.replace("mine\n", "ONE\n") + "more\nx"
    assert without_ours(now, ours, BEFORE, first.conflicts) == Merged(BEFORE + "more\nx", ())
    assert without_ours(now, ours, BEFORE).text == BEFORE + "x", "which else had gone too"


def test_the_same_lines_elsewhere_are_theirs() -> None:
    ours = "one\n\ntwo\n"
    assert without_ours("one\n\ntwo\n\nmine\n", ours, "one\ntwo\n") == Merged(
        "one\ntwo\n\nmine\n", ()
    )
    assert without_ours("1\n\ntwo\n\nmine\n", ours, "one\ntwo\n").conflicts == (2,)


def test_only_a_line_feed_ends_a_line() -> None:
    before, ours = "a\r\nb\u2028c\x0b\r\n", "a\r\nb\u2028c\x0b\r\nours\r\n"
    assert without_ours("mine\r\n" + ours, ours, before).text == "mine\r\n" + before


def test_a_last_line_without_its_end_is_another_line() -> None:
    assert without_ours("a\nours\nmine", "a\nours", "a\n").conflicts == (2,)


def test_what_is_too_long_is_only_given_back_unchanged() -> None:
    long = "x\n" * (MOST_LINES + 1)
    assert without_ours(long + "y\n", long, "").conflicts == (1,)
    assert without_ours(long, long, "") == Merged("", ())


LINES = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c", "d\r\n", "é\n"]), max_size=8)
UNIQUE = st.integers(0, 30).map(lambda n: f"line {n}\n")


@given(LINES, LINES, LINES)
def test_any_texts_give_an_answer_that_holds(
    before: list[str], ours: list[str], now: list[str]
) -> None:
    text, our_text, old_text = ("".join(lines) for lines in (now, ours, before))
    found = without_ours(text, our_text, old_text)
    again = without_ours(found.text, our_text, old_text, found.conflicts)
    if found.text not in (our_text, old_text):
        assert set(again.conflicts) <= set(found.conflicts)
    if not found.conflicts:
        assert again.text in (found.text, old_text), "doing it again changes nothing"


@settings(max_examples=300)
@given(
    st.lists(UNIQUE, unique=True, min_size=1, max_size=10),
    st.data(),
)
def test_no_line_of_theirs_is_ever_lost(before: list[str], data: st.DataObject) -> None:
    ours = edited(before, "ours", data)
    now = edited(ours, "theirs", data)
    found = without_ours("".join(now), "".join(ours), "".join(before)).text
    for line in now:
        if line.startswith("theirs"):
            assert line in found
    for line in before:  # what they took out stays out
        if line in ours and line not in now:
            assert line not in found


def edited(lines: list[str], who: str, data: st.DataObject) -> list[str]:
    made = list(lines)
    for number in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(made)))
        if data.draw(st.booleans()):
            made.insert(at, f"{who} {number}\n")
        elif at < len(made):
            made[at : at + 1] = [f"{who} {number}\n"] if data.draw(st.booleans()) else []
    return made
