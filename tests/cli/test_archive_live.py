"""`tokens archive` and those who work with a session: they lose no line."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.cli.archive_sessions import ASIDE, OLD, Shelf, archive_of, make_shelf, states
from tests.file_holders import Start, holders

from tokenbudget.app import archiving_steps
from tokenbudget.archive.pack import Packed, pack_fit
from tokenbudget.system.clock import SystemClock


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return make_shelf(tmp_path)


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


@pytest.fixture
def writer() -> Iterator[Start]:
    """Starts a process that holds a file open and appends lines to it; ended with the test."""
    with holders(APPEND) as start:
        yield start


def test_a_stopped_writer_that_holds_the_file_open_keeps_it(shelf: Shelf, writer: Start) -> None:
    path = shelf.slug(shelf.root / "site") / f"{ASIDE}.jsonl"
    process = writer(path, 0)
    os.kill(process.pid, signal.SIGSTOP)
    told = shelf.home.run("archive", "--yes", "--json").json

    [left] = [left for left in told["left"] if left["session"] == ASIDE]
    assert left["reason"] == "live"
    assert f"process {process.pid}" in left["message"]
    assert path.exists()


def test_an_open_file_of_a_subagent_keeps_the_whole_session(shelf: Shelf, writer: Start) -> None:
    writer(shelf.slug(shelf.root / "shop") / OLD / "subagents" / "agent-x1.jsonl", 0)

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
