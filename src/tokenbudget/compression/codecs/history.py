"""The commits that `git log` prints: an author is told once, as long as it stays the same.

Hashes, dates and subjects are never cut; at `compressed` the rest of the messages is.
"""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.screen import shown
from tokenbudget.compression.weaving import Cut, cut_of, is_worth, woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_COMMITS = 3
AGAIN, MESSAGES = "again", "messages"

_GRAPH = re.compile(r"[*|\\/ _.-]*(?<= )")
"""What `--graph` draws before a line."""
_COMMIT = re.compile(r"commit [0-9a-f]{40}(?: .*)?")
_WHO = ("Author: ", "Commit: ")


def detects(passage: Passage) -> bool:
    """Whether several commits begin in it."""
    lines = passage.head.split("\n")
    return sum(is_commit(line) for line in lines) >= FEWEST_COMMITS


def is_commit(line: str) -> bool:
    """Whether a commit begins here."""
    return "commit " in line and _COMMIT.fullmatch(without_graph(line)) is not None


def without_graph(line: str) -> str:
    """The line behind what `--graph` draws."""
    if line[:1] not in ("*", "|", "\\", "/"):
        return line
    drawn = _GRAPH.match(line)
    return line[drawn.end() :] if drawn else line


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The history with its authors told once, at any level but the lossless one."""
    if level == VERBOSE:
        return None
    screen = shown(passage.lines, passage.text)
    cuts = [_authors(screen.lines)]
    if level == COMPRESSED:
        cuts.append(_messages(screen.lines))
    worth = [cut for cut in cuts if cut.ranges and is_worth(cut, screen.lines)]
    return woven(screen.lines, worth, marks, screen.cuts) if worth else None


def _authors(lines: Sequence[str]) -> Cut:
    """The lines that name the same person as the last of their kind."""
    last: dict[str, str] = {}
    numbers = []
    for number, line in enumerate(lines):
        label = without_graph(line)[:8]
        if label in _WHO:
            if last.get(label) == line:
                numbers.append(number)
            last[label] = line
    return cut_of(AGAIN, numbers, "Author lines as above")


def _messages(lines: Sequence[str]) -> Cut:
    """The lines of messages after the first; of a patch an unchanged line may look like one."""
    numbers: list[int] = []
    is_subject_told = is_patch = False
    for number, line in enumerate(lines):
        if is_commit(line):
            is_subject_told = is_patch = False
        elif line.startswith("diff --"):
            is_patch = True
        elif line.startswith("    ") and not line.isspace() and not is_patch:
            if is_subject_told:
                numbers.append(number)
            is_subject_told = True
    return cut_of(MESSAGES, numbers, "message lines")


CODEC = Codec("history", detects, shorten)
