import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile import PAYLOADS

from tokenbudget.model.csv_cell import FORMULA_SIGNS, cell, guarded, original
from tokenbudget.model.plain_text import one_line

nasty = st.text(
    st.sampled_from("=+-@\t\r\n;' \\u{}1b5c\"ab,\x00\x1b\u202e\ud83d\ufeff\uff1d\u200b\xa0")
)
any_text = st.text(st.characters()) | nasty
UNSEEN = "".join(
    chr(n) for n in range(0x3001) if not one_line(chr(n)).strip() and chr(n) not in "\t\n"
)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet of any language, which may trim first, would see one.

    A doubled quotation mark at the beginning is an empty text to one with another separator.
    """
    return any(
        part.lstrip(UNSEEN + '"')[:1] in tuple(FORMULA_SIGNS)
        for part in re.split("[;\n\t]", text)
        if part.lstrip(UNSEEN + '"')
    )


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_is_no_formula_and_can_be_had_back(payload: str) -> None:
    assert not is_formula(guarded(payload))
    assert original(guarded(payload)) == payload
    guarded(payload).encode()  # no lone surrogate is left


@given(any_text)
def test_no_text_is_a_formula_and_every_one_can_be_had_back(text: str) -> None:
    assert not is_formula(guarded(text))
    assert original(guarded(text)) == text


@given(any_text)
def test_nothing_moves_a_cursor_or_reverses_text(text: str) -> None:
    assert not set(guarded(text)) & set(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
    assert not set(guarded(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("  -1", "'  -1"),
        ("\uff1d1", "'\uff1d1"),
        ("\u200b@x", "'\u200b@x"),
        ("a;=1", "a;'=1"),
        ("a;b", "a;b"),
        ('a;"=1', "a;'\"=1"),
        ('"=1', "'\"=1"),
        ('"it"', '"it"'),
        ("a\0b", "a\\u{0}b"),
        ("\ud83d", "\\u{d83d}"),
        ("\\u{0}", "\\u{5c}u{0}"),
        ("C:\\new\\users", "C:\\new\\users"),
        ("it's = here", "it's = here"),
        ("", ""),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert guarded(text) == shown
    assert original(shown) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "true"), (False, "false"), (-5, "-5"), (2.5, "2.5"), ("-5", "'-5")],
)
def test_numbers_stay_numbers(value: object, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize("sign", [" ", '"', "\t", "\n", ";", "'", "=", "\u200b", "\\", "; "])
def test_a_long_row_of_signs_takes_no_long_time(sign: str) -> None:
    began = time.perf_counter()

    guarded(sign * 200_000)

    assert time.perf_counter() - began < 5
