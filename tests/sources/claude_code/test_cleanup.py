"""How long the agent keeps transcripts, from its own settings."""

import json
from pathlib import Path

import pytest

from tokenbudget.sources.claude_code.cleanup import DEFAULT_DAYS, Cleanup, cleanup_of


def settings(folder: Path, days: object, name: str = "settings.json") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({"cleanupPeriodDays": days}))
    return str(folder / name)


def test_without_a_word_it_is_the_agents_default(tmp_path: Path) -> None:
    assert cleanup_of([str(tmp_path)], managed=()) == Cleanup(DEFAULT_DAYS)


def test_the_users_word(tmp_path: Path) -> None:
    path = settings(tmp_path, 3650)

    assert cleanup_of([str(tmp_path)], managed=()) == Cleanup(3650, path)


def test_a_projects_shorter_word_holds_for_all_transcripts(tmp_path: Path) -> None:
    settings(tmp_path / "user", 90)
    path = settings(tmp_path / "shop" / ".claude", 7, "settings.local.json")
    settings(tmp_path / "site" / ".claude", 365)
    projects = [str(tmp_path / "shop"), str(tmp_path / "site")]

    assert cleanup_of([str(tmp_path / "user")], projects, ()) == Cleanup(7, path)


def test_what_is_managed_rules(tmp_path: Path) -> None:
    settings(tmp_path / "user", 5)
    path = settings(tmp_path / "etc", 60)

    assert cleanup_of([str(tmp_path / "user")], (), [path]) == Cleanup(60, path)


def test_0_switches_it_off(tmp_path: Path) -> None:
    path = settings(tmp_path, 0)

    assert cleanup_of([str(tmp_path)], managed=()) == Cleanup(None, path)


@pytest.mark.parametrize("odd", [True, -1, "7", 2.5, None, [7]])
def test_what_is_no_number_of_days_says_nothing(tmp_path: Path, odd: object) -> None:
    settings(tmp_path, odd)

    assert cleanup_of([str(tmp_path)], managed=()) == Cleanup(DEFAULT_DAYS)


def test_a_damaged_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{" * 100_000)

    assert cleanup_of([str(tmp_path)], managed=()) == Cleanup(DEFAULT_DAYS)
