"""The archive's folder: made private, opened without following a link, one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os

from tokenbudget.archive.manifest import NAME, Manifest, decoded, encoded, is_archive_file
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.regular_file import OPEN_FOLDER, opened_file, quoted, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

IGNORE_NAME, IGNORE_ALL = ".gitignore", b"*\n"
INNER_PARTS = 3
"""`.claude/sessions/archive`: below the project no link is followed, for it may be anyone's."""
MOST_MANIFEST_BYTES = 1 << 30


@contextlib.contextmanager
def opened_archive(path: str) -> Iterator[int]:
    """A descriptor of an archive folder that is there, for reading.

    Raises:
        SourceUnreadable: it is not there, or may not be read.
        Refused: one of its last three parts is a link, no folder, or another user's.
    """
    folder = _open_chain(os.path.abspath(path), may_make=False)
    try:
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked_archive(path: str, *, may_make: bool = True) -> Iterator[int]:
    """The same for writing, by nobody else at the time; made where it is missing.

    What a killed writer left unfinished is removed. The kernel gives the lock back when the
    process ends, however it does; the folder itself is locked, so there is no lock file to forge.

    Raises:
        Refused: as above, or another process is writing.
        ProjectUnusable: it cannot be made or written.
    """
    folder = _open_chain(os.path.abspath(path), may_make=may_make)
    try:
        _lock(folder, path)
        if may_make:
            _hide(folder)
        _remove_strays(folder)
        yield folder
    except OSError as wrong:
        raise unusable(path, wrong) from wrong
    finally:
        os.close(folder)


def load(folder: int, path: str) -> Manifest:
    """The folder's manifest; an archive folder without one and without archives is empty.

    Raises:
        SourceUnreadable: it is damaged, or there are archives and no manifest.
        Refused: a newer version wrote it, or it is no file.
    """
    where = os.path.join(path, NAME)
    if NAME not in os.listdir(folder):
        if archive_files(folder):
            raise SourceUnreadable(f"{quoted(where)} is missing; it can be rebuilt")
        return Manifest()
    return decoded(read_small(folder, NAME, where), where)


def save(folder: int, manifest: Manifest) -> None:
    """Replace the manifest; a reader sees the old or the new one. Raises OSError."""
    write_atomic_at(folder, NAME, encoded(manifest))


def read_small(folder: int, name: str, path: str) -> bytes:
    """A file of ours as a whole.

    Raises:
        SourceUnreadable: it is not there, or larger than any manifest.
        Refused: it is a link or no regular file.
    """
    try:
        with opened_file(folder, name, path, may_have_links=True) as descriptor:
            if os.fstat(descriptor).st_size > MOST_MANIFEST_BYTES:
                raise SourceUnreadable(f"{quoted(path)} is too large to be a manifest")
            with os.fdopen(descriptor, "rb", closefd=False) as handle:
                return handle.read()
    except OSError as wrong:
        raise unreadable(path, wrong) from wrong


def archive_files(folder: int) -> list[str]:
    """The names of what looks like archives, sorted."""
    return sorted(name for name in os.listdir(folder) if is_archive_file(name))


def unusable(path: str, wrong: OSError) -> ProjectUnusable:
    """The error for a system call that failed while writing."""
    return ProjectUnusable(f"cannot write the archive {quoted(path)}: {wrong.strerror}")


def _open_chain(path: str, *, may_make: bool) -> int:
    parts = path.split("/")
    base, inner = "/".join(parts[:-INNER_PARTS]) or "/", parts[-INNER_PARTS:]
    try:
        folder = os.open(base, OPEN_FOLDER)
        for number, name in enumerate(inner, 1):
            try:
                inside = _open_part(folder, name, may_make, is_last=number == len(inner))
            finally:
                os.close(folder)
            folder = inside
    except (OSError, ValueError) as wrong:
        if isinstance(wrong, OSError) and wrong.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(f"part of {quoted(path)} is a link or no folder; remove it") from wrong
        if may_make and isinstance(wrong, OSError):
            raise unusable(path, wrong) from wrong
        raise unreadable(path, wrong) from wrong
    if os.fstat(folder).st_uid != os.geteuid():
        os.close(folder)
        raise Refused(f"{quoted(path)} belongs to another user; nothing is written there")
    return folder


def _open_part(parent: int, name: str, may_make: bool, *, is_last: bool) -> int:
    with contextlib.suppress(FileNotFoundError):
        return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    if not may_make:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    with contextlib.suppress(FileExistsError):  # another archiver was quicker
        # The agent's own folders are made as it would, by the umask; ours is private.
        os.mkdir(name, 0o700 if is_last else 0o777, dir_fd=parent)
        os.fsync(parent)
    return os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=parent)


def _lock(folder: int, path: str) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as wrong:
        if wrong.errno in (errno.EAGAIN, errno.EACCES):
            raise Refused(f"another process is writing {quoted(path)}; try again later") from wrong
        raise


def _hide(folder: int) -> None:
    if IGNORE_NAME not in os.listdir(folder):
        write_atomic_at(folder, IGNORE_NAME, IGNORE_ALL)


def _remove_strays(folder: int) -> None:
    """Temporary files of killed writers: whoever holds the lock knows that nobody writes them."""
    for name in os.listdir(folder):
        if name.startswith(".") and name.endswith(".tmp"):
            os.unlink(name, dir_fd=folder)
