"""A time limit that stands still while a person is asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tokenbudget.model.protocols import Clock

_LOOK_SECONDS = 0.25
"""How exactly the end is met after a question."""


@asynccontextmanager
async def patience(
    seconds: float, clock: Clock, paused_seconds: Callable[[], float]
) -> AsyncIterator[None]:
    """Let what is inside take so long, beside what `paused_seconds` counts meanwhile.

    Raises:
        TimeoutError: it took longer, and was cancelled.
    """
    loop = asyncio.get_running_loop()
    began = clock.monotonic_seconds() - paused_seconds()
    timer: asyncio.TimerHandle | None = None
    async with asyncio.timeout(None) as limit:

        def look() -> None:
            nonlocal timer
            left = seconds - (clock.monotonic_seconds() - paused_seconds() - began)
            if left <= 0:
                limit.reschedule(loop.time())
            else:
                timer = loop.call_later(max(left, _LOOK_SECONDS), look)

        timer = loop.call_later(seconds, look)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
