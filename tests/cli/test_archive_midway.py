"""`tokens archive` when something goes wrong in the middle."""

import fcntl
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, YOUNG, Shelf, archive_of, make_shelf, states
from tests.cli.conftest import SOURCE, Done

from tokenbudget.model.errors import LedgerUnusable, ProjectUnusable
from tokenbudget.system.trash_origin import Discarded


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


# ── what goes wrong in the middle ────────────────────────────────────────────────────────────────

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from tokenbudget.archive import pack
written = pack.write_container
def limited(*arguments, **more):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
    try:
        written(*arguments, **more)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
pack.write_container = limited
from tokenbudget.cli import main
sys.exit(main(["archive", "--session", sys.argv[2], "--yes"]))
"""


def test_a_full_disk_leaves_everything_as_it_was(shelf: Shelf) -> None:
    before, totals = shelf.files(), shelf.totals()

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "100", ASIDE],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**shelf.home.spawn_environment(), "PYTHONPATH": str(SOURCE)},
    )

    assert done.returncode == 3, done.stderr
    assert f"{ASIDE} stays: cannot write the archive" in done.stdout
    assert shelf.files() == before
    assert shelf.totals() == totals
    assert list(archive_of(shelf.root / "site").glob("*")) in (
        [],
        [archive_of(shelf.root / "site") / ".gitignore"],
    )
    assert states(shelf, "--yes")[ASIDE] == "done"


def test_two_archivers_at_once(shelf: Shelf) -> None:
    before = shelf.files()
    folder = archive_of(shelf.root / "site")
    folder.mkdir(parents=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = shelf.home.run("archive", "--yes")
    finally:
        os.close(descriptor)

    assert done.code == 4
    assert f"{ASIDE} stays: another process is writing" in done.out
    assert sorted(set(before) - set(shelf.files())) == sorted(
        name for name in before if OLD in name or "agent-" in name
    )
    assert states(shelf, "--yes")[ASIDE] == "done"


def test_two_whole_runs_at_once_archive_each_session_once(shelf: Shelf) -> None:
    for number in range(20):
        shelf.session(f"many-{number}", 45, shelf.root / "shop", responses=50)
    before = shelf.totals()
    runs = [
        subprocess.Popen(
            shelf.home.command("archive", "30", "--yes"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=shelf.home.spawn_environment(),
        )
        for _ in range(2)
    ]
    codes = [run.wait() for run, _ in ((run, run.communicate()) for run in runs)]

    assert 0 in codes
    assert set(codes) <= {0, 4}
    assert shelf.home.run("archive", "verify").code == 0
    rows = shelf.home.ask("archive", "list")["rows"]
    assert len(rows) == len({row["session"] for row in rows}) == 22
    assert shelf.totals() == before


def stopped_after(shelf: Shelf, files: int) -> Done:
    """A run that Ctrl-C ends when so many files have been moved."""
    from tokenbudget.system.trash import Trash

    move: Any = Trash.move
    moved: list[str] = []

    def interrupted(trash: Trash, path: str, reason: str) -> Discarded:
        if len(moved) == files:
            raise KeyboardInterrupt
        moved.append(path)
        found: Discarded = move(trash, path, reason)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trash, "move", interrupted)
        return shelf.home.run("archive", "--yes")


@pytest.mark.parametrize("files", [0, 1, 3, 5])
def test_ctrl_c_says_what_was_done_and_undo_takes_it_back(shelf: Shelf, files: int) -> None:
    before = shelf.files()

    done = stopped_after(shelf, files)

    assert done.code == 130
    assert "Stopped: " in done.out
    assert len(set(before) - set(shelf.files())) == files
    assert shelf.home.run("undo", "--yes").code == 0
    assert shelf.files() == before


def test_undo_of_a_stopped_run_leaves_what_a_later_one_did(shelf: Shelf) -> None:
    stopped_after(shelf, 1)  # the older one of two
    rows = shelf.home.ask("undo", "--list")["rows"]
    assert rows[0]["what"] == "1 session archived"
    shelf.home.run("archive", "--yes")
    after = set(shelf.files())

    assert shelf.home.run("undo", "1", "--yes").code == 0

    back = {name.rpartition("/")[2] for name in set(shelf.files()) - after}
    assert back == {f"{ASIDE}.jsonl"}


def test_a_config_folder_that_is_a_link_of_the_persons_own(shelf: Shelf, tmp_path: Path) -> None:
    """As with dotfiles: the archive of a project that is gone lies where the link leads."""
    real = tmp_path / "dotfiles" / "claude"
    real.parent.mkdir()
    shelf.home.claude.rename(real)
    shelf.home.claude.symlink_to(real)
    shutil.rmtree(shelf.root / "shop")
    before = shelf.files()

    done = shelf.home.run("archive", "--yes")

    assert done.code == 0, done.out
    assert list((real / "sessions" / "archive").glob("*.zst"))
    assert shelf.home.ask("archive", "list")["totals"]["sessions"] == 2
    assert shelf.home.run("recover", "--all", "--yes").code == 0
    assert shelf.files() == before


def test_each_session_says_why_its_group_stays(shelf: Shelf, tmp_path: Path) -> None:
    shelf.session(YOUNG, 60, shelf.root / "shop")
    archive = shelf.root / "shop" / ".claude" / "sessions" / "archive"
    archive.mkdir(parents=True)
    (archive / "manifest.json").write_text("{}")

    rows = shelf.home.run("archive", "--yes", "--project", "shop", "--json").json["rows"]

    assert [row["state"] for row in rows] == ["failed", "failed"]
    assert len({row["message"] for row in rows}) == 1
    assert "manifest.json" in rows[0]["message"]


@pytest.mark.parametrize("lost", ["manifest.json", "."])
def test_undo_needs_the_trash_alone(shelf: Shelf, lost: str) -> None:
    """Whoever removes `.claude` of a project (git clean) still has the originals for a month."""
    before = shelf.files()
    shelf.home.run("archive", "--yes")
    folder = shelf.root / "shop" / ".claude"
    shutil.rmtree(folder) if lost == "." else next(folder.rglob(lost)).unlink()

    seen = shelf.home.run("undo", "--dry-run")
    done = shelf.home.run("undo", "--yes")

    assert (seen.code, done.code) == (0, 0), seen.out
    assert "! " not in seen.out
    assert shelf.files() == before


def test_undo_says_before_that_nothing_is_left(shelf: Shelf) -> None:
    shelf.home.run("archive", "--yes")
    shelf.home.now += timedelta(days=1)
    shelf.home.run("archive", "empty-trash", "--older-than", "0", "--yes")
    shutil.rmtree(shelf.root / "shop" / ".claude")

    seen = shelf.home.run("undo", "--dry-run")

    assert seen.code == 1
    assert "neither the trash nor an archive has" in " ".join(seen.out.split())


def test_what_was_archived_before_the_journal_broke_is_told(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenbudget.ledger.journal import JournalRows

    note: Any = JournalRows.note

    def full(rows: JournalRows, action: int, number: int, outcome: Any) -> None:
        if number:
            raise LedgerUnusable("the disk is full")
        note(rows, action, number, outcome)

    monkeypatch.setattr(JournalRows, "note", full)
    done = shelf.home.run("archive", "--yes")

    assert done.code == LedgerUnusable.exit_code
    assert "Archived " in done.out
    assert "the disk is full" in done.err


def test_a_trash_that_cannot_be_emptied_hides_no_result(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(bench: Any) -> int:
        raise ProjectUnusable("cannot move 'x'")

    monkeypatch.setattr("tokenbudget.cli.archive_doing.emptied_by_age", broken)
    done = shelf.home.run("archive", "--yes")

    assert done.code == 0
    assert "Archived 2 sessions" in done.out
    assert "the trash was not emptied" in done.err


def test_a_stopped_run_is_finished_by_the_next_one(shelf: Shelf) -> None:
    before, totals = shelf.files(), shelf.totals()
    stopped_after(shelf, 2)
    assert 0 < len(set(before) - set(shelf.files())) < 5

    done = shelf.home.run("archive", "--yes")

    assert done.code == 0, done.err
    assert not any(OLD in name for name in shelf.files())
    rows = shelf.home.ask("archive", "list")["rows"]
    assert sorted(row["session"] for row in rows) == [OLD, ASIDE]
    assert shelf.totals() == totals
    assert shelf.home.run("recover", "--all", "--yes").code == 0
    assert shelf.files() == before
