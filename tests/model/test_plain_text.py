import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.plain_text import one_line

any_text = st.text(st.characters() | st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]))


@given(any_text)
def test_nothing_is_left_that_controls_hides_or_reverses(text: str) -> None:
    categories = {unicodedata.category(char) for char in one_line(text)}

    assert categories & {"Cc", "Cs", "Zl", "Zp"} == set()


@given(any_text)
def test_it_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(any_text)
def test_once_is_enough(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)


@given(st.text("abc äöü 漢字 🙂 e\u0301"))
def test_words_stay_as_they_are(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("bad", "clean"),
    [
        ("\x1b]0;title\x07", "]0;title"),
        ("\x1b[2J\x1b[H", "[2J[H"),
        ("\x1bP1;2|x\x1b\\", "P1;2|x\\"),
        ("\x9b31m\x9d0;x\x9c", "31m0;x"),
        ("a\u202eb\u202cc\u2066d\u2069e\u061cf\u200eg", "abcdefg"),
        ("a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh", "abcdefgh"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "abcdef"),
        ("a\tb\nc\r\nd", "a b c d"),
        ("tag\U000e0061\U000e0062", "tag"),
        ("\u3164\u115f\u1160\uffa0|", "|"),
        ("half \ud83d", "half "),
        ("[link=x]y[/link]", "[link=x]y[/link]"),
    ],
)
def test_examples(bad: str, clean: str) -> None:
    assert one_line(bad) == clean


def test_every_invisible_format_character_goes_except_visible_number_signs() -> None:
    formats = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) == "Cf"]
    left = {char for char in formats if one_line(char)}

    assert all(
        any(word in unicodedata.name(char) for word in ("SIGN", "MARK", "ARABIC", "EGYPTIAN"))
        for char in left
    )
