"""Where the daemon's files are: all in one folder that nobody else may look into."""

from __future__ import annotations

import contextlib
import os
import stat

from tokenbudget.model.errors import ProjectUnusable, Refused

RUN = "run"
SOCKET = "daemon.sock"
LOCK = "daemon.lock"
ABOUT = "daemon.json"
LOG = "daemon.log"
OLD_LOG = "daemon.old.log"
SECRET = "secret"


def run_folder(home: str) -> str:
    """The folder of everything that belongs to a running daemon."""
    return os.path.join(home, RUN)


def place(home: str, name: str) -> str:
    """One file in that folder."""
    return os.path.join(home, RUN, name)


def made_run_folder(home: str) -> str:
    """The folder, there, ours and for nobody else.

    Raises:
        ProjectUnusable: it cannot be made, or its mode cannot be set.
        Refused: it is a link, no folder, or another user's.
    """
    path = run_folder(home)
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            raise Refused(f"{path} is no folder; remove it, and try again")
        if found.st_uid != os.getuid():
            raise Refused(f"{path} belongs to another user; remove it, and try again")
        if found.st_mode & 0o077:
            os.chmod(path, 0o700)
    except OSError as exc:
        raise ProjectUnusable(
            f"cannot use {path} ({exc.strerror}); hooks go on without a daemon"
        ) from exc
    return path


def default_port(user: int) -> int:
    """The port of 127.0.0.1 that belongs to a user unless `serve.port` says another.

    It must not change, because the agent's settings name it. It is below the ports that systems
    hand out to outgoing connections, and other users of the machine have other ones.
    """
    return 27_100 + user % 900
