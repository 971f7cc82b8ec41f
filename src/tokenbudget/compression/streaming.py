"""Shortening of what is too large to hold: one pass, memory bounded whatever comes.

Kept are the beginning, the end, lines of trouble with the line before and after, and one line of
each frequent template with the number of its like. A line without end is folded.
"""

from __future__ import annotations

import codecs
from collections import deque
from typing import NamedTuple

from tokenbudget.compression.marks import Marks
from tokenbudget.compression.receipts import Removed
from tokenbudget.compression.shapes import shape_of
from tokenbudget.compression.trouble import is_trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINES_AT_ENDS = 60
"""At the beginning, and as many at the end."""
LONGEST_LINE = 2_000
"""Characters of a line, half of its beginning and half of its end."""
FIRST_TROUBLES, LAST_TROUBLES = 30, 30
"""The first is often the cause, the last what came of it."""
MOST_SHAPES = 2_000
"""Templates that are counted; one that comes up later than so many others is not."""
SHOWN_SHAPES = 20
FEWEST_OF_SHAPE = 10

LINES, LIKE, FOLDED = "lines", "like", "folded"


class Streamed(NamedTuple):
    """What is left of a stream."""

    text: str
    removed: tuple[Removed, ...]
    """One for each marker. `like`: the lines of the range that have the shape of the line above
    the marker; `folded`: characters of the line; `lines`: as everywhere."""
    opening: str
    line_count: int
    char_count: int
    is_whole: bool
    """Whether all of it is in `text`, as it came."""


class Line(NamedTuple):
    """A line of the stream as far as it is held."""

    number: int
    head: str
    folded_chars: int = 0
    tail: str = ""


class Shape:
    """A template, its first line, and how many lines it has after that one."""

    __slots__ = ("first", "more")

    def __init__(self, first: Line) -> None:
        self.first = first
        self.more = 0


