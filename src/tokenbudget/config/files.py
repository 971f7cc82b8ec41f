"""Read a small file that anybody may have put there: nothing hangs, nothing is read without end.

And keep one of ours in the data folder: what was last good, with the moment when it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

MOST_BYTES = 4_000_000
"""Larger than any settings file that a person wrote; the agent's own are of a few kilobytes."""
_READ_BYTES = 1 << 16
_LATEST_MS = 253_402_300_800_000
"""The year 10000: what is said to be later was not written by us."""


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


def day_of(at_ms: int) -> str:
    """A moment as a person reads it, in the machine's own zone."""
    import time

    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_ms / 1000))


def moment_ms(text: str) -> int:
    """A moment that we once wrote; 0 where it is none."""
    at_ms = int(text) if text.isdecimal() and len(text) < 16 else 0
    return at_ms if at_ms < _LATEST_MS else 0


def kept_bytes(path: str) -> bytes | None:
    """A file of ours in the data folder; None where it cannot be read."""
    try:
        return read_regular(path)
    except OSError:
        return None


def keep_bytes(data_dir: str, name: str, data: bytes) -> None:
    """Put a file of ours into the data folder, if that can be."""
    from tokenbudget.system.atomic import write_atomic

    with contextlib.suppress(OSError):
        os.makedirs(data_dir, 0o700, exist_ok=True)
        write_atomic(os.path.join(data_dir, name), data)
