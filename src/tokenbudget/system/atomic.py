"""Write a file so that a reader sees the old or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM_BYTES = 8
_HEX = frozenset("0123456789abcdef")

STRAY_SECONDS = 3600
"""A temporary file this much older than the last write was left by a process that was killed."""


def write_atomic(path: str, data: bytes, mode: int = 0o600) -> None:
    """Replace `path` by `data`: temporary file beside it, fsync, rename, fsync of the folder.

    Raises:
        OSError: the folder cannot be written; the old file then still stands.
    """
    folder, name = os.path.split(path)
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        write_atomic_at(descriptor, name, data, mode)
    finally:
        os.close(descriptor)


def write_atomic_at(
    folder: int,
    name: str,
    data: bytes,
    mode: int | None = 0o600,
    before_rename: Callable[[], None] | None = None,
) -> None:
    """The same inside an open folder that somebody else may have prepared.

    No link is followed: not by the temporary file, whose name nobody can know before, and not at
    `name`, where a link is replaced and its target left alone.

    Args:
        folder: A descriptor of the folder.
        name: A bare file name.
        data: What the file will hold.
        mode: Exactly this one, whatever the umask; None is what the umask leaves of 0666.
        before_rename: Called at the last moment; what it raises stops the writing.

    Raises:
        OSError: it cannot be written; the old file then still stands.
    """
    temporary = f".{name}.{os.urandom(RANDOM_BYTES).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            if mode is not None:
                os.fchmod(descriptor, mode)
            handle.write(data)
            handle.flush()
            os.fsync(descriptor)
        if before_rename is not None:
            before_rename()
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def remove_strays(folder: int, name: str) -> None:
    """Remove what killed processes left of this file; the clock is that of the file system.

    Raises:
        OSError: the file is not there, or a stray cannot be removed.
    """
    last = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime - STRAY_SECONDS
    for stray in os.listdir(folder):
        if not _is_ours(stray, name):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process has just renamed it
            found = os.stat(stray, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_mtime < last:
                os.unlink(stray, dir_fd=folder)


def _is_ours(stray: str, name: str) -> bool:
    """Whether it has the name of a temporary file as `write_atomic_at` makes it."""
    start, end = f".{name}.", ".tmp"
    middle = stray.removeprefix(start).removesuffix(end)
    is_named = stray == start + middle + end
    return is_named and len(middle) == 2 * RANDOM_BYTES and _HEX.issuperset(middle)
