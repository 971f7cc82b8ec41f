"""Skills that say the same: copies of one text, and descriptions that a task could not tell apart.

Pure. Texts are compared by the check sums of their runs of words, of which the smallest stand for
all (min-hash): a thousand skills are compared in a second, and none with each other one by one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

RUN_WORDS = 5
"""Of a body: long enough that two texts about one thing share few."""
MOST_KEPT = 128
"""Check sums of a text: a share of them is off by about 4 points."""
SAME_BODY, SAME_ABOUT = 0.7, 0.6
"""From which share of the same runs, and of the same words, two are told. Of 201 published skills
only exact copies reach it by their bodies."""
FEWEST_RUNS, FEWEST_WORDS = 8, 6
"""With fewer, that they are alike says nothing."""
MOST_TOGETHER = 40
_WORD = re.compile(r"\w+")


class Text(NamedTuple):
    """One skill's words."""

    name: str
    about: str
    body: str


class Overlap(NamedTuple):
    """Two skills that say the same."""

    first: str
    second: str
    what: str
    """`text` or `description`."""
    share: float


def overlaps_in(texts: Sequence[Text]) -> list[Overlap]:
    """Pairs that say the same, the most alike first; by the text if by both."""
    bodies = _alike(texts, _runs, FEWEST_RUNS, SAME_BODY, "text")
    told = {frozenset((one.first, one.second)) for one in bodies}
    abouts = _alike(texts, _about_words, FEWEST_WORDS, SAME_ABOUT, "description")
    found = [*bodies, *(one for one in abouts if frozenset((one.first, one.second)) not in told)]
    return sorted(found, key=lambda one: (-one.share, one.first, one.second))


def _alike(
    texts: Sequence[Text],
    marks_of: Callable[[Text], Iterable[str]],
    fewest: int,
    least_share: float,
    what: str,
) -> list[Overlap]:
    kept = [_smallest(marks_of(text)) for text in texts]
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for at, sums in enumerate(kept):
        if len(sums) >= fewest:
            for one in sums:
                holders[one].append(at)
    shared: defaultdict[tuple[int, int], int] = defaultdict(int)
    for group in holders.values():
        # Of everybody's phrase each meets the next alone: pairs would be as many as its square.
        reach = len(group) if len(group) <= MOST_TOGETHER else 1
        for number, first in enumerate(group):
            for second in group[number + 1 : number + 1 + reach]:
                shared[first, second] += 1
    found = []
    for (first, second), count in shared.items():
        share = _share(kept[first], kept[second]) if count >= fewest // 2 else 0.0
        if share >= least_share:
            found.append(Overlap(texts[first].name, texts[second].name, what, round(share, 2)))
    return found


def _smallest(marks: Iterable[str]) -> frozenset[int]:
    return frozenset(sorted({crc32(one.encode("utf-8", "replace")) for one in marks})[:MOST_KEPT])


def _share(one: frozenset[int], other: frozenset[int]) -> float:
    """The Jaccard index, from the smallest check sums of both together."""
    together = sorted(one | other)[:MOST_KEPT]
    return sum(mark in one and mark in other for mark in together) / max(1, len(together))


def _runs(text: Text) -> set[str]:
    words = _WORD.findall(text.body.lower())
    return {" ".join(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}


def _about_words(text: Text) -> set[str]:
    return {word for word in _WORD.findall(text.about.lower()) if len(word) > 3}
