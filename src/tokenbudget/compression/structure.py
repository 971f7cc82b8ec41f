"""A file as parts that can be shown or left out: its sections, and the blocks that fill them."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FILE, CLASS, FUNCTION, HEADING, KEY = "file", "class", "function", "heading", "key"
"""Kinds of sections."""

CODE, HEAD, DOC, COMMENT, IMPORT, BLANK = "code", "head", "doc", "comment", "import", "blank"
"""Kinds of blocks."""

WHOLE = 0
"""The section that is the file itself: the first one always."""


class Section(NamedTuple):
    """A named stretch of lines: a class, a function, what a heading or a key covers."""

    kind: str
    name: str
    first: int
    """Its first line, from 0, decorators included."""
    end: int
    """The line after its last one."""
    parent: int
    """The section around it, as its index; the file's own is -1."""


class Block(NamedTuple):
    """A few lines that are shown together or not at all: a statement, a paragraph, a comment."""

    first: int
    end: int
    kind: str
    section: int
    """The innermost section around it, as its index."""


class Structure:
    """One file: its lines, its sections in order, and its blocks, which cover every line once."""

    def __init__(
        self,
        path: str,
        lines: Sequence[str],
        sections: Sequence[Section],
        blocks: Sequence[Block],
        is_code: bool = True,
    ) -> None:
        self.path = path
        self.lines = lines
        self.sections = sections
        self.blocks = blocks
        self.is_code = is_code

    def text(self, first: int, end: int) -> str:
        """Lines of the file, joined."""
        return "\n".join(self.lines[first:end])

    @cached_property
    def units(self) -> Sequence[Block]:
        """The stretches that relevance is judged by.

        Each outermost function, and between those the blocks that stand together in one section.
        """
        owners = [self.unit_section(block.section) for block in self.blocks]
        found: list[Block] = []
        for owner, some in groupby(zip(owners, self.blocks, strict=True), key=itemgetter(0)):
            blocks = [block for _, block in some]
            found.append(Block(blocks[0].first, blocks[-1].end, blocks[0].kind, owner))
        return found

    @cached_property
    def _starts(self) -> list[tuple[int, int]]:
        """Where named sections begin, with their index, in order."""
        return sorted((one.first, at) for at, one in enumerate(self.sections) if one.name)

    def begun_in(self, first: int, end: int) -> list[int]:
        """The named sections that begin in these lines, as their indexes."""
        since, until = bisect_left(self._starts, (first, 0)), bisect_left(self._starts, (end, 0))
        return [index for _, index in self._starts[since:until]]

    def unit_section(self, index: int) -> int:
        """The outermost function around a section; the section itself where there is none."""
        owner, at = index, index
        while at > WHOLE:
            if self.sections[at].kind == FUNCTION:
                owner = at
            at = self.sections[at].parent
        return owner


def lines_of(text: str) -> list[str]:
    """The lines of a file as an editor numbers them: an end of line ends a line."""
    lines = text.split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def blocks_between(
    cuts: Sequence[int],
    count: int,
    kind_of: Callable[[int, int], str],
    section_of: Callable[[int], int],
) -> list[Block]:
    """Blocks that begin at these lines and cover all `count` lines."""
    starts = sorted({0, *(cut for cut in cuts if 0 < cut < count)})
    ends = [*starts[1:], count]
    return [
        Block(first, end, kind_of(first, end), section_of(first))
        for first, end in zip(starts, ends, strict=True)
    ]


def innermost(sections: Sequence[Section], count: int) -> list[int]:
    """For each line the innermost section around it; sections stand in document order."""
    owners = [WHOLE] * count
    for index, section in enumerate(sections):
        owners[section.first : section.end] = [index] * (section.end - section.first)
    return owners
