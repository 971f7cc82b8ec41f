"""What a program of a server writes: messages handed on as fast as they are worth, words kept."""

from __future__ import annotations

import asyncio
from typing import Protocol

from tokenbudget.gateway.mcp.hub_held import HeldChanges
from tokenbudget.gateway.mcp.hub_lines import (
    ENDS_BYTES,
    Endless,
    Lines,
    TooLong,
    likely_id,
    message_in,
)
from tokenbudget.gateway.mcp.hub_sieve import Sieve
from tokenbudget.gateway.mcp.values import CallFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.hub_log import ServerLog

MOST_JUNK_BYTES = 64_000_000
"""Of what is no message, since the last one that was."""
LEAST_JUNK_BYTES = 256
"""What a line of it counts for at the least: looking at it costs time too."""


class Arrivals(Protocol):
    """Where what a server sends goes; nothing of it raises."""

    def received(self, message: Mapping[str, object]) -> bool:
        """One message; whether somebody waited for it."""

    def dropped(self, count: int) -> None:
        """So many messages more were dropped unread."""

    def lost_answer(self, number: int | None, why: CallFailed) -> None:
        """A message that could not be kept: the answer to this request, or nobody knows."""

    def lose(self, why: str) -> None:
        """The server is gone."""


class Output(asyncio.Protocol):
    """The server's output."""

    def __init__(
        self, name: str, arrivals: Arrivals, longest_bytes: int, ended: Callable[[str], None]
    ) -> None:
        self._name = name
        self._arrivals = arrivals
        self._longest_bytes = longest_bytes
        self._ended = ended
        self._lines = Lines(longest_bytes)
        self._junk_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._sieve = Sieve(self._loop.time())
        self._held = HeldChanges(self._sieve, arrivals)
        self._transport: asyncio.ReadTransport | None = None
        self.goes_on = asyncio.Event()
        """Set but for the whiles in which nothing is read."""
        self.goes_on.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.ReadTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._junk_bytes > MOST_JUNK_BYTES:
            return
        dropped = self._sieve.dropped
        try:
            for line in self._lines.feed(data):
                self._take(line)
        except Endless:
            self._junk_bytes = MOST_JUNK_BYTES + 1
        if self._junk_bytes > MOST_JUNK_BYTES:
            self._ended("flooded its output with what is no message, and was stopped")
        if self._sieve.dropped > dropped:
            self._arrivals.dropped(self._sieve.dropped - dropped)
        self._held.look()
        self._wait(self._sieve.pause_seconds(self._loop.time()))

    def _wait(self, seconds: float) -> None:
        """Read nothing for so long; the server waits with its next words."""
        if seconds and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self.goes_on.clear()
            self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self.goes_on.set()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._held.close()
        self._ended("")

    def _take(self, line: bytes | TooLong) -> None:
        if isinstance(line, TooLong):
            size, most = f"{line.length_bytes:,}", f"{self._longest_bytes:,}"
            why = f"{self._name}: the answer has {size} bytes, {most} are taken: ask for less"
            self._arrivals.lost_answer(likely_id(line.head, line.tail), CallFailed(why))
        elif _is_object(line) and not self._sieve.takes_line(line, self._loop.time()):
            return
        elif (message := message_in(line)) is not None:
            self._junk_bytes = 0
            self._sieve.hand_on(message, len(line), self._arrivals, self._loop.time())
        else:
            self._junk_bytes += len(line) + LEAST_JUNK_BYTES
            self._sieve.junk(len(line))
            self._pass_over(line)

    def _pass_over(self, line: bytes) -> None:
        """What is no message; whoever waits for the answer that it was to be is told."""
        head, tail = line[:ENDS_BYTES], line[-ENDS_BYTES:]
        if b'"jsonrpc"' in head or b'"jsonrpc"' in tail:
            number = likely_id(head, tail)
            if number is not None:
                why = f"{self._name}: the answer is no JSON that can be read"
                self._arrivals.lost_answer(number, CallFailed(why))


def _is_object(line: bytes) -> bool:
    return line[:64].lstrip().startswith(b"{")


class Errors(asyncio.Protocol):
    """The server's standard error."""

    def __init__(self, log: ServerLog) -> None:
        self._log = log

    def data_received(self, data: bytes) -> None:
        self._log.write(data)
