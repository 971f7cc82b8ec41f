"""The real clock. Everything else is handed one."""

from __future__ import annotations

import time


class SystemClock:
    """Wall time for what is shown, monotonic time for what is measured."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC. May jump; never used to measure."""
        return time.time_ns() // 1_000_000

    def monotonic_seconds(self) -> float:
        """Seconds since some moment; only differences mean anything."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
