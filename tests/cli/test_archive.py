"""`tokens archive`: what goes, what stays, and that nothing is lost on any way."""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, YOUNG, Shelf, make_shelf
from tests.cli.conftest import SOURCE, Done
from tests.cli.test_golden import accepted

from tokenbudget.app import archiving_steps
from tokenbudget.archive.pack import Packed, pack_fit
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.trash_origin import Discarded


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


def states(shelf: Shelf, *arguments: str) -> dict[str, str]:
    """What `tokens archive` says of every session."""
    said = shelf.home.run("archive", *arguments, "--json")
    told = said.json
    return {row["session"]: row["state"] for row in told["rows"]} | {
        left["session"]: left["reason"] for left in told["left"]
    }


def archive_of(project: Path) -> Path:
    return project / ".claude" / "sessions" / "archive"


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


# ── who works with it ────────────────────────────────────────────────────────────────────────────

APPEND = """
import os, sys, time
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
print("open", flush=True)
for number in range(int(sys.argv[2])):
    os.write(handle, b'{"type":"note","n":%d}\\n' % number)
    time.sleep(0.001)
print("written", flush=True)
sys.stdin.read()
"""


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def writer(shelf: Shelf) -> Iterator[Start]:
    """Starts a process that holds a file open; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(path: Path, lines: int = 0) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND, str(path), str(lines)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_stopped_writer_that_holds_the_file_open_keeps_it(shelf: Shelf, writer: Start) -> None:
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    process = writer(path)
    os.kill(process.pid, signal.SIGSTOP)
    told = shelf.home.run("archive", "--yes", "--json").json

    [left] = [left for left in told["left"] if left["session"] == ASIDE]
    assert left["reason"] == "live"
    assert f"process {process.pid}" in left["message"]
    assert path.exists()


def test_an_open_file_of_a_subagent_keeps_the_whole_session(shelf: Shelf, writer: Start) -> None:
    writer(shelf.slug(shelf.root / "shop") / OLD / "subagents" / "agent-x1.jsonl")

    assert states(shelf, "--yes")[OLD] == "live"
    assert (shelf.slug(shelf.root / "shop") / f"{OLD}.jsonl").exists()


@pytest.mark.slow
def test_an_appender_at_a_thousand_lines_a_second_loses_none(shelf: Shelf, writer: Start) -> None:
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    old = path.stat().st_mtime
    lines_before = path.read_bytes().count(b"\n")
    process = writer(path, 1000)
    assert process.stdout is not None
    is_written = False
    for _ in range(5000):
        os.utime(path, (old, old))  # as if it were old: only the open handle tells
        shelf.home.run("archive", "--yes")
        is_written = bool(select.select([process.stdout], [], [], 0)[0])
        if is_written:
            break

    assert is_written
    assert path.read_bytes().count(b"\n") == lines_before + 1000


REOPEN = """
import os, sys, time
for number in range(1000):
    handle = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, b'{"type":"note","n":%d}\\n' % number)
    os.close(handle)
    time.sleep(0.001)
