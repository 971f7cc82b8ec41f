"""Where the ledger lies, who may read it, and how SQLite's failures are told."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.ledger.builders import THRESHOLDS, Home, answer, write

from tokenbudget.collector.ingest import Want
from tokenbudget.ledger.connection import Transaction, check_tables, open_ledger, translated
from tokenbudget.ledger.schema import SCHEMA_VERSION
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.errors import LedgerDamaged, LedgerTooNew, LedgerUnusable


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_read_a_ledger_whatever_the_umask(home: Home, open_umask: None) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    with home.open() as ledger:
        home.collector(ledger).refresh(home.tops, Want.DETAIL)
        beside = {path.name: mode(path) for path in home.data.iterdir()}
    assert mode(home.data) == 0o700
    assert beside == dict.fromkeys(
        ["ledger.db", "ledger.db-wal", "ledger.db-shm", "refresh.lock"], 0o600
    )


def test_nobody_else_may_read_it_after_it_was_opened_again(home: Home, open_umask: None) -> None:
    home.refresh()
    write(home.project / "s1.jsonl", answer("a"))
    with home.open() as ledger:
        home.collector(ledger).refresh(home.tops, Want.DETAIL)
        assert {mode(path) for path in home.data.iterdir()} == {0o600}


def test_a_ledger_is_written_ahead_and_survives_a_crash_of_the_program(home: Home) -> None:
    with closing(open_ledger(str(home.ledger_path))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_temporary_ledger_leaves_no_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.root)
    before = sorted(home.root.rglob("*"))
    with Ledger(TEMPORARY, THRESHOLDS) as ledger:
        assert ledger.file_states() == {}
    assert sorted(home.root.rglob("*")) == before


def test_a_newer_schema_is_refused_in_one_sentence(home: Home) -> None:
    home.refresh()
    with closing(sqlite3.connect(home.ledger_path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    done = home.run("usage")
    assert done.returncode == LedgerTooNew.exit_code
    assert done.stdout == ""
    assert done.stderr == (
        f"tokens: the ledger {home.ledger_path} has schema {SCHEMA_VERSION + 1} and this program"
        f" knows {SCHEMA_VERSION}; upgrade tokenbudget, or set TOKENS_HOME to another folder\n"
    )


def test_a_place_where_no_folder_can_be_made_is_told(home: Home) -> None:
    (home.root / "tokens").write_text("a file where the folder should be")
    with pytest.raises(LedgerUnusable, match="set TOKENS_HOME to a folder that can be written"):
        home.open()


def test_a_folder_in_the_ledgers_place_is_told(home: Home) -> None:
    home.ledger_path.mkdir(parents=True)
    with pytest.raises(LedgerUnusable, match="make its folder writable or set TOKENS_HOME"):
        home.open()


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("database disk image is malformed", LedgerDamaged, "tokens doctor --rebuild"),
        ("file is not a database", LedgerDamaged, "tokens doctor --rebuild"),
        ("no such table: response", LedgerDamaged, "tokens doctor --rebuild"),
        ("no such column: r.skill", LedgerDamaged, "tokens doctor --rebuild"),
        ("table file has no column named rereads", LedgerDamaged, "tokens doctor --rebuild"),
        ("table meta already exists", LedgerDamaged, "tokens doctor --rebuild"),
        ("database or disk is full", LedgerUnusable, "free some disk space"),
        ("database is locked", LedgerUnusable, "try again"),
        ("attempt to write a readonly database", LedgerUnusable, "set TOKENS_HOME"),
        ("disk I/O error", LedgerUnusable, "check the disk, or set TOKENS_HOME"),
    ],
)
def test_every_failure_of_sqlite_has_a_sentence(
    text: str, kind: type[Exception], words: str
) -> None:
    told = translated("/data/ledger.db", sqlite3.OperationalError(text))
    assert type(told) is kind
    assert "/data/ledger.db" in str(told)
    assert words in str(told)


def test_a_failing_disk_is_not_blamed_on_the_folder() -> None:
    told = translated("/data/ledger.db", sqlite3.OperationalError("disk I/O error"))
    assert "disk I/O error" in str(told)
    assert "writable" not in str(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("database or disk is full", "no room left for temporary files; free some disk space"),
        ("disk I/O error", "the disk failed with temporary files (disk I/O error); check the disk"),
        ("unable to open database file", "set TMPDIR to a folder that can be written"),
        ("database disk image is malformed", "set TMPDIR to a folder that can be written"),
    ],
)
def test_a_ledger_that_nobody_keeps_speaks_of_temporary_files(text: str, words: str) -> None:
    told = translated(TEMPORARY, sqlite3.OperationalError(text))
    assert type(told) is LedgerUnusable
    assert words in str(told)
    assert "ledger" not in str(told)


def test_a_full_temporary_ledger_says_what_is_full(full_home: Home) -> None:
    with Ledger(TEMPORARY, THRESHOLDS) as ledger:
        ledger._connection.execute("PRAGMA max_page_count = 60")
        with pytest.raises(LedgerUnusable) as caught:
            full_home.collector(ledger).refresh(full_home.tops, Want.DETAIL)
    assert str(caught.value) == "no room left for temporary files; free some disk space"


def test_a_whole_schema_passes_its_check(home: Home) -> None:
    path = str(home.ledger_path)
    open_ledger(path).close()
    check_tables(path)


def test_a_missing_table_does_not_pass_for_a_schema(home: Home) -> None:
    path = str(home.ledger_path)
    with closing(open_ledger(path)) as connection:
        connection.execute("DROP TABLE response")
    with pytest.raises(LedgerDamaged, match=r"no such table: response\); run: tokens doctor"):
        check_tables(path)


def test_what_was_raised_in_a_transaction_takes_it_back(home: Home) -> None:
    with closing(open_ledger(str(home.ledger_path))) as connection:
        with suppress(ZeroDivisionError), Transaction(connection):
            connection.execute("INSERT INTO model (name) VALUES ('x')")
            raise ZeroDivisionError
        assert connection.execute("SELECT count(*) FROM model").fetchone() == (0,)
        assert not connection.in_transaction


# ── a real full disk, a real read-only one ───────────────────────────────────────────────────────


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=10)
    except OSError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip("mounting a small file system needs more rights than this user has")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


def test_on_a_full_disk_the_answer_comes_without_the_ledger(
    full_home: Home, tiny_disk: Path
) -> None:
    truth = full_home.run("usage", "--json")
    (tiny_disk / "ballast").write_bytes(bytes(900_000))
    done = full_home.run("usage", "--json", TOKENS_HOME=str(tiny_disk / "tokens"))
    assert done.returncode == 0
    assert done.stdout == truth.stdout
    assert "free some disk space" in done.stderr
    assert "read afresh" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_disk_that_fills_up_keeps_the_last_commit(full_home: Home, tiny_disk: Path) -> None:
    disk = str(tiny_disk / "tokens")
    write(full_home.root / "small" / "s1.jsonl", answer("a"))
    with Ledger(f"{disk}/ledger.db", THRESHOLDS) as ledger:
        collector = full_home.collector(ledger)
        collector.refresh([str(full_home.root / "small")], Want.USAGE)
        (tiny_disk / "ballast").write_bytes(bytes(500_000))
        with pytest.raises(LedgerUnusable, match="no room left"):
            collector.refresh(full_home.tops, Want.DETAIL)
        assert ledger.file_report().responses == 1
        (tiny_disk / "ballast").unlink()
        ledger.check()


@pytest.mark.parametrize("is_begun", [False, True])
def test_in_a_read_only_home_the_answer_comes_without_the_ledger(
    full_home: Home, tiny_disk: Path, is_begun: bool
) -> None:
    truth = full_home.run("usage", "--json")
    data = tiny_disk / "tokens"
    if is_begun:
        Ledger(str(data / "ledger.db"), THRESHOLDS).close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True, timeout=10)
    done = full_home.run("usage", "--json", TOKENS_HOME=str(data))
    assert done.returncode == 0
    assert done.stdout == truth.stdout
    assert done.stderr.startswith("tokens: ")
    assert "set TOKENS_HOME" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_ledger_that_may_grow_no_further_is_told(full_home: Home) -> None:
    with full_home.open() as ledger:
        ledger._connection.execute("PRAGMA max_page_count = 60")
        with pytest.raises(LedgerUnusable, match="no room left"):
            full_home.collector(ledger).refresh(full_home.tops, Want.DETAIL)
    assert full_home.refresh().files_read > 0


def test_marking_a_file_gone_on_a_full_disk_is_told(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    path.unlink()
    with home.open() as ledger:
        ledger._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(LedgerUnusable):
            home.collector(ledger).refresh(home.tops, Want.USAGE)


def commit_a_row_of_no_file(connection: sqlite3.Connection) -> None:
    with Transaction(connection):
        connection.execute("PRAGMA defer_foreign_keys = ON")  # looked at when it commits
        connection.execute("INSERT INTO problem VALUES (4711, 0, 'of no file')")


def test_a_commit_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    with closing(open_ledger(path)) as one, closing(open_ledger(path)) as other:
        one.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            commit_a_row_of_no_file(one)
        assert not one.in_transaction
        other.execute("PRAGMA busy_timeout = 0")
        with Transaction(other):
            other.execute("INSERT INTO meta VALUES ('key', 'value')")
