from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.alerts.hours import QuietHours, is_quiet, parse_duration, parse_quiet_hours
from tokenbudget.model.errors import BadConfig, BadRequest


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("1h30m", 5_400_000),
     (" 1D ", 86_400_000)],
)  # fmt: skip
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


def test_until_resolved_has_no_length() -> None:
    assert parse_duration("until-resolved") is None


@pytest.mark.parametrize(
    "text", ["", "0m", "30", "m", "-1h", "1.5h", "2 h", "31d", "9" * 99 + "h", "٣h"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="no duration; write 30m"):
        parse_duration(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_bad_request(text: str) -> None:
    with contextlib.suppress(BadRequest):
        assert (parse_duration(text) or 1) > 0


def test_quiet_hours_over_midnight() -> None:
    assert parse_quiet_hours("22:00-07:00", "Europe/Paris") == QuietHours(1320, 420, "Europe/Paris")


@pytest.mark.parametrize(
    "text", ["", "22-7", "22:00", "24:00-07:00", "22:60-07:00", "07:00-07:00", "²2:00-07:00"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="no span of a day"):
        parse_quiet_hours(text, "UTC")


@pytest.mark.parametrize(
    "zone", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "Europe", "a\0b"]
)
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(BadConfig, match="time zone"):
        parse_quiet_hours("22:00-07:00", zone)


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> int:
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp() * 1_000)


def test_the_span_holds_its_start_and_not_its_end() -> None:
    hours = parse_quiet_hours("22:00-07:00", "UTC")
    assert [is_quiet(hours, at(1, h, m)) for h, m in ((21, 59), (22, 0), (6, 59), (7, 0))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not is_quiet(None, 0)


def test_the_wall_clock_counts_on_the_days_of_a_change() -> None:
    hours = parse_quiet_hours("02:15-02:45", "Europe/Paris")
    spring = [is_quiet(hours, at(29, 0, minute)) for minute in range(60)]
    assert not any(spring + [is_quiet(hours, at(29, 1, m)) for m in range(60)]), "02:30 is left out"
    autumn = [is_quiet(hours, at(25, hour, 30, month=10)) for hour in (0, 1)]
    assert autumn == [True, True], "02:30 comes twice"
