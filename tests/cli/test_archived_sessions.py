"""A session that is archived answers as before; one whose archive is damaged says so."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PRICES, Home
from tests.cli.window_sessions import Talk, plain_session, recorded, rich_session

LATER = datetime(2027, 3, 20, 11, tzinfo=UTC)
LONG_AGO = datetime(2026, 8, 20, 11, tzinfo=UTC)
ABOUT_THE_PLACE = {"is_transcript_gone", "is_archived"}
QUESTIONS = (
    ("context", "s1"),
    ("budget", "s1"),
    ("timeline", "s1"),
    ("sessions", "s1"),
    ("context", "s1", "--agent", "a1"),
    ("timeline", "s1", "--agent", "a1"),
    ("usage", "--by", "session"),
    ("usage", "--by", "model"),
)


def filled(path: Path) -> Home:
    """A home with a session of long ago, its subagent, and another session."""
    home = Home(path)
    home.config.parent.mkdir()
    home.config.write_text(PRICES)
    rich_session(begin=LONG_AGO).write(home)
    plain_session(begin=LONG_AGO, agent="a1").write(home)
    plain_session("s2", begin=LONG_AGO).write(home)
    for transcript in home.claude.rglob("*.jsonl"):
        os.utime(transcript, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    return home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return filled(tmp_path / "home")


def archive(home: Home) -> Path:
    """Archive everything, for good; the one archive file."""
    done = home.run("archive", "30", "--yes")
    assert done.code == 0, done.err
    shutil.rmtree(home.config.parent / "trash")
    assert list((home.claude / "projects").rglob("*.jsonl")) == []
    (made,) = (home.claude / "sessions" / "archive").glob("*.zst")
    return made


def without_place(answer: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in answer.items() if name not in ABOUT_THE_PLACE}
    if isinstance(kept.get("rows"), list):
        kept["rows"] = [without_place(row) for row in kept["rows"]]
    return kept


def answers(home: Home) -> dict[tuple[str, ...], dict[str, Any]]:
    return {question: without_place(home.ask(*question)) for question in QUESTIONS}


def copies() -> set[str]:
    import tempfile

    return {name for name in os.listdir(tempfile.gettempdir()) if "tokens-archived-" in name}


def test_what_was_asked_before_is_answered_the_same(home: Home) -> None:
    before = answers(home)
    archive(home)
    assert answers(home) == before


def alone(home: Home, talk: Talk) -> Home:
    """The home with one old session: what others would teach about counting is out of the way."""
    path = talk.write(home)
    os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    return home


def test_what_was_never_asked_before_is_read_out_of_the_archive(tmp_path: Path) -> None:
    live, archived = (
        alone(Home(tmp_path / name), rich_session(begin=LONG_AGO)) for name in ("one", "twin")
    )
    archive(archived)
    there = copies()
    for verb in ("context", "budget", "timeline"):
        assert archived.ask(verb, "s1") == live.ask(verb, "s1")
    assert copies() == there


def test_the_opening_words_are_read_out_of_the_archive(home: Home) -> None:
    assert "Please fix the cart." in home.run("sessions", "s2").out
    path = archive(home)
    assert "Please fix the cart." in home.run("sessions", "s2").out
    path.unlink()
    done = home.run("sessions", "s2")
    assert (done.code, done.err) == (0, "")
    assert "Please fix the cart." not in done.out


def test_the_clients_own_record_is_read_out_of_the_archive(tmp_path: Path) -> None:
    live, archived = (alone(Home(tmp_path / name), recorded()) for name in ("one", "twin"))
    for home in (live, archived):
        home.now = LATER
    archive(archived)
    answer = archived.ask("context", "s1")
    assert answer == live.ask("context", "s1")
    assert answer["record"]["is_proven"]


def test_a_session_says_that_it_is_archived(home: Home) -> None:
    (row,) = (row for row in home.ask("sessions")["rows"] if row["session"] == "s1")
    assert (row["is_transcript_gone"], row["is_archived"]) == (False, False)
    archive(home)
    (row,) = (row for row in home.ask("sessions")["rows"] if row["session"] == "s1")
    assert (row["is_transcript_gone"], row["is_archived"]) == (True, True)
    assert "transcript archived" in home.run("sessions", "s1").out
    assert "(archived)" in home.run("sessions").out


@pytest.mark.parametrize("damage", ["cut", "gone", "manifest", "link"])
def test_words_in_a_damaged_archive_are_unknown_and_nothing_crashes(
    home: Home, tmp_path: Path, damage: str
) -> None:
    path = archive(home)
    if damage == "cut":
        os.truncate(path, path.stat().st_size // 2)
    elif damage == "manifest":
        (path.parent / "manifest.json").write_bytes(b"{}")
    else:
        path.rename(tmp_path / "aside")
        if damage == "link":
            path.symlink_to(tmp_path / "aside")
    for verb in ("context", "budget"):
        notes = " ".join(home.ask(verb, "s1")["notes"])
        assert "the transcript is gone, and nothing of it had been counted" in notes
        assert "the transcript is archived and cannot be read: " in notes
    assert "is archived and" in " ".join(home.run("context", "s1").out.split())
    assert home.run("timeline", "s1").code == 0
    assert home.run("sessions", "s1").code == 0


def test_after_the_archive_is_mended_the_words_are_known_again(home: Home) -> None:
    path = archive(home)
    aside = path.rename(path.with_suffix(".aside"))
    assert home.ask("context", "s1")["notes"]
    aside.rename(path)
    answer = home.ask("context", "s1")
    assert not any("archived" in note or "gone" in note for note in answer["notes"])
    assert answer["rows"]


def test_a_session_that_was_given_back_is_read_in_its_place(home: Home) -> None:
    before = answers(home)
    path = archive(home)
    assert home.run("recover", "s1", "--yes").code == 0
    path.unlink()
    assert answers(home) == before


def of_the_archive(names: set[str]) -> set[str]:
    return {name for name in names if name.startswith(("zstandard", "tokenbudget.archive"))}


def test_a_live_session_loads_nothing_of_the_archive(home: Home) -> None:
    for question in (("context", "s2"), ("sessions", "s2"), ("timeline", "s2")):
        assert of_the_archive(home.modules(*question)) == set()


def test_a_known_window_of_an_archived_session_loads_nothing_of_it_either(home: Home) -> None:
    archive(home)
    assert "zstandard" in home.modules("context", "s1")
    assert of_the_archive(home.modules("context", "s1")) == set()
