"""Read a small file that anybody may have put there: nothing hangs, nothing is read without end."""

from __future__ import annotations

import errno
import os
import stat

MOST_BYTES = 4_000_000
"""Larger than any settings file that a person wrote; the agent's own are of a few kilobytes."""
_READ_BYTES = 1 << 16


def read_regular(path: str, most_bytes: int = MOST_BYTES) -> bytes | None:
    """The bytes of a regular file; None where there is no file.

    Raises:
        OSError: it may not be read, is a pipe, a folder or a device, or is too large; `strerror`
            says which.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY  # a pipe would wait for ever
    try:
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as exc:
        raise OSError(errno.EINVAL, "its name holds a null character", path) from exc
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        return _all_of(descriptor, path, most_bytes)
    finally:
        os.close(descriptor)


def _all_of(descriptor: int, path: str, most_bytes: int) -> bytes:
    """Everything up to the end; the size that the file claims is not believed."""
    parts = []
    left = most_bytes + 1
    while left > 0 and (part := os.read(descriptor, min(left, _READ_BYTES))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise OSError(errno.EFBIG, f"it holds more than {most_bytes // 1_000_000} MB", path)
    return b"".join(parts)


def with_home(path: str, home: str) -> str:
    """A path with `~` for the home folder, as people write it."""
    return f"~{path[len(home) :]}" if home and path.startswith(home.rstrip("/") + "/") else path
