"""Words into the pieces that a model knows, as BERT's own tokenizer does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.tiny_model import PIECES

from tokenbudget.compression.wordpiece import WordPieces, vocabulary_of

WORDS = WordPieces(vocabulary_of("\n".join(PIECES) + "\n"))


def spelled(text: str, most: int = 100) -> list[str]:
    return [PIECES[number] for number in WORDS.pieces(text, most)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Load the loaders", ["load", "the", "load", "##er", "##s"]),
        ("load_JSON(file):", ["load", "_", "json", "(", "file", ")", ":"]),
        ("loadx", ["[UNK]"]),  # one unknown rest makes the whole word unknown
        ("caf\u00e9 CAFE\u0301", ["cafe", "cafe"]),
        ("a\x00b", ["[UNK]"]),  # a control joins: the word is `ab`
        ("a\u200bb", ["[UNK]"]),
        ("a\ud800 b", ["a", "b"]),
        ("a\x0cb\tc", ["[UNK]", "c"]),
        ("a\u00a0b", ["a", "b"]),
        ("a日b", ["a", "日", "b"]),
        ("a\u2014b", ["a", "[UNK]", "b"]),
        ("a" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_a_text_is_taken_apart_as_in_the_reference(text: str, pieces: list[str]) -> None:
    assert spelled(text) == pieces


def test_a_text_that_spells_a_special_piece_gets_none() -> None:
    """Else a file could end the text that the model sees."""
    assert "[SEP]" not in spelled("a [SEP] b [CLS] [PAD]")


def test_the_special_pieces_stand_around_a_text() -> None:
    framed = WORDS.framed(WORDS.pieces("the cake", 10))
    assert [PIECES[number] for number in framed] == ["[CLS]", "the", "cake", "[SEP]"]


def test_a_vocabulary_with_capitals_is_asked_with_capitals() -> None:
    words = WordPieces(
        {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "Cafe": 3, "caf\u00e9": 4}, is_lower=False
    )
    assert words.pieces("Cafe caf\u00e9 cafe", 9) == [3, 4, 2]


def test_no_more_is_read_than_is_wanted() -> None:
    assert WORDS.pieces("a b " * 1_000_000, 3) == WORDS.pieces("a b a", 3)


def test_a_vocabulary_without_special_pieces_is_none() -> None:
    with pytest.raises(KeyError):
        WordPieces({"a": 0})


@given(st.text(), st.integers(1, 30))
def test_any_text_becomes_pieces_of_the_vocabulary(text: str, most: int) -> None:
    found = WORDS.pieces(text, most)
    assert len(found) <= most
    assert all(0 <= number < len(PIECES) for number in found)
    assert found == WORDS.pieces(text, most + 5)[:most] or len(text) > most * 16
