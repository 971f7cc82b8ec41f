"""The way back from shortened JSON to the original, byte for byte, where nothing was folded."""

from __future__ import annotations

import re

from tokenbudget.compression.json_rows import cells_in, node_of, row_reader
from tokenbudget.compression.json_shapes import NotAHeader, shape_in
from tokenbudget.compression.json_tree import Node, NoTree, layout_of, set_as

_LEAF = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+')
_ROWS = re.compile(r"(\d+) (keyed )?rows(, tab)?")


def decode(text: str, opening: str) -> str:
    """The original of a lossless shortened text; raises `NoTree` for anything else."""
    reader = _Reader(text, opening)
    try:
        return reader.whole()
    except (IndexError, StopIteration, ValueError, KeyError, NotAHeader) as exc:
        raise NoTree("not written by us") from exc


class _Reader:
    def __init__(self, text: str, opening: str) -> None:
        self._text = text
        self._opening = opening
        self._marker = re.compile(re.escape(opening) + r" ([^\]\n]*)\]\n")
        self._at = 0

    def whole(self) -> str:
        words = ""
        found = self._marker.match(self._text)
        if found and found[1].startswith("JSON"):
            words, self._at = found[1], found.end()
        is_lines = words.startswith("JSON lines")
        node = self._lines() if is_lines else self._value()
        if self._text[self._at - 1 : self._at] == "\n":
            self._at -= 1  # after a block's last row; nothing else ends with one
        end = self._text[self._at :]
        if end.strip(" \n"):
            raise NoTree("something follows")
        return set_as(node, layout_of(words, end))

    def _lines(self) -> Node:
        if self._text.startswith(self._opening, self._at):
            return self._value()
        nodes = []
        while True:
            nodes.append(self._value())
            if self._text[self._at : self._at + 2].strip() == "":
                return nodes
            self._at += 1

    def _value(self) -> Node:
        if self._text.startswith(self._opening, self._at):
            return self._block()
        sign = self._text[self._at]
        if sign in "[{":
            self._at += 1
            return self._list() if sign == "[" else self._object()
        return self._leaf()

    def _leaf(self) -> str:
        found = _LEAF.match(self._text, self._at)
        if not found:
            raise NoTree("a value was expected")
        self._at = found.end()
        return found[0]

    def _list(self) -> Node:
        nodes: list[Node] = []
        while not self._closes("]", bool(nodes)):
            nodes.append(self._value())
        return nodes

    def _object(self) -> Node:
        nodes: dict[str, Node] = {}
        while not self._closes("}", bool(nodes)):
            key = self._leaf()
            self._at += 1  # the colon
            nodes[key] = self._value()
        return nodes

    def _closes(self, bracket: str, is_inside: bool) -> bool:
        sign = self._text[self._at]
        if sign == bracket or (is_inside and sign == ","):
            self._at += 1
        elif is_inside:
            raise NoTree("a comma was expected")
        return sign == bracket

    def _block(self) -> Node:
        found = self._marker.match(self._text, self._at)
        told = _ROWS.fullmatch(found[1]) if found else None
        if not found or not told:
            raise NoTree("rows were expected")
        self._at = found.end()
        comma = "\t" if told[3] else ","
        head = self._line()
        shape = shape_in(head[2:] if told[2] else head, comma)
        lines = [cells_in(self._line(), comma) for _ in range(int(told[1]))]
        row = row_reader(shape)
        if told[2]:
            return {str(node_of(cells[0])): row(cells[1:]) for cells in lines}
        return [row(cells) for cells in lines]

    def _line(self) -> str:
        """The line here, and on to the next; the text's last may lack its newline."""
        if self._at > len(self._text):
            raise NoTree("a row was expected")
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        line = self._text[self._at : end]
        self._at = end + 1
        return line
