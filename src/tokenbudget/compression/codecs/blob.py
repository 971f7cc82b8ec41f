"""Overlong lines and encoded data: minified code, base64, hexadecimal dumps.

Nobody reads these, and nobody edits them by hand. Of a long line its beginning and its end stay, of
data written over many lines the first and the last.
"""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.folding import cuts_of
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.receipts import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

LONG_LINE = 800
"""Characters; no code that is written by hand has such a line."""

FEWEST_DATA_LINES = 8
FIRST_DATA_LINES, LAST_DATA_LINES = 2, 1

_DATA = re.compile(
    r"\s*(?:[A-Za-z0-9+/_-]{60,}={0,2}"  # base64 over many lines: keys, mail, certificates
    r"|[0-9a-fA-F]{60,}"
    r"|[0-9a-fA-F]{6,16}:?(?: +[0-9a-fA-F]{2,8}){8,}(?: .{0,24})?)\s*"  # xxd, hexdump -C
)
_WORD = re.compile(r"[A-Za-z0-9+/_=-]+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
DIGEST_CHARS = (64, 96, 128)
"""A line of so many hexadecimal digits is the name of an image, a container or a content."""
_SMALL = re.compile(r"[a-z]+")
MOST_SMALL = 2.5
"""Small letters side by side, on average: encoded data has fewer than 2, names about 3."""
_ZEROS = re.compile(r"([A-Za-z0-9+/])\1{5,}")
"""As encoded data has them; they tell nothing of the rest."""

_DATA_LINES = re.compile(r"(?m)^(?:[ \t]*[A-Za-z0-9+/_-]{60,}={0,2}[ \t]*\r?\n){4}")
_DUMP_LINES = re.compile(r"(?m)^(?:[0-9a-fA-F]{6,16}:?(?: +[0-9a-fA-F]{2,8}){8}.{0,60}\n){4}")


def detects(passage: Passage) -> bool:
    """Whether some line at its beginning or end is overlong, or four in a row are data."""
    return any(
        any(len(line) > LONG_LINE for line in part.split("\n"))
        or _DATA_LINES.search(part) is not None
        or _DUMP_LINES.search(part) is not None
        for part in (passage.head, passage.tail)
    )


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """Every line as it is, but the middle of the overlong and of the data."""
    if level == VERBOSE:
        return None
    texts: list[str] = []
    removed: list[Removed] = []
    for start, end in _runs(passage.lines):
        first, last = start + FIRST_DATA_LINES, end - LAST_DATA_LINES
        if end - start >= FEWEST_DATA_LINES and _is_encoded(passage.lines[start:end]):
            removed.append(Removed("lines", last - first, ((first, last),)))
            gap = marks.mark(f"{last - first} lines")
            texts += [*passage.lines[start:first], gap, *passage.lines[last:end]]
            continue
        for number in range(start, end):
            texts.append(_folded(passage.lines[number], number, marks, level, removed))
    return Draft("\n".join(texts), tuple(removed)) if removed else None


def _runs(lines: list[str]) -> list[tuple[int, int]]:
    """The lines in order: data that belongs together as one run, and whatever stands between."""
    runs: list[tuple[int, int]] = []
    start, was_data = 0, False
    for number, line in enumerate(lines):
        is_data = _is_data(line)
        if is_data != was_data:
            runs.append((start, number))
            start, was_data = number, is_data
        elif not is_data and number > start:
            runs.append((start, number))
            start = number
    return [*(run for run in runs if run[0] < run[1]), (start, len(lines))]


def _is_data(line: str) -> bool:
    return 59 < len(line) < 400 and _DATA.fullmatch(line) is not None


def _is_encoded(lines: Sequence[str]) -> bool:
    """Whether these are data, and not names or paths as long, which hold no blank either."""
    words = [line.strip() for line in lines]
    if not all(map(_WORD.fullmatch, words)):
        return True  # a dump
    if all(map(_HEXADECIMAL.fullmatch, words)):
        return any(len(word) not in DIGEST_CHARS for word in words)
    text = _ZEROS.sub("", "".join(words))
    small = _SMALL.findall(text)
    has_all = bool(small) and any(map(str.isdigit, text))
    return has_all and sum(map(len, small)) <= MOST_SMALL * len(small)


def _folded(line: str, number: int, marks: Marks, level: str, removed: list[Removed]) -> str:
    texts, at = [], 0
    for start, end in cuts_of(line, level) if len(line) > LONG_LINE else ():
        removed.append(Removed("folded", end - start, ((number, number + 1),)))
        texts += [line[at:start], marks.mark(f"{end - start} chars")]
        at = end
    return "".join([*texts, line[at:]])


CODEC = Codec("blob", detects, shorten)
