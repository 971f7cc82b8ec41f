"""Any text: without terminal codes, overwritten lines and repetitions; of a long one its ends.

What was read from a file, and the state of a working tree, are never cut in the middle: the first
is what an agent edits, the second what it commits by. Files that a shell printed are cut at
`compressed` only.
"""

from __future__ import annotations

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.middle import ENDS, may_lose_its_middle, middle_cuts
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.repeats import repeated_cuts, unrepeated
from tokenbudget.compression.screen import shown
from tokenbudget.compression.weaving import woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage


def detects(passage: Passage) -> bool:
    """Always."""
    return bool(passage.text)


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The text with less of what says nothing; None where there is nothing of it.

    Where repetitions are all that goes, nothing is lost.
    """
    if level == VERBOSE:
        return _without_repetitions(passage, marks)
    screen = shown(passage.lines, passage.text)
    taken = bytearray(len(screen.lines))
    repeated = repeated_cuts(screen.lines, taken)
    middle = []
    if may_lose_its_middle(passage, level):
        middle = middle_cuts(screen.lines, taken, ENDS[level])
    if not middle and not screen.cuts:
        return _without_repetitions(passage, marks)
    return woven(screen.lines, repeated + middle, marks, screen.cuts)


def _without_repetitions(passage: Passage, marks: Marks) -> Draft | None:
    cuts = repeated_cuts(passage.lines, bytearray(len(passage.lines)))
    return woven(passage.lines, cuts, marks)._replace(is_lossless=True) if cuts else None


def decode(text: str, opening: str) -> str:
    """The text again, of which nothing but repetitions went."""
    return unrepeated(text, opening)


CODEC = Codec("text", detects, shorten)
