"""Give a session back: byte for byte, looked at as a whole first, and never over another file.

Everything is unpacked and checked in a staging folder first. What a manifest says is not believed:
every step below the target goes through descriptors and follows no link.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import NamedTuple

from tokenbudget.archive.container import unpack
from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.manifest import CAPS, ArchiveRecord, Caps, FileRecord, checked
from tokenbudget.archive.verify import check_bytes
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.regular_file import (
    OPEN_FOLDER,
    new_file,
    opened_file,
    opened_folder,
    place,
    quoted,
    sha256_of,
    write_all,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STAGING = ".tokens-recover."
STRAY_SECONDS = 3600
"""A staging folder this much older than a new one was left by a process that was killed."""


class Recovered(NamedTuple):
    """The names that were given back, and those that were there already, byte for byte."""

    archive: ArchiveRecord
    placed: tuple[str, ...]
    were_there: tuple[str, ...]


def recover(
    folder_path: str,
    session: str,
    to: str,
    *,
    archive_file: str | None = None,
    keep_mtime: bool = False,
    caps: Caps = CAPS,
) -> Recovered:
    """Unpack a session's newest archive, or the one named, into the folder `to`.

    Args:
        folder_path: The archive's folder.
        session: Which one.
        to: The folder that the names in the archive start from; made if missing. It is the
            caller's word, and the only one, on where files may come to lie: `original_root`
            says where they were.
        archive_file: One of the session's archives, by its file name.
        keep_mtime: Give the files their old times; agents delete old files, so the time is now
            unless asked.
        caps: What may be unpacked.

    Raises:
        SourceUnreadable: no such session, or manifest or archive are damaged.
        Refused: another file is in the way, or the manifest asks for what may not be done;
            nothing was changed.
        ProjectUnusable: it cannot be written there. What was placed is whole and stays; doing it
            again completes it.
    """
    with opened_archive(folder_path) as folder:
        record = checked(_chosen(folder, folder_path, session, archive_file), caps)
        try:
            os.makedirs(to, mode=0o700, exist_ok=True)
            with (
                opened_folder(to) as root,
                opened_file(folder, record.file, record.file, may_have_links=True) as source,
            ):
                check_bytes(source, record)
                with _staged(root, source, record, keep_mtime) as staging:
                    return _placed(root, staging, record, to)
        except OSError as wrong:
            raise ProjectUnusable(f"cannot write in {quoted(to)}: {wrong.strerror}") from wrong


def original_root(record: ArchiveRecord) -> str | None:
    """The one folder that all files of a session came from, by their names; None if there is none.

    It was read from the manifest: whether files may be written there, the caller decides.
    """
    roots = {
        file.path.removesuffix(f"/{file.name}") if file.path.endswith(f"/{file.name}") else None
        for file in record.files
    }
    return roots.pop() if len(roots) == 1 else None


def _chosen(folder: int, path: str, session: str, archive_file: str | None) -> ArchiveRecord:
    found = load(folder, path).of_session(session)
    if archive_file is not None:
        found = tuple(record for record in found if record.file == archive_file)
    if not found:
        raise SourceUnreadable(f"the archive {quoted(path)} has no session {quoted(session)}")
    return found[-1]


@contextlib.contextmanager
def _staged(root: int, source: int, record: ArchiveRecord, keep_mtime: bool) -> Iterator[int]:
    """A folder with the files, whole and durable, named by their numbers; gone afterwards."""
    name = f"{STAGING}{os.urandom(8).hex()}"
    os.mkdir(name, 0o700, dir_fd=root)
    try:
        staging = os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=root)
        try:
            _remove_strays(root, os.fstat(staging).st_mtime - STRAY_SECONDS)
            _unpack_into(staging, source, record, keep_mtime)
            yield staging
        finally:
            os.close(staging)
    finally:
        _remove_staging(root, name)


def _remove_strays(root: int, latest_mtime: float) -> None:
    for name in os.listdir(root):
        if name.startswith(STAGING):
            with contextlib.suppress(OSError):
                if os.stat(name, dir_fd=root, follow_symlinks=False).st_mtime < latest_mtime:
                    _remove_staging(root, name)


def _remove_staging(root: int, name: str) -> None:
    """Remove the folder and the numbered files in it; whatever else is there stays."""
    with contextlib.suppress(OSError):
        staging = os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=root)
        try:
            for left in filter(str.isdecimal, os.listdir(staging)):
                os.unlink(left, dir_fd=staging)
        finally:
            os.close(staging)
        os.rmdir(name, dir_fd=root)


def _unpack_into(staging: int, source: int, record: ArchiveRecord, keep_mtime: bool) -> None:
    with contextlib.ExitStack() as stack:
        opened = _Opened(staging, stack)
        unpack(source, record, lambda number, data: write_all(opened[number], data))
        for number, file in enumerate(record.files):
            with _existing_or_new(staging, number) as descriptor:
                os.fchmod(descriptor, file.mode)
                if keep_mtime:
                    os.utime(descriptor, ns=(file.mtime_ns, file.mtime_ns))
                os.fsync(descriptor)


class _Opened:
    """The staged file being written: only one is open at a time, however many there are."""

    def __init__(self, staging: int, stack: contextlib.ExitStack) -> None:
        self._staging, self._stack = staging, stack
        self._number, self._descriptor = -1, -1

    def __getitem__(self, number: int) -> int:
        if number != self._number:
            self._stack.close()
            self._descriptor = self._stack.enter_context(new_file(self._staging, str(number)))
            self._number = number
        return self._descriptor


@contextlib.contextmanager
def _existing_or_new(staging: int, number: int) -> Iterator[int]:
    """The staged file, open for fsync; an empty one was never written to, and is made now."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(str(number), flags, 0o600, dir_fd=staging)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _placed(root: int, staging: int, record: ArchiveRecord, to: str) -> Recovered:
    """Give every file its name: looked at all first, so that a refusal changes nothing."""
    there = [file.name for file in record.files if _is_there(root, file, to)]
    placed = []
    for number, file in enumerate(record.files):
        if file.name not in there:
            _place_one(root, staging, number, file, to)
            placed.append(file.name)
    return Recovered(record, tuple(placed), tuple(there))


