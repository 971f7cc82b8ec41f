"""Spans of time as people type them: `30m`, `until-resolved`, `22:00-07:00`."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts.inert import one_line
from tokenbudget.model.errors import BadConfig, BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

UNTIL_RESOLVED = "until-resolved"

LONGEST_SILENCE_MS = 30 * 86_400_000
"""A silence must end: one that was forgotten is an alert that does not exist."""

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DAY_MINUTES = 24 * 60


class QuietHours(NamedTuple):
    """A daily span of local time; it may go over midnight."""

    start_minute: int
    """Minutes after midnight on the wall; the span holds its start and not its end."""
    end_minute: int
    zone: str
    """An IANA name such as `Europe/Paris`."""


def parse_duration(text: str) -> int | None:
    """Milliseconds of `90s`, `30m`, `2h`, `1h30m` or `1d`; `None` for `until-resolved`.

    Raises:
        BadRequest: it is none of these, is 0, or is longer than 30 days.
    """
    wanted = text.strip().lower()
    if wanted == UNTIL_RESOLVED:
        return None
    total, digits = 0, ""
    for character in wanted:
        if character in "0123456789" and len(digits) < 9:
            digits += character
        elif digits and character in _UNITS_MS:
            total, digits = total + int(digits) * _UNITS_MS[character], ""
        else:
            raise _no_duration(text)
    if digits or not 0 < total <= LONGEST_SILENCE_MS:
        raise _no_duration(text)
    return total


def parse_quiet_hours(text: str, zone: str) -> QuietHours:
    """Quiet hours such as `22:00-07:00` in a zone.

    Raises:
        BadConfig: the span or the zone is none.
    """
    start, dash, end = text.strip().partition("-")
    minutes = [_minute_of(part.strip()) for part in (start, end)]
    if not dash or None in minutes or minutes[0] == minutes[1]:
        raise BadConfig(
            f"quiet hours of {one_line(text, 40)!r} are no span of a day; write 22:00-07:00"
        )
    _zone(zone)
    return QuietHours(minutes[0] or 0, minutes[1] or 0, zone)


def is_quiet(hours: QuietHours | None, now_ms: int) -> bool:
    """Whether the wall clock of the zone stands inside the span.

    The wall clock is asked every time, so that a day of 23 or 25 hours needs no care.
    """
    if hours is None:
        return False
    minute = minute_of_day(now_ms, hours.zone)
    if hours.start_minute < hours.end_minute:
        return hours.start_minute <= minute < hours.end_minute
    return minute >= hours.start_minute or minute < hours.end_minute


def minute_of_day(now_ms: int, zone: str) -> int:
    """Minutes that the wall clock of a zone shows after midnight."""
    from datetime import UTC, datetime

    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(_zone(zone))
    return local.hour * 60 + local.minute


def _minute_of(text: str) -> int | None:
    hour, colon, minute = text.partition(":")
    if not colon or len(minute) != 2 or not (hour + minute).isascii():
        return None
    if not (hour.isdigit() and minute.isdigit() and len(hour) <= 2):
        return None
    total = int(hour) * 60 + int(minute)
    return total if int(minute) < 60 and total < _DAY_MINUTES else None


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as wrong:  # unknown, a folder, a path out of the folder
        raise BadConfig(
            f"the time zone {one_line(name, 40)!r} is not known here;"
            " write one such as Europe/Paris"
        ) from wrong


def _no_duration(text: str) -> BadRequest:
    return BadRequest(
        f"{one_line(text, 40)!r} is no duration; write 30m, 2h, 1d (30 days at most)"
        f" or {UNTIL_RESOLVED}"
    )
