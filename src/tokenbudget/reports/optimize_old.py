"""What a person made of an older OPTIMIZATION-RECOMMENDATIONS.md: ticks, notes, parts of their own.

Each line of ours has its mark there (a hash), in link definitions at the end that a rendered page
does not show: a line with a mark is ours, every other one is a person's. A finding is known by its
id in the line with the box.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TITLE = "# Optimization recommendations"
TO_DO, DONE, GONE, OWN = "## To do", "## Done", "## Not seen any more", "## Your own notes"
MARK_DIGITS = 10
_BOX = re.compile(r"\s*[-*+] \[([ xX])\] (.*)")
_ID = re.compile(r"`([a-z][a-z-]{1,39}/[0-9a-f]{6,16})`")
_FENCES = ("```", "~~~")
_LIKE_OURS = (
    *(TITLE, TO_DO, DONE, GONE, OWN, "Made by `tokens optimize`", "Run it again at any time:"),
    "An amount's interval ",
    "**No token drain was found** in ",
    "The rule behind each kind of finding:",
    *("  - Confidence ", "  - Project: ", "  - Do: ", "  - Instead of it: ", "  - Tip: "),
    *("  - Carried: ", "  - So far: ", "  - Seen: ", "  - Applied as action ", "[tokens-"),
)
"""How our lines begin: where marks are damaged these go, for the old file is kept as a whole."""
_OURS = re.compile(r"- \[[ xX]\] \*\*\d+\.\*\* |" + "|".join(map(re.escape, _LIKE_OURS)))
_MARKS = re.compile(r"\[tokens-(\d+|end)\]: # \"([0-9a-f ]*)\"")


class Entry(NamedTuple):
    """What an older file has under one finding."""

    identity: str
    is_ticked: bool
    header: str
    """The line with the box, as it stands there."""
    notes: tuple[str, ...]
    """Lines that are not ours."""
    edited: tuple[str, ...] = ()
    """What somebody made of the line with the box."""


class Old(NamedTuple):
    """What a person made of an older file."""

    entries: tuple[Entry, ...]
    loose: tuple[str, ...]
    """Lines of a person that stand under no finding."""
    is_sound: bool
    """Whether all marks are there, so that it is known whose each line is."""


NOTHING_OLD = Old((), (), is_sound=True)


def old_of(text: str) -> Old:
    """What stands in an older file; every line that is not surely ours is taken for a person's."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    marks, is_sound = _marks_in(lines)
    reading = _Reading()
    for line in lines:
        if _MARKS.fullmatch(line):
            continue
        is_ours = mark_of(line) in marks or (not is_sound and bool(_OURS.match(line)))
        reading.take(line, is_ours=is_ours)
    known = tuple(one._replace(notes=_trimmed(one.notes)) for one in reading.entries)
    return Old(known, _trimmed(reading.loose), is_sound)


class _Reading:
    """The lines of an older file, each put where it belongs."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.loose: list[str] = []
        self._is_under_one = False
        """Whether the lines that come belong to the last entry."""
        self._is_code = False
        """Whether a person's block of code is open."""

    def take(self, line: str, *, is_ours: bool) -> None:
        box = None if self._is_code and not is_ours else _BOX.fullmatch(line)
        identity = _ID.search(line) if box else None
        if is_ours:
            self._is_code = False
        if box and identity:
            words = () if is_ours else _edited_words(box[2], identity[0])
            self.entries.append(Entry(identity[1], box[1] != " ", line, (), words))
            self._is_under_one = True
        elif is_ours:
            self._is_under_one = self._is_under_one and not line.startswith("#")
        else:
            self._keep(line)

    def _keep(self, line: str) -> None:
        if line.startswith("#") and not self._is_code:
            self._is_under_one = False  # a part of the person's own begins
        if line.lstrip().startswith(_FENCES):
            self._is_code = not self._is_code
        if self._is_under_one:
            last = self.entries[-1]
            self.entries[-1] = last._replace(notes=(*last.notes, line))
        else:
            self.loose.append(line)


def _edited_words(words: str, identity: str) -> tuple[str, ...]:
    """The words of a line with a box that somebody changed."""
    said = words.replace(identity, "").strip(" :·")
    return (f"  {said}",) if said else ()


def mark_of(line: str) -> str:
    """The mark of a line, whether its box is ticked or not."""
    plain = re.sub(r"^(\s*[-*+]) \[[xX]\] ", r"\1 [ ] ", line).rstrip()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:MARK_DIGITS]


def _marks_in(lines: Iterable[str]) -> tuple[set[str], bool]:
    """The marks of our lines, and whether they are all there and as we wrote them."""
    found: list[str] = []
    total = ""
    for line in lines:
        match = _MARKS.fullmatch(line)
        if match and match[1] == "end":
            total = match[2]
        elif match:
            found += match[2].split()
    return set(found), bool(total) and total == sum_of(found)


def sum_of(marks: Sequence[str]) -> str:
    """The mark of all marks together."""
    return hashlib.sha256(" ".join(marks).encode()).hexdigest()[:MARK_DIGITS]


def _trimmed(lines: Iterable[str]) -> tuple[str, ...]:
    """Without empty lines at either end."""
    kept = list(lines)
    while kept and not kept[0].strip():
        kept.pop(0)
    while kept and not kept[-1].strip():
        kept.pop()
    return tuple(kept)
