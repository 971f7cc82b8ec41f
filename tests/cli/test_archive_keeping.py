"""`tokens archive list`, `verify`, `prune`, `stats`, `empty-trash`, `rebuild-index`."""

import json
import os
import random
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, Shelf, make_shelf

SECOND = "dddddddd-0000-4000-8000-000000000009"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Two sessions archived today, in two projects."""
    shelf = make_shelf(tmp_path)
    assert shelf.home.run("archive", "--yes").code == 0
    return shelf


def later(shelf: Shelf, days: float) -> None:
    shelf.home.now += timedelta(days=days)


def archives(shelf: Shelf) -> list[Path]:
    return sorted(shelf.root.glob("*/.claude/sessions/archive/*.zst"))


def archive_file(shelf: Shelf, session: str) -> Path:
    return next(path for path in archives(shelf) if path.name.startswith(session))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x20
    path.write_bytes(bytes(data))


# ── list ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_names_what_is_kept(shelf: Shelf) -> None:
    told = shelf.home.ask("archive", "list")

    assert told["format"] == "tokenbudget/archive-list/1"
    assert [row["session"] for row in told["rows"]] == [OLD, ASIDE]
    [old, aside] = told["rows"]
    assert old["project"] == str(shelf.root / "shop")
    assert old["files"] == 5
    assert not old["is_in_place"]
    assert aside["last_activity"] == "2026-10-01T12:00:00.000+00:00"
    assert told["totals"]["raw_bytes"] == old["raw_bytes"] + aside["raw_bytes"]
    assert told["trash"]["files"] == 6
    assert told["faults"] == []


def test_the_list_of_a_session_and_of_a_project(shelf: Shelf) -> None:
    by_session = shelf.home.ask("archive", "list", ASIDE[:3])["rows"]
    by_project = shelf.home.ask("archive", "list", "--project", "site")["rows"]

    assert [row["session"] for row in by_session] == [ASIDE]
    assert by_project == by_session
    missing = shelf.home.run("archive", "list", "zzz")
    assert (missing.code, missing.out) == (2, "")
    assert "no archived session begins with 'zzz'" in missing.err


def test_the_list_without_a_ledger(shelf: Shelf) -> None:
    """From the project's own folder its manifest is found."""
    (shelf.home.config.parent / "ledger.db").unlink()

    done = shelf.home.run("archive", "list", "--json", TOKENS_HOME=str(shelf.root / "other"))
    assert done.json["rows"] == []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shelf.root / "site")
        rows = shelf.home.ask("archive", "list")["rows"]
    assert [row["session"] for row in rows] == [ASIDE]


def test_a_damaged_manifest_is_told_and_hides_no_other(shelf: Shelf) -> None:
    (archive_file(shelf, OLD).parent / "manifest.json").write_text("{}")

    done = shelf.home.run("archive", "list")

    assert done.code == 3
    assert "Not readable: " in done.out
    assert ASIDE[:8] in done.out
    assert shelf.home.run("archive", "stats").code == 3
    assert shelf.home.run("archive", "verify").code == 1


def test_nothing_is_archived(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)

    for action in ("list", "stats", "verify"):
        done = shelf.home.run("archive", action)
        assert (done.code, done.out, done.err) == (0, "Nothing is archived.\n", "")


def test_hostile_titles_move_no_cursor(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    title = {
        "type": "custom-title",
        "customTitle": "\x1b]0;owned\x07\x1b[2Jtitle",
        "sessionId": OLD,
    }
    path = shelf.slug(shelf.root / "shop") / f"{OLD}.jsonl"
    times = (path.stat().st_atime, path.stat().st_mtime)
    with path.open("a") as handle:
        handle.write(json.dumps(title) + "\n")
    os.utime(path, times)
    outputs = [
        shelf.home.run("archive", "--dry-run").out,
        shelf.home.run("archive", "--yes").out,
        shelf.home.run("archive", "list").out,
    ]

    for out in outputs:
        assert "title" in out
        assert "\x1b" not in out
        assert "\x07" not in out


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def test_whole_archives(shelf: Shelf) -> None:
    done = shelf.home.run("archive", "verify")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("All is whole. 2 archives with 2 sessions: ")


@pytest.mark.parametrize("seed", range(12))
def test_any_flipped_byte_is_found_and_the_others_are_checked(shelf: Shelf, seed: int) -> None:
    path = archive_file(shelf, OLD)
    flip(path, random.Random(seed).randrange(path.stat().st_size))

    done = shelf.home.run("archive", "verify", "--json")

    assert done.code == 1
    [row] = done.json["rows"]
    assert (row["file"], row["fault"], row["sessions"]) == (path.name, "damaged", [OLD])
    assert done.json["totals"]["archives"] == 2


def test_truncated_and_missing_ones_are_named(shelf: Shelf) -> None:
    truncated, missing = archive_file(shelf, OLD), archive_file(shelf, ASIDE)
    os.truncate(truncated, truncated.stat().st_size // 2)
    missing.unlink()

    done = shelf.home.run("archive", "verify")

    assert done.code == 1
    assert f"damaged: {truncated}" in done.out.replace("~", str(shelf.home.path))
    assert f"missing: {missing}" in done.out.replace("~", str(shelf.home.path))
    assert f"  in it: {OLD}" in done.out


def test_only_what_is_named_is_read(shelf: Shelf) -> None:
    flip(archive_file(shelf, OLD), 500)

    assert shelf.home.run("archive", "verify", ASIDE).code == 0
    assert shelf.home.run("archive", "verify", OLD[:4]).code == 1


def test_verify_changes_nothing(shelf: Shelf) -> None:
    flip(archive_file(shelf, OLD), 500)
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in shelf.root.rglob("*")
        if path.is_file()
    }

    shelf.home.run("archive", "verify")

    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in shelf.root.rglob("*")
        if path.is_file()
    }