def _is_there(root: int, file: FileRecord, to: str) -> bool:
    """Whether the very same bytes are there already.

    Raises:
        Refused: something else is, or a part of the way is a link or no folder.
    """
    path = os.path.join(to, file.name)
    try:
        with _parent(root, file.name, path, may_make=False) as (folder, name):
            os.stat(name, dir_fd=folder, follow_symlinks=False)
            with opened_file(folder, name, path, may_have_links=True) as descriptor:
                is_same = sha256_of(descriptor) == file.sha256
    except FileNotFoundError:
        return False
    if not is_same:
        raise Refused(f"{quoted(path)} is there with other content; move it away first")
    return True


def _place_one(root: int, staging: int, number: int, file: FileRecord, to: str) -> None:
    path = os.path.join(to, file.name)
    with _parent(root, file.name, path, may_make=True) as (folder, name):
        try:
            place(staging, str(number), folder, name)
        except FileExistsError as wrong:
            raise Refused(f"{quoted(path)} has just appeared; nothing is written") from wrong
        os.fsync(folder)


@contextlib.contextmanager
def _parent(root: int, name: str, path: str, *, may_make: bool) -> Iterator[tuple[int, str]]:
    """The folder that a name ends in, reached step by step from the root, and its last part."""
    *folders, last = name.split("/")
    folder = os.dup(root)
    try:
        for part in folders:
            inside = _step(folder, part, path, may_make=may_make)
            os.close(folder)
            folder = inside
        yield folder, last
    finally:
        os.close(folder)


def _step(folder: int, part: str, path: str, *, may_make: bool) -> int:
    try:
        if may_make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=folder)
                os.fsync(folder)
        return os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as wrong:
        if wrong.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(f"a link or file is in the way of {quoted(path)}; remove it") from wrong
        raise
