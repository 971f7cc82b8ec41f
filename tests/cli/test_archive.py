"""`tokens archive`: what goes, what stays, and that nothing is lost on any way."""

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, YOUNG, Shelf, archive_of, make_shelf, states


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


# ── the way there and back ───────────────────────────────────────────────────────────────────────


def test_an_old_session_goes_with_everything_that_belongs_to_it_and_comes_back(
    shelf: Shelf,
) -> None:
    before, totals = shelf.files(), shelf.totals()

    done = shelf.home.run("archive", "--yes")

    assert done.code == 0, done.err
    assert sorted(shelf.files()) == [name for name in before if name.endswith(f"{YOUNG}.jsonl")]
    assert not (shelf.slug(shelf.root / "shop") / OLD).exists()
    assert shelf.totals() == totals
    shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")
    assert shelf.totals() == totals

    back = shelf.home.run("recover", "--all", "--yes")

    assert back.code == 0, back.err
    assert shelf.files() == before
    assert shelf.totals() == totals


def test_each_session_goes_into_its_own_project(shelf: Shelf) -> None:
    shelf.home.run("archive", "--yes")

    for name, session in (("shop", OLD), ("site", ASIDE)):
        folder = archive_of(shelf.root / name)
        assert next(folder.glob("*.zst")).name.startswith(session)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / ".gitignore").read_text() == "*\n"


def test_zstd_alone_reads_the_archive(shelf: Shelf) -> None:
    import zstandard

    transcript = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    text = transcript.read_bytes()
    shelf.home.run("archive", "--yes")
    [path] = archive_of(shelf.root / "site").glob("*.zst")

    with path.open("rb") as handle:
        reader = zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True)
        assert reader.read() == text


def test_undo_gives_back_every_byte_mode_and_time(shelf: Shelf) -> None:
    before = shelf.files()
    times = {
        path: path.stat().st_mtime_ns for path in shelf.home.claude.rglob("*") if path.is_file()
    }
    shelf.home.run("archive", "--yes")

    done = shelf.home.run("undo", "--yes")

    assert done.code == 0, done.err
    assert shelf.files() == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_undo_works_after_the_trash_was_emptied(shelf: Shelf) -> None:
    before = shelf.files()
    shelf.home.run("archive", "--yes")
    shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")

    done = shelf.home.run("undo", "--yes")

    assert done.code == 0, done.err
    assert shelf.files() == before


def test_undo_leaves_a_session_that_somebody_went_on_with(shelf: Shelf) -> None:
    shelf.home.run("archive", "--yes")
    path = shelf.session(ASIDE, 1, shelf.root / "site")
    mine = path.read_bytes()

    done = shelf.home.run("undo", "--yes")

    assert done.code != 0
    assert path.read_bytes() == mine


# ── what is old ──────────────────────────────────────────────────────────────────────────────────


def test_both_the_file_and_its_last_line_must_be_old(shelf: Shelf) -> None:
    project = shelf.project("two")
    copied = shelf.session("copied", 40, project)  # an old session that was copied yesterday
    shelf.session("touched", 1, project)  # a young one whose file was given an old time
    yesterday = (shelf.home.now - timedelta(days=1)).timestamp()
    long_ago = (shelf.home.now - timedelta(days=90)).timestamp()
    os.utime(copied, (yesterday, yesterday))
    os.utime(shelf.slug(project) / "touched.jsonl", (long_ago, long_ago))

    found = states(shelf, "--dry-run")

    assert (found["copied"], found["touched"]) == ("young", "young")


def test_a_young_file_beside_an_old_transcript_keeps_the_session(shelf: Shelf) -> None:
    result = shelf.slug(shelf.root / "shop") / OLD / "tool-results" / "big.txt"
    os.utime(result, (shelf.home.now.timestamp() - 86_400,) * 2)

    assert states(shelf, "--dry-run")[OLD] == "young"


