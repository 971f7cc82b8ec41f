"""What the agent reported, kept: once, the newest of each session, ten weeks of limits."""

from __future__ import annotations

import pytest
from tests.ledger.builders import Home

from tokenbudget.ledger.reports import KEPT_MS
from tokenbudget.model.errors import LedgerUnusable

NOON_MS = 1_795_176_000_000
RESET_MS = NOON_MS + 7_200_000
LIMITS = [
    ("five_hour", NOON_MS, 0.38, RESET_MS),
    ("five_hour", NOON_MS + 60_000, 0.39, RESET_MS),
    ("seven_day", NOON_MS, 0.61, RESET_MS + 90_000),
]
FIVE_HOUR = [row[1:] for row in LIMITS[:2]]


def test_an_empty_ledger_was_told_nothing(home: Home) -> None:
    with home.open() as ledger:
        assert ledger.windows.limit_samples("five_hour") == []
        assert ledger.windows.told_window("s1") is None
        assert ledger.windows.last_told() is None


def test_the_latest_report_of_all_sessions(home: Home) -> None:
    told = [("s1", NOON_MS, 200_000), ("s2", NOON_MS + 5, 200_000), ("s3", NOON_MS + 1, 200_000)]
    with home.open() as ledger:
        ledger.windows.store_reports([], told)

        assert ledger.windows.last_told() == ("s2", NOON_MS + 5)


def test_nothing_can_be_stored(home: Home) -> None:
    with home.open() as ledger:
        ledger.windows.store_reports([], [])
        assert ledger.windows.limit_samples("five_hour") == []


@pytest.mark.parametrize("times", [1, 2, 5])
def test_reports_are_kept_once_however_often_they_come(home: Home, times: int) -> None:
    for _ in range(times):
        with home.open() as ledger:
            ledger.windows.store_reports(LIMITS * times, [("s1", NOON_MS, 200_000)] * times)

    with home.open() as ledger:
        assert ledger.windows.limit_samples("five_hour") == FIVE_HOUR
        assert ledger.windows.limit_samples("seven_day") == [LIMITS[2][1:]]
        assert ledger.windows.told_window("s1") == 200_000
    assert home.rows("SELECT count(*) FROM limit_sample") == [(3,)]
    assert home.rows("SELECT count(*) FROM told_window") == [(1,)]


def test_samples_come_oldest_first_in_whatever_order_they_were_stored(home: Home) -> None:
    with home.open() as ledger:
        for row in reversed(LIMITS):
            ledger.windows.store_reports([row], [])
        assert ledger.windows.limit_samples("five_hour") == FIVE_HOUR


def test_a_limit_that_nobody_knows_yet_is_kept_under_its_name(home: Home) -> None:
    with home.open() as ledger:
        ledger.windows.store_reports([("one_month", NOON_MS, 0.1, RESET_MS)], [])
        assert ledger.windows.limit_samples("one_month") == [(NOON_MS, 0.1, RESET_MS)]
        assert ledger.windows.limit_samples("five_hour") == []


def test_the_first_of_two_samples_of_one_moment_stays(home: Home) -> None:
    with home.open() as ledger:
        ledger.windows.store_reports(LIMITS[:1], [])
        ledger.windows.store_reports([("five_hour", NOON_MS, 0.99, RESET_MS)], [])
        assert ledger.windows.limit_samples("five_hour") == FIVE_HOUR[:1]


@pytest.mark.parametrize("is_newest_first", [False, True])
@pytest.mark.parametrize("is_at_once", [False, True])
def test_the_window_that_was_told_last_wins(
    home: Home, is_newest_first: bool, is_at_once: bool
) -> None:
    told = [("s1", NOON_MS, 200_000), ("s1", NOON_MS + 1, 1_000_000), ("s2", NOON_MS, 500_000)]
    if is_newest_first:
        told.reverse()
    with home.open() as ledger:
        for some in [told] if is_at_once else [[one] for one in told]:
            ledger.windows.store_reports([], some)

        assert ledger.windows.told_window("s1") == 1_000_000
        assert ledger.windows.told_window("s2") == 500_000
        assert ledger.windows.told_window("s") is None


def test_of_two_windows_of_one_moment_the_later_one_wins(home: Home) -> None:
    with home.open() as ledger:
        ledger.windows.store_reports([], [("s1", 5, 200_000), ("s1", 5, 1_000_000)])
        assert ledger.windows.told_window("s1") == 1_000_000


@pytest.mark.parametrize(("age_ms", "is_kept"), [(KEPT_MS, True), (KEPT_MS + 1, False)])
@pytest.mark.parametrize("is_at_once", [False, True])
def test_samples_of_more_than_ten_weeks_go(
    home: Home, age_ms: int, is_kept: bool, is_at_once: bool
) -> None:
    old = ("seven_day", NOON_MS - age_ms, 0.2, NOON_MS - age_ms + 1)
    new = LIMITS[0]
    with home.open() as ledger:
        for some in [[old, new]] if is_at_once else [[old], [new]]:
            ledger.windows.store_reports(some, [])

        assert ledger.windows.limit_samples("seven_day") == ([old[1:]] if is_kept else [])
        assert ledger.windows.limit_samples("five_hour") == [new[1:]]


def test_ten_weeks_are_ten_weeks() -> None:
    assert KEPT_MS == 10 * 7 * 24 * 3_600_000


def test_old_samples_stay_as_long_as_nothing_newer_comes(home: Home) -> None:
    old = ("five_hour", NOON_MS - 2 * KEPT_MS, 0.2, NOON_MS)
    with home.open() as ledger:
        ledger.windows.store_reports([old], [])
        ledger.windows.store_reports([], [("s1", NOON_MS, 200_000)])
        assert ledger.windows.limit_samples("five_hour") == [old[1:]]


def test_reports_are_stored_whole_or_not_at_all(home: Home) -> None:
    with home.open() as ledger:
        with pytest.raises(LedgerUnusable):
            ledger.windows.store_reports(LIMITS, [("s1", NOON_MS, None)])  # type: ignore[list-item]
        assert ledger.windows.limit_samples("five_hour") == []
        ledger.windows.store_reports(LIMITS, [])
        assert ledger.windows.limit_samples("five_hour") == FIVE_HOUR


def test_the_next_one_who_opens_the_ledger_sees_them(home: Home) -> None:
    with home.open() as one, home.open() as other:
        one.windows.store_reports(LIMITS, [("s1", NOON_MS, 200_000)])
        assert other.windows.limit_samples("five_hour") == FIVE_HOUR
        assert other.windows.told_window("s1") == 200_000
