"""Whether lines that a marker calls similar are so, counted again in the original."""

from __future__ import annotations

import re

from tokenbudget.analysis.fidelity_atoms import bare, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.fidelity_marks import Sight

_SEVERE = re.compile(
    r"(?i)(?<![a-z])(?:errors?|fail(?:ed|ures?|s)?|fatal|panic(?:ked)?|exceptions?|critical"
    r"|traceback|denied|refused)(?![a-z])"
)
_ZERO = re.compile(r"(?i)\b(?:0|no)\s+(?:errors?|failed|failures?|fail|exceptions?)\b")


def differs(sight: Sight, found: int) -> str:
    """'' where a marker tells this count, else what is wrong."""
    told = sight.claimed.count
    return "" if told == found else f"{told} told, {found} counted"


def similar(sight: Sight) -> str:
    """All of them fit the line before, and none tells of a failure that it does not tell."""
    hidden = [bare(line) for line in sight.hidden()]
    own = bare(sight.before + sight.after)
    shown = [own] if own.strip() else [bare(line) for line in sight.shown[-1:]]
    if not shown:
        return "no line stands before it"
    for line in hidden:
        if not _fit(shown[0], line):
            return f"does not fit '{shown[0]}': {line}"
        if _severe_words(line) - _severe_words(shown[0]):
            return f"a failure among the similar ones: {line}"
    return (_values(sight, hidden, shown[0]) if has_values(sight) else "") or differs(
        sight, len(hidden)
    )


def has_values(sight: Sight) -> bool:
    """Whether what differs in its lines is said under it, a row for each."""
    return sight.claimed.kind == "similar" and sight.words.endswith(", with")


def _values(sight: Sight, hidden: Sequence[str], shown: str) -> str:
    """Each row says all that its line does not have in common with the shown one, and no more."""
    if len(sight.below) != len(hidden):
        return f"{len(sight.below)} rows of values for {len(hidden)} lines"
    common = words(shown)
    for row, line in zip(sight.below, hidden, strict=True):
        said, whole = words(row), words(line)
        if said - whole:
            return f"'{row}' is not of: {line}"
        if whole - said - common:
            return f"'{row}' does not tell all of: {line}"
    return ""


def _fit(shown: str, line: str) -> bool:
    """Whether two lines are one template: as many words, and a third of them the same."""
    first, second = shown.split(), line.split()
    if len(first) != len(second):
        return False
    same = sum(_shape(a) == _shape(b) for a, b in zip(first, second, strict=True))
    return same * 3 >= len(first)


def _shape(word: str) -> str:
    return re.sub(r"0x[0-9a-fA-F]+|[0-9a-f]{8,}|\d+", "#", word)


def like(sight: Sight) -> str:
    """So many lines of its range are the line above, but for the words with a digit in them."""
    shown = [_masked(bare(line)) for line in sight.shown[-1:]]
    return differs(sight, sum(_masked(bare(line)) in shown for line in sight.hidden()))


def _masked(line: str) -> str:
    return re.sub(r"\b[^\W\d]*+\d\w*+", "0", line)


def _severe_words(line: str) -> set[str]:
    return {found.lower() for found in _SEVERE.findall(_ZERO.sub("", line))}
