"""Logs: of the lines of a template one is shown whole, of the others what differs.

The first and the last lines and whatever tells of trouble stay whole. At `compressed` what differs
goes too, except in lines of trouble. Of a log that is long even so the middle goes, as of any text.
"""

from __future__ import annotations

import re
from collections import Counter

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.middle import ENDS, may_lose_its_middle, middle_cuts
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.repeats import repeated_cuts
from tokenbudget.compression.screen import shown
from tokenbudget.compression.shapes import shape_of
from tokenbudget.compression.similar import similar_cuts
from tokenbudget.compression.weaving import take, woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_LINES = 12
LEAST_STAMPED = 0.5
"""Share of the lines that begin as lines of a log do."""
FEWEST_UNSTAMPED = 30
LEAST_OF_TEMPLATES = 0.7
"""Share of the three most frequent shapes, in a text whose lines are not stamped: it must be mostly
one template over and over, as of a loop that tells what it does."""

STAMP_CHARS = 64
"""A line is stamped in its first so many characters, or not at all."""

_STAMP = re.compile(
    r"(?<!\d)\d{1,2}:\d\d:\d\d(?!\d)"  # a time of day
    r"|\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
    r"|\b1\d{9}(?:\d{3})?\b"  # seconds or milliseconds since 1970
    r"|^\[ *\d+\.\d{6}\]"  # the kernel's seconds since the start
    r"|^\W?(?:trace|debug|info|notice|warn|warning|error)[\]:|]? "
)


def detects(passage: Passage) -> bool:
    """Whether half of the lines at its beginning and its end are stamped, or most of one shape."""
    if passage.origin.path.endswith((".csv", ".tsv", ".json", ".jsonl")):
        return False
    lines = [line for line in _sample(passage) if line.strip()]
    if len(lines) < FEWEST_LINES:
        return False
    if _is_log(lines):
        return True
    if passage.origin.path:  # tables of constants have few shapes too, and are not to be cut
        return False
    return len(lines) >= FEWEST_UNSTAMPED and _is_of_templates(lines)


def is_stamped(line: str) -> bool:
    """Whether a line begins as lines of logs do."""
    return _STAMP.search(line[:STAMP_CHARS]) is not None


def _is_log(lines: Sequence[str]) -> bool:
    return sum(map(is_stamped, lines)) >= LEAST_STAMPED * len(lines)


def _is_of_templates(lines: Sequence[str]) -> bool:
    shapes = Counter(shape_of(line) for line in lines if _is_sentence(line))
    return sum(count for _, count in shapes.most_common(3)) >= LEAST_OF_TEMPLATES * len(lines)


def _is_sentence(line: str) -> bool:
    return line[:1].isalpha() and " " in line


def _sample(passage: Passage) -> Sequence[str]:
    if len(passage.text) <= len(passage.head):
        return shown(passage.lines, passage.text).lines
    text = f"{passage.head}\n{passage.tail}"
    return shown(text.split("\n"), text).lines


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The log with its templates gathered; lines that belong to no log stay as they are."""
    if level == VERBOSE:
        return None
    screen = shown(passage.lines, passage.text)
    taken = bytearray(len(screen.lines))
    sample = [line for line in _sample(passage) if line.strip()]
    is_of_log = is_stamped if _is_log(sample) else _is_sentence
    cuts = repeated_cuts(screen.lines, taken)
    similar = similar_cuts(screen.lines, taken, is_of_log, keeps_values=level != COMPRESSED)
    cuts += similar
    if may_lose_its_middle(passage, level):
        for cut in similar:
            take(cut, taken)
        cuts += middle_cuts(screen.lines, taken, ENDS[level])
    if not cuts:
        return None
    return woven(screen.lines, cuts, marks, screen.cuts)


CODEC = Codec("logs", detects, shorten)
