"""The middle of a long text left out, but for the lines that tell of trouble."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.noise import reports_of_failures
from tokenbudget.compression.passage import BALANCED, COMPRESSED
from tokenbudget.compression.trouble import is_trouble
from tokenbudget.compression.weaving import Cut, is_worth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.passage import Passage

LINES = "lines"


class Ends(NamedTuple):
    """What stays of a text."""

    lines: int
    """At the beginning, and as many at the end."""
    chars: int
    """At the beginning, and as many at the end."""
    troubles: int
    """Lines of trouble, with their context. A text that has more is trouble all over (a list of
    warnings, a program that handles errors): the first are shown, and the rest is counted."""
    report_chars: int
    """Of reports of failed tests, which are whole or useless: the first so many characters."""


ENDS = {BALANCED: Ends(80, 5_000, 60, 24_000), COMPRESSED: Ends(30, 1_800, 24, 6_000)}
"""By level: about 1,300 tokens at each end, or 450."""

FEWEST_LINES = 3
"""In a gap."""

_STATUS = (
    "On branch ",
    "HEAD detached ",
    "nothing to commit",
    "Changes not staged for commit:",
    "Changes to be committed:",
    "Untracked files:",
    "Your branch is ",
)
"""How a line begins that only the state of a working tree has."""

_PRINTS_FILES = re.compile(
    r"\b(?:cat|bat|nl|less|more|sed|awk|head|tail|Get-Content|gc|type|git show|base64)\b"
)
"""Commands by which an agent reads what it may edit next."""

CONTEXT_LINES = 2
"""Before and after a line of trouble."""


def may_lose_its_middle(passage: Passage, level: str) -> bool:
    """Whether the text is neither a file nor the state of a working tree."""
    if passage.origin.path or is_status(passage):
        return False
    return level == COMPRESSED or not _PRINTS_FILES.search(passage.origin.command)


def is_status(passage: Passage) -> bool:
    """Whether the text is, or holds, what `git status` says."""
    if "git status" in passage.origin.command:
        return True
    return any(line.lstrip().startswith(_STATUS) for line in passage.lines[:200])


def middle_cuts(lines: Sequence[str], taken: bytearray, ends: Ends) -> list[Cut]:
    """The cuts between the beginning, the lines of trouble and the end; not where `taken` is."""
    start, end = _inner(lines, ends)
    stays = bytearray(taken)
    _keep_reports(lines, stays, ends.report_chars)
    left = ends.troubles
    for number in range(start, end):
        if left and is_trouble(lines[number]):
            left -= 1
            first = max(0, number - CONTEXT_LINES)
            last = min(len(lines), number + CONTEXT_LINES + 1)
            stays[first:last] = b"\1" * (last - first)
    cuts: list[Cut] = []
    at = start
    while at < end:
        gap = at
        while gap < end and not stays[gap]:
            gap += 1
        if gap - at >= FEWEST_LINES:
            cuts.append(Cut(LINES, ((at, gap),), f"{gap - at:,} lines", gap - at))
        at = gap + 1
    return [cut for cut in cuts if is_worth(cut, lines)]


def _keep_reports(lines: Sequence[str], stays: bytearray, chars: int) -> None:
    for start, end in reports_of_failures(lines):
        for number in range(start, end):
            chars -= len(lines[number]) + 1
            if chars < 0:
                return
            stays[number] = 1


def _inner(lines: Sequence[str], ends: Ends) -> tuple[int, int]:
    """Where the beginning stops and where the end starts."""
    start = _stays(lines, range(len(lines)), ends)
    end = len(lines) - _stays(lines, range(len(lines) - 1, -1, -1), ends)
    return start, max(start, end)


def _stays(lines: Sequence[str], order: range, ends: Ends) -> int:
    chars = 0
    for count, number in enumerate(order):
        chars += len(lines[number]) + 1
        if count == ends.lines or chars > ends.chars:
            return count
    return len(lines)
