"""JSON without what repeats: no indentation, the keys of alike objects once, long strings folded.

As long as nothing is folded it is the same value, set otherwise; the first marker says how the
original was set. Every text is read back before it is called lossless.
"""

from __future__ import annotations

from tokenbudget.compression.codec import Draft
from tokenbudget.compression.folding import cuts_of
from tokenbudget.compression.json_rows import (
    FEWEST_ROWS,
    block_of,
    head_line,
    leaf_texts,
    row_lines,
)
from tokenbudget.compression.json_tree import (
    Layout,
    Node,
    NoTree,
    compact,
    layout_seen,
    lines_of,
    rows_of,
    set_as,
    tree_of,
)
from tokenbudget.compression.passage import COMPRESSED, VERBOSE
from tokenbudget.compression.receipts import Removed
from tokenbudget.compression.trouble import is_trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.json_rows import Block
    from tokenbudget.compression.marks import Marks

MOST_ROWS = 40
"""Rows of one list that `compressed` writes out; of more it keeps the first and last and what tells
of trouble."""

FIRST_ROWS, LAST_ROWS = 15, 5

MOST_LEAVES = 100
"""Values of one list that are not objects alike."""

SHORT_LEAF = 200
"""Characters; what is shorter is never folded."""


def read(text: str) -> tuple[Node, Layout]:
    """The tree of a JSON text, or of one whose every line is JSON, and how it seems to be set."""
    seen = layout_seen(text)
    body = text[: len(text) - len(seen.end)]
    try:
        return tree_of(body), seen
    except NoTree:
        lines = body.split("\n")
        if len(lines) < FEWEST_ROWS or body[:1] != "{":
            raise
        node = tree_of(f"[{','.join(lines)}]")
        if len(node) != len(lines):
            raise NoTree("some line is not one value") from None
        return node, Layout("", seen.space, True, seen.end)


def encode(text: str, marks: Marks, level: str) -> Draft | None:
    """JSON written shorter; None where it is no JSON, or where a level would lose something."""
    quick = _quick(text, marks, level)
    if quick:
        return quick
    try:
        node, layout = read(text)
    except NoTree:
        return None
    writer = Writer(marks, layout, level, 0)
    draft = writer.whole(node)
    if not writer.has_lost and _is_read_back(draft, marks.opening, text):
        return Draft(draft, tuple(writer.removed), is_lossless=True)
    if level == VERBOSE:
        return None
    if set_as(node, layout) != text:
        writer = Writer(marks, layout, level, text.count("\n") + 1)
        draft = writer.whole(node)
    return Draft(draft, tuple(writer.removed))


def _quick(text: str, marks: Marks, level: str) -> Draft | None:
    """The same for a list of objects of which nothing is lost; None where that is not so."""
    layout = layout_seen(text)
    try:
        node = rows_of(text[: len(text) - len(layout.end)])
    except NoTree:
        return None
    writer = Writer(marks, layout, level, 0)
    draft = writer.whole(node)
    if writer.has_lost or not _is_read_back(draft, marks.opening, text):
        return None
    return Draft(draft, tuple(writer.removed), is_lossless=True)


def _is_read_back(draft: str, opening: str, text: str) -> bool:
    from tokenbudget.compression.json_reading import decode

    try:
        return decode(draft, opening) == text
    except NoTree:
        return False


