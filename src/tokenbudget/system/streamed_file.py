"""Write a large file piece by piece so that a reader sees the old or the new one, never a part."""

from __future__ import annotations

import contextlib
import io
import os

from tokenbudget.system.atomic import RANDOM_BYTES, remove_strays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

BUFFER_BYTES = 1 << 18


@contextlib.contextmanager
def replaced_file_at(folder: int, name: str, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of `name` in an open folder at the end.

    It is a temporary file beside it until then: written, brought to the disk, renamed. Where the
    block raises or anything fails, it is removed and the file before still stands. No link is
    followed; one at `name` is replaced.

    Raises:
        OSError: it cannot be written.
    """
    temporary = f".{name}.{os.urandom(RANDOM_BYTES).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    raw = io.FileIO(os.open(temporary, flags, 0o600, dir_fd=folder), "wb")
    handle = io.BufferedWriter(raw, BUFFER_BYTES)
    try:
        yield handle
        handle.flush()
        os.fchmod(raw.fileno(), mode)
        os.fsync(raw.fileno())
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
    finally:
        with contextlib.suppress(OSError, ValueError):  # the disk is full: what is buffered is lost
            handle.close()
        raw.close()
    os.fsync(folder)
    with contextlib.suppress(OSError):  # it was written, whatever else lies there
        remove_strays(folder, name)
