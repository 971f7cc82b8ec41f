"""Write a file so that a reader sees the old or the new one, never a part."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


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
    temporary = f".{name}.{os.urandom(8).hex()}.tmp"
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
