"""What the rows of a JSON list have in common, and how it is written once above them.

    id,name,user{login,id},tags[key,value],state=open
    1,first,ada,7,[["a",1],["b",2]]

A column is a key; in braces stand the keys of an object that every row has there, in brackets those
of the objects in a list; behind `=` the value that all rows share. So each name is written once.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.json_tree import Node

_BARE_KEY = re.compile(r"\"[^\s,=\"{}\[\]\\:~#|]+\"")
_NAME = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,="{}\[\]\\:~#|]+')


class NotAHeader(ValueError):
    """A line is not the head of a block."""


class Value(NamedTuple):
    """Whatever JSON it is."""


class Shared(NamedTuple):
    """The same leaf in every row."""

    leaf: str


class Fields(NamedTuple):
    """An object with these keys, in this order."""

    fields: tuple[tuple[str, Shape], ...]


class Many(NamedTuple):
    """A list of objects with these keys."""

    each: Fields


Shape: TypeAlias = "Value | Shared | Fields | Many"
VALUE = Value()


def shape_of(nodes: Sequence[Node], is_in_every_row: bool) -> Shape:
    """The closest shape that all these values of one column have."""
    first = nodes[0]
    if isinstance(first, str):
        is_shared = is_in_every_row and len(nodes) > 1 and nodes.count(first) == len(nodes)
        return Shared(first) if is_shared else VALUE
    if isinstance(first, dict):
        return _fields(nodes, is_in_every_row) or VALUE
    return _many(nodes) or VALUE


def _fields(nodes: Sequence[Node], is_in_every_row: bool) -> Fields | None:
    objects = [node for node in nodes if isinstance(node, dict)]
    keys = list(objects[0]) if objects else []
    if not keys or len(objects) < len(nodes) or any(list(one) != keys for one in objects):
        return None
    return Fields(
        tuple((key, shape_of([one[key] for one in objects], is_in_every_row)) for key in keys)
    )


def _many(nodes: Sequence[Node]) -> Many | None:
    members: list[Node] = []
    for node in nodes:
        if not isinstance(node, list):
            return None
        members.extend(node)
    fields = _fields(members, False) if len(members) > 1 else None
    return Many(fields) if fields else None


def header(shape: Fields, comma: str) -> str:
    """The line above the rows."""
    return comma.join(_column(key, shape, comma) for key, shape in shape.fields)


def name(key: str) -> str:
    """A key as the header writes it: without its quotes where that is unmistakable."""
    return key[1:-1] if _BARE_KEY.fullmatch(key) else key


def _column(key: str, shape: Shape, comma: str) -> str:
    if isinstance(shape, Shared):
        return f"{name(key)}={shape.leaf}"
    if isinstance(shape, Fields):
        return f"{name(key)}{{{header(shape, comma)}}}"
    if isinstance(shape, Many):
        return f"{name(key)}[{header(shape.each, comma)}]"
    return name(key)


def shape_in(line: str, comma: str) -> Fields:
    """The inverse of `header`; raises `NotAHeader`."""
    fields, end = _columns(line, 0, comma)
    if end != len(line):
        raise NotAHeader(line[end : end + 20])
    return Fields(tuple(fields))


_LEAF = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}\[\],:"]+')


def _columns(line: str, at: int, comma: str) -> tuple[list[tuple[str, Shape]], int]:
    fields: list[tuple[str, Shape]] = []
    while True:
        found = _NAME.match(line, at)
        if not found:
            raise NotAHeader(line[at : at + 20])
        key = found[0] if found[0][0] == '"' else f'"{found[0]}"'
        shape, at = _shape_at(line, found.end(), comma)
        fields.append((key, shape))
        if line[at : at + 1] != comma:
            return fields, at
        at += 1


def _shape_at(line: str, at: int, comma: str) -> tuple[Shape, int]:
    sign = line[at : at + 1]
    if sign == "=":
        leaf = _LEAF.match(line, at + 1)
        if not leaf:
            raise NotAHeader(line[at : at + 20])
        return Shared(leaf[0]), leaf.end()
    if sign not in ("{", "["):
        return VALUE, at
    fields, at = _columns(line, at + 1, comma)
    if line[at : at + 1] != {"{": "}", "[": "]"}[sign]:
        raise NotAHeader(line[at : at + 20])
    inner = Fields(tuple(fields))
    return (inner if sign == "{" else Many(inner)), at + 1
