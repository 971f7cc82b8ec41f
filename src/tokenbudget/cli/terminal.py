"""Warnings and progress on standard error."""

from __future__ import annotations

import sys

from tokenbudget.app import Terminal
from tokenbudget.config.settings import terminal_wishes
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.clock import SystemClock

FIRST_AFTER_SECONDS = 0.8
EVERY_SECONDS = 0.1
BAR_CELLS = 12
"""Leaves the line under 80 columns: a wrapped one cannot be taken away again."""
_CLEAR = "\r\x1b[K"


class ProgressBar:
    """A bar with rate and time left, from the first second on and only for a person's eyes."""

    def __init__(self, doing: str = "reading sessions") -> None:
        self._doing = doing
        self._clock = SystemClock()
        self._started = self._clock.monotonic_seconds()
        self._last = self._started + FIRST_AFTER_SECONDS - EVERY_SECONDS
        self._is_shown = False
        self._is_wanted = sys.stderr.isatty() and not terminal_wishes().is_plain

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        """Tell how far the reading is."""
        if not self._is_wanted:
            return
        now = self._clock.monotonic_seconds()
        if done_bytes >= total_bytes:
            self.clear()
        elif now - self._last >= EVERY_SECONDS:
            self._last = now
            self._is_shown = True
            elapsed = now - self._started
            sys.stderr.write(_CLEAR + bar(done_bytes, total_bytes, elapsed, self._doing))
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away."""
        if self._is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._is_shown = False


def bar(
    done_bytes: int, total_bytes: int, elapsed_seconds: float, doing: str = "reading sessions"
) -> str:
    """One line: share, amount, rate, time left."""
    share = done_bytes / total_bytes if total_bytes else 1.0
    filled = int(share * BAR_CELLS)
    rate = done_bytes / elapsed_seconds if elapsed_seconds > 0 else 0.0
    left = (total_bytes - done_bytes) / rate if rate else 0.0
    return (
        f"{doing} {'█' * filled}{'░' * (BAR_CELLS - filled)} {share:4.0%}"
        f"  {_megabytes(done_bytes)} of {_megabytes(total_bytes)} MB"
        f"  {_megabytes(rate)} MB/s  {_duration(left)} left"
    )


def _megabytes(size_bytes: float) -> str:
    """A figure below ten has a digit more: otherwise a small one stands still."""
    return f"{size_bytes / 1e6:,.{1 if size_bytes < 9.95e6 else 0}f}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{min(seconds / 3600, 99):.0f} h"


def warn(text: str) -> None:
    """One sentence on standard error."""
    print(f"tokens: {one_line(text)}", file=sys.stderr)


def terminal() -> Terminal:
    """Warnings and progress as this process shows them."""
    return Terminal(warn=warn, progress=ProgressBar())