"""


@pytest.mark.slow
def test_a_writer_that_never_holds_the_file_loses_no_line_either(tmp_path: Path) -> None:
    """The clock is far ahead, so its writing looks old: only the bytes themselves tell."""
    ahead = SystemClock().now_ms() / 1000 + 400 * 86_400
    shelf = make_shelf(tmp_path, datetime.fromtimestamp(ahead, UTC))
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    process = subprocess.Popen([sys.executable, "-c", REOPEN, str(path)])
    for _ in range(100):
        shelf.home.run("archive", "--yes")
        if process.poll() is not None:
            break

    assert process.wait() == 0
    shelf.home.run("archive", "--yes")
    assert list(archive_of(shelf.root / "site").glob("*.zst"))
    trash = (shelf.home.config.parent / "trash").glob("*/content")
    numbers = [
        json.loads(line).get("n")
        for file in [path, *trash]
        if file.exists()
        for line in file.read_bytes().splitlines()
    ]
    assert set(range(1000)) <= set(numbers)


def test_a_line_that_comes_after_the_ledger_has_read_keeps_the_session(shelf: Shelf) -> None:
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    packed, times = pack_fit, (path.stat().st_atime, path.stat().st_mtime)

    def written_meanwhile(folder: str, *arguments: Any, **more: Any) -> Packed:
        with path.open("a") as handle:
            handle.write('{"type":"note"}\n')
        os.utime(path, times)
        return packed(folder, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archiving_steps, "pack_fit", written_meanwhile)
        done = shelf.home.run("archive", "--session", ASIDE, "--yes")

    assert done.code == 4
    assert "grew since it was read; archive it again" in done.out
    assert path.exists()
    assert states(shelf, "--yes")[ASIDE] == "done"


def running(shelf: Shelf, session: str, pid: int, **fields: object) -> Path:
    told = {"pid": pid, "sessionId": session, "cwd": "/srv", **fields}
    path = shelf.home.claude / "sessions" / f"{pid}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(told))
    return path


def test_a_session_that_a_running_agent_names_stays(shelf: Shelf) -> None:
    running(shelf, ASIDE, os.getpid())

    assert states(shelf, "--yes")[ASIDE] == "live"


def test_a_session_of_an_agent_that_was_killed_goes(shelf: Shelf) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running(shelf, ASIDE, ended.pid)
    running(shelf, OLD, os.getpid(), procStart="1")  # its number was given to another process

    found = states(shelf, "--yes")
    assert (found[ASIDE], found[OLD]) == ("done", "done")


def test_an_agent_that_cannot_be_looked_at_counts_as_running(shelf: Shelf) -> None:
    path = running(shelf, ASIDE, 4_000_000, pidDomain="linux:another-machine:pid:[1]")

    told = shelf.home.run("archive", "--dry-run", "--json").json

    [left] = [left for left in told["left"] if left["session"] == ASIDE]
    assert left["message"].endswith(f"if that is gone, remove {path}")


def test_a_lock_keeps_the_session(shelf: Shelf) -> None:
    (shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl.lock").mkdir()

    assert states(shelf, "--yes")[ASIDE] == "live"


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_project(shelf: Shelf) -> None:
    (shelf.root / "site").chmod(0o555)
    try:
        assert folder_of(shelf, ASIDE) == (user_level(shelf), "the project cannot be written")
    finally:
        (shelf.root / "site").chmod(0o755)


# ── asking ───────────────────────────────────────────────────────────────────────────────────────


def test_without_anybody_to_ask_nothing_is_changed(shelf: Shelf) -> None:
    before = shelf.files()

    done = shelf.home.spawn("archive")

    assert done.code == 4
    assert "there is nobody to ask; --yes does it" in done.err
    assert shelf.files() == before


def test_a_dry_run_changes_nothing(shelf: Shelf) -> None:
    before = shelf.files()

    done = shelf.home.run("archive", "--dry-run")

    assert done.code == 0
    assert done.out.endswith("Nothing was changed (--dry-run).\n")
    assert shelf.files() == before
    assert not archive_of(shelf.root / "shop").exists()


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (["soon"], "'soon' is no number of days; write 30 or 30d, or one of list"),
        (["-1"], "'-1' is no number of days"),
        (["7", "8"], "there is one number of days at most, not '8' too"),
        (["7", "--keep-days", "3"], "--keep-days goes with tokens archive prune; leave it out"),
        (["list", "--yes"], "--yes goes with tokens archive or tokens archive prune"),
        (["--dry-run", "--yes"], "--dry-run and --yes do not go together"),
        (["7", "--session", "a"], "--session is one session whatever its age"),
        (["stats", "x"], "stats takes no 'x'; leave it out"),
        (["prune"], "without a rule nothing is old: say --keep-days DAYS or --most-bytes SIZE"),
        (["prune", "--keep-last", "2"], "without a rule nothing is old"),
        (["prune", "--most-bytes", "much"], "'much' is no size; write 500MB or 2GB"),
        (["--timer", "sundial"], "'sundial' is no kind of timer"),
        (["--timer", "--remove-timer"], "are three errands; give one"),
        (["--session", "zzz"], "no session on disk begins with 'zzz'"),
    ],
)
def test_what_cannot_be_meant(shelf: Shelf, typed: list[str], complaint: str) -> None:
    done = shelf.home.run("archive", *typed)

    assert done.code == 2
    assert complaint in done.err


# ── the help ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("verb", ["archive", "recover"])
def test_the_help_is_as_accepted(shelf: Shelf, verb: str) -> None:
    done = shelf.home.run(verb, "--help")

    assert done.code == 0
    assert max(map(len, done.lines)) <= 100
    assert done.out == accepted(f"{verb}-help", 100, done.out)


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────


def typed_on_a_terminal(shelf: Shelf, answer: str, *arguments: str) -> Done:
    """`tokens …` on a pseudo-terminal, where somebody answers its question."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        shelf.home.command(*arguments),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=shelf.home.spawn_environment(),
    )
    os.close(follower)
    os.write(leader, answer.encode())
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            part = os.read(leader, 65536)
        except OSError:  # how a terminal says that nobody is left in it
            break
        if not part:
            break
        shown += part
    os.close(leader)
    return Done(process.wait(), shown.decode(), "")


def test_a_person_is_asked_and_offered_the_timer(shelf: Shelf) -> None:
    before = shelf.files()

    no = typed_on_a_terminal(shelf, "\n", "archive", "30")
    assert (no.code, shelf.files()) == (0, before)
    assert "Archive 2 sessions? [y/N]" in no.out
    assert "Nothing was changed." in no.out

    yes = typed_on_a_terminal(shelf, "y\n", "archive", "30")
    assert yes.code == 0
    assert "tokens archive --timer shows it" in yes.out
    assert not any(OLD in name for name in shelf.files())


def test_a_timer_that_is_there_is_not_offered(shelf: Shelf) -> None:
    unit = shelf.home.path / ".config" / "systemd" / "user" / "tokenbudget-archive.timer"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Timer]\n")

    assert "--timer" not in typed_on_a_terminal(shelf, "y\n", "archive", "30").out
