"""The lines in which a transcript records its requests, as typed values.

Read from Claude Code 2.1.300 to 2.1.329. A line that is damaged, or of a shape that no known client
writes, is an empty `Entry`; nothing raises.
"""

# No `from __future__ import annotations`: see decoder.py.
import contextlib
from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from tokenbudget.sources.claude_code.decoder import NOTHING, REJECTED
from tokenbudget.sources.claude_code.request_messages import (
    NO_JSON,
    Json,
    Mark,
    compact,
    value_of,
)

MARKS = (b"api-request", b'"user"', b'"assistant"')
"""A line without any of these is no line of ours."""


class MessageHead(Struct, gc=False):
    """`message` of an assistant line, but for its content."""

    id: str | None = None


class _CacheMark(Struct, gc=False):
    path: list[str | int]
    value: Json


class Entry(Struct, gc=False, rename="camel"):
    """One line: what a rebuilt request needs of it."""

    type: str | None = None
    id: str | None = None
    uuid: str | None = None
    query_source: str | None = None
    base: str | None = None
    keep: int | None = None
    tail: list[str] | None = None
    shape_hash: str | None = None
    request_digest: str | None = None
    request_ref: str | None = None
    hash: str | None = None
    params: Raw = NOTHING
    cache_control: Raw = NOTHING
    shape: Raw = NOTHING
    message: Raw = NOTHING


_typed = msgspec.json.Decoder(Entry).decode
_typed_marks = msgspec.json.Decoder(list[_CacheMark]).decode
_message_head = msgspec.json.Decoder(MessageHead).decode


_RAW_PARTS = {
    "params": "params",
    "cacheControl": "cache_control",
    "shape": "shape",
    "message": "message",
}


def entry_of(line: bytes) -> Entry:
    """The line; an empty one where it is damaged or of a shape that we do not know."""
    try:
        return _typed(line)
    except REJECTED:  # a lone surrogate, NaN, a BOM, or damage
        try:
            return _repaired(value_of(line))
        except (*REJECTED, *NO_JSON):
            return Entry()


def _repaired(found: object) -> Entry:
    if not isinstance(found, dict):
        return Entry()
    entry = msgspec.convert({k: v for k, v in found.items() if k not in _RAW_PARTS}, Entry)
    for name, field in _RAW_PARTS.items():
        if name in found:
            setattr(entry, field, Raw(compact(found[name])))
    return entry


def object_of(data: bytes) -> Json | None:
    """The JSON object; None where it is damaged or something else."""
    try:
        found = value_of(data)
    except NO_JSON:
        return None
    return found if isinstance(found, dict) else None


def cache_marks(data: Raw) -> Iterator[Mark]:
    """What an `api-request` line says of its marks for the cache."""
    with contextlib.suppress(*REJECTED):
        for mark in _typed_marks(data):
            yield tuple(mark.path), mark.value


def response_key(entry: Entry) -> str:
    """`message.id` of an assistant line; '' for any other."""
    if entry.type != "assistant":
        return ""
    try:
        return _message_head(entry.message).id or ""
    except REJECTED:
        found = (object_of(bytes(entry.message)) or {}).get("id")
        return found if isinstance(found, str) else ""
