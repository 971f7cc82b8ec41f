"""config.toml with a typo: the run goes on with the last good text."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.current import ToldOnce, lasting_settings
from tokenbudget.config.last_good import TEXT_NAME
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
