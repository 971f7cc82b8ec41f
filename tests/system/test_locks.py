"""One holder at a time, and none after its process has ended."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tokenbudget.system.locks import FileLock

HOLDING = """
import sys, time
from tokenbudget.system.locks import FileLock
lock = FileLock(sys.argv[1])
print(lock.try_acquire(), flush=True)
time.sleep(60)
"""
SOURCES = str(Path(__file__).parents[2] / "src")


@pytest.fixture
def lock(tmp_path: Path) -> FileLock:
    return FileLock(str(tmp_path / "refresh.lock"))


def test_a_second_holder_is_refused_until_the_first_lets_go(lock: FileLock) -> None:
    other = FileLock(lock.path)
    assert lock.try_acquire()
    assert not other.try_acquire()
    lock.release()
    with other:
        assert other.try_acquire()


def test_a_lock_is_let_go_at_the_end_of_its_block(lock: FileLock) -> None:
    with suppress(ZeroDivisionError), lock:
        assert lock.try_acquire()
        raise ZeroDivisionError
    with FileLock(lock.path) as other:
        assert other.try_acquire()


def test_letting_go_of_what_is_not_held_does_no_harm(lock: FileLock) -> None:
    lock.release()
    lock.release()


def test_the_lock_of_a_killed_process_is_free(lock: FileLock, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, lock.path],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": SOURCES, "HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"True\n"
    assert not lock.try_acquire()
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=10)
    with lock:
        assert lock.try_acquire()


def test_a_refused_try_leaves_no_descriptor_open(lock: FileLock) -> None:
    with lock:
        assert lock.try_acquire()
        before = len(os.listdir("/dev/fd"))
        for _ in range(3):
            assert not FileLock(lock.path).try_acquire()
        assert len(os.listdir("/dev/fd")) == before


def test_a_child_program_does_not_inherit_the_lock(lock: FileLock) -> None:
    with lock:
        assert lock.try_acquire()
        assert lock._descriptor is not None
        assert fcntl.fcntl(lock._descriptor, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_nobody_else_may_open_the_lock(lock: FileLock) -> None:
    before = os.umask(0)
    try:
        with lock:
            assert lock.try_acquire()
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(lock.path).st_mode) == 0o600


def test_a_file_system_without_locks_is_told(
    lock: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(OSError, match="No locks"):
        lock.try_acquire()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileLock(str(tmp_path / "nowhere" / "lock")).try_acquire()
