"""Lost names never cost a count: what a damaged ledger tells without its lookup tables."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.builders import Home, answer, counts_of, total_of, write
from tests.ledger.test_recovery import damage_table

from sample_sessions import Truth
from tokenbudget.ledger.salvage import responses_in

LOOKUPS = ("project", "model", "session", "file")

NAMES = """
SELECT r.key, f.path, s.name, m.name FROM response r JOIN file f ON f.id = r.file_id
  JOIN session s ON s.id = r.session_id JOIN model m ON m.id = r.model_id ORDER BY r.key
"""


@pytest.fixture
def bereft_home(full_home: Home) -> Home:
    """A home whose transcripts are all gone: only the ledger knows."""
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    return full_home


def damage_whole(home: Home, table: str) -> None:
    """Overwrite the first page of a lookup table, and of the index that has its names as well."""
    damage_table(home, table)
    damage_table(home, f"sqlite_autoindex_{table}_1")


def rebuilt(home: Home) -> str:
    """Rebuild a damaged ledger; what was said of it."""
    done = home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert "the ledger was damaged" in done.stderr
    return done.stderr


@pytest.mark.parametrize("table", LOOKUPS)
def test_a_lost_lookup_table_is_read_from_its_index(
    bereft_home: Home, truth: Truth, table: str
) -> None:
    names = bereft_home.rows(NAMES)
    damage_table(bereft_home, table)
    assert "could not be read" not in rebuilt(bereft_home)
    assert bereft_home.counts() == counts_of(truth)
    assert bereft_home.rows(NAMES) == names


@pytest.mark.parametrize("table", LOOKUPS)
def test_a_lookup_table_lost_with_its_index_costs_no_response(
    bereft_home: Home, truth: Truth, table: str
) -> None:
    damage_whole(bereft_home, table)
    assert "could not be read" not in rebuilt(bereft_home)
    assert total_of(bereft_home.counts().by_model) == total_of(truth.by_model)


def test_with_every_name_lost_every_count_is_saved(bereft_home: Home, truth: Truth) -> None:
    for table in LOOKUPS:
        damage_whole(bereft_home, table)
    rebuilt(bereft_home)
    counts = bereft_home.counts()
    assert counts.by_utc_day == truth.by_utc_day
    assert list(counts.by_model) == list(counts.by_session) == ["unknown"]
    report = json.loads(bereft_home.run("usage", "--json").stdout)
    assert report["unpriced_models"]


def test_a_lost_model_is_unknown(bereft_home: Home) -> None:
    damage_whole(bereft_home, "model")
    rebuilt(bereft_home)
    assert bereft_home.rows("SELECT name FROM model") == [("unknown",)]


def test_a_lost_session_is_unknown_and_its_models_are_not(bereft_home: Home, truth: Truth) -> None:
    damage_whole(bereft_home, "session")
    rebuilt(bereft_home)
    assert bereft_home.counts().by_model == truth.by_model
    assert list(bereft_home.counts().by_session) == ["unknown"]


def test_the_files_of_a_lost_project_have_none(bereft_home: Home) -> None:
    damage_whole(bereft_home, "project")
    rebuilt(bereft_home)
    assert bereft_home.rows("SELECT DISTINCT project_id FROM file") == [(None,)]
    assert bereft_home.rows("SELECT count(*) FROM project") == [(0,)]


def test_a_lost_file_has_a_name_that_no_file_can_have(bereft_home: Home) -> None:
    owners = bereft_home.rows("SELECT DISTINCT file_id FROM response ORDER BY file_id")
    damage_whole(bereft_home, "file")
    rebuilt(bereft_home)
    paths = bereft_home.rows("SELECT path FROM file ORDER BY id")
    assert sorted(paths) == sorted((f"unknown-file-{number}",) for (number,) in owners)
    assert not any(Path(path).is_absolute() for (path,) in paths)
    assert bereft_home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NULL") == [(0,)]


def test_a_dropped_lookup_table_costs_no_response(bereft_home: Home, truth: Truth) -> None:
    with closing(sqlite3.connect(bereft_home.ledger_path)) as connection:
        connection.execute("DROP TABLE model")
    assert "no such table: model" in rebuilt(bereft_home)
    assert total_of(bereft_home.counts().by_model) == total_of(truth.by_model)


@pytest.mark.parametrize("table", LOOKUPS)
def test_present_transcripts_tell_the_lost_names_again(
    full_home: Home, truth: Truth, table: str
) -> None:
    full_home.refresh()
    damage_whole(full_home, table)
    rebuilt(full_home)
    assert full_home.counts() == counts_of(truth)


def test_what_was_cut_off_a_transcript_outlives_the_table_of_files(home: Home) -> None:
    """Whether the file was rewritten is lost: what it told before is kept, in case it was."""
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    home.refresh()
    write(path, answer("a"))
    home.refresh()
    damage_table(home, "file")
    rebuilt(home)
    assert home.rows("SELECT key FROM response ORDER BY key") == [("a",), ("b",)]


def test_lost_attempts_leave_the_response(home: Home) -> None:
    attempts = [{"input_tokens": 7, "output_tokens": 50}, {"input_tokens": 3, "output_tokens": 10}]
    path = write(home.project / "s1.jsonl", answer("a", usage={"iterations": attempts}))
    home.refresh()
    path.unlink()
    damage_table(home, "response_iteration")
    rebuilt(home)
    assert home.rows("SELECT key, output_tokens FROM response") == [("a", 10)]


def test_an_attempt_of_a_lost_model_is_saved(home: Home) -> None:
    attempts = [{"input_tokens": 7, "output_tokens": 50}, {"input_tokens": 3, "output_tokens": 10}]
    path = write(home.project / "s1.jsonl", answer("a", usage={"iterations": attempts}))
    home.refresh()
    before = total_of(home.counts().by_model)
    path.unlink()
    damage_whole(home, "model")
    rebuilt(home)
    assert home.counts().by_model == {"unknown": before}


def test_responses_whose_name_is_missing_from_a_sound_table_are_saved(
    bereft_home: Home, truth: Truth
) -> None:
    with closing(sqlite3.connect(bereft_home.ledger_path)) as connection:
        connection.executescript("DELETE FROM model WHERE id = 1; PRAGMA user_version = 0")
    rebuilt(bereft_home)
    assert total_of(bereft_home.counts().by_model) == total_of(truth.by_model)
    assert "unknown" in bereft_home.counts().by_model


def test_the_number_of_responses_is_told_by_an_index_if_need_be(
    bereft_home: Home, truth: Truth
) -> None:
    damage_table(bereft_home, "response")
    path, held = str(bereft_home.ledger_path), total_of(truth.by_model).requests
    assert responses_in(path) == held
    damage_table(bereft_home, "response_time")
    assert responses_in(path) == held
    damage_table(bereft_home, "response_key")
    assert responses_in(path) is None
