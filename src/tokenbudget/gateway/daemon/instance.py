"""One daemon per home: the kernel's lock says which, and a line in its file says who that is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import struct
from typing import NamedTuple

from tokenbudget.gateway.daemon.places import LOCK, RUN, SOCKET, place
from tokenbudget.system.locks import FileLock

PID_BYTES = 20
MOST_PID = 1 << 31
LONGEST_SOCKET_PATH = 100
"""Systems have room for 104 to 108 bytes."""
_CREDENTIALS = struct.Struct("3i")


class Instance:
    """The right to be the daemon of a home, until `release` or the end of the process."""

    def __init__(self, home: str) -> None:
        self._path = place(home, LOCK)
        self._lock = FileLock(self._path)
        self._file: tuple[int, int] | None = None

    def try_acquire(self) -> bool:
        """Become the daemon, unless another one is.

        Raises:
            OSError: the lock cannot be opened or written.
        """
        if not self._lock.try_acquire():
            return False
        found = self._name(str(os.getpid()).encode())
        self._file = (found.st_dev, found.st_ino)
        return True

    def is_lost(self) -> bool:
        """Whether the lock's file is gone or another one: then others cannot see that we hold it.

        This is so when somebody removed the folder.
        """
        try:
            found = os.lstat(self._path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._file

    def release(self) -> None:
        """Let another one be the daemon."""
        if self._file is not None and not self.is_lost():
            with contextlib.suppress(OSError):
                self._name(b"")
        self._lock.release()

    def _name(self, who: bytes) -> os.stat_result:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, who.ljust(PID_BYTES), 0)
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)


class Holder(NamedTuple):
    """Who holds the lock."""

    is_there: bool
    pid: int = 0
    """0 where it cannot be told for certain."""


def holder_of(home: str) -> Holder:
    """Whether a daemon of this home runs, and its process as the lock's file names it.

    Raises:
        OSError: the lock's file is there and cannot be looked at.
    """
    path = place(home, LOCK)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Holder(is_there=False)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Holder(is_there=False)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return Holder(is_there=False)
        except BlockingIOError:
            pass
        text = os.read(descriptor, PID_BYTES).strip()
    finally:
        os.close(descriptor)
    is_number = text.isdigit() and 1 < int(text) < MOST_PID
    return Holder(is_there=True, pid=int(text) if is_number else 0)


def connected(home: str, seconds: float) -> socket.socket:
    """A connection to the daemon's socket, however long the path of the home is.

    Raises:
        OSError: nobody listens there, or not in time.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        path = place(home, SOCKET)
        if len(os.fsencode(path)) < LONGEST_SOCKET_PATH:
            connection.connect(path)
        else:
            _connect_from(home, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_from(home: str, connection: socket.socket) -> None:
    """Connect by the short name, which holds where this process stands only for a moment."""
    before = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.chdir(home)
        connection.connect(f"{RUN}/{SOCKET}")
    finally:
        os.fchdir(before)
        os.close(before)


def listener_of(home: str, seconds: float) -> int:
    """The process that listens on the socket, as the kernel knows it; 0 where it does not say.

    Raises:
        OSError: nobody listens there.
    """
    wish = getattr(socket, "SO_PEERCRED", None)  # Linux
    with connected(home, seconds) as connection:
        if wish is None:
            return 0
        told = connection.getsockopt(socket.SOL_SOCKET, wish, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[0])
