"""Output of tests and builds: what went well is counted, what went wrong stays whole.

Nothing between the first and the last line of a report of failures is touched, and a step that is
followed by trouble, or by nothing at all, stays with it.
"""

from __future__ import annotations

from tokenbudget.compression import noise
from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.repeats import repeated_cuts
from tokenbudget.compression.screen import shown
from tokenbudget.compression.trouble import is_trouble
from tokenbudget.compression.weaving import Cut, apart, cut_of, is_worth, woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_LINES = 4
"""Fewer lines of noise are no run, or not worth a marker."""

LOOKED_AT = 4
"""Lines after a step in which its trouble would show: `x.c: In function` precedes `error:`."""

STARTED = "started"

WORDS = {
    noise.PASSED: "passed lines",
    noise.STEPS: "build lines",
    STARTED: "started lines",
}


def detects(passage: Passage) -> bool:
    """Whether its beginning or its end holds the noise of a test or build tool."""
    found = 0
    for text in (passage.head, passage.tail):
        for line in shown(text.split("\n"), text).lines:
            found += noise.kind_of(line) != "" or noise.STARTED.fullmatch(line) is not None
            if found >= FEWEST_LINES:
                return True
    return False


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The run without what went well, at any level but the lossless one."""
    if level == VERBOSE:
        return None
    screen = shown(passage.lines, passage.text)
    taken = bytearray(len(screen.lines))
    cuts = apart(noise_cuts(screen.lines), taken)
    if not cuts:
        return None
    cuts += repeated_cuts(screen.lines, taken)
    return woven(screen.lines, cuts, marks, screen.cuts)


def noise_cuts(lines: Sequence[str]) -> list[Cut]:
    """One cut for each kind of line that can be spared."""
    found: dict[str, list[int]] = {noise.PASSED: [], noise.STEPS: [], STARTED: []}
    finished = _finished(lines)
    section = -1
    for number, line in enumerate(lines):
        if section >= 0:
            section = -1 if noise.closes_section(line, section) else section
        if section < 0:
            section = noise.section_opened(line)
        kind = _kind_of(line, finished) if section < 0 else ""
        if kind == noise.PASSED or (kind and _is_done_with(lines, number, finished)):
            found[kind].append(number)
    cuts = [cut_of(kind, numbers, WORDS[kind]) for kind, numbers in found.items() if numbers]
    return [cut for cut in cuts if is_worth(cut, lines)]


def _finished(lines: Sequence[str]) -> set[str]:
    """The names of the tests that passed, as far as tools tell their beginning too."""
    found = (noise.FINISHED.match(line) for line in lines if "--- " in line or "  OK ]" in line)
    return {one[1] or one[2] for one in found if one}


def _kind_of(line: str, finished: set[str]) -> str:
    kind = noise.kind_of(line)
    if kind or not finished:
        return kind
    started = noise.STARTED.fullmatch(line)
    return STARTED if started and (started[1] or started[2]) in finished else ""


def _is_done_with(lines: Sequence[str], number: int, finished: set[str]) -> bool:
    """Whether a step, or the beginning of a test, is followed by more of the same or a result."""
    following = [line for line in lines[number + 1 : number + 1 + LOOKED_AT] if line.strip()]
    for line in following:
        if _kind_of(line, finished) or noise.STARTED.fullmatch(line[: noise.LONGEST_CHARS]):
            return line is following[0] or not noise.STARTED.fullmatch(lines[number])
        if is_trouble(line):
            return False
    return bool(following) and not noise.STARTED.fullmatch(lines[number])


CODEC = Codec("runs", detects, shorten)
