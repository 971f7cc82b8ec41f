"""Moments as ISO 8601 with their distance from UTC, a million of them in a second."""

from __future__ import annotations

from tokenbudget.analysis.periods import day_of
from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from tokenbudget.analysis.periods import Zone

    Shift: TypeAlias = tuple[int, str]
    """Distance from UTC in ms, and as it stands at the end of a stamp."""

_MOST_KNOWN = 4_096
_MINUTE_MS = 60_000
_MINUTES = tuple(f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02}." for second in range(60))
_MILLISECONDS = tuple(f"{number:03}" for number in range(1000))


class Stamps:
    """Says the same as `Zone.stamp` in milliseconds.

    On a day (of UTC) on which no clock is set, all moments have one distance from UTC; on any other
    the zone is asked for each.
    """

    def __init__(self, zone: Zone, unknown: str | None = None) -> None:
        """Take the zone, and what stands for the unknown moment, 0 or None."""
        self._zone = zone
        self._unknown = unknown
        self._days: dict[int, Shift | None] = {}

    def stamps(self, moments: Iterable[int | None]) -> list[str | None]:
        """Moments as texts; quickest where neighbours lie on the same day."""
        made: list[str | None] = []
        now, found, date = None, None, ""
        local_day = None
        for at_ms in moments:
            if not at_ms:
                made.append(self._unknown)
                continue
            if at_ms // MILLISECONDS_PER_DAY != now:
                now = at_ms // MILLISECONDS_PER_DAY
                found = self._days[now] if now in self._days else self._learn(now)
            if found is None:
                made.append(self._zone.stamp(at_ms))
                continue
            day, rest = divmod(at_ms + found[0], MILLISECONDS_PER_DAY)
            if day != local_day:
                local_day, date = day, day_of(day).isoformat()
            made.append(
                f"{date}{_MINUTES[rest // _MINUTE_MS]}{_SECONDS[rest % _MINUTE_MS // 1000]}"
                f"{_MILLISECONDS[rest % 1000]}{found[1]}"
            )
        return made

    def _learn(self, day: int) -> Shift | None:
        if len(self._days) >= _MOST_KNOWN:
            self._days.clear()
        found = self._days[day] = self._of(day * MILLISECONDS_PER_DAY)
        return found

    def _of(self, begin_ms: int) -> Shift | None:
        """None where a clock is set that day, and for what lies beyond all dates."""
        first_ms, last_ms = begin_ms or 1, begin_ms + MILLISECONDS_PER_DAY - 1
        shift_ms = self._zone.offset_seconds(first_ms) * 1000
        if shift_ms != self._zone.offset_seconds(last_ms) * 1000:
            return None
        first, last = self._zone.stamp(first_ms), self._zone.stamp(last_ms)
        if first is None or last is None or not "0001" < first[:4] <= last[:4] < "9999":
            return None
        return shift_ms, first[23:]
