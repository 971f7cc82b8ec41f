"""config.toml with a typo: the run goes on with the last good text."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.current import (
    TEXT_NAME,
    ToldOnce,
    good_text,
    keep_text,
    lasting_settings,
)
from tokenbudget.config.files import day_of
from tokenbudget.config.settings import Settings
from tokenbudget.model.errors import BadConfig


@pytest.mark.parametrize(
    ("typo", "said"),
    [
        ('workers = 2\nbackfill = "off', "is not TOML: Unterminated string"),
        ("workers = 2\nbackfil = 'off'", "unknown setting 'backfil' (did you mean 'backfill'?)"),
        ("workers = 99", "workers (from "),
        ("tokenManagement = 1", "tokenManagement in "),
        (b"\xff", "is not TOML"),
    ],
)
def test_a_typo_keeps_the_last_good_text(desk: Desk, typo: str | bytes, said: str) -> None:
    desk.write(desk.ours, "workers = 1\ntokenManagement.warningThreshold = 0.3\n")
    good = desk.run()
    desk.write(desk.ours, typo)
    found = desk.run()

    assert (found.workers, found.management()) == (1, good.management())
    [sentence] = desk.said
    assert said in sentence
    assert str(desk.ours) in sentence
    assert sentence.endswith(" are used until that is corrected")
    assert "; the values of 20" in sentence
    assert found.file_fault
    assert not good.file_fault


def test_the_line_is_named(desk: Desk) -> None:
    desk.write(desk.ours, "workers = 1\n")
    desk.run()
    desk.write(desk.ours, "workers = 1\n\ntimezone = Berlin\n")
    desk.run()

    assert "(at line 3, column 12)" in desk.said[0]


@pytest.mark.parametrize("make", ["fifo", "folder", "loop"])
def test_a_file_that_cannot_be_read_is_a_typo_too(desk: Desk, make: str) -> None:
    desk.write(desk.ours, "workers = 1\n")
    desk.run()
    desk.ours.unlink()
    if make == "fifo":
        os.mkfifo(desk.ours)
    elif make == "folder":
        desk.ours.mkdir()
    else:
        desk.ours.symlink_to(desk.ours)

    assert desk.run().workers == 1
    assert "cannot read" in desk.said[0]


def test_without_a_last_good_one_it_is_an_error(desk: Desk) -> None:
    desk.write(desk.ours, "workers = 99")

    with pytest.raises(BadConfig, match="must be a number from 0 to 64"):
        desk.run()


def test_variables_are_not_the_files_fault(desk: Desk) -> None:
    desk.write(desk.ours, "workers = 1\n")
    desk.run()

    with pytest.raises(BadConfig, match="from TOKENS_WORKERS"):
        desk.run(TOKENS_WORKERS="many")
    assert desk.said == []


def test_variables_win_over_the_last_good_text(desk: Desk) -> None:
    desk.write(desk.ours, "workers = 1\nbackfill = 'off'\n")
    desk.run()
    desk.write(desk.ours, "workers =")
    found = desk.run(TOKENS_WORKERS="3")

    assert (found.workers, found.backfill) == (3, "off")


def test_what_only_rooms_above_can_judge_is_not_kept_as_good(desk: Desk) -> None:
    def refuse(settings: Settings) -> None:
        if settings.prices:
            raise BadConfig("impossible prices")

    def run() -> Settings:
        return lasting_settings(desk.environment, "", desk.said.append, refuse)

    desk.write(desk.ours, "workers = 1\n")
    run()
    desk.write(desk.ours, "workers = 2\n[prices.m]\ninput = 'x'\n")

    assert run().workers == 1
    assert desk.said[0].startswith("impossible prices; the values of ")


def test_a_good_text_is_judged_once_and_written_once(desk: Desk) -> None:
    judged: list[Settings] = []
    desk.write(desk.ours, "workers = 1\n")
    lasting_settings(desk.environment, "", desk.said.append, judged.append)
    state = os.stat(desk.data / TEXT_NAME)
    for _ in range(3):
        lasting_settings(desk.environment, "", desk.said.append, judged.append)

    assert len(judged) == 1
    assert os.stat(desk.data / TEXT_NAME) == state
    assert state.st_mode & 0o777 == 0o600


def test_without_a_file_nothing_is_written(desk: Desk) -> None:
    desk.run()

    assert not desk.data.exists()


def test_a_sentence_is_told_once() -> None:
    said: list[str] = []
    tell = ToldOnce(said.append)
    for sentence in ("a", "b", "a"):
        tell(sentence)

    assert said == ["a", "b"]


@given(st.lists(st.binary(max_size=40) | st.just(b"workers = 1"), min_size=1, max_size=4))
def test_any_bytes_after_a_good_text_are_bridged(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("data")
    path = Path(folder, "config.toml")
    said: list[str] = []
    for text in [b"workers = 1", *texts]:
        path.write_bytes(text)
        environment = {"HOME": str(folder), "TOKENS_HOME": str(folder)}
        found = lasting_settings(environment, "", said.append, lambda _: None)
        assert 0 <= found.workers <= 64
    assert all(str(path) in sentence for sentence in said)


def test_a_text_is_judged_apart_from_variables(desk: Desk) -> None:
    judged: list[Settings] = []
    desk.write(desk.ours, "timezone = 'UTC'\n")
    environment = {**desk.environment, "TOKENS_TZ": "Mars/Base"}
    found = lasting_settings(environment, "", desk.said.append, judged.append)

    assert [settings.timezone for settings in judged] == ["UTC"]
    assert found.timezone == "Mars/Base"


class TestKeptText:
    def test_comes_back_as_it_was(self, tmp_path: Path) -> None:
        home = str(tmp_path / "new")
        keep_text(home, "/a b\n/ö.toml", b"# x\r\nworkers = 1", 7)

        assert good_text(home, "/a b\n/ö.toml") == (7, b"# x\r\nworkers = 1")
        assert os.stat(tmp_path / "new" / TEXT_NAME).st_mode & 0o777 == 0o600
        assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o700

    def test_of_another_file_is_none(self, tmp_path: Path) -> None:
        keep_text(str(tmp_path), "/a.toml", b"workers = 1", 7)

        assert good_text(str(tmp_path), "/b.toml") is None

    def test_none_is_kept(self, tmp_path: Path) -> None:
        assert good_text(str(tmp_path), "/a.toml") is None

    def test_nothing_is_said_where_nothing_can_be_kept(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        keep_text(str(tmp_path / "file"), "/a.toml", b"", 7)

        assert (tmp_path / "file").read_text() == ""

    @given(st.binary(max_size=90))
    def test_any_bytes_are_a_text_or_none(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        folder = tmp_path_factory.mktemp("kept")
        (folder / TEXT_NAME).write_bytes(data)

        assert good_text(str(folder), "/a.toml") is None


@pytest.mark.parametrize("at_ms", [0, 1, 1_795_176_000_000, 253_402_214_400_000])
def test_a_day_is_shown(at_ms: int) -> None:
    assert len(day_of(at_ms)) == len("2026-11-20 12:00")
