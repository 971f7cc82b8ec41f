import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile import PAYLOADS

from tokenbudget.model.spelled import spelled, storable, unspelled

texts = st.text(st.characters()) | st.text(st.sampled_from("\\u{}05c\0\ud83d\x1b\u202eg"))


@given(texts)
def test_both_can_be_had_back(text: str) -> None:
    assert unspelled(spelled(text)) == text
    assert unspelled(storable(text)) == text


@given(texts, texts)
def test_two_texts_never_become_one(one: str, other: str) -> None:
    assert (spelled(one) == spelled(other)) == (one == other)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_can_be_stored_anywhere(payload: str) -> None:
    assert "\0" not in storable(payload)
    storable(payload).encode()


def test_a_text_that_any_database_takes_stays_as_it_is() -> None:
    text = "It's \x1b[1m\r\n\u202e \\ \\n \\u0041 {} 購 \N{OK HAND SIGN}"

    assert storable(text) == text


def test_what_looks_like_a_number_beyond_all_letters_is_left() -> None:
    assert unspelled("\\u{110000} \\u{ffffff} \\u{}") == "\\u{110000} \\u{ffffff} \\u{}"
