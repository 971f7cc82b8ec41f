import zoneinfo
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.periods import (
    Zone,
    day_label,
    day_of,
    month_label,
    week_label,
)
from tokenbudget.model.errors import BadRequest

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_795_176_000_000  # 2026-11-20 12:00 UTC
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",  # off the hour, with daylight saving time
    "Asia/Kolkata",  # off the hour, without
    "Asia/Kathmandu",  # off the half hour
    "Australia/Lord_Howe",  # half an hour of daylight saving time
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "America/Santiago",  # leaps over midnight
    "America/Havana",
    "Africa/Cairo",
    "Africa/Casablanca",  # two changes within a month
    "Asia/Gaza",
]

zones = st.sampled_from(ZONES)
moments = st.integers(1_672_531_200_000, NOW + 2 * 365 * DAY)  # from 2023 on
days = st.dates(date(2023, 1, 3), date(2028, 10, 30))


def number_of(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def at(text: str) -> int:
    """Milliseconds of an ISO time with an offset."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class TestSpans:
    @pytest.mark.parametrize("name", ZONES)
    def test_cover_all_time_without_gap_or_overlap(self, name: str) -> None:
        spans = Zone(name, NOW).spans()

        assert spans[0].begin_ms == 0
        assert all(before.end_ms == after.begin_ms for before, after in pairwise(spans))
        assert all(span.begin_ms < span.end_ms for span in spans)
        assert spans[-1].end_ms > at("9999-12-31T00:00:00+00:00")

    @given(zones, moments)
    def test_have_the_distance_that_zoneinfo_has(self, name: str, moment: int) -> None:
        span = next(s for s in Zone(name, NOW).spans() if s.begin_ms <= moment < s.end_ms)

        real = datetime.fromtimestamp(moment / 1000, zoneinfo.ZoneInfo(name)).utcoffset()
        assert real == timedelta(milliseconds=span.shift_ms)

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("Europe/Berlin", "2026-03-29T01:00:00+00:00"),
            ("Europe/Berlin", "2026-10-25T01:00:00+00:00"),
            ("America/St_Johns", "2026-03-08T02:00:00-03:30"),
            ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),
        ],
    )
    def test_change_at_the_very_moment(self, name: str, change: str) -> None:
        assert at(change) in {span.begin_ms for span in Zone(name, NOW).spans()}

    def test_what_has_no_time_is_a_stretch_of_its_own(self) -> None:
        assert Zone("Pacific/Kiritimati", NOW).spans()[0] == (0, 1, 0)


class TestDays:
    @given(zones, days)
    def test_a_day_begins_at_its_first_moment(self, name: str, day: date) -> None:
        zone = Zone(name, NOW)
        begin = zone.midnight_ms(day)

        assert zone.local(begin).date() == day
        assert zone.local(begin - 1).date() == day - timedelta(days=1)

    @given(zones, days)
    def test_a_day_as_an_end_is_included(self, name: str, day: date) -> None:
        zone = Zone(name, NOW)

        end = zone.moment_ms(day.isoformat(), is_end=True)
        assert end == zone.midnight_ms(day + timedelta(days=1))

    @pytest.mark.parametrize(
        ("name", "day", "begin"),
        [
            ("Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00+00:00"),
            ("Asia/Kolkata", "2026-07-01", "2026-06-30T18:30:00+00:00"),
            ("America/Santiago", "2026-09-06", "2026-09-06T01:00:00-03:00"),
        ],
    )
    def test_midnight(self, name: str, day: str, begin: str) -> None:
        assert Zone(name, NOW).midnight_ms(date.fromisoformat(day)) == at(begin)

    @pytest.mark.parametrize(
        ("name", "today"),
        [("UTC", 20), ("Pacific/Kiritimati", 21), ("Pacific/Auckland", 21), ("America/Adak", 20)],
    )
    def test_today(self, name: str, today: int) -> None:
        assert Zone(name, NOW).today() == date(2026, 11, today)


class TestMoments:
    @given(zones, moments)
    def test_a_time_of_the_wall_clock_means_a_moment_that_shows_it(
        self, name: str, moment: int
    ) -> None:
        zone = Zone(name, NOW)
        shown = zone.local(moment)

        meant = zone.moment_ms(shown.isoformat(), is_end=False)
        assert zone.local(meant) == shown
        assert meant <= moment

    @pytest.mark.parametrize(
        ("name", "text", "meant"),
        [
            ("America/New_York", "2026-03-08T01:30", "2026-03-08T01:30:00-05:00"),
            ("America/New_York", "2026-03-08T04:00", "2026-03-08T04:00:00-04:00"),
            ("America/New_York", "2026-11-01T01:30", "2026-11-01T01:30:00-04:00"),
            ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T03:30:00+02:00"),
            ("Europe/Berlin", "2026-11-20T09:30Z", "2026-11-20T09:30:00+00:00"),
            ("Europe/Berlin", "2026-11-20 09:30:15.250", "2026-11-20T09:30:15.250+01:00"),
            ("UTC", "20261120", "2026-11-20T00:00:00+00:00"),
            ("UTC", "today", "2026-11-20T00:00:00+00:00"),
            ("UTC", "yesterday", "2026-11-19T00:00:00+00:00"),
            ("UTC", "36h", "2026-11-19T00:00:00+00:00"),
            ("UTC", "7d", "2026-11-13T12:00:00+00:00"),
            ("UTC", "2w", "2026-11-06T12:00:00+00:00"),
        ],
    )
    def test_texts(self, name: str, text: str, meant: str) -> None:
        assert Zone(name, NOW).moment_ms(text, is_end=False) == at(meant)

    @pytest.mark.parametrize("text", ["today", "yesterday", "2026-11-20"])
    def test_an_end_is_a_day_later(self, text: str) -> None:
        zone = Zone("UTC", NOW)

        assert zone.moment_ms(text, is_end=True) == zone.moment_ms(text, is_end=False) + DAY

    @pytest.mark.parametrize("text", ["7d", "2026-11-20T09:30"])
    def test_a_moment_is_no_day(self, text: str) -> None:
        zone = Zone("UTC", NOW)

        assert zone.moment_ms(text, is_end=True) == zone.moment_ms(text, is_end=False)

    @given(st.text(max_size=20), st.booleans())
    def test_any_other_text_is_refused(self, text: str, is_end: bool) -> None:
        try:
            moment = Zone("UTC", NOW).moment_ms(text, is_end)
        except BadRequest:
            return
        assert abs(moment) < 2**63

    @pytest.mark.parametrize("name", ["UTC", "Pacific/Kiritimati", "America/Adak"])
    @pytest.mark.parametrize(
        "text", ["0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23"]
    )
    @pytest.mark.parametrize("is_end", [True, False])
    def test_the_ends_of_the_calendar_are_no_error(
        self, name: str, text: str, is_end: bool
    ) -> None:
        assert abs(Zone(name, NOW).moment_ms(text, is_end)) < 2**63


class TestShown:
    @given(zones, moments)
    def test_a_stamp_names_its_moment(self, name: str, moment: int) -> None:
        stamp = Zone(name, NOW).stamp(moment)

        assert stamp is not None
        assert at(stamp) == moment
        assert datetime.fromisoformat(stamp).tzinfo is not None

    def test_the_unknown_moment_has_none(self) -> None:
        assert Zone("UTC", NOW).stamp(0) is None

    @given(st.integers(1, 2_900_000))
    def test_week_and_month_hold_the_day(self, number: int) -> None:
        day = day_of(number)
        monday = date.fromisoformat(week_label(number))

        assert monday.weekday() == 0
        assert timedelta(0) <= day - monday < timedelta(days=7)
        assert day_label(number).startswith(month_label(number))
        assert number_of(date.fromisoformat(day_label(number))) == number

    def test_no_day_has_no_date(self) -> None:
        assert {day_label(0), week_label(0), month_label(0)} == {"unknown"}


@pytest.mark.parametrize("name", ["Middle/Earth", "Europe", "../UTC", "", "a\0b", "x" * 5000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(BadRequest, match="is no time zone; use an IANA name"):
        Zone(name, NOW)


@pytest.mark.parametrize("name", [None, "local"])
def test_the_machine_has_a_zone_of_its_own(name: str | None) -> None:
    zone = Zone(name, NOW)

    assert zone.name == "local"
    assert zone.local(NOW) == datetime.fromtimestamp(NOW / 1000)  # noqa: DTZ006 (on purpose)
