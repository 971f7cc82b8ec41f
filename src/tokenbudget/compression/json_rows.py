"""Objects that are alike, written as a block: a head with their keys, then one line for each.

A cell is the JSON of its value, and a string is written without its quotes where nothing else could
be meant; an empty cell is a key that the object does not have. So a block says all that the list
said: `rows_in(lines_of_block(x)) == x`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.json_shapes import Fields, Many, Shared, Value, header, shape_of
from tokenbudget.compression.json_tree import NoTree, compact, tree_of_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.compression.json_shapes import Shape
    from tokenbudget.compression.json_tree import Node

FEWEST_ROWS = 3
"""Of two rows the head costs what it saves."""

FEWEST_FILLED = 0.5
"""Of the cells; a block of mostly empty cells is harder to read than the objects."""

_NO_STRING = r"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)"
_SCALAR = re.compile(_NO_STRING)
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+|[,:]')
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')


class Block(NamedTuple):
    """Rows that can stand under one head."""

    shape: Fields
    comma: str
    names: tuple[str, ...] | None
    """The keys of the object whose values the rows are; None for a list."""
    rows: Sequence[dict[str, Node]]

    @property
    def words(self) -> str:
        """What the marker before it says."""
        keyed = "keyed " if self.names is not None else ""
        return f"{len(self.rows)} {keyed}rows{', tab' if self.comma == chr(9) else ''}"


def block_of(node: Node) -> Block | None:
    """The block that a list of objects, or an object of objects, can be written as."""
    if isinstance(node, str) or len(node) < FEWEST_ROWS:
        return None
    names = tuple(node) if isinstance(node, dict) else None
    members = node.values() if isinstance(node, dict) else node
    rows = [one for one in members if isinstance(one, dict) and one]
    if len(rows) < len(node):
        return None
    keys = _keys_of(rows)
    if keys is None:
        return None
    fields = []
    for key in keys:
        values = [row[key] for row in rows if key in row]
        fields.append((key, shape_of(values, len(values) == len(rows))))
    return Block(Fields(tuple(fields)), _comma_for(rows), names, rows)


def _keys_of(rows: Sequence[dict[str, Node]]) -> list[str] | None:
    """All keys in an order that every row keeps; None if there is none or too many are missing."""
    longest: dict[str, Node] = max(rows, key=len)
    keys = list(longest)
    known = set(keys)
    filled = 0
    for row in rows:
        filled += len(row)
        for key in row:
            if key not in known:
                known.add(key)
                keys.append(key)
    if filled < FEWEST_FILLED * len(keys) * len(rows):
        return None
    for row in rows:
        if list(row) != (keys if len(row) == len(keys) else [key for key in keys if key in row]):
            return None
    return keys


def _comma_for(rows: Sequence[dict[str, Node]]) -> str:
    """A tab where many strings hold commas, which would have to keep their quotes."""
    leaves = [leaf for row in rows[:100] for leaf in row.values() if isinstance(leaf, str)]
    with_comma = sum("," in leaf for leaf in leaves)
    return "\t" if with_comma * 8 > len(leaves) else ","


def head_line(block: Block) -> str:
    """The keys, written once; of a keyed block a colon stands for the names."""
    head = header(block.shape, block.comma)
    return head if block.names is None else f":{block.comma}{head}"


def row_lines(block: Block, leaf: Callable[[str], str] = str) -> Iterator[str]:
    """One line for each row; `leaf` may write a leaf shorter (and then it cannot be read back)."""
    cell = _cell_writer(block.comma, leaf)
    cells_of = _cells_writer(block.shape, cell)
    for number, row in enumerate(block.rows):
        cells = cells_of(row)
        if block.names is not None:
            cells.insert(0, cell(block.names[number]))
        yield block.comma.join(cells)


def _cell_writer(comma: str, leaf: Callable[[str], str]) -> Callable[[Node], str]:
    bare = re.compile(rf'"(?!{_NO_STRING}")[^\s{comma}"{{\[][^{comma}"]*"')
    known: dict[str, str] = {}

    def cell(node: Node) -> str:
        if not isinstance(node, str):
            return leaf_texts(node, leaf)
        written = known.get(node)
        if written is None:
            written = leaf(node)
            if bare.fullmatch(written) and not written[-2].isspace():
                written = written[1:-1]
            if len(node) < 100:  # what repeats is short
                known[node] = written
        return written

    return cell


def leaf_texts(node: Node, leaf: Callable[[str], str]) -> str:
    """Compact JSON with each leaf as `leaf` writes it."""
    if leaf is str:
        return compact(node)
    if isinstance(node, str):
        return leaf(node)
    if isinstance(node, list):
        return f"[{','.join([leaf_texts(one, leaf) for one in node])}]"
    return f"{{{','.join([f'{key}:{leaf_texts(one, leaf)}' for key, one in node.items()])}}}"


def _cells_writer(
    shape: Fields, cell: Callable[[Node], str]
) -> Callable[[dict[str, Node]], list[str]]:
    """What takes a row apart into its cells."""
    if any(isinstance(kind, Fields | Many) for _, kind in shape.fields):
        return lambda row: _cells(shape, row, cell)
    keys = [key for key, kind in shape.fields if isinstance(kind, Value)]
    return lambda row: [cell(row[key]) if key in row else "" for key in keys]


def _cells(shape: Fields, row: dict[str, Node], cell: Callable[[Node], str]) -> list[str]:
    cells: list[str] = []
    for key, kind in shape.fields:
        if isinstance(kind, Shared):
            continue
        node = row.get(key)
        if node is None:
            cells.extend([""] * _width(kind))
        elif isinstance(kind, Fields):
            cells.extend(_cells(kind, node, cell))  # type: ignore[arg-type]
        elif isinstance(kind, Many):
            cells.append(cell(_values(node, kind)))
        else:
            cells.append(cell(node))
    return cells


def _width(shape: Shape) -> int:
    if isinstance(shape, Fields):
        return sum(_width(one) for _, one in shape.fields)
    return 0 if isinstance(shape, Shared) else 1


def _values(node: Node, shape: Shape) -> Node:
    """The values without the keys that the head tells: lists in place of objects."""
    if isinstance(shape, Many) and isinstance(node, list):
        return [_values(one, shape.each) for one in node]
    if isinstance(shape, Fields) and isinstance(node, dict):
        return [_values(node[key], one) for key, one in shape.fields]
    return node


# ── and back ──────────────────────────────────────────────────────────────────────────────────────


def row_reader(shape: Fields) -> Callable[[Sequence[str]], dict[str, Node]]:
    """What makes an object of one line's cells; it raises `NoTree`."""
    if any(isinstance(kind, Fields | Many) for _, kind in shape.fields):
        return lambda cells: _row_of(iter(cells), shape)
    shared = [(key, kind.leaf if isinstance(kind, Shared) else None) for key, kind in shape.fields]
    known: dict[str, Node] = {}

    def flat(cells: Sequence[str]) -> dict[str, Node]:
        row: dict[str, Node] = {}
        rest = iter(cells)
        for key, leaf in shared:
            if leaf is not None:
                row[key] = leaf
            elif text := next(rest):
                node = known.get(text)
                if node is None:
                    node = known[text] = node_of(text)
                row[key] = node
        return row

    return flat


