"""What stands in the window already: a block of lines becomes a reference to its earlier place.

The lines are compared exactly, apart from the numbers that a file reader puts before them. Nothing
is lost to the agent, which holds the earlier text; but the shortened text alone does not give the
original back, so the codec does not count as lossless and stands aside at `verbose`.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.known_lines import Known, known_runs
from tokenbudget.compression.line_numbers import Numbered, without_numbers
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.receipts import Removed
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Earlier, Passage

KIND = "seen"

WINDOW_LINES = 6
"""Fewer equal lines are a common header, not a copy."""

FEWEST_CHARS = 240
"""A marker with its label costs about 25 tokens; a block must be worth more than twice that."""

LEAST_SHARE = 0.3
"""Below this the text is mostly new: another codec can do more for it."""

LABEL_CHARS = 80


class Copies(NamedTuple):
    """The new text and the earlier ones, without the numbers of their lines."""

    new: Numbered
    old: list[Numbered]


def copies(passage: Passage, earlier: Sequence[Earlier]) -> Copies:
    """The passage beside those earlier texts."""
    return Copies(
        without_numbers(passage.lines, passage.origin.first_line),
        [without_numbers(one.text.split("\n"), one.first_line) for one in earlier],
    )


def label_of(earlier: Earlier) -> str:
    """How the agent is told of an earlier text."""
    return one_line(earlier.label)[:LABEL_CHARS].strip()


def place_now(numbered: Numbered, start: int, end: int) -> str:
    """The range as the lines themselves number it, such as ` (50-120)`; '' where they do not."""
    first, last = numbered.numbers[start], numbered.numbers[end - 1]
    return f" ({first}-{last})" if first and last else ""


def place_then(copy: Copies, run: Known) -> str:
    """Where an earlier text has these lines; '' where that is said already, or is all of it."""
    old, size = copy.old[run.source], run.end - run.start
    now = copy.new.numbers[run.start : run.end]
    then = old.numbers[run.at : run.at + size]
    if size == len(old.bodies) or (now == then and all(now)):
        return ""
    if all(then):
        return f", lines {then[0]}-{then[-1]}"
    return f", lines {run.at + 1}-{run.at + size}"


def with_markers(
    passage: Passage, runs: Sequence[Known], kind: str, marker: Callable[[Known], str]
) -> Draft:
    """The passage with each of these runs behind one marker."""
    lines = passage.lines
    out: list[str] = []
    removed: list[Removed] = []
    done = 0
    for run in runs:
        out.extend(lines[done : run.start])
        out.append(marker(run))
        removed.append(Removed(kind, run.end - run.start, ((run.start, run.end),)))
        done = run.end
    out.extend(lines[done:])
    return Draft("\n".join(out), tuple(removed))


def chars_of(passage: Passage, runs: Sequence[Known]) -> int:
    """How many characters the lines of these runs have."""
    return sum(len(line) for run in runs for line in passage.lines[run.start : run.end])


def _detects(passage: Passage) -> bool:
    return bool(passage.earlier) and len(passage.text) >= FEWEST_CHARS


def _shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    if level == VERBOSE:
        return None
    copy = copies(passage, passage.earlier)
    found = known_runs(copy.new.bodies, [old.bodies for old in copy.old], WINDOW_LINES)
    runs = [run for run in found if chars_of(passage, [run]) >= FEWEST_CHARS]
    if not runs or chars_of(passage, runs) < LEAST_SHARE * len(passage.text):
        return None

    def marker(run: Known) -> str:
        size, label = run.end - run.start, label_of(passage.earlier[run.source])
        now = place_now(copy.new, run.start, run.end)
        return marks.mark(f"{size} lines{now} seen: {label}{place_then(copy, run)}")

    return with_markers(passage, runs, KIND, marker)


CODEC = Codec("seen", _detects, _shorten)
