"""One controller acts in a data folder; whoever else comes only looks, and can say who that is."""

from __future__ import annotations

import fcntl
import os
import stat

from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.locks import FileLock

LOCK_NAME = "control.lock"
MOST_BYTES = 120
SOMEBODY = "another process"
"""Where the lock's file does not say who holds it."""


class ControlLock:
    """The right to act, until `release` or the end of the process."""

    def __init__(self, data_dir: str, who: str) -> None:
        """`who` is told to others, such as `tokens serve`."""
        self._data_dir = data_dir
        self._path = os.path.join(data_dir, LOCK_NAME)
        self._who = f"{who} (process {os.getpid()})"
        self._lock = FileLock(self._path)
        self.is_held = False
        self._file: tuple[int, int] | None = None

    def try_acquire(self) -> bool:
        """Whether this process acts now: it did already, or nobody else does.

        Raises:
            ProjectUnusable: the data folder cannot be written, or has no locks.
        """
        if self.is_held and not self._is_lost():
            return True
        self.release()
        try:
            os.makedirs(self._data_dir, mode=0o700, exist_ok=True)
            self.is_held = self._lock.try_acquire()
            if self.is_held:
                self._name(self._who)
        except OSError as wrong:
            self.release()
            raise ProjectUnusable(f"cannot use {self._path}: {wrong.strerror}") from wrong
        return self.is_held

    def release(self) -> None:
        """Let another one act; harmless when it is not held."""
        self._lock.release()
        self.is_held = False

    def _is_lost(self) -> bool:
        """Whether the lock's file was taken away: others would not see that we hold it."""
        try:
            found = os.lstat(self._path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._file

    def _name(self, who: str) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, who.encode()[:MOST_BYTES].ljust(MOST_BYTES), 0)
            found = os.fstat(descriptor)
            self._file = found.st_dev, found.st_ino
        finally:
            os.close(descriptor)


def holder(data_dir: str) -> str:
    """Who acts in this data folder now, such as `tokens serve (process 123)`; '' is nobody."""
    path = os.path.join(data_dir, LOCK_NAME)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not _is_locked(descriptor):
            return ""
        told = os.read(descriptor, MOST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    return one_line(told).strip() or SOMEBODY


def _is_locked(descriptor: int) -> bool:
    """Whether somebody holds it; whoever takes it at this very moment tries again at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
