"""What a profile is made of: whole local days, and the project that one is in."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.profile_sums import LAST_DAY, Days
from tokenbudget.app.profiling import Limits, days_of, project_folder

NOW_MS = round(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
DAY = NOW_MS // 86_400_000


class TestDays:
    def test_without_a_limit_hold_what_has_no_time(self) -> None:
        assert days_of(Zone("UTC", NOW_MS), Limits()) == Days(0, LAST_DAY)

    @pytest.mark.parametrize(
        "limits", [Limits(since_ms=NOW_MS), Limits(until_ms=NOW_MS), Limits(0, NOW_MS)]
    )
    def test_with_one_leave_it_out(self, limits: Limits) -> None:
        assert not days_of(Zone("UTC", NOW_MS), limits).holds(0)

    def test_are_whole(self) -> None:
        found = days_of(Zone("UTC", NOW_MS), Limits(NOW_MS, NOW_MS + 1))

        assert found == Days(DAY, DAY)

    def test_end_before_the_moment_that_is_excluded(self) -> None:
        midnight = (DAY + 1) * 86_400_000

        assert days_of(Zone("UTC", NOW_MS), Limits(NOW_MS, midnight)) == Days(DAY, DAY)

    def test_are_those_of_the_zone(self) -> None:
        found = days_of(Zone("Pacific/Auckland", NOW_MS), Limits(NOW_MS, NOW_MS + 1))

        assert found == Days(DAY + 1, DAY + 1)

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
    def test_on_which_the_clocks_change_are_days(self, day: str) -> None:
        zone = Zone("Europe/Berlin", NOW_MS)
        limits = Limits(zone.moment_ms(day, is_end=False), zone.moment_ms(day, is_end=True))

        found = days_of(zone, limits)
        assert found.first == found.last


class TestProjectFolder:
    def test_is_the_nearest_with_the_agents_folder(self, tmp_path: Path) -> None:
        inner = tmp_path / "repo" / "packages" / "web"
        (inner / "src").mkdir(parents=True)
        (tmp_path / "repo" / ".claude").mkdir()

        assert project_folder(str(inner / "src"), "/home/ann", ()) == str(tmp_path / "repo")
        (inner / ".claude").mkdir()
        assert project_folder(str(inner / "src"), "/home/ann", ()) == str(inner)

    def test_is_never_a_home_folder(self, tmp_path: Path) -> None:
        (tmp_path / ".claude").mkdir()
        (tmp_path / "notes").mkdir()

        for folder in (tmp_path, tmp_path / "notes"):
            assert project_folder(str(folder), str(tmp_path), ()) == ""
            assert project_folder(str(folder), "/home/ann", (str(tmp_path / ".claude"),)) == ""

    def test_of_nowhere_is_none(self) -> None:
        assert project_folder("", "/home/ann", ()) == ""

    def test_is_found_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real" / ".claude").mkdir(parents=True)
        (tmp_path / "link").symlink_to(tmp_path / "real")

        assert project_folder(str(tmp_path / "link"), "/home/ann", ()) == str(tmp_path / "real")
