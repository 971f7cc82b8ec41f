"""JSON as a tree whose leaves keep the very characters they were written with.

A number stays `1.00`, a string keeps its escapes, a key too: so a tree can be set again exactly as
it stood. What has no such tree (a key twice in one object, more than `DEEPEST` levels) is refused.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple, TypeAlias

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
"""A leaf as it is written, a list, or an object by its keys as they are written."""

DEEPEST = 64
"""Levels; real results have about ten, and the walks below call themselves once for each."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\],:"]+')
_PADDED = re.compile(r"[\[{]\n( +|\t)\S")
_KEY_SPACE = re.compile(r'":( ?)')
_ITEM_SPACE = re.compile(r'[\]}"0-9el],( ?)[\[{"0-9tfn-]')


class NoTree(Exception):
    """The text is not JSON, or not such that its tree says all of it."""


class Layout(NamedTuple):
    """How JSON is set on the page."""

    pad: str = ""
    """What each level is moved in by; '' where all stands on one line."""
    space: str = ""
    """What follows a colon, and a comma on one line: a blank or nothing."""
    is_lines: bool = False
    """Whether each line is a value of its own; the tree is their list."""
    end: str = ""
    """What stands after the last bracket: at most blanks and newlines."""

    @property
    def words(self) -> str:
        """What a marker says of it; '' for the shortest way to write JSON."""
        if self.pad:
            return f"JSON, indent {'tab' if self.pad == chr(9) else len(self.pad)}"
        name = "JSON lines" if self.is_lines else "JSON"
        return f"{name}, spaced" if self.space else name if self.is_lines else ""


def layout_of(words: str, end: str) -> Layout:
    """The layout that says these `words`; the inverse of `Layout.words`."""
    if "indent" in words:
        size = words.rsplit(" ", 1)[1]
        return Layout("\t" if size == "tab" else " " * int(size), " ", False, end)
    return Layout("", " " if "spaced" in words else "", "lines" in words, end)


def layout_seen(text: str) -> Layout:
    """How a text seems to be set, by its first bracket, colon and comma."""
    body = text.rstrip(" \n")
    end = text[len(body) :]
    if padded := _PADDED.match(body):
        return Layout(padded[1], " ", False, end)
    colon, comma = _KEY_SPACE.search(body), _ITEM_SPACE.search(body)
    return Layout("", (colon or comma or [""] * 2)[1], False, end)


def tree_of(text: str) -> Node:
    """The tree of a JSON text; raises `NoTree`."""
    try:
        json.loads(text, parse_constant=_refuse)  # in C: the walk below may then trust the brackets
    except (ValueError, RecursionError) as exc:
        raise NoTree from exc
    return tree_of_tokens(_TOKEN.findall(text))


def rows_of(text: str) -> list[Node]:
    """The tree of a list of objects, ten times as fast; raises `NoTree` for anything else.

    Of a key that one object has twice only the last is there: set the tree again and compare.
    """
    from msgspec import DecodeError, Raw
    from msgspec.json import Decoder

    try:
        rows = Decoder(list[dict[str, Raw]]).decode(text.encode())
    except (DecodeError, UnicodeEncodeError, RecursionError) as exc:
        raise NoTree from exc
    quoted = {
        key: json.dumps(key, ensure_ascii=False) for key in {key for row in rows for key in row}
    }
    return [
        {quoted[key]: _leaf_or_tree(str(raw, "utf-8")) for key, raw in row.items()} for row in rows
    ]


def _leaf_or_tree(raw: str) -> Node:
    return tree_of_tokens(_TOKEN.findall(raw)) if raw[0] in "[{" else raw


def _refuse(name: str) -> None:
    raise ValueError(name)  # NaN and its like are no JSON


def tree_of_tokens(tokens: list[str]) -> Node:
    """The tree of valid JSON that was cut into its brackets and leaves."""
    root: list[Node] = []
    open_nodes: list[list[Node] | dict[str, Node]] = []
    here: list[Node] | dict[str, Node] = root
    key = ""
    for token in tokens:
        if token in "]}":
            here = open_nodes.pop()
            continue
        if here.__class__ is dict and not key:
            if token in here:
                raise NoTree("one key twice")
            key = token
            continue
        node: Node = [] if token == "[" else {} if token == "{" else token
        if here.__class__ is dict:
            here[key] = node
            key = ""
        else:
            here.append(node)  # type: ignore[union-attr]
        if node.__class__ is not str:
            open_nodes.append(here)
            if len(open_nodes) > DEEPEST:
                raise NoTree("too deep")
            here = node  # type: ignore[assignment]
    return root[0]


def set_as(node: Node, layout: Layout) -> str:
    """The text of a tree in a layout."""
    if layout.is_lines:
        rows = [_on_one_line(one, layout.space) for one in node]
        return "\n".join(rows) + layout.end
    if layout.pad:
        return _on_many_lines(node, layout.pad, "\n") + layout.end
    return _on_one_line(node, layout.space) + layout.end


def compact(node: Node) -> str:
    """The shortest JSON of a tree."""
    return _on_one_line(node, "")


def _on_one_line(node: Node, space: str) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return f"[{(',' + space).join([_on_one_line(one, space) for one in node])}]"
    pairs = [
        f"{key}:{space}{one if one.__class__ is str else _on_one_line(one, space)}"
        for key, one in node.items()
    ]
    return f"{{{(',' + space).join(pairs)}}}"


def _on_many_lines(node: Node, pad: str, line: str) -> str:
    if isinstance(node, str):
        return node
    inner = line + pad
    if isinstance(node, list):
        items = [one if one.__class__ is str else _on_many_lines(one, pad, inner) for one in node]
        return f"[{inner}{(',' + inner).join(items)}{line}]" if items else "[]"
    pairs = [
        f"{key}: {one if one.__class__ is str else _on_many_lines(one, pad, inner)}"
        for key, one in node.items()
    ]
    return f"{{{inner}{(',' + inner).join(pairs)}{line}}}" if pairs else "{}"


def lines_of(node: Node) -> int:
    """How many lines a tree takes in a layout that moves its levels in."""
    if isinstance(node, str) or not node:
        return 1
    return 2 + sum(map(lines_of, node if isinstance(node, list) else node.values()))
