"""Open, hash and copy regular files of our own: no link followed, nothing that blocks.

What is read for keeping may be written by an agent at the same time, so every file is held by its
descriptor, and `version_of` says afterwards whether it is still what was read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from typing import NamedTuple

from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 20
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NONBLOCK
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Version(NamedTuple):
    """What is different after anybody wrote a file or put another one in its place."""

    device: int
    inode: int
    size_bytes: int
    mtime_ns: int


def version_of(facts: os.stat_result) -> Version:
    """The version that these facts speak of."""
    return Version(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@contextlib.contextmanager
def opened_folder(path: str) -> Iterator[int]:
    """A descriptor of the folder; it may be reached through links.

    Raises:
        SourceUnreadable: it is not there, no folder, or may not be read.
    """
    try:
        folder = os.open(path or ".", OPEN_FOLDER)
    except (OSError, ValueError) as wrong:
        raise unreadable(path, wrong) from wrong
    try:
        yield folder
    finally:
        os.close(folder)


@contextlib.contextmanager
def opened_file(
    folder: int, name: str, path: str, *, may_have_links: bool = False
) -> Iterator[int]:
    """A descriptor of a regular file of our own with no other name; `path` is for messages.

    Raises:
        Refused: it is a link, no regular file, another user's, or has a second name, whose bytes
            would be moved away from whoever knows it by that one.
        SourceUnreadable: it is not there, or may not be read.
    """
    try:
        descriptor = os.open(name, _OPEN_FILE, dir_fd=folder)
    except (OSError, ValueError) as wrong:
        if isinstance(wrong, OSError) and wrong.errno == errno.ELOOP:
            raise Refused(f"{quoted(path)} is a link; it is left where it is") from wrong
        raise unreadable(path, wrong) from wrong
    try:
        facts = os.fstat(descriptor)
        _refuse_what_is_not_plain(facts, path)
        if facts.st_nlink > 1 and not may_have_links:
            raise Refused(f"{quoted(path)} has a second name (a hard link); it is left as it is")
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse_what_is_not_plain(facts: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise Refused(f"{quoted(path)} is no regular file; it is left where it is")
    if facts.st_uid != os.geteuid():
        raise Refused(f"{quoted(path)} belongs to another user; it is left where it is")


def is_still(folder: int, name: str, version: Version) -> bool:
    """Whether the name still leads to this very version; a link there never does."""
    try:
        return version_of(os.stat(name, dir_fd=folder, follow_symlinks=False)) == version
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def new_file(folder: int, name: str) -> Iterator[int]:
    """A descriptor of a file that was not there, mode 0600; removed again if the block fails."""
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=folder)
    try:
        yield descriptor
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)


def chunks(descriptor: int, most_bytes: int | None = None) -> Iterator[bytes]:
    """The bytes of a file from its start, wherever its descriptor stands; at most so many."""
    at = 0
    while most_bytes is None or at < most_bytes:
        wanted = CHUNK_BYTES if most_bytes is None else min(CHUNK_BYTES, most_bytes - at)
        part = os.pread(descriptor, wanted, at)
        if not part:
            return
        at += len(part)
        yield part


def sha256_of(descriptor: int, most_bytes: int | None = None) -> str:
    """The hash of everything in the file, or of its first bytes."""
    digest = hashlib.sha256()
    for part in chunks(descriptor, most_bytes):
        digest.update(part)
    return digest.hexdigest()


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, however few the system takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def copy_verified(source: int, folder: int, name: str) -> str:
    """Copy into a new durable file with the source's mode and times; its hash, read back.

    Raises:
        OSError: it cannot be written, or what was read back is not what was written (EIO).
    """
    facts = os.fstat(source)
    with new_file(folder, name) as copy:
        digest = hashlib.sha256()
        for part in chunks(source):
            digest.update(part)
            write_all(copy, part)
        os.fchmod(copy, stat.S_IMODE(facts.st_mode) & 0o777)
        os.utime(copy, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        os.fsync(copy)
        if sha256_of(copy) != digest.hexdigest():
            raise OSError(errno.EIO, "the copy does not read back as it was written")
    return digest.hexdigest()


def place(from_folder: int, from_name: str, folder: int, name: str) -> None:
    """Give a file a new name in a folder where nothing has it: atomically, never over another.

    Raises:
        FileExistsError: something has the name already.
        OSError: EXDEV between file systems, and whatever else the system says.
    """
    try:
        os.link(from_name, name, src_dir_fd=from_folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as wrong:
        if wrong.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # A file system without hard links (exFAT): look first; nobody can do better there.
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            raise FileExistsError(errno.EEXIST, "it is there already", name) from wrong
        os.rename(from_name, name, src_dir_fd=from_folder, dst_dir_fd=folder)
        return
    os.unlink(from_name, dir_fd=from_folder)


def unreadable(path: str, wrong: OSError | ValueError) -> SourceUnreadable:
    """The error that names the file and the system's reason."""
    reason = wrong.strerror if isinstance(wrong, OSError) else "no file has such a name"
    return SourceUnreadable(f"cannot read {quoted(path)}: {reason}")


def quoted(path: str) -> str:
    """A path as a message may show it, whoever chose its letters."""
    return f"'{one_line(path[:500])}'"
