"""Look at what anybody may have put into a project: bounded, following no link out of it.

Nothing here blocks (a pipe is no file), is read without end, or leads out of the folders that the
caller names.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from tokenbudget.config.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.protocols import Clock

MOST_TEXT_BYTES = 1_000_000
"""Of one text; a memory file of this size would not fit into any window."""
MOST_ENTRIES = 200_000
MOST_SECONDS = 3.0
"""A walk of a large project on a slow disk ends here; 200,000 entries take half a second."""
MOST_DEPTH = 40
ENVIRONMENT_MARK = "pyvenv.cfg"
MADE_FOLDERS = frozenset(
    (
        *("node_modules", "bower_components", "__pycache__", ".tox", ".nox", ".venv", "venv"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".cache", ".gradle"),
        *(".next", ".nuxt", ".svelte-kit", ".turbo", ".parcel-cache", ".terraform", ".eggs"),
    )
)
"""Folders that only programs write to; nobody keeps a text of his own there."""


class FileFacts(NamedTuple):
    """A regular file with one name, as `lstat` tells."""

    path: str
    size_bytes: int
    mtime_ns: int
    is_ours: bool
    """It belongs to this user and has no second name, so that it may be moved."""
    is_writable: bool
    """Nobody made it read-only."""


class Folder(NamedTuple):
    """A folder of a walk: what is in it by name, links included."""

    path: str
    names: frozenset[str]
    files: tuple[str, ...]
    """Names of what is a regular file."""


def is_inside(path: str, tops: Sequence[str]) -> bool:
    """Whether a real path is one of the folders, or in one."""
    return any(path == top or path.startswith(top.rstrip("/") + "/") for top in tops if top)


def real(path: str) -> str:
    """Where a path leads; '' for what cannot be a path."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return ""


def text_at(path: str, tops: Sequence[str], most_bytes: int = MOST_TEXT_BYTES) -> str | None:
    """The text of a regular file inside these folders, line ends as they are; None for none.

    A link counts by where it leads. What is larger, or no UTF-8, is none.
    """
    place = real(path)
    if not place or not is_inside(place, [real(top) for top in tops]):
        return None
    try:
        data = read_regular(place, most_bytes)
        return None if data is None else data.decode()
    except (OSError, ValueError):
        return None


def names_in(folder: str) -> list[str]:
    """The names in a folder, in order; none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def facts_of(path: str) -> FileFacts | None:
    """What `lstat` says of a regular file; None for links and everything else."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    is_ours = found.st_uid == os.geteuid() and found.st_nlink == 1
    is_writable = bool(found.st_mode & 0o222)
    return FileFacts(path, found.st_size, found.st_mtime_ns, is_ours, is_writable)


def is_plainly_inside(path: str, project: str) -> bool:
    """Whether no part of the way from the project to a path is a link."""
    return path.startswith(project.rstrip("/") + "/") and real(path) == path


class Walk:
    """The folders of a project, without repositories in it and what programs made.

    `made` are the folders that were left out because a program made them; `cut` says why the walk
    ended early, '' where it did not.
    """

    def __init__(
        self,
        top: str,
        clock: Clock,
        *,
        most_entries: int = MOST_ENTRIES,
        most_seconds: float = MOST_SECONDS,
        skipped: frozenset[str] = MADE_FOLDERS,
    ) -> None:
        self.top = top
        self.made: list[str] = []
        self.cut = ""
        self._clock = clock
        self._left = most_entries
        self._most_entries = most_entries
        self._most_seconds = most_seconds
        self._skipped = skipped

    def folders(self) -> Iterator[Folder]:
        """Every folder, the top first, in a stable order."""
        try:
            device = os.lstat(self.top).st_dev
        except (OSError, ValueError):
            return
        end = self._clock.monotonic_seconds() + self._most_seconds
        pending = [(self.top, 0)]
        while pending:
            if self._clock.monotonic_seconds() > end:
                self.cut = f"the walk was ended after {self._most_seconds:g} seconds"
                return
            path, depth = pending.pop()
            found = self._folder(path, depth)
            if found is None:
                continue
            folder, below = found
            yield folder
            if self.cut:
                return
            pending += [
                (one, depth + 1) for one in reversed(below) if self._is_entered(one, depth, device)
            ]

    def _folder(self, path: str, depth: int) -> tuple[Folder, list[str]] | None:
        names, files, below = [], [], []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self.cut = f"the walk was ended after {self._most_entries:,} entries"
                        break
                    names.append(entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
        except OSError:
            return None
        if depth and (".git" in names):
            return None  # a repository of its own
        if depth and ENVIRONMENT_MARK in files:
            self.made.append(path)
            return None
        return Folder(path, frozenset(names), tuple(sorted(files))), sorted(below)

    def _is_entered(self, path: str, depth: int, device: int) -> bool:
        name = os.path.basename(path)
        if name == ".git" or depth >= MOST_DEPTH:
            return False
        if name in self._skipped:
            self.made.append(path)
            return False
        try:
            return os.lstat(path).st_dev == device
        except OSError:
            return False
