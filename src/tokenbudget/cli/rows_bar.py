"""How many rows are written by now: on standard error, from the first second on."""

from __future__ import annotations

import sys

from tokenbudget.cli.terminal import EVERY_SECONDS, FIRST_AFTER_SECONDS
from tokenbudget.config.settings import terminal_wishes
from tokenbudget.system.clock import SystemClock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.protocols import Clock

_CLEAR = "\r\x1b[K"


class RowsBar:
    """A line that is rewritten while rows are added; for a person's eyes only."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._next = self._clock.monotonic_seconds() + FIRST_AFTER_SECONDS
        self._rows = 0
        self._is_shown = False
        self._is_wanted = sys.stderr.isatty() and not terminal_wishes().is_plain

    def add(self, rows: int) -> None:
        """Tell that so many more are there."""
        self._rows += rows
        if not self._is_wanted or self._clock.monotonic_seconds() < self._next:
            return
        self._next = self._clock.monotonic_seconds() + EVERY_SECONDS
        self._is_shown = True
        sys.stderr.write(f"{_CLEAR}writing rows: {self._rows:,}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._is_shown = False
