"""What a server says that nobody asked for: some of it passes, the rest is dropped unread. Pure.

A server can talk faster than anyone listens, and reading what it says costs more than saying it.
So of each kind of notification a few a second are read. What is beyond, and whatever answers no
request of ours, is paid for: the server's output is not read for a while, and it has to wait.
That something changed is never lost: the latest of what was dropped is told as soon as one may be.
"""

from __future__ import annotations

import re
from typing import Protocol

from tokenbudget.gateway.mcp.hub_lines import message_in
from tokenbudget.gateway.mcp.hub_rates import MOST_NOTES_AT_ONCE, Rate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DROPPED_SECONDS = 80e-6
"""For a line that was dropped unread. Looking at one costs 2 to 3 µs (a line of 100 bytes, one core
at 2 GHz), so that a server which does nothing else costs some 5% of a core."""
UNASKED_SECONDS = 250e-6
"""For a message that was read and answers nothing: a request of the server, a stray answer. Each
costs some 10 µs, with our own answer to it."""
UNASKED_HTTP_SECONDS = 3e-3
"""The same where a library has read it, which takes some 300 µs."""
A_BYTE_SECONDS = 20e-9
"""For each byte of these: 50 MB a second; copying and searching goes at a gigabyte and more."""
LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.005, 1.0
"""What is owed is paid from five milliseconds on: a server that says little is never held up. An
answer of ours may stand behind what is owed for, so no pause is longer than a second."""
JUNK_SECONDS = 5e-6
"""For a line that is no message; looking at one costs 1 to 2 µs."""
MOST_KINDS = 96
"""Kinds of notifications, and calls in progress (64 at a time), that are told apart."""
RESTED_SECONDS = 1.0
"""So seldom it is looked which of them were quiet for long enough to be forgotten."""
MOST_HELD, LONGEST_HELD_BYTES = 200, 2_000
"""Notices of changes that wait to be told, and how long one may be: the names of lists and
addresses of resources. Of more the oldest are lost."""
CHANGES = frozenset(
    f"notifications/{what}".encode()
    for what in (
        "tools/list_changed",
        "resources/list_changed",
        "prompts/list_changed",
        "resources/updated",
    )
)
"""Of these the latest counts, and is told in the end; each address of a resource by itself."""

_URI = re.compile(rb'"uri"\s*:\s*"([^"\\]{1,1000})"')
_METHOD = re.compile(rb'"method"\s*:\s*"([^"\\]{1,80})"')
_TOKEN = re.compile(rb'"progressToken"\s*:\s*"?([^",}\s]{1,40})')
_ID = b'"id"'
"""A request or an answer has it; a line without it can be nothing but a notification."""


class Receiver(Protocol):
    """Where messages go."""

    def received(self, message: Mapping[str, object]) -> bool:
        """One message; whether somebody waited for it."""


class Sieve:
    """What of one server is read, and how long it has to wait for the rest."""

    def __init__(self, now: float, unasked_seconds: float = UNASKED_SECONDS) -> None:
        self._unasked_seconds = unasked_seconds
        self._rates: dict[bytes, Rate] = {}
        self._held: dict[tuple[bytes, bytes], bytes | Mapping[str, object]] = {}
        self._owed_seconds = 0.0
        self._at = self._rested_at = now
        self.dropped = 0
        """Messages that were dropped unread."""

    @property
    def is_holding(self) -> bool:
        """Whether notices of changes wait to be told: see `due`."""
        return bool(self._held)

    def takes_line(self, line: bytes, now: float) -> bool:
        """Whether a line is to be read; one that is not is counted and owed for."""
        if _ID in line:
            return True
        method, token = _METHOD.search(line), _TOKEN.search(line)
        name = method[1] if method else b""
        if self._rate_of(name + (b" " + token[1] if token else b""), now).is_left(now):
            return True
        if name in CHANGES:
            uri = _URI.search(line)
            self._hold(name, uri[1] if uri else b"", line, len(line))
        self._drop(DROPPED_SECONDS + len(line) * A_BYTE_SECONDS)
        return False

    def hand_on(
        self, message: Mapping[str, object], size_bytes: int, to: Receiver, now: float
    ) -> None:
        """Hand on a message that was read, unless it is a notification beyond its rate."""
        is_note = "id" not in message
        if is_note and not self._rate_of(_kind_of(message), now).allows(now):
            self._hold(*_change_in(message), message, size_bytes)
            self._drop(self._unasked_seconds + size_bytes * A_BYTE_SECONDS)
            return
        if is_note and self._held:
            self._held.pop(_change_in(message), None)  # this one is later
        if not to.received(message) and not is_note:
            self._owed_seconds += self._unasked_seconds + size_bytes * A_BYTE_SECONDS

    def due(self, now: float) -> Iterator[Mapping[str, object]]:
        """Notices of changes that were held back and may be told now, the oldest first."""
        for (name, uri), held in list(self._held.items()):
            if self._rate_of(name, now).allows(now):
                del self._held[name, uri]
                message = message_in(held) if isinstance(held, bytes) else held
                if message is not None:
                    yield message

    def junk(self, size_bytes: int) -> None:
        """Owe for a line that is no message."""
        self._owed_seconds += JUNK_SECONDS + size_bytes * A_BYTE_SECONDS

    def pause_seconds(self, now: float) -> float:
        """How long nothing of the server is to be read from now on; 0: go on. It is paid then."""
        owed = self._owed_seconds - max(0.0, now - self._at)
        self._at = now
        if owed < LEAST_PAUSE_SECONDS:
            self._owed_seconds = max(0.0, owed)
            return 0.0
        self._owed_seconds = 0.0
        pause = min(owed, LONGEST_PAUSE_SECONDS)
        self._at = now + pause
        return pause

    def _rate_of(self, kind: bytes, now: float) -> Rate:
        if kind not in self._rates and len(self._rates) >= MOST_KINDS:
            self._forget_rested(now)
            kind = b"" if len(self._rates) >= MOST_KINDS else kind
        return self._rates.setdefault(kind, Rate(MOST_NOTES_AT_ONCE, now))

    def _forget_rested(self, now: float) -> None:
        """Whoever may say all at once again is as one who never said a word: a call that ended."""
        if now - self._rested_at >= RESTED_SECONDS:
            self._rested_at = now
            self._rates = {k: rate for k, rate in self._rates.items() if not rate.is_full(now)}

    def _hold(
        self, name: bytes, uri: bytes, what: bytes | Mapping[str, object], size_bytes: int
    ) -> None:
        if name in CHANGES and size_bytes <= LONGEST_HELD_BYTES:
            self._held.pop((name, uri), None)
            self._held[name, uri] = what
            if len(self._held) > MOST_HELD:
                del self._held[next(iter(self._held))]

    def _drop(self, seconds: float) -> None:
        self.dropped += 1
        self._owed_seconds += seconds


def _kind_of(message: Mapping[str, object]) -> bytes:
    """The kind of a notification that was read, as `takes_line` tells them apart."""
    params = message.get("params")
    token = params.get("progressToken") if isinstance(params, dict) else None
    method = _text(message.get("method"), 80)
    return method if token is None else method + b" " + _text(token, 40)


def _change_in(message: Mapping[str, object]) -> tuple[bytes, bytes]:
    """The method of a notification that was read, and the address that it is about."""
    params = message.get("params")
    uri = params.get("uri") if isinstance(params, dict) else None
    return _text(message.get("method"), 80), _text(uri, 1_000) if uri is not None else b""


def _text(value: object, most_chars: int) -> bytes:
    return str(value)[:most_chars].encode("utf-8", "replace")
