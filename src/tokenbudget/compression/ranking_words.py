"""The words of a text as a search knows them: identifiers whole and in parts, and stemmed."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDENTIFIER = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
LONGEST_WORD = 80
"""What is longer is no word: a hash, a blob."""

_COMMON = (
    "the and for with that this not are but was have has from when would should can could will "
    "use using used also any all one two get got want like just only more than then there which "
    "what how why you your our its it is in on of to be as an or by if at so do does did we my "
    "me no yes now new see here same some other after before into out up into because however "
    "while still even since about were been being am them they these those self cls none true "
    "false please thanks issue bug problem expected actual behavior behaviour version example "
    "python code steps reproduce description http https www com github org"
)
COMMON = frozenset(_COMMON.split())
"""Words that say nothing about where in a program something is."""

_SATURATION, _LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b as everybody has them."""


def terms(text: str) -> list[str]:
    """The terms of a text in order: every identifier, and its parts where it has several."""
    found: list[str] = []
    for word in IDENTIFIER.findall(text):
        if len(word) <= LONGEST_WORD:
            found.extend(_terms_of_word(word))
    return found


@lru_cache(maxsize=1 << 16)
def _terms_of_word(word: str) -> tuple[str, ...]:
    """A program has few words, and each of them often."""
    parts = _PART.findall(word)
    whole = (word.lower(),) if len(parts) > 1 else ()
    return whole + tuple(stem(part.lower()) for part in parts if len(part) > 1)


def stem(word: str) -> str:
    """A word without the commonest endings: `merging`, `merged` and `merges` are `merg`."""
    if len(word) <= 4:
        return word.removesuffix("s") if len(word) == 4 and not word.endswith("ss") else word
    for ending in ("ing", "ied", "ies", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + ("y" if ending in ("ied", "ies") else "")
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


class Lexicon:
    """How much the terms of a query say about each of some pieces of text (BM25)."""

    def __init__(self, pieces: Sequence[Sequence[str]]) -> None:
        """`pieces`: the terms of each."""
        self._counts = [Counter(piece) for piece in pieces]
        self._lengths = [len(piece) for piece in pieces]
        self._mean = max(1.0, sum(self._lengths) / max(1, len(pieces)))
        holders = Counter(term for counts in self._counts for term in counts)
        total = len(pieces)
        self.rarity = {
            term: math.log(1 + (total - held + 0.5) / (held + 0.5))
            for term, held in holders.items()
        }
        """The inverse document frequency of each term."""

    def scores(self, query: Mapping[str, float]) -> list[float]:
        """The score of each piece for these weighted terms."""
        known = {term: weight for term, weight in query.items() if term in self.rarity}
        return [
            self._score(counts, length, known)
            for counts, length in zip(self._counts, self._lengths, strict=True)
        ]

    def _score(self, counts: Counter[str], length: int, query: Mapping[str, float]) -> float:
        norm = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / self._mean)
        shared = counts.keys() & query.keys()
        # in sorted order: a sum of floats depends on it, and a set's order on the process
        return sum(
            query[term] * self.rarity[term] * counts[term] * (1 + _SATURATION)
            / (counts[term] + norm)
            for term in sorted(shared)
        )  # fmt: skip


class LexicalRanker:
    """Ranks pieces of text by the words that they share with the task (a `Ranker`)."""

    name = "bm25"

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        """The BM25 score of each piece."""
        query = {term: 1.0 for term in terms(task) if term not in COMMON}
        return Lexicon([terms(piece) for piece in pieces]).scores(query)
