"""The daemon's two doors: a socket in its own folder, and a port of this machine alone."""

from __future__ import annotations

import contextlib
import os
import socket
import stat

from tokenbudget.gateway.daemon.places import RUN, SOCKET, place
from tokenbudget.gateway.hook_files import HOST
from tokenbudget.model.errors import ProjectUnusable, Refused

BACKLOG = 256
_NEW = f"{SOCKET}.new"


def socket_listener(home: str) -> socket.socket:
    """The socket, listening, mode 0600; one that a killed daemon left is replaced.

    It gets its name when it listens, so that no client finds one that does not yet. Called by the
    one that holds the lock.

    Raises:
        Refused: what has its name is no socket; nothing was changed.
        ProjectUnusable: it cannot be made.
    """
    path = place(home, SOCKET)
    if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise Refused(f"{path} is no socket, and may be yours; remove it, and try again")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.chdir(os.path.join(home, RUN))  # a socket's whole path may have no more than 107 bytes
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_NEW)
        listener.bind(_NEW)
        os.chmod(_NEW, 0o600)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        os.rename(_NEW, SOCKET)
    except OSError as exc:
        listener.close()
        raise ProjectUnusable(
            f"cannot make {path} ({exc.strerror}); hooks go on without a daemon"
        ) from exc
    finally:
        os.fchdir(before)
        os.close(before)
    return listener


def http_listener(port: int) -> socket.socket:
    """A port of 127.0.0.1, listening.

    Raises:
        OSError: it is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # For a port whose last connections linger. On Linux and macOS a second listener on the same
        # address and port is refused all the same.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
