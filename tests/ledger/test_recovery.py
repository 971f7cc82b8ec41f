"""A damaged ledger is told in one sentence, kept, and what it still holds is saved."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.ledger.builders import THRESHOLDS, Home, answer, counts_of, total_of, write

from sample_sessions import Truth
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.recovery import salvaged_ledger
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.errors import LedgerDamaged, LedgerTooNew, LedgerUnusable

NOW_MS = 1_795_000_000_000


def aside_of(home: Home) -> Path:
    (found,) = [p for p in home.data.glob("ledger.db.damaged-*") if p.name[-4:-3] != "-"]
    return found


def cut(path: Path, share: float) -> None:
    with path.open("r+b") as file:
        file.truncate(int(path.stat().st_size * share))


def scribble(path: Path, seed: int, share: float = 0.5, size: int = 4096) -> None:
    """Random bytes over a page in the middle of the file."""
    at = int(path.stat().st_size * share) // 4096 * 4096
    with path.open("r+b") as file:
        file.seek(at)
        file.write(random.Random(seed).randbytes(size))


def damage_table(home: Home, table: str) -> None:
    """Overwrite the first page of one table."""
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    with home.ledger_path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


def use(home: Home) -> None:
    """Ask a ledger for all it has."""
    with home.open() as ledger:
        ledger.check()


def test_a_text_file_in_its_place_is_told_in_one_sentence(home: Home) -> None:
    home.data.mkdir()
    home.ledger_path.write_text("not a ledger at all\n" * 90)
    with pytest.raises(LedgerDamaged) as caught:
        use(home)
    assert str(caught.value) == (
        f"the ledger {home.ledger_path} is damaged (file is not a database);"
        " run: tokens doctor --rebuild"
    )


def test_a_truncated_ledger_is_told_in_one_sentence(full_home: Home) -> None:
    full_home.refresh(Want.DETAIL)
    cut(full_home.ledger_path, 0.4)
    done = full_home.run("usage")
    assert done.returncode == LedgerDamaged.exit_code
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"tokens: the ledger {full_home.ledger_path} is damaged")


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_in_the_middle_are_found_by_a_check(full_home: Home, seed: int) -> None:
    full_home.refresh(Want.DETAIL)
    scribble(full_home.ledger_path, seed, 0.2 + seed / 6)
    with pytest.raises(LedgerDamaged, match="tokens doctor --rebuild"):
        use(full_home)


def test_a_sound_ledger_is_kept_where_it_is(full_home: Home) -> None:
    full_home.refresh()
    said: list[str] = []
    salvaged_ledger(str(full_home.ledger_path), THRESHOLDS, NOW_MS, said.append).close()
    assert said == []
    assert not list(full_home.data.glob("*.damaged-*"))


@pytest.mark.parametrize("seed", range(4))
def test_a_rebuild_after_damage_has_every_present_transcript(
    full_home: Home, truth: Truth, seed: int
) -> None:
    full_home.refresh(Want.DETAIL)
    scribble(full_home.ledger_path, seed, 0.2 + seed / 6)
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert "the old file was kept as" in done.stderr
    assert full_home.counts() == counts_of(truth)
    assert full_home.refresh().files_read == 0


def test_a_rebuild_saves_what_only_the_damaged_ledger_knows(full_home: Home, truth: Truth) -> None:
    """Words are damaged, responses are not: nothing is lost with the transcripts."""
    full_home.refresh(Want.DETAIL)
    for path in full_home.files():
        path.unlink()
    damage_table(full_home, "content")
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert full_home.counts() == counts_of(truth)
    gone = full_home.rows("SELECT count(*) FROM file WHERE gone_at_ms IS NULL")
    assert gone == [(0,)]


def test_of_damaged_responses_the_readable_ones_are_saved(full_home: Home, truth: Truth) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    with closing(sqlite3.connect(full_home.ledger_path)) as connection:
        (page,) = (
            connection.execute(
                "SELECT pageno FROM dbstat WHERE name = 'response' AND pagetype = 'leaf' LIMIT 1"
            ).fetchone()
            if has_dbstat(connection)
            else (None,)
        )
    if page is None:
        pytest.skip("this SQLite has no dbstat table to find a page with")
    scribble_page(full_home.ledger_path, page)
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    left, all_of_it = total_of(full_home.counts().by_model), total_of(truth.by_model)
    lost = all_of_it.requests - left.requests
    assert f"{left.requests:,} responses were saved, up to {lost:,} could not be read" in (
        done.stderr
    )
    assert all_of_it.requests * 0.7 < left.requests < all_of_it.requests
    assert 0 < left.output_tokens < all_of_it.output_tokens


def has_dbstat(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1 FROM dbstat LIMIT 1")
    except sqlite3.Error:
        return False
    return True


def scribble_page(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x00" * 4096)


def test_a_ledger_whose_responses_are_lost_whole_is_given_up_soon(
    full_home: Home, truth: Truth
) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    damage_table(full_home, "response")
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    lost = total_of(truth.by_model).requests
    assert f"; 0 responses were saved, up to {lost:,} could not be read" in done.stderr


def test_where_nothing_is_lost_nothing_is_said_of_it(full_home: Home, truth: Truth) -> None:
    full_home.refresh(Want.DETAIL)
    damage_table(full_home, "content")
    done = full_home.run("doctor", "--rebuild")
    saved = total_of(truth.by_model).requests
    assert f"; {saved:,} responses were saved, and the old file was kept as" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_tells_nothing_leaves_the_loss_unknown(home: Home) -> None:
    home.data.mkdir()
    home.ledger_path.write_text("not a ledger at all\n" * 90)
    said: list[str] = []
    salvaged_ledger(str(home.ledger_path), THRESHOLDS, NOW_MS, said.append).close()
    assert "0 responses were saved, an unknown number could not be read" in said[0]


# ── a sound database that lacks a part of the schema ─────────────────────────────────────────────


def change(home: Home, sql: str) -> None:
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        connection.executescript(sql)


def test_tables_without_their_number_are_damage_that_loses_nothing(
    full_home: Home, truth: Truth
) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    change(full_home, "PRAGMA user_version = 0")
    refused = full_home.run("usage")
    assert refused.returncode == LedgerDamaged.exit_code
    assert "already exists); run: tokens doctor --rebuild" in refused.stderr
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert full_home.counts() == counts_of(truth)


def test_a_dropped_table_of_responses_is_damage_that_a_rebuild_mends(
    full_home: Home, truth: Truth
) -> None:
    full_home.refresh()
    change(full_home, "DROP TABLE response")
    with pytest.raises(LedgerDamaged, match=r"no such table: response\); run: tokens doctor"):
        full_home.counts()
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert "an unknown number could not be read" in done.stderr
    assert aside_of(full_home).exists()
    assert full_home.counts() == counts_of(truth)


@pytest.mark.parametrize(
    ("sql", "missing"),
    [
        ("DROP INDEX response_key", "index: response_key"),
        ("ALTER TABLE response DROP COLUMN skill", "column: response.skill"),
        ("ALTER TABLE file DROP COLUMN rereads", "column: file.rereads"),
        ("DROP TABLE content", "table: content"),
        ("DROP TABLE meta", "table: meta"),
    ],
)
def test_any_part_that_is_missing_is_damage_that_loses_no_response(
    full_home: Home, truth: Truth, sql: str, missing: str
) -> None:
    full_home.refresh()
    for path in full_home.files():
        path.unlink()
    change(full_home, sql)
    done = full_home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert f"the ledger was damaged (no such {missing});" in done.stderr
    assert full_home.counts() == counts_of(truth)


def test_a_number_that_only_damage_can_have_written_is_not_saved(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"), answer("c"))
    home.refresh()
    path.unlink()
    with home.open() as ledger:
        ledger._connection.execute(
            "UPDATE response SET output_tokens = 1 << 61 WHERE key = 'b'",
        )
        ledger._connection.execute("UPDATE response SET started_at_ms = 'x' WHERE key = 'c'")
    damage_table(home, "content")
    assert home.run("doctor", "--rebuild").returncode == 0
    assert home.rows("SELECT key, output_tokens FROM response") == [("a", 10)]


def test_earlier_attempts_of_a_response_are_saved_with_it(home: Home) -> None:
    attempts = [{"input_tokens": 7, "output_tokens": 50}, {"input_tokens": 3, "output_tokens": 10}]
    path = write(home.project / "s1.jsonl", answer("a", usage={"iterations": attempts}))
    home.refresh()
    before = home.counts()
    assert total_of(before.by_model).output_tokens == 60
    path.unlink()
    damage_table(home, "content")
    assert home.run("doctor", "--rebuild").returncode == 0
    assert home.counts() == before


def test_what_was_cut_off_a_transcript_outlives_damage_as_well(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b"))
    home.refresh()
    write(path, answer("a"))
    home.refresh()
    damage_table(home, "content")
    assert home.run("doctor", "--rebuild").returncode == 0
    assert home.rows("SELECT key FROM response ORDER BY key") == [("a",), ("b",)]


def test_the_old_file_stays_beside_the_new_one(full_home: Home) -> None:
    full_home.refresh(Want.DETAIL)
    cut(full_home.ledger_path, 0.5)
    damaged = full_home.ledger_path.read_bytes()
    said: list[str] = []
    salvaged_ledger(str(full_home.ledger_path), THRESHOLDS, NOW_MS, said.append).close()
    aside = aside_of(full_home)
    assert aside.name == "ledger.db.damaged-20261118-110640"
    assert aside.read_bytes() == damaged
    assert str(aside) in said[0]


def test_a_damaged_ledger_that_cannot_be_moved_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.data.mkdir()
    home.ledger_path.write_text("not a ledger\n" * 90)

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.rename", refused)
    with pytest.raises(LedgerUnusable, match="do it by hand"):
        salvaged_ledger(str(home.ledger_path), THRESHOLDS, NOW_MS, print)


def test_a_newer_ledger_is_no_damaged_one(home: Home) -> None:
    home.refresh()
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerTooNew, match="schema 99"):
        salvaged_ledger(str(home.ledger_path), THRESHOLDS, NOW_MS, print)
    assert not list(home.data.glob("*.damaged-*"))


def test_a_failed_opening_leaves_no_connection_behind(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last breath would remove the new ledger's log, which has the old one's name."""
    opened: list[sqlite3.Connection] = []
    real = sqlite3.connect

    def watched(*given: object, **more: object) -> sqlite3.Connection:
        opened.append(real(*given, **more))  # type: ignore[call-overload]
        return opened[-1]

    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    damage_table(home, "meta")
    monkeypatch.setattr(sqlite3, "connect", watched)
    with pytest.raises(LedgerDamaged):
        Ledger(str(home.ledger_path), (*THRESHOLDS, 77))
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")