class Writer:
    """Writes one tree, and keeps account of the original's lines while it walks along them."""

    def __init__(self, marks: Marks, layout: Layout, level: str, vague_lines: int) -> None:
        """`vague_lines`: how many lines the original has if it cannot be told which is where."""
        self.removed: list[Removed] = []
        self.has_lost = False
        self._marks = marks
        self._layout = layout
        self._level = level
        self._vague_lines = vague_lines
        self._line = 0
        self._reach = 1  # lines from there on, in one of which the value stands

    def whole(self, node: Node) -> str:
        """The shortened text."""
        words, end = self._layout.words, self._layout.end
        if words:
            self._tell("layout", 0, 0, self._lines_in(node))
        body = self._of_lines(node) if self._layout.is_lines else self._of(node)
        start = f"{self._marks.mark(words)}\n" if words else ""
        return f"{start}{body.removesuffix(chr(10))}{end}"

    def _of_lines(self, nodes: Node) -> str:
        block = block_of(nodes)
        if block:
            return self._block(block, nodes)
        texts = []
        for self._line, one in enumerate(nodes):
            texts.append(leaf_texts(one, self._leaf))
        return "\n".join(texts)

    def _of(self, node: Node) -> str:
        """One value; that of a block ends with the newline of its last row."""
        if isinstance(node, str):
            return self._leaf(node)
        if not node:
            return compact(node)
        block = block_of(node)
        if block:
            return self._block(block, node)
        if isinstance(node, list) and self._level == COMPRESSED and len(node) > MOST_LEAVES:
            return self._long_list(node)
        step = 1 if self._layout.pad else 0
        texts = []
        for one in node:
            self._line += step
            key = f"{one}:" if isinstance(node, dict) else ""
            texts.append(key + self._of(node[one] if isinstance(node, dict) else one))  # type: ignore[index]
        self._line += step
        return f"[{','.join(texts)}]" if isinstance(node, list) else f"{{{','.join(texts)}}}"

    def _leaf(self, leaf: str) -> str:
        cuts = cuts_of(leaf, self._level) if len(leaf) > SHORT_LEAF else ()
        if not cuts:
            return leaf
        self.has_lost = True
        texts, at = [], 0
        for start, end in cuts:
            self._tell("folded", end - start, self._line, self._line + self._reach)
            texts += [leaf[at:start], self._marks.mark(f"{end - start} chars")]
            at = end
        return "".join([*texts, leaf[at:]])

    def _long_list(self, node: list[Node]) -> str:
        """Of a list of many values the first and the last."""
        start, self._reach = self._line, self._lines_in(node)
        left_out = len(node) - FIRST_ROWS - LAST_ROWS
        first = [leaf_texts(one, self._leaf) for one in node[:FIRST_ROWS]]
        self._tell("items", left_out, start, start + self._reach)
        self.has_lost = True
        last = [leaf_texts(one, self._leaf) for one in node[-LAST_ROWS:]]
        self._line, self._reach = start + self._reach - 1, 1
        return f"[{','.join([*first, self._marks.mark(f'{left_out} items'), *last])}]"

    def _block(self, block: Block, node: Node) -> str:
        start, lines = self._line, self._lines_in(node)
        self._tell("rows", len(block.rows), start, start + lines)
        texts = [self._marks.mark(block.words), head_line(block)]
        if self._level == VERBOSE:
            texts += row_lines(block)
        else:
            texts += self._rows(block, self._places(block, start))
        self._line = start + lines - 1
        return "\n".join(texts) + "\n"

    def _rows(self, block: Block, places: Sequence[tuple[int, int]]) -> list[str]:
        """The rows that a level keeps, and a marker for each run of the others."""
        numbers = _kept(block) if self._level == COMPRESSED else range(len(block.rows))
        rows = [block.rows[one] for one in numbers]
        names = block.names and tuple(block.names[one] for one in numbers)
        lines = row_lines(block._replace(rows=rows, names=names), self._leaf)
        texts: list[str] = []
        following = 0
        for number in numbers:
            texts += self._gap(following, number, places)
            self._line, self._reach = places[number][0], places[number][1] - places[number][0]
            texts.append(next(lines))
            following = number + 1
        self._reach = 1
        return texts + self._gap(following, len(block.rows), places)

    def _gap(self, start: int, end: int, places: Sequence[tuple[int, int]]) -> list[str]:
        if start == end:
            return []
        self.has_lost = True
        self._tell("items", end - start, places[start][0], places[end - 1][1])
        return [self._marks.mark(f"{end - start} items")]

    def _places(self, block: Block, start: int) -> list[tuple[int, int]]:
        """The lines of each row."""
        if self._layout.is_lines:
            return [(one, one + 1) for one in range(len(block.rows))]
        if not self._layout.pad:
            return [(start, start + 1)] * len(block.rows)
        places, line = [], start + 1
        for row in block.rows:
            places.append((line, line + lines_of(row)))
            line = places[-1][1]
        return places

    def _lines_in(self, node: Node) -> int:
        if self._layout.is_lines:
            return len(node)
        return lines_of(node) if self._layout.pad else 1

    def _tell(self, kind: str, count: int, start: int, end: int) -> None:
        place = (0, self._vague_lines) if self._vague_lines else (start, end)
        self.removed.append(Removed(kind, count, (place,)))


def _kept(block: Block) -> list[int]:
    """Which rows `compressed` keeps: the first, the last and whatever tells of trouble.

    No gap is of one row or two, whose marker would cost as much as they do.
    """
    total = len(block.rows)
    if total <= MOST_ROWS:
        return list(range(total))
    kept = [
        number
        for number, line in enumerate(row_lines(block))
        if number < FIRST_ROWS or number >= total - LAST_ROWS or is_trouble(line)
    ]
    whole: list[int] = []
    for number in kept:
        if whole and number - whole[-1] <= 3:
            whole += range(whole[-1] + 1, number)
        whole.append(number)
    return whole
