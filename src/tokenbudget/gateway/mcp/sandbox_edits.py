"""Small changes to a text of code that remember where everything was before. Pure."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator


class _Edit(NamedTuple):
    at: int
    removed: int
    text: bytes


class Edits:
    """Changes to one text; places are in bytes, as Python's parser counts columns."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._starts = [0, *(at + 1 for at, byte in enumerate(raw) if byte == ord("\n"))]
        self._edits: list[_Edit] = []

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Where a piece of code begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def length(self, node: ast.expr | ast.stmt) -> int:
        """How many bytes it takes."""
        return self._end(node) - self.start(node)

    def replace(self, node: ast.expr | ast.stmt, text: str, removed: int) -> None:
        """Put a text in the place of the first bytes of a piece of code."""
        self._add(_Edit(self.start(node), removed, text.encode()))

    def insert_after(self, node: ast.expr | ast.stmt, text: str) -> None:
        """Put a text behind a piece of code."""
        self._add(_Edit(self._end(node), 0, text.encode()))

    def text(self) -> str:
        """The code with all changes."""
        parts: list[bytes] = []
        at = 0
        for edit in self._edits:
            parts += [self._raw[at : edit.at], edit.text]
            at = edit.at + edit.removed
        return b"".join([*parts, self._raw[at:]]).decode()

    def moved(self, at: int) -> int:
        """Where a place of the code is after all changes."""
        return at + sum(len(one.text) - one.removed for one in self._edits if one.at <= at)

    def lines(self) -> Iterator[int]:
        """For each line of the changed code its line before, from 1."""
        line = 1
        yield line
        at = 0
        for edit in self._edits:
            for _ in range(self._raw.count(b"\n", at, edit.at)):
                line += 1
                yield line
            for _ in range(edit.text.count(b"\n")):
                yield line
            at = edit.at
        for _ in range(self._raw.count(b"\n", at)):
            line += 1
            yield line

    def _end(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def _add(self, edit: _Edit) -> None:
        """In order of place; of one place what ends comes before what was there already.

        Pieces of code are changed from the outer to the inner, so that of two that begin at one
        place the outer's text comes first, and of two that end there the inner's.
        """
        places = [one.at for one in self._edits]
        at = bisect_right(places, edit.at)
        if not edit.removed and edit.text[:1] in (b")", b"\n"):
            at = places.index(edit.at) if edit.at in places else at
        self._edits.insert(at, edit)
