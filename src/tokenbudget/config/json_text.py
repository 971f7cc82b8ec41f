"""A JSON text as a tree of places: where each member and item stands, comments passed over.

Comments (`//`, `/* */`) and a comma before a closing bracket are read, for some agents' settings
have them; whoever wants plain JSON asks `plain_json` first. No value is changed here.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.actions import Json

DEEPEST = 200
"""Far beyond any settings file, and below what Python's stack holds."""

BLANK = " \t\r\n"
_GAP = re.compile(r"(?:[ \t\r\n]+|//[^\n\r]*|/\*.*?\*/)+", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")


class Item(NamedTuple):
    """A member of an object, or an item of a list: from `start` to `node.end`."""

    start: int
    key: str
    """'' in a list."""
    node: Node


class Node(NamedTuple):
    """A value of the text: from `start` to `end`, brackets included."""

    start: int
    end: int
    kind: str
    """`{`, `[`, or '' for anything else."""
    items: tuple[Item, ...]
    value: Json
    """Of two members of one name the last one counts."""


def scanned(text: str) -> Node:
    """The one value that a text holds.

    Raises:
        ValueError: it is no JSON, also apart from comments, or nested too deeply.
    """
    start = _after_gap(text, 0)
    node = _value(text, start, 0)
    end = _after_gap(text, node.end)
    if end != len(text):
        raise _wrong(text, end, "something follows the end")
    return node


def last(node: Node, key: str) -> Item | None:
    """The member of this name; of several the last, which is the one that counts."""
    return next((item for item in reversed(node.items) if item.key == key), None)


def gap_end(text: str, at: int) -> int:
    """Where the white space and comments that begin here end."""
    return _after_gap(text, at)


def is_blank(text: str) -> bool:
    """Whether there is nothing but white space."""
    return not text.strip(BLANK)


def _value(text: str, at: int, depth: int) -> Node:
    if depth > DEEPEST:
        raise ValueError("it is nested too deeply")
    sign = text[at : at + 1]
    if sign == "{":
        return _object(text, at, depth)
    if sign == "[":
        return _list(text, at, depth)
    found = (_STRING if sign == '"' else _SCALAR).match(text, at)
    if found is None:
        raise _wrong(text, at, "a value is expected")
    return Node(at, found.end(), "", (), _plain_value(found.group()))


def _plain_value(text: str) -> Json:
    """What a string, number or word says; most strings say what they show."""
    if text[0] == '"' and "\\" not in text:
        return text[1:-1]
    value: Json = json.loads(text)
    return value


def _object(text: str, start: int, depth: int) -> Node:
    items: list[Item] = []
    values: dict[str, Json] = {}
    at = _after_gap(text, start + 1)
    while text[at : at + 1] != "}":
        name = _STRING.match(text, at)
        if name is None:
            raise _wrong(text, at, "a name in quotes is expected")
        colon = _after_gap(text, name.end())
        if text[colon : colon + 1] != ":":
            raise _wrong(text, colon, "a colon is expected")
        node = _value(text, _after_gap(text, colon + 1), depth + 1)
        key = str(_plain_value(name.group()))
        items.append(Item(at, key, node))
        values[key] = node.value
        at = _after_comma(text, node.end, "}")
    return Node(start, at + 1, "{", tuple(items), values)


def _list(text: str, start: int, depth: int) -> Node:
    items: list[Item] = []
    at = _after_gap(text, start + 1)
    while text[at : at + 1] != "]":
        node = _value(text, at, depth + 1)
        items.append(Item(at, "", node))
        at = _after_comma(text, node.end, "]")
    return Node(start, at + 1, "[", tuple(items), [item.node.value for item in items])


def _after_comma(text: str, at: int, closing: str) -> int:
    at = _after_gap(text, at)
    if text[at : at + 1] == ",":
        return _after_gap(text, at + 1)
    if text[at : at + 1] != closing:
        raise _wrong(text, at, f"a comma or {closing} is expected")
    return at


def _after_gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _wrong(text: str, at: int, what: str) -> ValueError:
    line = text.count("\n", 0, at) + 1
    return ValueError(f"{what}: line {line} column {at - text.rfind(chr(10), 0, at)}")
