"""Our markers can be told from whatever imitates them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.compression.handles import DIGITS, handle_of
from tokenbudget.compression.marks import Marks, opening_for, split
from tokenbudget.metering.tokenizer import BytePairCounter

PROPERTY = settings(deadline=None, max_examples=100, database=None)

TEXTS = st.text(alphabet="[~] 40lines\n", max_size=60)


@PROPERTY
@given(texts=st.lists(TEXTS, max_size=3))
def test_no_text_holds_the_opening(texts: list[str]) -> None:
    opening = opening_for(texts)
    assert not any(opening in text for text in texts)
    assert opening == "[~" or any(opening[:-1] in text for text in texts)


@PROPERTY
@given(text=TEXTS, words=st.lists(TEXTS, max_size=4))
def test_what_is_ours_is_found_again_and_the_rest_is_the_text(text: str, words: list[str]) -> None:
    marks = Marks(text)
    lines = text.split("\n")
    shown = "\n".join([*lines, *(marks.mark(one) for one in words)])
    left, found = split(shown, marks.opening)
    assert left == "\n".join([*lines, *[""] * len(words)])
    assert len(found) == len(words)


def test_a_marker_is_one_line_and_ends_where_it_should() -> None:
    assert Marks().mark("40 lines]\n[~ more") == "[~ 40 lines) [~ more]"


def test_a_marker_and_the_way_back_are_cheap() -> None:
    count = BytePairCounter().count
    handle = handle_of(b"any content")
    assert len(handle) == DIGITS
    assert handle.isdigit()
    assert count(Marks().mark("40 lines")) <= 8
    assert count(Marks().mark(f"all 12,345 lines: tokens recall {handle}")) <= 25


def test_a_text_of_tildes_gets_a_short_opening_at_once() -> None:
    text = "[" + "~" * 3_000_000
    assert opening_for([text]) == "[~0~"
    taken = "".join(f"[~{n}~" for n in range(1_000)) + "[~01000~"
    assert opening_for([text, taken]) == "[~1001~"
    assert Marks(text).mark("4 lines") == "[~0~ 4 lines]"
    assert split("a\n[~0~ 4 lines]", Marks(text).opening) == ("a\n", ("4 lines",))
