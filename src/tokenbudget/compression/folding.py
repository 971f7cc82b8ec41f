"""Which part of an overlong string is left out: data that nobody reads, else its middle."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.passage import BALANCED, COMPRESSED

LONGEST = {BALANCED: 1_600, COMPRESSED: 400}
"""Characters of a string that are kept whole: about 500 tokens of minified code, and about 120."""

LONGEST_PROSE = {BALANCED: 6_000, COMPRESSED: 1_200}
"""The same of one that has been written to be read: the text of an issue was asked for."""

FEWEST_BLANKS = 0.1
"""Of the characters of prose; minified code has at most half as many, prose half as many again."""

HEAD_SHARE = 0.7
"""Of what is kept of a longer one stands before the cut; what a text is about stands first."""

BLOB_HEAD, BLOB_TAIL = 32, 12
"""Of encoded data: enough to know it again by, and to see what it is (`iVBORw0KGgo…` is a PNG)."""

LONGEST_WORD = 100
"""Characters within which a blank is looked for to cut at: most paths and addresses stay whole."""

FEWEST = 120
"""Characters of a cut: fewer are about what its marker costs."""

_BLOB = re.compile(r"[A-Za-z0-9+/_=-]{200,}")
_PLAIN = re.compile(r"[a-z/_-]+|[A-Z_]+|(.)\1+")


class Cut(NamedTuple):
    """What is left out of a string: from here, to before there."""

    start: int
    end: int


def cuts_of(text: str, level: str) -> tuple[Cut, ...]:
    """What a level leaves out of one string, in order; nothing at `verbose`."""
    if level not in LONGEST or len(text) < 200:
        return ()
    limit = (LONGEST_PROSE if _is_prose(text) else LONGEST)[level]
    blobs = tuple(_blob_cut(found) for found in _BLOB.finditer(text) if _is_blob(found[0]))
    blobs = tuple(filter(_is_worth, blobs))
    kept = len(text) - sum(end - start for start, end in blobs)
    return blobs if kept <= limit else tuple(filter(_is_worth, (_middle(text, limit),)))


def _is_prose(text: str) -> bool:
    return text.count(" ") + text.count("\\n") > FEWEST_BLANKS * len(text)


def _is_blob(run: str) -> bool:
    """Whether letters of both cases and digits are mixed as no path and no ruler mixes them."""
    return not _PLAIN.fullmatch(run) and any(map(str.isdigit, run[:200]))


def _blob_cut(found: re.Match[str]) -> Cut:
    return Cut(found.start() + BLOB_HEAD, found.end() - BLOB_TAIL)


def _middle(text: str, limit: int) -> Cut:
    start = _whole(text, int(limit * HEAD_SHARE))
    return Cut(start, max(start, _whole(text, len(text) - (limit - start))))


def _is_worth(cut: Cut) -> bool:
    return cut.end - cut.start >= FEWEST


def _whole(text: str, at: int) -> int:
    """A place near `at` that splits no escape (`\\u00e9`) and, where there is a blank, no word."""
    blank = text.rfind(" ", max(at - LONGEST_WORD, 0), at)
    at = blank + 1 if blank >= 0 else at
    slash = text.rfind("\\", max(at - 6, 0), at)
    if slash < 0:
        return at
    before = text[:slash]
    is_escaped = (len(before) - len(before.rstrip("\\"))) % 2
    length = 1 if is_escaped else 6 if text[slash + 1 : slash + 2] == "u" else 2
    return slash if at < slash + length else at
