"""The words of tools and tasks as a search knows them: stemmed, identifiers in parts, Chinese too.

English words lose their commonest endings. Chinese has no blanks between words: its pairs of
characters stand for them, and the words that tool descriptions are made of are also translated,
so that a task in one language finds a tool in the other.
"""

from __future__ import annotations

import re
from functools import lru_cache

from tokenbudget.gateway.mcp.finding_chinese import LONGEST, MEANINGS

_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\Wa-zA-Z\d_]+")
FIRST_CHINESE, LAST_CHINESE = "\u3400", "\u9fff"  # compiling this range takes a millisecond
LONGEST_WORD = 40
"""What is longer is no word: a hash, a blob."""

_COMMON = (
    "a able about above across after again all also always am an and another any anyone are "
    "arg as at back based be because been before being between both but by call called can "
    "cannot could default did do does doing don done each either else etc every exist false "
    "few for from further give given gives had has have having he help her here his how i if "
    "in into is it its just know let like ll made make many may me mcp more most much must my "
    "need new no not now of off on one only onto optional or other our out over per please "
    "provide provided re return returned same say see several she should show so some "
    "specific specified such sure take tell than that the their them then there these they "
    "thing this those through to too tool true two under until up upon us use used user uses "
    "using value ve very via want was way we well were what when where whether which while "
    "who whom whose why will with within without would yes you your"
)
_ENDINGS = (
    ("ations", ""), ("ation", ""), ("ating", ""), ("ated", ""), ("ates", ""), ("ate", ""),
    ("ments", "ment"), ("ings", ""), ("ing", ""), ("ies", "y"), ("ied", "y"), ("ers", "er"),
    ("ed", ""), ("es", ""), ("s", ""), ("e", ""),
)  # fmt: skip
_LEAST_STEM = 3
_LEAST_BEFORE_ATE = 5
"""So that `location` and `station` stay what they are."""


def words(text: str) -> list[str]:
    """The terms of a text in order, without those that say nothing."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        whole = match[0]
        if len(whole) > LONGEST_WORD and whole.isascii():
            continue
        if whole.islower() and whole.isascii():
            parts = [whole]
        else:
            parts = _PART.findall(whole)
            if len(parts) > 1 and whole.isascii() and len(whole) <= 12:
                found.append(whole.lower())  # `NCT04280705`, `GitHub`, `7z`
        for part in parts:
            found.extend(_terms(part))
    return found


def _terms(part: str) -> list[str]:
    if not part.isascii() and any(FIRST_CHINESE <= sign <= LAST_CHINESE for sign in part):
        return chinese(part)
    lower = part.lower()
    if lower in COMMON or (len(lower) < 2 and not lower.isdigit()):
        return []
    return [stem(lower)]


def chinese(text: str) -> list[str]:
    """The pairs of characters of a stretch of Chinese, and what its known words mean."""
    found = [text[at : at + 2] for at in range(len(text) - 1)]
    at = 0
    while at < len(text):
        for length in range(min(LONGEST, len(text) - at), 1, -1):
            meaning = MEANINGS.get(text[at : at + length])
            if meaning is not None:
                found.extend(stem(word) for word in meaning)
                at += length - 1
                break
        at += 1
    return found


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without the commonest endings: `searching`, `searches`, `searched` are `search`."""
    if len(word) <= 3 or word.endswith("ss"):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            least = _LEAST_BEFORE_ATE if ending.startswith("at") else _LEAST_STEM
            if len(word) - len(ending) >= least:
                word = word[: -len(ending)] + instead
                break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] != "s" else word


COMMON = frozenset(_COMMON.split())
"""Words that tell no tool from another."""
