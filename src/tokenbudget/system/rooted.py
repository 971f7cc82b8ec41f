"""Files below the few places that may be touched: no link followed, no way out, no edit lost.

A place is a folder (a project, the agent's sessions) or one file that a person named (the agent's
settings file, which may be a link to where they keep it). Below a folder every part of a path is
opened by itself, so that nobody can put a link in its way.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import NamedTuple

from tokenbudget.model.errors import (
    ProjectUnusable,
    Refused,
    SourceUnreadable,
    TokenBudgetError,
)
from tokenbudget.system.atomic import remove_strays, write_atomic_at
from tokenbudget.system.regular_file import (
    OPEN_FOLDER,
    Version,
    opened_file,
    quoted,
    version_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_BYTES = 4_000_000
FORBIDDEN = ".claude.json"
"""The client rewrites it all the time and loses what others write there."""


class Found(NamedTuple):
    """A file as it was read."""

    content: bytes
    mode: int
    version: Version


class Rooted:
    """Reads and replaces files below some places, and no other file."""

    def __init__(self, places: Sequence[str]) -> None:
        absolute = (os.path.abspath(place) for place in places if place)
        self.places = tuple(place for place in absolute if place.strip("/"))  # / is no place

    @contextlib.contextmanager
    def opened(self, path: str, *, may_make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that a path lies in, and its last part.

        Args:
            path: Absolute, below one of the places.
            may_make: Whether folders that are missing are made, by the umask.

        Raises:
            Refused: it lies outside, a link or a file is in its way, or only its client writes it.
            FileNotFoundError: a folder of it is not there.
            SourceUnreadable: a folder of it cannot be read.
        """
        top, parts = self._way(path)
        if may_make and path in self.places:  # the settings of an agent that was never started
            os.makedirs(top, mode=0o700, exist_ok=True)
        folder = _opened_top(top)
        try:
            for part in parts[:-1]:
                inner = _opened_part(folder, part, path, may_make)
                os.close(folder)
                folder = inner
            yield folder, parts[-1]
        finally:
            os.close(folder)

    def read(self, path: str) -> Found | None:
        """A file of our own with no second name; None where there is none.

        Raises:
            Refused: as by `opened`, or it is too large, a link, special or another's.
            SourceUnreadable: it may not be read.
        """
        try:
            with self.opened(path) as (folder, name):
                return _read(folder, name, path)
        except FileNotFoundError:
            return None

    def replace(self, path: str, found: Found | None, content: bytes, mode: int | None) -> None:
        """Write a file that is still as it was found; a reader sees the old or the new one.

        Args:
            path: As `read` was given.
            found: What `read` gave; None where the file was not there.
            content: What it will hold.
            mode: Of the file then; None keeps its own, of a new file by the umask.

        Raises:
            Refused: somebody has written it meanwhile; nothing was changed.
            ProjectUnusable: it cannot be written; the old one still stands.
        """

        def refuse_another() -> None:
            if _version(folder, name) != (found and found.version):
                raise Refused(f"{quoted(path)} is being written by others; try again")

        if found and not found.mode & 0o222:
            raise Refused(f"{quoted(path)} is read-only; make it writable, or change it yourself")
        try:
            with self.opened(path, may_make=found is None) as (folder, name):
                kept_mode = found.mode if found is not None and mode is None else mode
                write_atomic_at(folder, name, content, kept_mode, refuse_another)
                with contextlib.suppress(OSError):  # it was written, whatever else lies there
                    remove_strays(folder, name)
        except OSError as wrong:
            raise ProjectUnusable(f"cannot change {quoted(path)}: {wrong.strerror}") from wrong

    def remove_empty_folders(self, path: str, count: int) -> None:
        """Remove so many folders above a path, the inner first, where nothing is in them."""
        for _ in range(count):
            path = os.path.dirname(path)
            with (
                contextlib.suppress(OSError, TokenBudgetError),  # it holds something, or is gone
                self.opened(path) as (folder, name),
            ):
                os.rmdir(name, dir_fd=folder)

    def _way(self, path: str) -> tuple[str, list[str]]:
        """The folder to begin at, where links lead, and the parts from there on."""
        parts = path.split("/")
        if not os.path.isabs(path) or {".", ".."} & set(parts) or not _is_a_name(path):
            raise Refused(f"{quoted(path)} is no plain absolute path; nothing is changed there")
        _refuse_the_clients(path)
        if path in self.places and not os.path.isdir(path):
            real = os.path.realpath(path)
            _refuse_the_clients(real)
            return os.path.dirname(real), [os.path.basename(real)]
        for place in sorted(self.places, key=len, reverse=True):
            real = os.path.realpath(place)
            for top in (place, real):
                if path.startswith(top.rstrip("/") + "/"):
                    inner = [part for part in path[len(top) :].split("/") if part]
                    if inner:
                        return real, inner
        raise Refused(f"{quoted(path)} lies outside of what may be changed; it is left alone")


def missing_folders(path: str) -> int:
    """How many folders above a path are not there yet."""
    count, folder = 0, os.path.dirname(path)
    while not os.path.lexists(folder):
        count, folder = count + 1, os.path.dirname(folder)
    return count


def _is_a_name(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _refuse_the_clients(path: str) -> None:
    if os.path.basename(path).lower() == FORBIDDEN:
        raise Refused(f"only its client may write {quoted(path)}")


def _opened_top(top: str) -> int:
    try:
        return os.open(top, OPEN_FOLDER)
    except FileNotFoundError:
        raise
    except OSError as wrong:
        raise SourceUnreadable(f"cannot read {quoted(top)}: {wrong.strerror}") from wrong


def _opened_part(folder: int, part: str, path: str, may_make: bool) -> int:
    try:
        try:
            return os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
        except FileNotFoundError:
            if not may_make:
                raise
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=folder)
                os.fsync(folder)
            return os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as wrong:
        if wrong.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(
                f"{quoted(part)} in {quoted(path)} is no folder of its own; it is left alone"
            ) from wrong
        raise ProjectUnusable(f"cannot open {quoted(path)}: {wrong.strerror}") from wrong


def _read(folder: int, name: str, path: str) -> Found | None:
    version = _version(folder, name)
    if version is None:
        return None
    with opened_file(folder, name, path) as source:
        facts = os.fstat(source)
        content = os.pread(source, MOST_BYTES + 1, 0)
    if len(content) > MOST_BYTES:
        raise Refused(f"{quoted(path)} is larger than {MOST_BYTES:,} bytes; it is left alone")
    if version_of(facts) != version or len(content) != facts.st_size:
        raise Refused(f"{quoted(path)} is being written by others; try again")
    return Found(content, stat.S_IMODE(facts.st_mode), version)


def _version(folder: int, name: str) -> Version | None:
    try:
        return version_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None
