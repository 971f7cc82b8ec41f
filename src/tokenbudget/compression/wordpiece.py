"""The pieces of words that a BERT-like model knows (WordPiece), as numbers.

The algorithm of BERT's reference tokenizer, uncased: a text is cleaned, taken apart at blanks and
punctuation, and each word into the longest beginnings that the vocabulary has. A text that spells
`[CLS]` or another special piece spells five characters; only `ids` puts special pieces in.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIRST, LAST, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
LONGEST_WORD = 100
"""A longer word is unknown as a whole, as in the reference."""
CHARS_PER_PIECE = 16
"""No more of a text than this is looked at for each piece wanted: code has three or four."""
MOST_REMEMBERED = 20_000

_ASCII_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CJK = re.compile(
    "([\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf"
    "\U0002f800-\U0002fa1f])"
)


def vocabulary_of(text: str) -> dict[str, int]:
    """The vocabulary of a `vocab.txt`: a piece on each line, its number the line's."""
    return {piece: number for number, piece in enumerate(text.removesuffix("\n").split("\n"))}


class WordPieces:
    """Texts as numbers of pieces."""

    def __init__(self, vocabulary: Mapping[str, int], *, is_lower: bool = True) -> None:
        """`vocabulary` holds the special pieces (KeyError); `is_lower`: it knows no capitals."""
        self._vocabulary = vocabulary
        self._is_lower = is_lower
        self._first, self._last = vocabulary[FIRST], vocabulary[LAST]
        self._unknown = vocabulary[UNKNOWN]
        self._remembered: dict[str, list[int]] = {}

    def pieces(self, text: str, most: int) -> list[int]:
        """The first `most` pieces of a text, without special ones."""
        text = text[: most * CHARS_PER_PIECE]
        found = (piece for word in self._words(text) for piece in self._of_word(word))
        return list(islice(found, most))

    def framed(self, pieces: list[int]) -> list[int]:
        """Pieces between the two special ones, as the model wants a text."""
        return [self._first, *pieces, self._last]

    def _words(self, text: str) -> Iterator[str]:
        if self._is_lower and text.isascii():  # the way of most source, ten times as fast
            yield from _ASCII_WORD.findall(_CONTROL.sub("", text.lower()))
            return
        for part in _CJK.sub(r" \1 ", _clean(text)).split():
            yield from _split(self._folded(part))

    def _folded(self, word: str) -> str:
        """Without accents and capitals, where the vocabulary has none."""
        if not self._is_lower:
            return word
        apart = unicodedata.normalize("NFD", word)
        kept = (one for one in apart if unicodedata.category(one) != "Mn")
        return "".join(one.lower() for one in kept)  # one by one: a final sigma is a sigma

    def _of_word(self, word: str) -> list[int]:
        known = self._remembered.get(word)
        if known is None:
            known = self._taken_apart(word)
            if len(self._remembered) < MOST_REMEMBERED:
                self._remembered[word] = known
        return known

    def _taken_apart(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        at = 0
        while at < len(word):
            for end in range(len(word), at, -1):
                number = self._vocabulary.get(("##" if at else "") + word[at:end])
                if number is not None:
                    break
            else:
                return [self._unknown]
            found.append(number)
            at = end
        return found


def _clean(text: str) -> str:
    """Without control characters, half characters and what could not be decoded."""
    return "".join(
        " " if one.isspace() else one
        for one in text
        if one in "\t\n\r" or (unicodedata.category(one)[0] != "C" and one != "\ufffd")
    )


def _split(word: str) -> Iterator[str]:
    """A word and the punctuation in it, which stands alone, one by one."""
    held = ""
    for one in word:
        if _is_punctuation(one):
            if held:
                yield held
            yield one
            held = ""
        else:
            held += one
    if held:
        yield held


def _is_punctuation(one: str) -> bool:
    """ASCII's symbols are punctuation here, `$` and `^` too."""
    if one.isascii():
        return not one.isalnum()
    return unicodedata.category(one)[0] == "P"
