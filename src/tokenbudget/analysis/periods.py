"""Days in a person's own time zone, and the moments that `--since` and `--until` mean."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY, ZoneSpan
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    ShiftAt: TypeAlias = Callable[[int], int]
    """Distance from UTC in ms at a moment in ms."""

UNDATED = "unknown"
"""The label of what has no usable time."""

_EPOCH = date(1970, 1, 1)
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2023, 1, 1)
"""No agent's transcripts are older; before it the first distance known is taken."""
_YEARS_AHEAD = 2
_STEP_MS = 14 * MILLISECONDS_PER_DAY
_FOREVER_MS = 1 << 60
_UNIT_MS = {
    "h": 3_600_000,
    "d": MILLISECONDS_PER_DAY,
    "w": 7 * MILLISECONDS_PER_DAY,
}
_LONGEST_NUMBER = 9
"""Digits of what may stand before a unit: more than all of history, in hours."""
_LAST_MS = (date(9999, 12, 30) - _EPOCH).days * MILLISECONDS_PER_DAY
_FIRST_MS = (date(1, 1, 2) - _EPOCH).days * MILLISECONDS_PER_DAY
"""Between these every moment has a date in every zone."""


class Zone:
    """A time zone by name, or the machine's own."""

    def __init__(self, name: str | None, now_ms: int) -> None:
        """Take `name` as an IANA name; None and 'local' are the machine's own zone.

        Raises:
            BadRequest: there is no such zone.
        """
        self.name = name or "local"
        self._shift_at = _local_shift_ms if name is None or name == "local" else _named_shift(name)
        self._now_ms = now_ms

    def spans(self) -> list[ZoneSpan]:
        """All of time as stretches of one distance from UTC; undated rows are a stretch too."""
        end_ms = self._now_ms + _YEARS_AHEAD * 365 * MILLISECONDS_PER_DAY
        moment = (_FIRST_DAY - _EPOCH).days * MILLISECONDS_PER_DAY
        begin, shift = 1, self._shift_at(moment)
        spans = [ZoneSpan(0, 1, 0)]
        while moment < end_ms:
            following = moment + _STEP_MS
            if self._shift_at(following) != shift:
                change = self._change_between(moment, following)
                spans.append(ZoneSpan(begin, change, shift))
                begin, shift = change, self._shift_at(following)
            moment = following
        return [*spans, ZoneSpan(begin, _FOREVER_MS, shift)]

    def _change_between(self, before: int, after: int) -> int:
        """The first whole minute with the later distance."""
        low, high = before // 60_000, after // 60_000
        shift = self._shift_at(before)
        while high - low > 1:
            middle = (low + high) // 2
            if self._shift_at(middle * 60_000) == shift:
                low = middle
            else:
                high = middle
        return high * 60_000

    def midnight_ms(self, day: date) -> int:
        """The moment at which a day begins here."""
        return self._moment_of((day - _EPOCH).days * MILLISECONDS_PER_DAY)

    def _moment_of(self, local_ms: int) -> int:
        """The first moment at which a clock on the wall here shows this time, or a later one.

        A time that the clocks leap over (in some zones midnight) is told by the clock before.
        """
        around = (local_ms - MILLISECONDS_PER_DAY, local_ms + MILLISECONDS_PER_DAY)
        moments = sorted({local_ms - self._shift_at(moment) for moment in around})
        for moment in moments:
            if moment + self._shift_at(moment) >= local_ms:
                return moment
        return moments[-1]

    def today(self) -> date:
        """The day that it is here now."""
        return day_of((self._now_ms + self._shift_at(self._now_ms)) // MILLISECONDS_PER_DAY)

    def local(self, at_ms: int) -> datetime:
        """A moment as a clock on the wall here shows it, without its distance from UTC."""
        return self._wall(at_ms).replace(tzinfo=None)

    def offset_seconds(self, at_ms: int) -> int:
        """How far the clock on the wall here is ahead of UTC at a moment."""
        return self._shift_at(at_ms) // 1000

    def stamp(self, at_ms: int, timespec: str = "milliseconds") -> str | None:
        """A moment as ISO 8601 with its distance from UTC; None for the unknown one, 0."""
        if not at_ms:
            return None
        offset = timezone(timedelta(milliseconds=self._shift_at(at_ms)))
        return self._wall(at_ms).replace(tzinfo=offset).isoformat(timespec=timespec)

    def _wall(self, at_ms: int) -> datetime:
        moment = at_ms + self._shift_at(at_ms)
        return _EPOCH_MOMENT + timedelta(milliseconds=min(max(moment, _FIRST_MS), _LAST_MS))

    def moment_ms(self, text: str, is_end: bool) -> int:
        """The moment that a person means: a day, a time, or `7d` for seven days back.

        A day as an end means the day's last moment, as one would say it.

        Raises:
            BadRequest: the text is none of these.
        """
        number, unit = text[:-1], text[-1:]
        if unit in _UNIT_MS and number.isdecimal() and len(number) <= _LONGEST_NUMBER:
            return self._now_ms - int(number) * _UNIT_MS[unit]
        day = self._day(text)
        if day is not None:
            days = (day - _EPOCH).days + is_end
            return self._moment_of(days * MILLISECONDS_PER_DAY)
        try:
            when = datetime.fromisoformat(text)
        except ValueError as exc:
            raise BadRequest(
                f"'{text}' is no time; write 2026-11-20, 2026-11-20T09:30, today, yesterday or 7d"
            ) from exc
        if when.tzinfo is not None:
            return round(when.timestamp() * 1000)
        return self._moment_of(round(when.replace(tzinfo=UTC).timestamp() * 1000))

    def _day(self, text: str) -> date | None:
        if text in ("today", "yesterday"):
            return self.today() - timedelta(days=text == "yesterday")
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None


def _local_shift_ms(at_ms: int) -> int:
    return time.localtime(at_ms // 1000).tm_gmtoff * 1000


def _named_shift(name: str) -> ShiftAt:
    if name.upper() == "UTC":
        return lambda at_ms: 0
    import zoneinfo

    try:
        zone = zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise BadRequest(
            f"'{name}' is no time zone; use an IANA name such as Europe/Berlin"
        ) from exc

    def shift(at_ms: int) -> int:
        moment = min(max(at_ms, _FIRST_MS), _LAST_MS)
        offset = (_EPOCH_MOMENT + timedelta(milliseconds=moment)).astimezone(zone).utcoffset()
        return 0 if offset is None else round(offset.total_seconds() * 1000)

    return shift


def day_of(number: int) -> date:
    """The day with this number since 1970."""
    return _EPOCH + timedelta(days=number)


def day_label(number: int) -> str:
    """2026-11-20."""
    return day_of(number).isoformat() if number else UNDATED


def week_label(number: int) -> str:
    """The Monday that the week of this day begins with."""
    if not number:
        return UNDATED
    day = day_of(number)
    return (day - timedelta(days=day.weekday())).isoformat()


def month_label(number: int) -> str:
    """2026-11."""
    return day_of(number).strftime("%Y-%m") if number else UNDATED
