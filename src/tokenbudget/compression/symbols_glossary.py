"""Phrases that a text repeats, each behind a sign that a first line explains; reversible.

The sign is made of the phrase's initials and stands nowhere in the text itself, so that replacing
it gives the text back (`expanded`). A phrase gets one only where the vocabulary counts fewer
tokens, the line that explains it included.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from tokenbudget.compression.prose_spans import GUARD_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.model.protocols import TokenCounter

HEAD = "Short: "
FEWEST_USES = 4
FEWEST_GAINED = 6
MOST_ENTRIES = 12
"""More signs than a reader keeps in mind are no help."""

_WORDS = re.compile(r"(?<![\w'\u2019*-])[a-z]{2,}(?: [a-z-]{2,})+")
_LOOSE_WORDS = """
of in to and for is are with on as by from that this it be at into via per so than but like its
their was were will you we they has have had do does did use using an the get gets
"""
_LOOSE = frozenset(_LOOSE_WORDS.split())
"""A phrase holds none of these: its sign would be read for something else."""


class Entry(NamedTuple):
    """A sign and the phrase that it stands for."""

    sign: str
    phrase: str


def glossary_for(parts: Sequence[str], text: str, counter: TokenCounter) -> tuple[Entry, ...]:
    """The entries that gain; `parts` may be replaced, `text` is what a sign may not stand in."""
    uses = Counter(phrase for part in parts for phrase in _phrases(part))
    taken = set(re.findall(r"\w+", text))
    entries: list[Entry] = []
    ranked = sorted(uses.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
    for phrase, count in ranked:
        if count < FEWEST_USES or len(entries) == MOST_ENTRIES:
            continue
        entry = Entry("".join(word[0] for word in phrase.split()).upper(), phrase)
        if entry.sign in taken or any(_overlap(phrase, one.phrase) for one in entries):
            continue
        if _gain(entry, count, counter) >= FEWEST_GAINED:
            entries.append(entry)
            taken.add(entry.sign)
    return tuple(entries)


def _phrases(part: str) -> Iterable[str]:
    for found in _WORDS.finditer(part):
        words = found[0].split(" ")
        for size in (2, 3, 4):
            for start in range(len(words) - size + 1):
                some = words[start : start + size]
                if not GUARD_WORDS.intersection(some) and not _LOOSE.intersection(some):
                    yield " ".join(some)


def _overlap(phrase: str, other: str) -> bool:
    return bool(set(phrase.split()) & set(other.split()))


def _gain(entry: Entry, uses: int, counter: TokenCounter) -> int:
    each = counter.count(f" {entry.phrase}") - counter.count(f" {entry.sign}")
    return uses * each - counter.count(f" {entry.sign}={entry.phrase},")


def with_signs(part: str, glossary: Sequence[Entry]) -> str:
    """A paragraph with the signs in the place of their phrases."""
    for entry in glossary:
        phrase = re.escape(entry.phrase)
        part = re.sub(rf"(?<![\w'\u2019*-]){phrase}(?![\w'\u2019-])", entry.sign, part)
    return part


def line_of(glossary: Sequence[Entry]) -> str:
    """The line that explains the signs."""
    return HEAD + ", ".join(f"{one.sign}={one.phrase}" for one in glossary)


def expanded(text: str, glossary: Sequence[Entry]) -> str:
    """The text with every phrase in the place of its sign, and without the line that explains."""
    if glossary:
        text = text.replace(line_of(glossary) + "\n\n", "", 1)
    for entry in glossary:
        text = re.sub(rf"\b{entry.sign}\b", entry.phrase, text)
    return text
