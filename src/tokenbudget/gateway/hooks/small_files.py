"""Small files read and replaced in one go, without waiting for anything but the disk."""

import posix

LONGEST_FILE_NAME = 255


def content_of(path: str, most_bytes: int) -> bytes:
    """A whole regular file; nothing where it is none, is larger, or cannot be read."""
    try:
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        found = posix.fstat(descriptor)
        if (found.st_mode & 0o170000) != 0o100000 or found.st_size > most_bytes:
            return b""
        return posix.read(descriptor, most_bytes)
    except OSError:
        return b""
    finally:
        posix.close(descriptor)


def kept_content(path: str, temporary: str, most_bytes: int, is_held: bool) -> bytes:
    """What `replace` put there last, also where it was killed on its way.

    `is_held`: the caller holds the lock on both names, and so ends what was begun; else the next
    `replace` would begin with the only copy.
    """
    data = content_of(path, most_bytes)
    if data or stamp_of(path):
        return data
    data = content_of(temporary, most_bytes)
    if data and is_held:
        try:  # noqa: SIM105 - contextlib takes as long as all the rest
            posix.rename(temporary, path)
        except OSError:  # then what is written next says whether that can be kept
            pass
    return data


def replace(path: str, temporary: str, data: bytes) -> None:
    """Put a file in another's place; `kept_content` finds the old or the new one, never a part.

    The old one is removed before the new one gets its name: a file that is renamed over another is
    flushed by ext4, which takes 0.1 ms, and 9 ms where the disk is busy. Nothing here is worth
    waiting for a disk; after a power failure the file may be gone. Whoever calls this holds a lock
    on both names.

    Raises:
        OSError: it cannot be written; the old file still stands.
    """
    try:
        _write(temporary, data)
        try:  # noqa: SIM105 - contextlib takes as long as all the rest
            posix.unlink(path)
        except FileNotFoundError:
            pass
        posix.rename(temporary, path)
    except OSError:
        _remove(temporary)  # else it would be found once the other one is gone
        raise


def _write(path: str, data: bytes) -> None:
    flags = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_NOFOLLOW | posix.O_CLOEXEC
    descriptor = posix.open(path, flags | posix.O_NONBLOCK, 0o600)
    try:
        written = posix.write(descriptor, data)
    finally:
        posix.close(descriptor)
    if written != len(data):
        raise OSError(f"{path} took {written} of {len(data)} bytes")


def _remove(path: str) -> None:
    try:  # noqa: SIM105 - as above
        posix.unlink(path)
    except OSError:
        pass


def make_folders(*paths: str) -> None:
    """Make these folders, each inside the one before it; only for their owner.

    Raises:
        OSError: one cannot be made.
    """
    for path in paths:
        try:  # noqa: SIM105 - contextlib takes as long as all the rest
            posix.mkdir(path, 0o700)
        except FileExistsError:
            pass


def stamp_of(path: str) -> "tuple[int, int, int] | None":
    """Bytes of a regular file, and when its content and its entry last changed (ns)."""
    try:
        found = posix.stat(path)
    except (OSError, ValueError):
        return None
    if (found.st_mode & 0o170000) != 0o100000:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