def _row_of(cells: Iterator[str], shape: Fields) -> dict[str, Node]:
    row: dict[str, Node] = {}
    for key, kind in shape.fields:
        if isinstance(kind, Shared):
            row[key] = kind.leaf
        elif isinstance(kind, Fields):
            mine = [next(cells) for _ in range(_width(kind))]
            if any(mine) or not mine:
                row[key] = _row_of(iter(mine), kind)
        elif text := next(cells):
            node = node_of(text)
            row[key] = _with_keys(node, kind)
    return row


def node_of(cell: str) -> Node:
    """The value that a cell stands for; raises `NoTree`."""
    if cell[0] in "[{":
        return tree_of_tokens([token for token in _TOKEN.findall(cell) if token not in ",:"])
    return cell if cell[0] == '"' or _SCALAR.fullmatch(cell) else f'"{cell}"'


def _with_keys(node: Node, shape: Shape) -> Node:
    if isinstance(shape, Value | Shared):
        return node
    if not isinstance(node, list):
        raise NoTree("a list of values was expected")
    if isinstance(shape, Many):
        return [_with_keys(one, shape.each) for one in node]
    pairs = zip(shape.fields, node, strict=True)
    return {key: _with_keys(one, kind) for (key, kind), one in pairs}


def cells_in(line: str, comma: str) -> list[str]:
    """The cells of one line."""
    if '"' not in line and "[" not in line and "{" not in line:
        return line.split(comma)
    cells, at = [], 0
    while True:
        end = _end_of_cell(line, at, comma)
        cells.append(line[at:end])
        if end >= len(line):
            return cells
        at = end + 1


def _end_of_cell(line: str, at: int, comma: str) -> int:
    if line[at : at + 1] == '"':
        found = _STRING.match(line, at)
        return found.end() if found else len(line)
    if line[at : at + 1] not in ("[", "{"):
        end = line.find(comma, at)
        return len(line) if end < 0 else end
    depth = 0
    while token := _TOKEN.match(line, at):
        at = token.end()
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if not depth:
            return at
    return len(line)
