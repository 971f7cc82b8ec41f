"""Messages out of what a server writes: one line each, bounded, whatever comes.

Kept as a list of parts, so a message of any length costs what it weighs and no more; of one that
is too long nothing is kept but its two ends, where its id may stand.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS_BYTES = 400
MOST_SKIPPED = 64
"""Times the longest message: a line that is longer still has no end."""

_ID = re.compile(rb'"id"\s*:\s*(\d{1,15})\s*[,}]')


class TooLong(NamedTuple):
    """A message of which nothing was kept."""

    length_bytes: int
    head: bytes
    tail: bytes


class Endless(Exception):
    """A line that does not end."""


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self, longest_bytes: int) -> None:
        self._longest_bytes = longest_bytes
        self._parts: list[bytes] = []
        self._length_bytes = 0
        self._head = self._tail = b""

    def feed(self, data: bytes) -> Iterator[bytes | TooLong]:
        """The lines that end in this piece. Raises Endless."""
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            self._add(data[begin:end])
            yield self._taken()
            begin = end + 1
        self._add(data[begin:])
        if self._length_bytes > MOST_SKIPPED * self._longest_bytes:
            raise Endless

    def _add(self, part: bytes) -> None:
        if not part:
            return
        self._head += part[: ENDS_BYTES - len(self._head)]
        self._length_bytes += len(part)
        if self._length_bytes <= self._longest_bytes:
            self._parts.append(part)
            return
        self._parts = []
        self._tail = (self._tail + part[-ENDS_BYTES:])[-ENDS_BYTES:]

    def _taken(self) -> bytes | TooLong:
        is_too_long = self._length_bytes > self._longest_bytes
        taken: bytes | TooLong = (
            TooLong(self._length_bytes, self._head, self._tail)
            if is_too_long
            else b"".join(self._parts)
        )
        self._parts, self._length_bytes, self._head, self._tail = [], 0, b"", b""
        return taken


def likely_id(head: bytes, tail: bytes) -> int | None:
    """The id at one of the ends of a message that cannot be read; None where none or several."""
    found = {int(match[1]) for end in (head, tail) for match in _ID.finditer(end)}
    return found.pop() if len(found) == 1 else None


def message_in(line: bytes) -> dict[str, object] | None:
    """The message of one line; None for whatever is no JSON-RPC message.

    Bytes that are no UTF-8 are replaced, `NaN` and infinities become null: no JSON holds them.
    """
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        said = json.loads(line.decode("utf-8", "replace"), parse_constant=_null)
    except (ValueError, RecursionError, MemoryError):
        return None
    return said if isinstance(said, dict) and said.get("jsonrpc") == "2.0" else None


def line_of(message: object) -> bytes:
    """A message as one line. Raises ValueError, TypeError or RecursionError: it is no JSON."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def _null(_: str) -> None:
    return None
