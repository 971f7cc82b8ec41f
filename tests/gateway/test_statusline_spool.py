"""The spool stays small and says what it lost; at most one refresh starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.gateway.status_bar import SESSION, lasting, line, run, run_at_once

from tokenbudget.gateway import statusline_spool
from tokenbudget.gateway.statusline_files import Snapshot, write_snapshot
from tokenbudget.gateway.statusline_reports import drop_spool, take_spool
from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "session.jsonl"
    path.write_text("{}\n")
    return path


@pytest.fixture
def counting_refresh(tmp_path: Path) -> Path:
    """A refresh that notes its session and goes on for a moment."""
    path = tmp_path / "refresh"
    path.write_text(f'#!/bin/sh\necho "$1 $TOKENS_HOME" >> {tmp_path}/refreshed\nsleep 0.3\n')
    path.chmod(0o700)
    return path


def snapshot_of(transcript: Path) -> Snapshot:
    found = transcript.stat()
    return Snapshot(SESSION, CLOCK.now_ms(), found.st_size, found.st_mtime_ns // 1_000_000)


def refreshed(tmp_path: Path, seconds: float = 0.5) -> list[str]:
    CLOCK.sleep(seconds)
    path = tmp_path / "refreshed"
    return path.read_text().splitlines() if path.exists() else []


# ── the spool ─────────────────────────────────────────────────────────────────────────────────────


def test_a_line_that_is_too_long_goes_without_its_path_or_not_at_all() -> None:
    assert b"transcript_path" not in statusline_spool.spool_line(
        lasting(transcript_path="\U0001f600" * 1024), 1
    )
    limits = {f"limit_{n}": {"used_percentage": 1} for n in range(99)}
    assert statusline_spool.spool_line(lasting(rate_limits=limits), 1).count(b"limit_") == 8


def full_spool(home: Path, at_ms: int) -> int:
    """Fill the spool up to where no line fits any more; returns how many lines it holds."""
    spool = home / "spool/statusline.jsonl"
    spool.parent.mkdir(exist_ok=True)
    whole = statusline_spool.spool_line(lasting(), at_ms)
    with spool.open("ab") as handle:
        handle.write(whole * ((statusline_spool.ROOM_BYTES - spool_bytes(home)) // len(whole) + 1))
    return spool.read_bytes().count(b"at_ms")


def spool_bytes(home: Path) -> int:
    return (home / "spool/statusline.jsonl").stat().st_size


def test_what_the_spool_loses_for_want_of_room_is_counted(tmp_path: Path) -> None:
    """Four times as much as it holds, by nobody taken: the newest remain, the rest is told."""
    line_of_ours = statusline_spool.spool_line(lasting(), 9)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool/statusline.jsonl").touch()
    written = 0
    for at_ms in range(1, 5):
        written += full_spool(tmp_path, at_ms) - (at_ms > 1)  # the first line of each is the 9th
        statusline_spool.append(str(tmp_path), line_of_ours)
        written += 1
    taken = take_spool(str(tmp_path))
    assert taken.damaged_lines == 0
    assert {entry.at_ms for entry in taken.entries} == {4, 9}
    assert taken.dropped_lines > 0
    assert len(taken.entries) + taken.dropped_lines == written
    assert all(path.stat().st_size <= 1 << 20 for path in (tmp_path / "spool").iterdir())
    drop_spool(taken)
    assert take_spool(str(tmp_path)).dropped_lines == 0


def test_a_spool_that_another_one_is_moving_still_takes_the_line(tmp_path: Path) -> None:
    lines = full_spool_of(tmp_path)
    script = (
        "import fcntl, sys, time; spool = open(sys.argv[1], 'r+b'); fcntl.lockf(spool, 2);"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "spool/statusline.jsonl")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as mover:
        assert mover.stdout is not None
        mover.stdout.readline()
        statusline_spool.append(str(tmp_path), statusline_spool.spool_line(lasting(), 9))
        mover.communicate()
    assert os.listdir(tmp_path / "spool") == ["statusline.jsonl"]
    assert len(take_spool(str(tmp_path)).entries) == lines + 1


def test_a_spool_that_can_be_neither_moved_nor_taken_stays_below_1_mb(tmp_path: Path) -> None:
    full_spool_of(tmp_path)
    (tmp_path / "spool/statusline.full.jsonl").mkdir()
    for _ in range(200):
        statusline_spool.append(str(tmp_path), statusline_spool.spool_line(lasting(), 9))
    assert spool_bytes(tmp_path) <= 1 << 20


def full_spool_of(home: Path) -> int:
    (home / "spool").mkdir()
    (home / "spool/statusline.jsonl").touch()
    return full_spool(home, 1)


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        (b"", 0),
        (b"a\nb\n", 2),
        (statusline_spool.DROPPED % 7, 7),
        (b"a\n" + statusline_spool.DROPPED % 7 + b"b\n" + statusline_spool.DROPPED % 1, 10),
        (statusline_spool.DROPPED[:-6] + b"x}\n", 1),
        (statusline_spool.DROPPED.replace(b"%d", b"9" * 99), 1),
    ],
)
def test_lines_that_are_lost_are_their_own_and_those_that_they_count(
    content: bytes, lost: int
) -> None:
    assert statusline_spool.dropped_lines(content) == lost


# ── the refresh ───────────────────────────────────────────────────────────────────────────────────


def test_30_processes_at_once_start_one_refresh(
    tmp_path: Path, transcript: Path, counting_refresh: Path
) -> None:
    told = lasting(transcript_path=str(transcript))
    run_at_once(30, told, tmp_path, "--refresh-with", str(counting_refresh))
    assert refreshed(tmp_path) == [f"{SESSION} {tmp_path}"]


def test_a_fresh_snapshot_or_a_missing_transcript_starts_none(
    tmp_path: Path, transcript: Path, counting_refresh: Path
) -> None:
    write_snapshot(str(tmp_path), snapshot_of(transcript))
    for path in (str(transcript), str(tmp_path / "none.jsonl")):
        told = lasting(transcript_path=path)
        line(run(told, tmp_path, "--refresh-with", str(counting_refresh)))
    assert refreshed(tmp_path) == []
    with transcript.open("a") as handle:
        handle.write("{}\n")
    told = lasting(transcript_path=str(transcript))
    line(run(told, tmp_path, "--refresh-with", str(counting_refresh)))
    assert len(refreshed(tmp_path)) == 1


@pytest.mark.parametrize(
    ("age_seconds", "pid", "starts"),
    [
        (1, "0", 0),  # has just begun
        (10, "own", 0),  # still runs
        (10, "0", 1),  # has ended
        (10, "4194304", 1),  # as above: no process has this id
        (10, "x" * 20, 1),
        (90, "own", 1),  # lost
        (-3600, "own", 1),  # the clock was set back
        (3, "", 1),  # its starter died before it could start any
    ],
)
def test_the_lock_holds_5_seconds_or_as_long_as_the_refresh_and_expires(
    tmp_path: Path, counting_refresh: Path, age_seconds: int, pid: str, starts: int
) -> None:
    lock = tmp_path / "statusline/refresh.lock"
    lock.parent.mkdir()
    lock.write_text(str(os.getpid()) if pid == "own" else pid)
    began = CLOCK.now_ms() / 1000 - age_seconds
    os.utime(lock, (began, began))
    line(run(lasting(), tmp_path, "--refresh-with", str(counting_refresh)))
    assert len(refreshed(tmp_path)) == starts


def test_a_refresh_that_cannot_be_started_does_not_matter(tmp_path: Path) -> None:
    line(run(lasting(), tmp_path, "--refresh-with", "/does/not/exist"))
    (tmp_path / "home").mkdir(mode=0o500)
    line(run(lasting(), tmp_path / "home", "--refresh-with", "/does/not/exist"))


def test_the_refresh_holds_none_of_the_streams(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 3\n")
    slow.chmod(0o700)
    began = CLOCK.monotonic_seconds()
    line(run(lasting(), tmp_path, "--refresh-with", str(slow)))  # reads both pipes to their ends
    assert CLOCK.monotonic_seconds() - began < 2
