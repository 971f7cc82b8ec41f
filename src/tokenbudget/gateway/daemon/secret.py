"""The secret that a hook over HTTP shows: made once, kept in a file that only its owner reads.

While it is there, there are hooks that know it: every daemon then serves HTTP as well and stays.
`tokens uninstall` removes it.
"""

from __future__ import annotations

import contextlib
import os
import stat

from tokenbudget.gateway.daemon.places import SECRET, made_run_folder, place
from tokenbudget.model.errors import ProjectUnusable, Refused

SECRET_BYTES = 32
MOST_BYTES = 1024
_HEX = frozenset("0123456789abcdef")


def secret_of(home: str) -> str:
    """The secret; made where there is none, or none that could be one.

    Raises:
        ProjectUnusable: it cannot be read or written.
        Refused: its place is taken by something that is not ours.
    """
    made_run_folder(home)
    known = known_secret(home)
    return known or _made(home)


def _made(home: str) -> str:
    """A new secret, unless another process is first. A name is given to it when it is whole."""
    path = place(home, SECRET)
    new = f"{path}.{os.urandom(4).hex()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(new, flags, 0o600)
        try:
            os.write(descriptor, os.urandom(SECRET_BYTES).hex().encode() + b"\n")
            os.fsync(descriptor)
            _name(new, path, home)
        finally:
            os.close(descriptor)
            os.unlink(new)
    except OSError as exc:
        raise ProjectUnusable(f"cannot write {path} ({exc.strerror})") from exc
    return known_secret(home)


def _name(new: str, path: str, home: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.link(new, path)
        return
    if not known_secret(home):  # what has the name is damaged
        os.unlink(path)
        os.link(new, path)


def known_secret(home: str) -> str:
    """The secret if there is one, else ''.

    Raises:
        ProjectUnusable: it is there and cannot be read.
        Refused: it is a link, another user's, or readable for others.
    """
    path = place(home, SECRET)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    except OSError as exc:
        if os.path.islink(path):
            raise Refused(f"{path} is a link; remove it, and try again") from exc
        raise ProjectUnusable(f"cannot read {path} ({exc.strerror})") from exc
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            raise Refused(f"{path} is no file of yours; remove it, and try again")
        if found.st_mode & 0o077:
            raise Refused(f"{path} could be read by others; remove it, and install again")
        text = os.read(descriptor, MOST_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    is_one = len(text) == 2 * SECRET_BYTES and _HEX.issuperset(text)
    return text if is_one else ""


def remove_secret(home: str) -> bool:
    """Forget the secret; whether there was one.

    Raises:
        ProjectUnusable: it cannot be removed.
    """
    path = place(home, SECRET)
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise ProjectUnusable(f"cannot remove {path} ({exc.strerror})") from exc
    return True
