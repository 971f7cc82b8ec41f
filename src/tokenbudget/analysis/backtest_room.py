"""How full a thread's window was, as it was and as it would have been: levels, time, the peak.

A level here is the plain one of the share (`budget.health.level_of`): what was, and not what a
controller remembered. A request counts for the level in which it left the window, and the time from
one request to the next for the level of the first; of a pause no more than `MOST_PAUSE_MS` counts,
so that a night does not outweigh a day's work.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.window_size import WindowSize, window_size
from tokenbudget.budget.health import LEVELS, STANDARD, level_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.analysis.backtest_timeline import Timeline
    from tokenbudget.budget.health import Thresholds

MOST_PAUSE_MS = 300_000


class Filled(NamedTuple):
    """A window when a request was done."""

    at_ms: int
    """When the request began; 0: unknown."""
    tokens: float
    """Its prompt and its answer."""


class Room(NamedTuple):
    """One thread's window over all its requests, or many threads' together."""

    peak_tokens: float = 0.0
    """The largest one."""
    peak_share: float = 0.0
    """Of the usable window; 0.0 where that is unknown."""
    requests: tuple[int, ...] = (0, 0, 0, 0)
    """By level, from best to worst."""
    ms: tuple[int, ...] = (0, 0, 0, 0)
    """The same of time."""

    def plus(self, other: Room) -> Room:
        """Both together; of the peaks the larger one."""
        return Room(
            max(self.peak_tokens, other.peak_tokens),
            max(self.peak_share, other.peak_share),
            tuple(a + b for a, b in zip(self.requests, other.requests, strict=True)),
            tuple(a + b for a, b in zip(self.ms, other.ms, strict=True)),
        )


class RoomPair(NamedTuple):
    """A thread's window as it was and as it would have been."""

    usable_tokens: int = 0
    """Until the client compacts; 0: unknown, or of several windows."""
    was: Room = Room()
    now: Room = Room()
    compactions: int = 0
    """That the strategy had made, or the client in its place; recorded ones are not counted."""
    actions: int = 0
    """Of the strategy's own accord."""

    def plus(self, other: RoomPair) -> RoomPair:
        """Both together."""
        return RoomPair(
            0,
            self.was.plus(other.was),
            self.now.plus(other.now),
            self.compactions + other.compactions,
            self.actions + other.actions,
        )


NO_ROOM = RoomPair()


def size_of(timeline: Timeline, windows: Mapping[str, int]) -> WindowSize:
    """The window that a recorded thread worked in; `windows` are the person's own figures."""
    told = [one.request for one in timeline.sendings if one.request.prompt_tokens]
    model = told[-1].model if told else ""
    largest = max((one.prompt_tokens or 0 for one in told), default=0)
    return window_size(model, windows, None, largest, ())


def room(filled: Sequence[Filled], usable_tokens: int, limits: Thresholds = STANDARD) -> Room:
    """Levels, time and peak of one thread's windows, in the order of its requests."""
    peak = max((one.tokens for one in filled), default=0.0)
    if not usable_tokens:
        return Room(peak)
    requests, ms = [0] * len(LEVELS), [0] * len(LEVELS)
    for place, one in enumerate(filled):
        level = LEVELS.index(level_of(max(0.0, one.tokens) / usable_tokens, limits))
        requests[level] += 1
        ms[level] += _until_next(filled, place)
    return Room(peak, peak / usable_tokens, tuple(requests), tuple(ms))


def _until_next(filled: Sequence[Filled], place: int) -> int:
    later = filled[place + 1].at_ms if place + 1 < len(filled) else 0
    if not later or not filled[place].at_ms:
        return 0
    return min(MOST_PAUSE_MS, max(0, later - filled[place].at_ms))


def summed(pairs: Iterable[RoomPair]) -> RoomPair:
    """All of them together."""
    total = NO_ROOM
    for one in pairs:
        total = total.plus(one)
    return total