# ── stats ────────────────────────────────────────────────────────────────────────────────────────


def test_stats_tell_what_the_agent_would_have_deleted(shelf: Shelf) -> None:
    (shelf.home.claude / "settings.json").write_text('{"cleanupPeriodDays": 45}')

    told = shelf.home.ask("archive", "stats")

    assert told["agent_deletes_after_days"] == 45
    assert told["would_be_deleted_sessions"] == 1
    assert told["totals"]["sessions"] == 2
    assert told["totals"]["archive_file_bytes"] == sum(p.stat().st_size for p in archives(shelf))
    assert {row["project"] for row in told["rows"]} == {
        str(shelf.root / "shop"),
        str(shelf.root / "site"),
    }


# ── prune ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_old_is_marked_and_a_week_later_deleted(shelf: Shelf) -> None:
    later(shelf, 100)
    assert shelf.home.run("archive", "prune", "--keep-days", "90", "--yes").code == 0
    assert len(archives(shelf)) == 2
    assert [
        row["marked_for_deletion_at"] is not None
        for row in shelf.home.ask("archive", "list")["rows"]
    ] == [True, True]
    later(shelf, 3)
    shelf.home.run("archive", "prune", "--keep-days", "90", "--yes")
    assert len(archives(shelf)) == 2
    later(shelf, 5)

    told = shelf.home.run("archive", "prune", "--keep-days", "90", "--yes", "--json").json

    assert archives(shelf) == []
    assert told["totals"]["deleted"] == 2
    assert shelf.home.ask("archive", "list")["rows"] == []
    missing = shelf.home.run("recover", OLD)
    assert missing.code == 2


def test_pruning_says_how_many_sessions_go_with_it(shelf: Shelf) -> None:
    later(shelf, 10)

    told = shelf.home.run("archive", "prune", "--keep-days", "9", "--dry-run")
    rows = shelf.home.ask("archive", "prune", "--keep-days", "9", "--dry-run")["rows"]

    assert told.out.count("with 1 session in no other archive") == 2
    assert [row["marked_sessions"] for row in rows] == [[OLD], [ASIDE]]


def test_old_sessions_that_stay_for_their_company_are_counted(tmp_path: Path) -> None:
    shelf = make_shelf(tmp_path)
    shelf.session(SECOND, 45, shelf.root / "shop")
    shelf.home.run("archive", "--yes", "--project", "shop")
    later(shelf, 10)

    done = shelf.home.run("archive", "prune", "--keep-days", "9", "--keep-last", "1", "--dry-run")

    assert "1 session could go, and stay" in done.out


def test_a_mark_is_taken_back_where_the_rules_let_it_stay(shelf: Shelf) -> None:
    later(shelf, 100)
    shelf.home.run("archive", "prune", "--keep-days", "90", "--yes")
    later(shelf, 8)

    done = shelf.home.run("archive", "prune", "--keep-days", "365", "--yes")

    assert "no longer marked: the rules let it stay" in done.out
    assert len(archives(shelf)) == 2


def test_the_newest_are_protected_and_sizes_count(shelf: Shelf) -> None:
    later(shelf, 100)

    kept = shelf.home.run(
        "archive", "prune", "--keep-days", "1", "--keep-last", "1", "--dry-run", "--json"
    ).json
    size = shelf.home.run("archive", "prune", "--most-bytes", "1", "--dry-run", "--json").json

    assert kept["totals"]["marked"] == 0
    assert size["totals"]["marked"] == 2


def test_a_dry_run_and_nobody_to_ask_change_nothing(shelf: Shelf) -> None:
    later(shelf, 100)

    dry = shelf.home.run("archive", "prune", "--keep-days", "9", "--dry-run")
    refused = shelf.home.spawn("archive", "prune", "--keep-days", "0", "--grace-days", "0")

    assert dry.code == 0
    assert "2 archives" not in dry.err
    assert refused.code in (0, 4)
    rows = shelf.home.ask("archive", "list")["rows"]
    assert [row["marked_for_deletion_at"] for row in rows] == [None, None]


