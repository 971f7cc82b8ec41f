"""The index of the archives: found by session and by original path, saved from damage."""

from __future__ import annotations

import os

import pytest
from tests.ledger.builders import Home
from tests.ledger.test_recovery import damage_table

from tokenbudget.ledger.archive_index import ArchivedSession
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.errors import LedgerUnusable

FOLDER = os.fsdecode(b"/home/dev/caf\xe9/.claude/sessions/archive")
OTHER = "/home/dev/.claude/sessions/archive"


def archived(session: str, file: str = "g-1.zst", at_ms: int = 5, **more: str) -> ArchivedSession:
    folder = more.get("folder", FOLDER)
    files = (
        (f"{session}.jsonl", f"/home/dev/{session}.jsonl"),
        (f"{session}/subagents/\udce9.jsonl", f"/home/dev/{session}/subagents/\udce9.jsonl"),
    )
    return ArchivedSession(session, folder, file, at_ms, 3, 900, 90, files)


def test_a_session_is_found_by_its_id_and_by_any_original_path(home: Home) -> None:
    both = [archived("s1"), archived("s2")]
    with home.open() as ledger:
        ledger.archives.put(both)
    with home.open() as ledger:
        index = ledger.archives
        assert index.of_session("s1") == [both[0]]
        assert index.of_session("s") == index.of_session("\udce9") == []
        for _, path in both[1].files:
            assert index.session_of_path(path) == both[1]
        assert index.session_of_path("/home/dev/s3.jsonl") is None
        assert sorted(index.all()) == both


def test_the_newest_archive_of_a_session_comes_first(home: Home) -> None:
    old, new = archived("s1", "g-1.zst", 5), archived("s1", "g-2.zst", 9)
    with home.open() as ledger:
        ledger.archives.put([new, old])
        assert ledger.archives.of_session("s1") == ledger.archives.all() == [new, old]
        assert ledger.archives.session_of_path("/home/dev/s1.jsonl") == new


def test_what_is_put_again_replaces_what_was_there(home: Home) -> None:
    later = archived("s1")._replace(size_bytes=77, files=(("a", "/b"),))
    with home.open() as ledger:
        ledger.archives.put([archived("s1")])
        ledger.archives.put([later, later])
        assert ledger.archives.all() == [later]
        assert ledger.archives.session_of_path("/home/dev/s1.jsonl") is None


def test_an_archive_file_goes_with_all_its_sessions_and_no_other(home: Home) -> None:
    kept = [archived("s3", "g-2.zst"), archived("s1", folder=OTHER)]
    with home.open() as ledger:
        ledger.archives.put([archived("s1"), archived("s2"), *kept])
        ledger.archives.remove(FOLDER, "g-1.zst")
        ledger.archives.remove(FOLDER, "never.zst")
        assert sorted(ledger.archives.all()) == sorted(kept)
    assert home.rows("SELECT count(*) FROM archived_file") == [(4,)]


def test_a_folder_is_filled_anew_from_its_manifest(home: Home) -> None:
    other = archived("s1", folder=OTHER)
    with home.open() as ledger:
        ledger.archives.put([archived("s1"), other])
        ledger.archives.replace(FOLDER, [archived("s2")])
        assert sorted(ledger.archives.all()) == sorted([archived("s2"), other])


def test_a_path_is_looked_up_by_an_index(home: Home) -> None:
    with home.open() as ledger:
        ledger.archives.put([archived("s1")])
    plan = home.rows("EXPLAIN QUERY PLAN SELECT archived_id FROM archived_file WHERE path = 'x'")
    assert "archived_file_path" in plan[0][3]


def test_the_index_outlives_damage(home: Home) -> None:
    with home.open() as ledger:
        ledger.archives.put([archived("s1"), archived("s2")])
    damage_table(home, "content")
    assert home.run("doctor", "--rebuild").returncode == 0
    with home.open() as ledger:
        assert sorted(ledger.archives.all()) == [archived("s1"), archived("s2")]
    damage_table(home, "archived_session")
    assert home.run("doctor", "--rebuild").returncode == 0
    with home.open() as ledger:
        assert ledger.archives.all() == []
    assert home.rows("SELECT count(*) FROM archived_file") == [(0,)], "no file of no session"


def test_a_passing_copy_is_only_read(home: Home) -> None:
    with home.open() as ledger:
        ledger.archives.put([archived("s1")])
    with Ledger(TEMPORARY) as copy:
        assert copy.take_copy(str(home.ledger_path))
        assert copy.archives.all() == [archived("s1")]
        with pytest.raises(LedgerUnusable, match="a passing copy"):
            copy.archives.put([archived("s2")])
        with pytest.raises(LedgerUnusable, match="a passing copy"):
            copy.archives.remove(FOLDER, "g-1.zst")
