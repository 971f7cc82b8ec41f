"""Which skill a task calls for: words that the task shares with a skill's line, and past use.

Pure. A skill is judged by what its line tells (name and description), as the agent judges it: the
rarer a shared word among the skills, the more it says (BM25). A name that the task spells out says
most; among equals, what was used before is meant again.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from tokenbudget.compression.ranking_words import IDENTIFIER, Lexicon, terms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tokenbudget.model.protocols import Ranker

NAME, USED, RANKED = 1.5, 0.4, 0.5
"""How much a spelled-out name, a doubling of past uses and a further ranker weigh beside the shared
words, of which the best skill has 1. Looked for on recorded calls (`tools/bench_skills.py`): the
neighbours of these values rank alike."""
SHORT_NAME = 0.6
"""Mean words that a name is taken to have besides: a name of one common word (`run`, `loop`) that a
task happens to contain says less than one of two that stand there both."""
OLDER, FIRST = 0.7, 0.7
"""What a text counts beside the one after it; and the first, what was asked for, at least."""
MOST_CHARACTERS = 1_500
"""Of one text of a task: of the first its beginning, of what came after its end."""
MOST_TRIGGERS = 6
_QUOTE = "\"'\u201c\u201d\u2018\u2019"
_QUOTED = re.compile(f"(?<!\\w)[{_QUOTE}]([^{_QUOTE}\\n]{{3,60}})[{_QUOTE}](?!\\w)")
_COMMON = (
    "the and for with that this not are but was have has from when would should can could will any "
    "all one two got get want like just only more than then there which what how why you your our "
    "its it is in on of to be as an or by if at so do does did we my me no yes now here same some "
    "other after before into out up because however while still even since about were been being "
    "am them they these those let us use using user skill need via etc ll ve re don doesn didn"
)


class Candidate(NamedTuple):
    """A skill, as its line tells of it."""

    name: str
    """With the plugin in front (`plugin:name`), if it is of one."""
    about: str


class Match(NamedTuple):
    """A skill, and how much a task calls for it."""

    name: str
    score: float
    words: tuple[str, ...]
    """What task and line share, spelled as in the task, the rarest first; none: only past use."""


def matched(
    task: str | Sequence[str],
    candidates: Sequence[Candidate],
    uses: Mapping[str, int] | None = None,
    ranker: Ranker | None = None,
) -> list[Match]:
    """Every candidate, the best first.

    Args:
        task: Its text; or several, what was asked for first and then what was said since: each is
            a search of its own, and of a skill the best counts.
        candidates: Each with its line.
        uses: How often each was used, by name.
        ranker: Judges the lines as well (embeddings, say).
    """
    texts = [task] if isinstance(task, str) else list(task)
    lines = [_words(f"{one.name.replace(':', ' ')} {one.about}") for one in candidates]
    own = [sorted(set(_words(_bare(one.name)))) for one in candidates]
    search = _Search(Lexicon(lines), own)
    best = [0.0] * len(candidates)
    weight = 1.0
    for at in range(len(texts) - 1, -1, -1):
        counts = max(weight, FIRST) if at == 0 else weight
        found = search.scores(_shortened(texts[at], is_first=at == 0))
        best = [max(was, counts * score) for was, score in zip(best, found, strict=True)]
        weight *= OLDER
    judged = _judged(texts, candidates, ranker)
    said = _spellings(texts)
    matches = [
        Match(
            one.name,
            best[at]
            + USED * math.log1p(max(0, (uses or {}).get(one.name, 0)))
            + RANKED * judged[at],
            _spelled_as(search.telling(said.keys() & set(lines[at])), said),
        )
        for at, one in enumerate(candidates)
    ]
    return sorted(matches, key=lambda match: (-match.score, match.name))


class _Search:
    """Judges all skills by one text."""

    def __init__(self, lexicon: Lexicon, own: Sequence[Sequence[str]]) -> None:
        rarity = lexicon.rarity
        self._lexicon = lexicon
        self._own = own
        self._name_mean = SHORT_NAME * sum(rarity.values()) / max(1, len(rarity))

    def scores(self, text: str) -> list[float]:
        """1 for the best by shared words, and up to `NAME` for a name that the text spells out."""
        query = dict.fromkeys(_words(text), 1.0)
        shared = _to_one(self._lexicon.scores(query))
        return [
            score + NAME * self._spelled(query, own)
            for score, own in zip(shared, self._own, strict=True)
        ]

    def telling(self, words: Collection[str]) -> tuple[str, ...]:
        """The rarest of these words."""
        rarity = self._lexicon.rarity
        return tuple(sorted(words, key=lambda word: (-rarity[word], word))[:MOST_TRIGGERS])

    def _spelled(self, query: Collection[str], own: Sequence[str]) -> float:
        """How much of its name the text spells out, 0 to less than 1."""
        rarity = self._lexicon.rarity
        whole = sum(rarity.get(word, 0.0) for word in own) + self._name_mean
        return sum(rarity.get(word, 0.0) for word in own if word in query) / whole if whole else 0.0


def _spellings(texts: Sequence[str]) -> dict[str, str]:
    """Each stem of these texts, and the first word that it was found in."""
    found: dict[str, str] = {}
    for text in texts:
        for word in IDENTIFIER.findall(text):
            for one in _words(word):
                found.setdefault(one, word.lower())
    return found


def _spelled_as(stems: Sequence[str], said: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said[one] for one in stems))


def _shortened(text: str, *, is_first: bool) -> str:
    return text[:MOST_CHARACTERS] if is_first else text[-MOST_CHARACTERS:]


def triggers(about: str, rarity: Mapping[str, float]) -> tuple[str, ...]:
    """What a description says it is for: phrases in quotation marks, else its rarest words.

    `rarity` is that of the stems among all descriptions (`rarity_of`).
    """
    phrases = list(dict.fromkeys(one.strip(" ,.") for one in _QUOTED.findall(about)))
    if len(phrases) < MOST_TRIGGERS:
        words = list(dict.fromkeys(re.findall(r"[^\W\d_][\w-]{2,30}", about.lower())))
        usual = sum(rarity.values()) / max(1, len(rarity))
        telling = [word for word in words if _rarest(word, rarity) >= usual]
        telling.sort(key=lambda word: -_rarest(word, rarity))
        phrases += [word for word in telling if not any(word in one for one in phrases)]
    return tuple(phrases[:MOST_TRIGGERS])


def rarity_of(abouts: Sequence[str]) -> Mapping[str, float]:
    """How rare each stem is among these descriptions."""
    return Lexicon([_words(about) for about in abouts]).rarity


def _rarest(word: str, rarity: Mapping[str, float]) -> float:
    return max((rarity.get(stem, 0.0) for stem in _words(word)), default=0.0)


@lru_cache(maxsize=1)
def _stop() -> frozenset[str]:
    """Words that say nothing of a skill; `code` does, unlike in a search of a program."""
    return frozenset(_COMMON.split())


def _words(text: str) -> list[str]:
    return [term for term in terms(text.replace("-", " ")) if term not in _stop()]


def _bare(name: str) -> str:
    return name.rpartition(":")[2]


def _to_one(scores: Sequence[float]) -> list[float]:
    top = max(scores, default=0.0)
    return [score / top if top > 0 else 0.0 for score in scores]


def _judged(
    texts: Sequence[str], candidates: Sequence[Candidate], ranker: Ranker | None
) -> list[float]:
    if ranker is None:
        return [0.0] * len(candidates)
    lines = [f"{one.name}: {one.about}" for one in candidates]
    return _to_one(ranker.relevance("\n".join(texts)[-MOST_CHARACTERS:], lines))