def test_an_unreadable_listing_deletes_nothing(shelf: Shelf) -> None:
    manifest = archive_file(shelf, OLD).parent / "manifest.json"
    manifest.write_text("{}")
    later(shelf, 100)

    done = shelf.home.run("archive", "prune", "--keep-days", "9", "--yes")

    assert done.code == 3
    assert "nothing is done here" in done.out
    assert len(archives(shelf)) == 2


def test_an_empty_listing_deletes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()

    done = shelf.home.run(
        "archive", "prune", "--keep-days", "9", "--yes", TOKENS_HOME=str(tmp_path / "nowhere")
    )

    assert done.code == 4
    assert "nothing is deleted" in done.err


# ── the trash ────────────────────────────────────────────────────────────────────────────────────


def trash_files(shelf: Shelf) -> list[Path]:
    return list((shelf.home.config.parent / "trash").glob("*/content"))


def test_emptying_gives_the_space_back(shelf: Shelf) -> None:
    assert len(trash_files(shelf)) == 6
    assert shelf.home.run("archive", "empty-trash", "--yes").code == 0
    assert len(trash_files(shelf)) == 6
    later(shelf, 8)

    told = shelf.home.run("archive", "empty-trash", "--yes", "--json").json

    assert trash_files(shelf) == []
    assert told["totals"]["freed_bytes"] > 0
    assert shelf.home.run("recover", OLD).code == 0


def test_no_original_goes_whose_archive_is_damaged(shelf: Shelf) -> None:
    flip(archive_file(shelf, OLD), 700)
    later(shelf, 8)

    done = shelf.home.run("archive", "empty-trash", "--yes")

    assert done.code == 1
    assert "its archive is not whole" in done.out
    assert len(trash_files(shelf)) == 5
    assert shelf.home.run("undo", "--yes").code == 0


def test_no_original_goes_whose_archive_is_gone_or_marked(shelf: Shelf) -> None:
    archive_file(shelf, OLD).unlink()
    later(shelf, 100)
    shelf.home.run("archive", "prune", "--keep-days", "9", "--yes", "--project", "site")

    done = shelf.home.run("archive", "empty-trash", "--yes")

    assert done.code == 1
    assert len(trash_files(shelf)) == 6


def test_no_original_goes_whose_archive_went_while_a_person_thought(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(shelf, 8)

    def asked(question: str, is_yes: bool) -> bool:
        archive_file(shelf, OLD).unlink()
        return True

    monkeypatch.setattr("tokenbudget.cli.archive_cleaning.is_wanted", asked)
    done = shelf.home.run("archive", "empty-trash")

    assert "To be removed for good: 6 originals" in done.out
    assert len(trash_files(shelf)) == 5


def test_other_things_in_the_trash_stay(shelf: Shelf, tmp_path: Path) -> None:
    from tokenbudget.system.clock import SystemClock
    from tokenbudget.system.trash import Trash

    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now_ms", lambda _: 1_000_000_000_000)
        Trash(str(shelf.home.config.parent), SystemClock()).move(str(other), "tokens compact")

    later(shelf, 8)
    shelf.home.run("archive", "empty-trash", "--yes")

    assert [path.read_text() for path in trash_files(shelf)] == ["mine"]


def test_after_a_month_the_next_run_empties_it(shelf: Shelf) -> None:
    later(shelf, 31)

    done = shelf.home.run("archive", "--yes")

    assert trash_files(shelf) != []
    assert "Emptied from the trash, after 30 days:" in done.out
    assert len(trash_files(shelf)) == 1  # of the session that went just now


# ── rebuild-index ────────────────────────────────────────────────────────────────────────────────


def test_a_lost_manifest_and_a_lost_index_are_made_again(shelf: Shelf) -> None:
    before = shelf.home.ask("archive", "list")["rows"]
    manifest = archive_file(shelf, OLD).parent / "manifest.json"
    manifest.unlink()
    assert shelf.home.run("archive", "list").out.count("Not readable") == 1

    done = shelf.home.run("archive", "rebuild-index")

    assert done.code == 0
    assert "1 archive listed anew" in done.out
    after = shelf.home.ask("archive", "list")["rows"]
    drop = ("archived_at",)
    assert [{k: v for k, v in row.items() if k not in drop} for row in after] == [
        {k: v for k, v in row.items() if k not in drop} for row in before
    ]


def test_a_damaged_archive_is_named_and_not_listed(shelf: Shelf) -> None:
    path = archive_file(shelf, OLD)
    (path.parent / "manifest.json").unlink()
    flip(path, 900)

    done = shelf.home.run("archive", "rebuild-index")

    assert done.code == 1
    assert f"damaged, not listed: {path.name}" in done.out
    assert path.exists()