class StreamShortener:
    """Takes in a text chunk by chunk."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._rest_folded = 0
        self._rest_tail = ""
        self._count = 0
        self._chars = 0
        self._head: list[Line] = []
        self._tail: deque[Line] = deque()
        self._first_troubles: dict[int, Line] = {}
        self._last_troubles: deque[Line] = deque(maxlen=3 * LAST_TROUBLES)
        self._before: Line | None = None
        self._wants_next = False
        self._troubles = 0
        self._shapes: dict[str, Shape] = {}

    def feed(self, chunk: bytes | str) -> None:
        """Take in the next part, of any length, cut anywhere."""
        text = chunk if isinstance(chunk, str) else self._decoder.decode(chunk)
        self._chars += len(text)
        first, *rest = text.split("\n")
        self._extend(first)
        for line in rest:
            self._end_line()
            self._extend(line)

    def finish(self) -> Streamed:
        """What is left of it all."""
        self.feed(self._decoder.decode(b"", final=True))
        self._end_line()
        return _assembled(self)

    def _extend(self, part: str) -> None:
        """Add to the line that has not ended; a long one is held at its two ends."""
        if not self._rest_tail:
            self._rest += part
            if len(self._rest) <= LONGEST_LINE:
                return
            half = LONGEST_LINE // 2
            part, self._rest = self._rest[half:], self._rest[:half]
        tail = self._rest_tail + part
        cut = max(0, len(tail) - LONGEST_LINE // 2)
        self._rest_folded += cut
        self._rest_tail = tail[cut:]

    def _end_line(self) -> None:
        line = Line(self._count, self._rest, self._rest_folded, self._rest_tail)
        self._rest, self._rest_folded, self._rest_tail = "", 0, ""
        self._count += 1
        if len(self._head) < LINES_AT_ENDS:
            self._head.append(line)
            return
        self._tail.append(line)
        if len(self._tail) > LINES_AT_ENDS:
            self._take_middle(self._tail.popleft())

    def _take_middle(self, line: Line) -> None:
        """A line that stands neither at the beginning nor, now for certain, at the end."""
        is_wrong = is_trouble(line.head) or (line.tail != "" and is_trouble(line.tail))
        if is_wrong or self._wants_next:
            around = [one for one in (self._before if is_wrong else None, line) if one]
            self._keep(around)
        self._troubles += is_wrong
        self._wants_next = is_wrong
        self._before = line
        if not line.folded_chars:
            self._count_shape(line)

    def _keep(self, lines: list[Line]) -> None:
        if self._troubles < FIRST_TROUBLES:
            self._first_troubles.update((line.number, line) for line in lines)
        else:
            self._last_troubles.extend(lines)

    def _count_shape(self, line: Line) -> None:
        key = shape_of(line.head)
        shape = self._shapes.get(key)
        if shape is not None:
            shape.more += 1
        elif len(self._shapes) < MOST_SHAPES:
            self._shapes[key] = Shape(line)

    def head(self) -> list[Line]:
        """The beginning."""
        return self._head

    def tail(self) -> list[Line]:
        """The end."""
        return list(self._tail)

    def chosen(self) -> dict[int, Line]:
        """The lines of the middle that stay."""
        lines = dict(self._first_troubles)
        lines.update((line.number, line) for line in self._last_troubles)
        lines.update((shape.first.number, shape.first) for shape in self.frequent().values())
        return lines

    def frequent(self) -> dict[int, Shape]:
        """The templates that are shown, by the number of their first line."""
        most = sorted(self._shapes.values(), key=lambda one: (-one.more, one.first.number))
        return {
            shape.first.number: shape
            for shape in most[:SHOWN_SHAPES]
            if shape.more >= FEWEST_OF_SHAPE and shape.first.head.strip()
        }

    @property
    def line_count(self) -> int:
        """Lines so far."""
        return self._count

    @property
    def char_count(self) -> int:
        """Characters so far."""
        return self._chars


def shorten_stream(chunks: Iterable[bytes | str]) -> Streamed:
    """The shortened text of a stream."""
    shortener = StreamShortener()
    for chunk in chunks:
        shortener.feed(chunk)
    return shortener.finish()


class _Page:
    """The shortened text as it is put together."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.shown: list[str] = []
        self.removed: list[Removed] = []
        self.next = 0

    def add(self, line: Line) -> None:
        if line.number > self.next:
            gap = (self.next, line.number)
            self._mark(LINES, gap[1] - gap[0], gap, "lines")
        if line.folded_chars:
            mark = self.marks.mark(f"{line.folded_chars:,} characters")
            self.shown.append(f"{line.head}{mark}{line.tail}")
            at = ((line.number, line.number + 1),)
            self.removed.append(Removed(FOLDED, line.folded_chars, at))
        else:
            self.shown.append(line.head + line.tail)
        self.next = line.number + 1

    def like(self, more: int, end: int) -> None:
        self._mark(LIKE, more, (self.next, end), "like this")

    def _mark(self, kind: str, count: int, at: tuple[int, int], words: str) -> None:
        self.shown.append(self.marks.mark(f"{count:,} {words}"))
        self.removed.append(Removed(kind, count, (at,)))


def _assembled(stream: StreamShortener) -> Streamed:
    head, tail, chosen = stream.head(), stream.tail(), stream.chosen()
    frequent = stream.frequent()
    lines = [*head, *(chosen[number] for number in sorted(chosen)), *tail]
    marks = Marks(*(part for line in lines for part in (line.head, line.tail)))
    page = _Page(marks)
    middle_end = tail[0].number if tail else len(head)
    for line in lines:
        page.add(line)
        if line.number in frequent:
            page.like(frequent[line.number].more, middle_end)
    return Streamed(
        "\n".join(page.shown),
        tuple(page.removed),
        marks.opening,
        stream.line_count,
        stream.char_count,
        not page.removed,
    )


def chunks_of(text: str, size: int = 1 << 16) -> Iterator[str]:
    """A text in parts, for whoever has it whole."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
