"""Changes that a server told too fast to be read: the latest of each is told a little later."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.gateway.mcp.hub_sieve import Receiver, Sieve

HELD_SECONDS = 0.5
"""Between one look and the next at what may be told by now."""


class HeldChanges:
    """Hands on what a sieve holds back, as soon as one more may be told."""

    def __init__(self, sieve: Sieve, to: Receiver) -> None:
        self._sieve = sieve
        self._to = to
        self._next: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Something came of the server: see to it that what is held back is told."""
        if self._next is None and self._sieve.is_holding:
            self._next = asyncio.get_running_loop().call_later(HELD_SECONDS, self._tell)

    def close(self) -> None:
        """The server is gone."""
        if self._next is not None:
            self._next.cancel()

    def _tell(self) -> None:
        self._next = None
        for message in self._sieve.due(asyncio.get_running_loop().time()):
            self._to.received(message)
        self.look()
