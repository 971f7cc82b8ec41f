"""A file that is read again after a change: what changed, beside the copy in the window.

The shortened text is the new version, top to bottom, in which each stretch that is equal to the
copy stands as one marker: how many lines, which they are now and, where they have moved, which they
were. What changed stands there whole, with a few equal lines around it. No line is called deleted:
what the new version no longer holds is what neither the markers nor the lines name.
"""

from __future__ import annotations

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.codecs.seen import (
    LEAST_SHARE,
    chars_of,
    copies,
    label_of,
    place_now,
    place_then,
    with_markers,
)
from tokenbudget.compression.known_lines import Known, known_runs
from tokenbudget.compression.passage import VERBOSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Earlier, Passage

KIND = "unchanged"

WINDOW_LINES = 3
"""Equal lines that tie the new version to the old one."""

CONTEXT_LINES = 2
"""Equal lines that stay before and after a change, so that it can be placed and edited."""

FEWEST_LINES = 4
FEWEST_CHARS = 100
"""A marker without a label costs about 12 tokens."""

FEWEST_TEXT_CHARS = 240


def _detects(passage: Passage) -> bool:
    return len(passage.text) >= FEWEST_TEXT_CHARS and _copy_of(passage) is not None


def _copy_of(passage: Passage) -> Earlier | None:
    """The first of the earlier texts, the likeliest, that came from the same file."""
    path = passage.origin.path
    same = (one for one in passage.earlier if one.path == path)
    return next(same, None) if path else None


def _shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    earlier = _copy_of(passage)
    if level == VERBOSE or earlier is None:
        return None
    copy = copies(passage, [earlier])
    found = known_runs(copy.new.bodies, [copy.old[0].bodies], WINDOW_LINES)
    inner = (_without_context(run, len(passage.lines)) for run in found)
    runs = [run for run in inner if _is_worth_it(passage, run)]
    if not runs or chars_of(passage, runs) < LEAST_SHARE * len(passage.text):
        return None

    def marker(run: Known) -> str:
        since = f" since {label_of(earlier)}" if run is runs[0] else ""
        now = place_now(copy.new, run.start, run.end)
        then = place_then(copy, run).replace(", lines", ", then", 1)
        return marks.mark(f"{run.end - run.start} lines{now} unchanged{since}{then}")

    return with_markers(passage, runs, KIND, marker)


def _without_context(run: Known, lines: int) -> Known:
    """The run without the lines that stay beside a change; the text's edges are no change."""
    before = CONTEXT_LINES if run.start else 0
    after = CONTEXT_LINES if run.end < lines else 0
    return Known(run.start + before, run.end - after, run.source, run.at + before)


def _is_worth_it(passage: Passage, run: Known) -> bool:
    return run.end - run.start >= FEWEST_LINES and chars_of(passage, [run]) >= FEWEST_CHARS


CODEC = Codec("reread", _detects, _shorten)