def test_a_time_in_the_future_is_never_old(shelf: Shelf) -> None:
    ahead = (shelf.home.now + timedelta(days=2)).timestamp()
    os.utime(shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl", (ahead, ahead))

    done = shelf.home.run("archive", "--dry-run")

    assert f"1 session has a time in the future, such as {ASIDE}: look at the clock" in done.err
    assert states(shelf, "--dry-run")[ASIDE] == "future"


@pytest.mark.parametrize(
    ("typed", "gone"),
    [("39", {OLD, ASIDE}), ("45d", {ASIDE}), ("60", set()), ("2", {OLD, ASIDE, YOUNG})],
)
def test_the_number_of_days(shelf: Shelf, typed: str, gone: set[str]) -> None:
    found = states(shelf, typed, "--dry-run")

    assert {session for session, state in found.items() if state == "planned"} == gone


def test_0_days_means_at_rest_for_an_hour(shelf: Shelf) -> None:
    shelf.session("resting", 1 / 12, shelf.root / "shop")
    shelf.session("working", 1 / 48, shelf.root / "shop")

    found = states(shelf, "0", "--dry-run")

    assert (found["resting"], found["working"]) == ("planned", "live")


def test_the_newest_of_each_project_stay(shelf: Shelf) -> None:
    shelf.session("older", 60, shelf.root / "site")

    found = states(shelf, "--keep-last", "1", "--dry-run")

    assert (found[ASIDE], found["older"], found[OLD]) == ("newest", "planned", "planned")


def test_one_project(shelf: Shelf) -> None:
    by_path = states(shelf, "--project", str(shelf.root / "site"), "--dry-run")
    by_name = states(shelf, "--project", "site", "--dry-run")

    assert by_path == by_name == {ASIDE: "planned"}


def test_one_session_whatever_its_age(shelf: Shelf) -> None:
    assert states(shelf, "--session", YOUNG[:4], "--yes") == {YOUNG: "done"}
    again = shelf.home.run("archive", "--session", YOUNG[:4], "--yes")

    assert again.code == 2
    assert "is archived already" in again.err


def test_a_named_session_in_use_is_refused(shelf: Shelf) -> None:
    shelf.session("busy", 1 / 48, shelf.root / "shop")

    done = shelf.home.run("archive", "--session", "busy", "--yes")

    assert (done.code, done.out) == (4, "")
    assert "the session busy stays: it was used within the last hour" in done.err


def test_it_says_that_the_agent_deletes_first(shelf: Shelf) -> None:
    (shelf.home.claude / "settings.json").write_text('{"cleanupPeriodDays": 12}')

    done = shelf.home.run("archive", "--dry-run")

    assert "the agent deletes transcripts after 12 days" in done.err
    assert "to be first: tokens archive 9" in done.err
    assert shelf.home.run("archive", "9", "--dry-run").err == ""


# ── where to ─────────────────────────────────────────────────────────────────────────────────────


def folder_of(shelf: Shelf, session: str) -> tuple[str, str]:
    told = shelf.home.run("archive", "--dry-run", "--json").json
    return next((row["folder"], row["note"]) for row in told["rows"] if row["session"] == session)


def user_level(shelf: Shelf) -> str:
    return str(shelf.home.claude / "sessions" / "archive")


def test_a_project_that_is_gone(shelf: Shelf) -> None:
    (shelf.root / "site").rmdir()
    before = shelf.files()

    assert folder_of(shelf, ASIDE) == (user_level(shelf), "the project is gone")
    shelf.home.run("archive", "--yes")
    assert shelf.home.run("recover", ASIDE).code == 0
    assert shelf.home.run("recover", OLD).code == 0
    assert shelf.files() == before
    assert not (shelf.root / "site").exists()


def test_the_home_folder_is_no_project(shelf: Shelf) -> None:
    shelf.session("athome", 40, shelf.home.path)

    assert folder_of(shelf, "athome") == (user_level(shelf), "the home folder is no project")


@pytest.mark.parametrize("part", [".claude", ".claude/sessions", ".claude/sessions/archive"])
def test_no_link_in_a_project_is_followed(shelf: Shelf, tmp_path: Path, part: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = shelf.root / "site" / part
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)

    shelf.home.run("archive", "--yes")

    assert list(elsewhere.iterdir()) == []
    assert list((shelf.home.claude / "sessions" / "archive").glob("*.zst"))


def test_a_file_in_the_way_of_the_archive(shelf: Shelf) -> None:
    (shelf.root / "site" / ".claude").write_text("not a folder")

    assert folder_of(shelf, ASIDE) == (user_level(shelf), ".claude in the project is no folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_project(shelf: Shelf) -> None:
    (shelf.root / "site").chmod(0o555)
    try:
        assert folder_of(shelf, ASIDE) == (user_level(shelf), "the project cannot be written")
    finally:
        (shelf.root / "site").chmod(0o755)


# ── what is not ours to move ─────────────────────────────────────────────────────────────────────


def test_links_and_second_names_stay_and_others_go(shelf: Shelf, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not in the tree")
    project = shelf.project("odd")
    linked = shelf.session("linked", 40, project)
    (shelf.slug(project) / "linked").mkdir()
    (shelf.slug(project) / "linked" / "out.txt").symlink_to(secret)
    hard = shelf.session("hard", 40, project)
    os.link(hard, tmp_path / "second-name")
    piped = shelf.session("piped", 40, project)
    (shelf.slug(project) / "piped").mkdir()
    os.mkfifo(shelf.slug(project) / "piped" / "pipe")

    found = states(shelf, "--yes")

    assert [found[name] for name in ("linked", "hard", "piped")] == ["fault"] * 3
    assert found[OLD] == "done"
    assert linked.exists()
    assert hard.exists()
    assert piped.exists()
    assert secret.read_text() == "not in the tree"


def test_a_linked_folder_of_sessions_is_not_entered(shelf: Shelf, tmp_path: Path) -> None:
    real = shelf.slug(shelf.root / "site")
    real.rename(tmp_path / "moved")
    real.symlink_to(tmp_path / "moved")

    done = shelf.home.run("archive", "--yes")

    assert "it is a link" in done.err
    assert (tmp_path / "moved" / f"{ASIDE}.jsonl").exists()


def test_the_agents_memory_is_no_session(shelf: Shelf) -> None:
    note = shelf.slug(shelf.root / "site") / "memory" / "MEMORY.md"
    note.parent.mkdir()
    note.write_text("remember")

    shelf.home.run("archive", "--yes")

    assert note.read_text() == "remember"


def test_two_sessions_whose_names_differ_in_case_only(shelf: Shelf) -> None:
    project = shelf.project("case")
    shelf.session("Session", 40, project)
    other = shelf.slug(project) / "session.jsonl"
    if other.exists():
        pytest.skip("this file system takes them for one")
    shelf.session("session", 41, project)
    before = shelf.files()

    assert shelf.home.run("archive", "--yes").code == 0
    assert shelf.home.run("recover", "--all", "--yes").code == 0
    assert shelf.files() == before


def test_a_session_that_was_copied_into_another_folder_comes_back_twice(shelf: Shelf) -> None:
    copy = shelf.slug(shelf.root / "elsewhere") / f"{ASIDE}.jsonl"
    copy.parent.mkdir()
    shutil.copy2(shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl", copy)
    copy.write_text(copy.read_text() + '{"type":"summary"}\n')
    old = (shelf.home.now - timedelta(days=70)).timestamp()
    os.utime(copy, (old, old))
    before = shelf.files()

    assert shelf.home.run("archive", "--yes").code == 0
    assert len(shelf.files()) == len(before) - 7
    rows = [row for row in shelf.home.ask("archive", "list")["rows"] if row["session"] == ASIDE]
    assert [row["is_newest"] for row in rows] == [True, True]
    assert shelf.home.run("recover", ASIDE).code == 0
    assert shelf.home.run("recover", "--all", "--yes").code == 0
    assert shelf.files() == before


def test_a_session_that_came_back_and_went_on_is_archived_again(shelf: Shelf) -> None:
    shelf.home.run("archive", "--yes")
    shelf.home.run("recover", ASIDE, "--keep-times")
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    at = shelf.home.now - timedelta(days=35)
    with path.open("a") as handle:
        handle.write(json.dumps({"type": "summary", "summary": "more"}) + "\n")
    os.utime(path, (at.timestamp(), at.timestamp()))
    grown = path.read_bytes()

    assert states(shelf, "--yes")[ASIDE] == "done"
    rows = [row for row in shelf.home.ask("archive", "list")["rows"] if row["session"] == ASIDE]
    assert [row["is_newest"] for row in rows] == [True, False]
    shelf.home.run("recover", ASIDE)
    assert path.read_bytes() == grown


def test_a_session_that_came_back_untouched_is_not_kept_twice(shelf: Shelf) -> None:
    shelf.home.run("archive", "--yes")
    names = sorted(archive_of(shelf.root / "site").glob("*.zst"))
    shelf.home.run("recover", ASIDE)
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    old = (shelf.home.now - timedelta(days=33)).timestamp()
    os.utime(path, (old, old))

    assert states(shelf, "--yes")[ASIDE] == "done"
    assert not path.exists()
    assert sorted(archive_of(shelf.root / "site").glob("*.zst")) == names


# ── what the ledger has not read ─────────────────────────────────────────────────────────────────


def test_a_last_line_without_an_end_is_no_hindrance(shelf: Shelf) -> None:
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    times = (path.stat().st_atime, path.stat().st_mtime)
    with path.open("a") as handle:
        handle.write('{"type": "assis')
    os.utime(path, times)
    whole = path.read_bytes()

    assert states(shelf, "--yes")[ASIDE] == "done"
    shelf.home.run("recover", ASIDE)
    assert path.read_bytes() == whole


def test_without_a_lasting_ledger_nothing_is_archived(shelf: Shelf) -> None:
    before = shelf.files()
    (shelf.home.config.parent).mkdir(exist_ok=True)
    (shelf.home.config.parent / "ledger.db").mkdir()

    done = shelf.home.run("archive", "--yes")

    assert done.code == 3
    assert "nothing is archived while the ledger cannot be written" in done.err
    assert shelf.files() == before
