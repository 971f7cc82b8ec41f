"""Files of an archive, unpacked into a folder under numbers: no name of theirs is used yet."""

from __future__ import annotations

import contextlib
import os

from tokenbudget.archive.clashes import remove_probe
from tokenbudget.archive.container import unpack
from tokenbudget.system.regular_file import OPEN_FOLDER, new_file, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from tokenbudget.archive.manifest import ArchiveRecord, FileRecord

    Numbered: TypeAlias = Mapping[int, FileRecord]
    """Some files of an archive, by their place in it."""

STAGING = ".tokens-recover."
STRAY_SECONDS = 3600
"""A staging folder this much older than a new one was left by a process that was killed."""


def numbered(record: ArchiveRecord, sessions: frozenset[str]) -> Numbered:
    """The files of these sessions."""
    return {n: file for n, file in enumerate(record.files) if file.session in sessions}


@contextlib.contextmanager
def staged(
    root: int, source: int, record: ArchiveRecord, files: Numbered, keep_mtime: bool
) -> Iterator[int]:
    """A new folder below the root with the files, whole and durable; it is gone afterwards.

    Raises:
        SourceUnreadable: one of them is not what its hash says.
        OSError: the archive cannot be read, or the folder cannot be written.
    """
    name = f"{STAGING}{os.urandom(8).hex()}"
    os.mkdir(name, 0o700, dir_fd=root)
    try:
        with _inside(root, name) as staging:
            _remove_strays(root, os.fstat(staging).st_mtime - STRAY_SECONDS)
            unpack_into(staging, source, record, files)
            for number, file in files.items():
                with _opened_again(staging, number) as descriptor:
                    os.fchmod(descriptor, file.mode)
                    if keep_mtime:
                        os.utime(descriptor, ns=(file.mtime_ns, file.mtime_ns))
                    os.fsync(descriptor)
            yield staging
    finally:
        _remove_staging(root, name)


def unpack_into(folder: int, source: int, record: ArchiveRecord, files: Numbered) -> None:
    """Unpack the files, checked by their hashes and not durable, mode 0600; raises as `staged`."""
    with contextlib.ExitStack() as stack:
        opened = _Opened(folder, stack)
        unpack(source, record, lambda number, data: write_all(opened[number], data), files)
    for number, file in files.items():
        if not file.size_bytes:  # nothing was written to it
            with new_file(folder, str(number)):
                continue


class _Opened:
    """The file being written: only one is open at a time, however many there are."""

    def __init__(self, folder: int, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._number, self._descriptor = -1, -1

    def __getitem__(self, number: int) -> int:
        if number != self._number:
            self._stack.close()
            self._descriptor = self._stack.enter_context(new_file(self._folder, str(number)))
            self._number = number
        return self._descriptor


@contextlib.contextmanager
def _opened_again(folder: int, number: int) -> Iterator[int]:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(str(number), flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove_strays(root: int, latest_mtime: float) -> None:
    for name in os.listdir(root):
        if name.startswith(STAGING):
            with contextlib.suppress(OSError):
                if os.stat(name, dir_fd=root, follow_symlinks=False).st_mtime < latest_mtime:
                    _remove_staging(root, name)


def _remove_staging(root: int, name: str) -> None:
    """Remove the folder, the numbered files in it and the probe; whatever else is there stays."""
    with contextlib.suppress(OSError):
        with _inside(root, name) as staging:
            for left in filter(str.isdecimal, os.listdir(staging)):
                os.unlink(left, dir_fd=staging)
            remove_probe(staging)
        os.rmdir(name, dir_fd=root)


@contextlib.contextmanager
def _inside(folder: int, name: str) -> Iterator[int]:
    inside = os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    try:
        yield inside
    finally:
        os.close(inside)
