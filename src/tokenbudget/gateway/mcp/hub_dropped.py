"""How many messages of a server nobody read: told once a minute, and at its end."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TOLD_SECONDS = 60.0
"""Each time is a line of the audit."""


class DroppedCount:
    """Adds up, and tells the sum now and then."""

    def __init__(self, told: Callable[[int], None]) -> None:
        self._told = told
        self._count = 0
        self._telling: asyncio.TimerHandle | None = None

    def add(self, count: int) -> None:
        """So many more; in the loop."""
        self._count += count
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TOLD_SECONDS, self.tell)

    def tell(self) -> None:
        """Tell what was added up since the last time, if there is anything."""
        if self._telling is not None:
            self._telling.cancel()
        count, self._count, self._telling = self._count, 0, None
        if count:
            self._told(count)
