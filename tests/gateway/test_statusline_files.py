"""Snapshots arrive in the line, and the wired command survives a shell."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.gateway.status_bar import SESSION, lasting, line, run

from tokenbudget.gateway.statusline_files import (
    Snapshot,
    remove_old_snapshots,
    snapshot_path,
    statusline_command,
    write_snapshot,
)
from tokenbudget.system.clock import SystemClock

CLOCK = SystemClock()


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "session.jsonl"
    path.write_text("{}\n")
    return path


def snapshot_of(transcript: Path) -> Snapshot:
    found = transcript.stat()
    return Snapshot(SESSION, CLOCK.now_ms(), found.st_size, found.st_mtime_ns // 1_000_000)


# ── snapshots ─────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_arrives_in_the_line(tmp_path: Path, transcript: Path) -> None:
    snapshot = snapshot_of(transcript)._replace(
        burn_tokens_per_minute=1600.0,
        minutes_left_p50=51.0,
        alerts=2,
        cost_usd=Decimal(9),
    )
    path = write_snapshot(str(tmp_path), snapshot)
    assert path is not None
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    told = lasting(transcript_path=str(transcript), cost=None)
    text = line(run(told, tmp_path, "--width", "120"))
    assert "1.6K/min ~51m  $9.00" in text
    assert text.endswith("⚑2")


@pytest.mark.parametrize("session", ["", "..", ".x", "-x", "a/b", "a\0", "ä", "x" * 129])
def test_an_unfit_session_has_no_snapshot(tmp_path: Path, session: str) -> None:
    assert snapshot_path(str(tmp_path), session) is None
    assert write_snapshot(str(tmp_path), Snapshot(session, 0, 0, 0)) is None
    assert list(tmp_path.iterdir()) == []


def test_old_snapshots_can_be_removed(tmp_path: Path) -> None:
    assert remove_old_snapshots(str(tmp_path), 1) == 0
    path = write_snapshot(str(tmp_path), Snapshot(SESSION, 0, 0, 0))
    assert path is not None
    os.utime(path, (1000, 1000))
    assert remove_old_snapshots(str(tmp_path), 1_000_000) == 0
    assert remove_old_snapshots(str(tmp_path), 1_000_001) == 1


def test_a_snapshot_that_is_gone_already_stops_nobody(tmp_path: Path) -> None:
    path = write_snapshot(str(tmp_path), Snapshot(SESSION, 0, 0, 0))
    assert path is not None
    os.unlink(path)
    os.symlink("nowhere", path)  # listed, and not there when it is looked at
    assert remove_old_snapshots(str(tmp_path), 1_000_001) == 0


# ── wiring ────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_survives_a_shell(tmp_path: Path) -> None:
    home = tmp_path / "it's a $HOME; `folder`"
    wired = statusline_command(sys.executable, str(home))
    done = subprocess.run(
        ["/bin/sh", "-c", wired],
        input=json.dumps(lasting(transcript_path="/none")).encode(),
        capture_output=True,
        check=False,
    )
    assert "58% of 200K" in line(done)
    assert (home / "spool/statusline.jsonl").exists()
    assert shlex.split(wired)[1] == "-IS"


def test_wired_or_by_its_path_it_says_the_same(tmp_path: Path) -> None:
    told = lasting(transcript_path="/none")
    wired = shlex.split(statusline_command(sys.executable, str(tmp_path)))
    done = subprocess.run(
        wired, input=json.dumps(told).encode(), capture_output=True, env={}, check=False
    )
    assert line(done) == line(run(told, tmp_path))
    empty = subprocess.run(wired, input=b"{", capture_output=True, env={}, check=False)
    assert line(empty) == ""
