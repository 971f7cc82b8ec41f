"""Messages of recorded requests: their hashes, and how one is found among a transcript's lines.

A message's hash is the SHA-256 of its compact, key-sorted JSON without `cache_control`, a string
content taken as a list of one text block; so is the digest of a whole request, with the marks.
Read from Claude Code 2.1.300 to 2.1.329.
"""

# No `from __future__ import annotations`: see decoder.py.
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias

Json: TypeAlias = dict[str, Any]

Mark: TypeAlias = tuple[tuple[str | int, ...], Json]
"""A place in a request, and the `cache_control` that stands there."""

LONGEST_RUN = 32
"""User lines that stand together; of a longer run only the whole and its single lines are tried."""

NO_JSON = (ValueError, RecursionError)


def value_of(data: bytes) -> Any:
    """The JSON value; lone surrogates stay as they are, NaN becomes null.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested beyond what the parser takes.
    """
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    return json.loads(text, parse_constant=lambda name: None)  # NaN and the infinities


def compact(value: object, sort_keys: bool = False) -> bytes:
    """Compact UTF-8 JSON as the client writes it; a lone surrogate is escaped.

    Raises:
        RecursionError: it is nested beyond what can be written.
    """
    text = _dumped(value, sort_keys)
    if "e-0" in text:  # a number like 1e-07, for which the client writes 1e-7
        text = _HELD_NUMBER.sub(r"\1", _dumped(_with_held_numbers(value), sort_keys))
    return text.encode("utf-8", "backslashreplace")


def _dumped(value: object, sort_keys: bool) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"))


_HELD_NUMBER = re.compile('"\ue000([-0-9.e]+)\ue000"')
_DECIMAL_FROM = 1e-6
"""The client writes a number down to this without an exponent; Python down to 1e-4."""


def _with_held_numbers(value: object) -> object:
    """The value with each small number in a string that says how the client writes it."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {name: _with_held_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_held_numbers(part) for part in value]
    if not isinstance(value, float) or "e-0" not in repr(value):
        return value
    is_decimal = abs(value) >= _DECIMAL_FROM
    number = f"{Decimal(repr(value)):f}" if is_decimal else repr(value).replace("e-0", "e-")
    return f"\ue000{number}\ue000"


def hash_of(value: object) -> str:
    """The hash that the client gives to a shape or a whole request."""
    return sha256(compact(value, sort_keys=True)).hexdigest()


def listed(message: Json) -> Json:
    """The message with its content as a list of blocks."""
    content = message.get("content")
    if not isinstance(content, str):
        return message
    return {**message, "content": [{"type": "text", "text": content}]}


def message_hash(message: Json) -> str:
    """The hash that a request names its message by."""
    return hash_of(listed(message))


def unlisted(message: Json) -> Json:
    """The message with its content as a string, where that has the same hash."""
    content = message.get("content")
    if message.get("role") == "assistant" or not isinstance(content, list) or len(content) != 1:
        return message
    (block,) = content
    if not isinstance(block, dict) or block.keys() != {"type", "text"} or block["type"] != "text":
        return message
    return {**message, "content": block["text"]}


def digest_of(request: Json, marks: Sequence[Mark]) -> str:
    """The digest of a whole request; a mark whose place is not there is left out."""
    marked: Json = {**request, "messages": [listed(one) for one in request["messages"]]}
    for path, value in marks:
        marked = _with_mark(marked, path, value)
    return hash_of(marked)


def _with_mark(node: Any, path: Sequence[str | int], value: Json) -> Any:
    """A copy with the mark in its place; whatever the mark does not touch is shared."""
    if not path:
        return {**node, "cache_control": value} if isinstance(node, dict) else node
    step, rest = path[0], path[1:]
    if isinstance(node, dict) and step in node:
        return {**node, step: _with_mark(node[step], rest, value)}
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return [*node[:step], _with_mark(node[step], rest, value), *node[step + 1 :]]
    return node


class Spoken(NamedTuple):
    """A user or assistant line: where its `message` is to be had."""

    response_key: str
    """`message.id` of an assistant line; '' for a user line."""
    place: int | bytes


class SpokenLines:
    """The conversation of a transcript; no message is decoded before one is asked for."""

    def __init__(self, read_message: Callable[[int | bytes], bytes]) -> None:
        self._read_message = read_message
        self._lines: list[Spoken] = []
        self._seen: set[str] = set()
        self._likely: dict[str, tuple[Spoken, ...]] | None = None
        self._uncommon: dict[str, tuple[Spoken, ...]] | None = None

    def add(self, uuid: str | None, line: Spoken) -> None:
        """Take a line in; one that was written again is the same line."""
        if uuid is not None:
            if uuid in self._seen:
                return
            self._seen.add(uuid)
        self._lines.append(line)
        self._likely = self._uncommon = None

    def message(self, wanted: str) -> Json | None:
        """The message with this hash, its content in the form in which the line holds it."""
        if self._likely is None:
            self._likely = dict(self._hashed(self._groups()))
        found = self._likely.get(wanted)
        return None if found is None else self._merged(found)

    def uncommon(self, wanted: str) -> Json | None:
        """The same, among the parts of each run of user lines."""
        if self._uncommon is None:
            self._uncommon = dict(self._hashed(self._parts()))
        found = self._uncommon.get(wanted)
        return None if found is None else self._merged(found)

    def _hashed(
        self, groups: Iterator[tuple[Spoken, ...]]
    ) -> Iterator[tuple[str, tuple[Spoken, ...]]]:
        for group in groups:
            message = self._merged(group)
            if message is not None:
                with contextlib.suppress(RecursionError):
                    yield message_hash(message), group

    def _groups(self) -> Iterator[tuple[Spoken, ...]]:
        """The likely messages: each answer whole, each run of user lines, each user line."""
        answers: dict[str, list[Spoken]] = {}
        for line in self._lines:
            if line.response_key:
                answers.setdefault(line.response_key, []).append(line)
        yield from map(tuple, answers.values())
        for run in self._runs():
            yield tuple(run)
            for line in run:
                yield (line,)

    def _parts(self) -> Iterator[tuple[Spoken, ...]]:
        """Every part of a run of user lines that has two lines or more."""
        for run in self._runs():
            if len(run) <= LONGEST_RUN:
                for begin in range(len(run)):
                    for end in range(begin + 2, len(run) + 1):
                        yield tuple(run[begin:end])

    def _runs(self) -> Iterator[list[Spoken]]:
        """User lines with no new answer between them; results stand among the calls of one."""
        run: list[Spoken] = []
        answer = ""
        for line in self._lines:
            if not line.response_key:
                run.append(line)
            elif line.response_key != answer:
                answer = line.response_key
                if run:
                    yield run
                run = []
        if run:
            yield run

    def _merged(self, lines: Sequence[Spoken]) -> Json | None:
        try:
            contents = [value_of(self._read_message(line.place))["content"] for line in lines]
        except (*NO_JSON, TypeError, KeyError):
            return None
        role = "assistant" if lines[0].response_key else "user"
        if len(contents) == 1:
            return {"role": role, "content": contents[0]}
        blocks = [listed({"content": content})["content"] for content in contents]
        if not all(isinstance(part, list) for part in blocks):
            return None
        return {"role": role, "content": [block for part in blocks for block in part]}
