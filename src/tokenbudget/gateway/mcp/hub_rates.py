"""How often something may happen: at a rate, with some at once. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tokenbudget.gateway.mcp.hub_values import Progress

A_SECOND = 20
MOST_NOTES_AT_ONCE = 100
"""What a server may tell the client unasked; more is dropped."""
MOST_STEPS_AT_ONCE = 50
"""What a server may tell of one call's progress, at the same rate."""


class Rate:
    """Lets through `at_once`, then `a_second`."""

    def __init__(self, at_once: int, now: float, a_second: float = A_SECOND) -> None:
        self._most = float(at_once)
        self._a_second = a_second
        self._left = self._most
        self._at = now

    def allows(self, now: float) -> bool:
        """Whether one more may happen at this time; it then has."""
        may = self.is_left(now)
        self._left -= 1 if may else 0
        return may

    def is_left(self, now: float) -> bool:
        """Whether one more may happen at this time."""
        earned = max(0.0, now - self._at) * self._a_second
        self._left, self._at = min(self._left + earned, self._most), now
        return self._left >= 1

    def is_full(self, now: float) -> bool:
        """Whether as many may happen at once as ever: as if it had never been asked."""
        self.is_left(now)
        return self._left >= self._most


def at_a_rate(progress: Progress, time: Callable[[], float]) -> Progress:
    """The same, for a server that tells more than anyone reads: what is too much is left out."""
    rate = Rate(MOST_STEPS_AT_ONCE, time())

    def told(params: Mapping[str, object]) -> None:
        if rate.allows(time()):
            progress(params)

    return told
