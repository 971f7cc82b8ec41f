"""Recent edits, read from recorded sessions and from the files' times."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.cli.window_sessions import BEGIN, Talk
from tests.test_app_windows import QUIET, Desk

from tokenbudget.app import LEDGER_NAME
from tokenbudget.app.recent_edits import MOST_DAYS, MOST_EDITS, recent_edits
from tokenbudget.compression.ranking_recent import Edit, Recent


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text("total = 1\n")
    os.utime(path, (1e9, 1e9))
    return path


def recent_of(home: Home, *paths: Path) -> Recent:
    return recent_edits(Desk(home).settings(), [str(path) for path in paths], QUIET)


def with_ledger(home: Home) -> Path:
    path = home.config.parent / LEDGER_NAME
    home.run("usage")
    assert path.exists()
    return path


def edited(path: Path, *news: str, session: str = "s1", days_ago: int = 0) -> Talk:
    talk = Talk(session, begin=BEGIN - timedelta(days=days_ago)).ask("Go on.")
    for new in news:
        talk.call("Edit", "done", file_path=str(path), old_string="was", new_string=new)
    return talk.answer()


def test_edits_of_recorded_sessions_the_newest_first(home: Home, shop: Path) -> None:
    with_ledger(home)
    edited(shop, "total = 1", "total = 2").write(home)
    path = str(shop)
    assert list(recent_of(home, shop).edits) == [
        Edit(path, ("total = 2",), 0, 1),
        Edit(path, ("total = 1",), 0, 1),
    ]


def test_a_written_file_is_known_without_its_lines(home: Home, shop: Path) -> None:
    with_ledger(home)
    Talk("s1").ask("Go.").call("Write", "ok", file_path=str(shop), content="x").write(home)
    assert list(recent_of(home, shop).edits) == [Edit(str(shop), ())]


def test_a_file_is_known_by_a_link_and_by_a_short_name(
    home: Home, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_ledger(home)
    edited(shop, "total = 1").write(home)
    (tmp_path / "link.py").symlink_to(shop)
    monkeypatch.chdir(tmp_path)
    for name in ("shop.py", "link.py", "./shop.py"):
        found = recent_edits(Desk(home).settings(), [name], QUIET).edits
        assert [one.path for one in found] == [name]


def test_other_files_old_edits_and_failed_ones_are_left_out(
    home: Home, shop: Path, tmp_path: Path
) -> None:
    with_ledger(home)
    edited(tmp_path / "other.py", "total = 1").write(home)
    edited(shop, "total = 1", session="s2", days_ago=MOST_DAYS + 1).write(home)
    failed = edited(shop, "total = 1", session="s3")
    failed.lines[-2]["message"]["content"][0]["is_error"] = True
    failed.write(home)
    assert list(recent_of(home, shop).edits) == []


def test_one_call_with_very_many_edits_is_cut(home: Home, shop: Path) -> None:
    with_ledger(home)
    edits: Any = [
        {"old_string": "a", "new_string": f"total = {at}"} for at in range(MOST_EDITS + 9)
    ]
    Talk("s1").ask("Go.").call("MultiEdit", "ok", file_path=str(shop), edits=edits).write(home)
    found = recent_of(home, shop).edits
    assert len(found) == MOST_EDITS
    assert found[0].lines == (f"total = {MOST_EDITS + 8}",)


def test_no_ledger_is_begun_for_a_selection(home: Home, shop: Path) -> None:
    edited(shop, "total = 1").write(home)
    assert recent_of(home, shop) == Recent((), {str(shop): 1e9})
    assert not (home.config.parent / LEDGER_NAME).exists()


def test_a_damaged_ledger_is_no_trouble(home: Home, shop: Path) -> None:
    with_ledger(home).write_bytes(b"no database at all" * 100)
    assert recent_of(home, shop).edits == ()


def test_times_of_files_that_are_there(home: Home, shop: Path, tmp_path: Path) -> None:
    names = [str(shop), str(tmp_path / "gone.py"), "-", "a\x00b"]
    found = recent_edits(Desk(home).settings(), names, QUIET)
    assert found.written_at == {str(shop): 1e9}
