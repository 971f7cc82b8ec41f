"""Change one key of a table in a JSON text; every other byte stays as it is.

The agent's settings file belongs to the agent: its order, its indentation and what we do not know
of it are kept. A text that does not then say exactly what was wanted is not given back.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from tokenbudget.config.edit_toml import NotEditable, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_BLANK = " \t\r\n"
_STEP = "  "
"""Indentation where the file shows none."""


class _Member(NamedTuple):
    """One `"key": value` of an object, and where it stands in the text."""

    key: str
    start: int
    value_start: int
    end: int


class _Object(NamedTuple):
    """An object of the text: `start` is at its brace, `end` behind the closing one."""

    start: int
    end: int
    members: list[_Member]


def with_member(text: str, table: str, key: str, value: object) -> str:
    """The text with `value` under `table` and `key`; an empty text becomes an object.

    Raises:
        NotEditable: what stands under `table` is no object.
        ValueError: the text is no JSON object.
    """
    if not text.strip():
        document = {table: {key: value}}
        return json.dumps(document, indent=len(_STEP)) + "\n"
    wanted = parsed(text)
    inner = wanted.get(table, {})
    if not isinstance(inner, dict):
        raise NotEditable(f'write "{table}": {{"{key}": {json.dumps(value)}}} into it by hand')
    wanted[table] = {**inner, key: value}
    return _verified(_set(text, table, key, json.dumps(value)), wanted)


def without_member(text: str, table: str, key: str) -> str:
    """The text without `key`, and without the table once that is empty; else the text itself.

    Raises:
        ValueError: the text is no JSON object.
    """
    wanted = parsed(text)
    inner = wanted.get(table)
    if not isinstance(inner, dict) or key not in inner:
        return text
    del inner[key]
    top = _object_at(text, _skip(text, 0))
    outer = _last(top, table)
    place = None if outer is None else _object_at(text, outer.value_start)
    if outer is None or place is None:
        raise NotEditable(f'take "{key}" out of "{table}" by hand')
    if inner:
        return _verified(_cut(text, place, key), wanted)
    del wanted[table]
    return _verified(_cut(text, top, table), wanted)


def parsed(text: str) -> dict[str, object]:
    """A JSON object, as the agent reads it: no NaN, no Infinity.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _set(text: str, table: str, key: str, value: str) -> str:
    top = _object_at(text, _skip(text, 0))
    outer = _last(top, table)
    if outer is None:
        margin = _margin(text, top, "\n" + _STEP)
        step = margin.rpartition("\n")[2] if "\n" in margin else ""
        inner = margin + step if step else ""
        close = margin if step else ""
        block = f"{json.dumps(table)}: {{{inner}{json.dumps(key)}: {value}{close}}}"
        return _added(text, top, block, margin, margin.removesuffix(step))
    place = _object_at(text, outer.value_start)
    member = _last(place, key)
    if member is not None:
        return text[: member.value_start] + value + text[member.end :]
    outside = _margin(text, top, "\n" + _STEP)
    step = outside.rpartition("\n")[2] if "\n" in outside else ""
    margin = _margin(text, place, outside + step if step else "")
    return _added(text, place, f"{json.dumps(key)}: {value}", margin, outside if step else "")


def _margin(text: str, place: _Object, otherwise: str) -> str:
    """The white space before the members of an object: a line break and its indentation."""
    if not place.members:
        return otherwise
    last = place.members[-1].start
    begin = last
    while text[begin - 1] in _BLANK:
        begin -= 1
    return text[begin:last]


def _added(text: str, place: _Object, block: str, margin: str, close: str) -> str:
    """The text with one more member at the end of an object."""
    if place.members:
        end = place.members[-1].end
        return f"{text[:end]},{margin}{block}{text[end:]}"
    return f"{text[: place.start + 1]}{margin}{block}{close}{text[place.end - 1 :]}"


def _cut(text: str, place: _Object, key: str) -> str:
    """The text without one member of an object, and without one of the commas beside it."""
    names = [member.key for member in place.members]
    at = len(names) - 1 - names[::-1].index(key)
    member = place.members[at]
    if at + 1 < len(names):
        return text[: member.start] + text[place.members[at + 1].start :]
    if at:
        return text[: place.members[at - 1].end] + text[member.end :]
    return text[: place.start + 1] + text[place.end - 1 :]


def _last(place: _Object, key: str) -> _Member | None:
    """The member of this name; of several the last, which is the one that counts."""
    return next((member for member in reversed(place.members) if member.key == key), None)


def _object_at(text: str, start: int) -> _Object:
    """The members of the object that begins here, in a text that is known to be JSON."""
    read = json.JSONDecoder().raw_decode
    members: list[_Member] = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, after = read(text, at)
        value_start = _skip(text, _skip(text, after) + 1)
        _, end = read(text, value_start)
        members.append(_Member(str(key), at, value_start, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return _Object(start, at + 1, members)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _verified(text: str, wanted: dict[str, object]) -> str:
    if not same(parsed(text), wanted):
        raise NotEditable("it is written in an unusual way; change it by hand")
    return text
