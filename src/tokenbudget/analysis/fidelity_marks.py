"""A shortened text taken apart: what is ours in it, and what claims to be the original's.

Written from `docs/compression.md` and without the code that makes such texts: a checker that asked
it would believe it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WAY_BACK = re.compile(r"all ([\d,]+) lines: tokens recall (\d+)")
_EDGES = (re.compile(r"\w+$"), re.compile(r"[\w.@~+/-]+$"))
_BEGINNINGS = (re.compile(r"^\w+"), re.compile(r"^[\w.@~+/-]+"))


class Claimed(NamedTuple):
    """What the receipt says that one marker stands for."""

    kind: str
    count: int  # type: ignore[assignment]  # as in a receipt, though a tuple has a method so named
    ranges: Sequence[tuple[int, int]]
    """Lines of the original from 0, each end excluded."""


class Sight(NamedTuple):
    """One marker, and everything that is needed to count again what it says."""

    claimed: Claimed
    words: str
    before: str
    """What stands before it on its line, up to another marker."""
    after: str
    shown: Sequence[str]
    """The original's lines of the output before the marker's line."""
    below: Sequence[str]
    """The lines of the output under it, as many as it counts."""
    lines: Sequence[str]
    """Of the original."""
    earlier: Sequence[Sequence[str]] = ()
    """The lines of the texts that stood in the window before."""

    def hidden(self) -> list[str]:
        """The lines that the marker stands for."""
        return [line for start, end in self.claimed.ranges for line in self.lines[start:end]]


class OutLine(NamedTuple):
    """One line of the shortened text."""

    number: int
    pieces: tuple[str, ...]
    """What stands before, between and behind its markers."""
    marks: tuple[int, ...]
    """Its markers' numbers in the text."""

    @property
    def text(self) -> str:
        """What is the original's in it."""
        return "".join(self.pieces)

    @property
    def is_ours(self) -> bool:
        """Whether it holds nothing but markers."""
        return bool(self.marks) and not self.text.strip()


class Apart(NamedTuple):
    """A shortened text taken apart."""

    lines: tuple[OutLine, ...]
    words: tuple[str, ...]
    """Of each marker."""
    places: tuple[tuple[int, int], ...]
    """(line's number, which of its markers) of each marker."""

    def theirs(self) -> str:
        """Everything outside the markers."""
        return "\n".join(" ".join(line.pieces) for line in self.lines)

    def glued(self) -> set[str]:
        """Words and paths that a marker stands against: they may be a part of one."""
        found: set[str] = set()
        for line in self.lines:
            for before, after in zip(line.pieces, line.pieces[1:], strict=False):
                cut = [edge.findall(before) for edge in _EDGES]
                cut += [beginning.findall(after) for beginning in _BEGINNINGS]
                found.update(part for parts in cut for part in parts)
        return found | {path[path.find("/") :] for path in found if "/" in path}


def taken_apart(text: str, opening: str) -> Apart:
    """The lines and markers of a shortened text."""
    pattern = re.compile(re.escape(opening) + r" ([^\]\n]*)\]")
    lines: list[OutLine] = []
    words: list[str] = []
    places: list[tuple[int, int]] = []
    for number, line in enumerate(text.split("\n")):
        parts = pattern.split(line) if opening in line else [line]
        marks = tuple(range(len(words), len(words) + len(parts) // 2))
        words += parts[1::2]
        places += [(number, i) for i in range(len(parts) // 2)]
        lines.append(OutLine(number, tuple(parts[::2]), marks))
    return Apart(tuple(lines), tuple(words), tuple(places))
