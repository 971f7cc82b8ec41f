"""Stack traces: calls inside libraries are folded, and a trace that stood there before.

The first and the last call of a run inside libraries stay, and so do all calls of the project, the
error itself, and where it was raised.
"""

from __future__ import annotations

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.frames import Frame, frames_of, is_frame
from tokenbudget.compression.passage import VERBOSE
from tokenbudget.compression.repeats import repeated_cuts
from tokenbudget.compression.screen import shown
from tokenbudget.compression.weaving import Cut, apart, cut_of, is_worth, size_of, woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_FRAMES = 5
FRAMES = "frames"
AGAIN = "again"


def detects(passage: Passage) -> bool:
    """Whether its beginning or its end holds a trace of some depth, and it is no file."""
    if passage.origin.path:
        return False
    found = 0
    for text in (passage.head, passage.tail):
        for line in text.split("\n"):
            found += is_frame(line)
            if found >= FEWEST_FRAMES:
                return True
    return False


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The text with its traces folded, at any level but the lossless one."""
    if level == VERBOSE:
        return None
    screen = shown(passage.lines, passage.text)
    taken = bytearray(len(screen.lines))
    traces = list(_traces(frames_of(screen.lines)))
    cuts = apart(_repeated(screen.lines, traces), taken)
    cuts += apart((cut for trace in traces for cut in _folded(screen.lines, trace)), taken)
    cuts += repeated_cuts(screen.lines, taken)
    if not cuts:
        return None
    return woven(screen.lines, cuts, marks, screen.cuts)


def _traces(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Frames that follow each other without a line between them."""
    trace: list[Frame] = []
    for frame in frames:
        if trace and trace[-1].end != frame.start:
            yield trace
            trace = []
        trace.append(frame)
    if trace:
        yield trace


def _repeated(lines: Sequence[str], traces: Sequence[list[Frame]]) -> Iterator[Cut]:
    """Traces that stood there before, line by line.

    One that is not the trace right before keeps its first frame, by which whoever reads finds the
    one that is meant; where two begin with it, none is cut.
    """
    begun: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    before: tuple[str, ...] = ()
    for trace in traces:
        start, first_end, end = trace[0].start, trace[0].end, trace[-1].end
        words = tuple(lines[start:end])
        alike = begun.setdefault(words[: first_end - start], set())
        gone = start if words == before else first_end if alike == {words} else end
        cut = Cut(AGAIN, ((gone, end),), f"{end - gone} lines as above", end - gone)
        if gone < end and is_worth(cut, lines):
            yield cut
        alike.add(words)
        before = words


def _folded(lines: Sequence[str], trace: Sequence[Frame]) -> Iterator[Cut]:
    """The inner frames of each run inside libraries."""
    start = 0
    while start < len(trace):
        end = start
        while end < len(trace) and trace[end].is_of_library:
            end += 1
        inner = trace[start + 1 : end - 1] if end > start else []
        if inner:
            ranges = ((inner[0].start, inner[-1].end),)
            cut = cut_of(FRAMES, range(*ranges[0]), "frame lines")
            if is_worth(cut, lines) and size_of(ranges) > 1:
                yield cut
        start = end + 1


CODEC = Codec("traces", detects, shorten)
