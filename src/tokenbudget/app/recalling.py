"""Which lines of an original are given back: those of some ranges, and those that match."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.model.errors import BadRequest
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_RANGES, MOST_DIGITS = 100, 12
MOST_PATTERN_CHARS = 1000
_END = 10**MOST_DIGITS
_RANGE = re.compile(rf"(\d{{1,{MOST_DIGITS}}})(?:(-)(\d{{1,{MOST_DIGITS}}})?)?", re.ASCII)


class Lines(NamedTuple):
    """What is asked for; without ranges and pattern it is everything."""

    ranges: tuple[tuple[int, int], ...] = ()
    """Numbers of lines from 1, both ends included."""
    pattern: re.Pattern[bytes] | None = None
    context: int = 0
    """So many lines beside each one that matches."""

    @property
    def is_everything(self) -> bool:
        """Whether the bytes are given as they are."""
        return not self.ranges and self.pattern is None


def ranges_of(text: str) -> tuple[tuple[int, int], ...]:
    """The ranges that `10-20`, `10-`, `10` or several of them with commas mean.

    Raises:
        BadRequest: it is none.
    """
    found = [_RANGE.fullmatch(part.strip()) for part in text.split(",", MOST_RANGES)]
    ranges = []
    for one in found:
        if one is None:
            raise BadRequest(f"--lines takes 10-20, 10- or 10, not '{one_line(text[:40])}'")
        first = int(one[1])
        last = int(one[3]) if one[3] else _END if one[2] else first
        if not 1 <= first <= last:
            raise BadRequest(f"there are no lines {one[0]}: the first is 1, the last comes last")
        ranges.append((first, last))
    return tuple(ranges)


def pattern_of(text: str) -> re.Pattern[bytes]:
    """The regular expression that is looked for in each line.

    Raises:
        BadRequest: it is none.
    """
    if len(text) > MOST_PATTERN_CHARS:
        raise BadRequest(f"--grep takes at most {MOST_PATTERN_CHARS:,} characters")
    try:
        return re.compile(text.encode("utf-8", "surrogateescape"))
    except (re.error, OverflowError, RecursionError) as wrong:
        raise BadRequest(f"--grep takes a regular expression, and this is none: {wrong}") from wrong


def lines_in(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a content that comes in parts, each with its end; the last may have none."""
    begun: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for other in others:
            yield b"".join(begun) + b"\n"
            begun = [other]
    if rest := b"".join(begun):
        yield rest


def chosen(lines: Iterable[bytes], wanted: Lines) -> Iterator[tuple[int, bytes]]:
    """The lines that are asked for, with their numbers from 1."""
    inside = _inside(enumerate(lines, 1), wanted.ranges)
    if wanted.pattern is None:
        return inside
    return _matching(inside, wanted.pattern, wanted.context)


def _inside(
    numbered: Iterator[tuple[int, bytes]], ranges: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, bytes]]:
    if not ranges:
        yield from numbered
        return
    end = max(last for _, last in ranges)
    for number, line in numbered:
        if number > end:
            return
        if any(first <= number <= last for first, last in ranges):
            yield number, line


def _matching(
    numbered: Iterator[tuple[int, bytes]], pattern: re.Pattern[bytes], context: int
) -> Iterator[tuple[int, bytes]]:
    before: list[tuple[int, bytes]] = []
    after = 0
    for number, line in numbered:
        if pattern.search(line.rstrip(b"\r\n")):
            yield from before
            yield number, line
            before, after = [], context
        elif after:
            after -= 1
            yield number, line
        elif context:
            before = [*before, (number, line)][-context:]
