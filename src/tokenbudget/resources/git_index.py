"""Which files git tracks, read from the index alone.

Git itself is never run: the configuration of a repository that came from anywhere may name
commands. An index that cannot be understood tracks everything, so that nothing is taken for loose.
"""

from __future__ import annotations

import hashlib
import os
import struct
from bisect import bisect_left

from tokenbudget.config.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 64_000_000
"""An index of half a million files."""
_MOST_POINTER_BYTES = 4_096
_MOST_FOLDERS = 64
_HEADER = struct.Struct(">4sII")
_EXTENSION = struct.Struct(">4sI")
_FLAGS = struct.Struct(">H")
_FACTS_BYTES, _EXTENDED = 60, 0x4000
_SUM_BYTES = 20
_LINK = b"link"
"""The extension of an index whose entries stand in another file."""


class Tracked:
    """What is tracked in one repository."""

    def __init__(self, root: str, names: Sequence[str], *, is_unknown: bool = False) -> None:
        self.root = root
        self.is_unknown = is_unknown
        self._names = sorted(names)

    def has(self, path: str) -> bool:
        """Whether a file is tracked, or may be."""
        if self.is_unknown:
            return True
        name = self._name(path)
        if not name:
            return False
        at = bisect_left(self._names, name)
        if at < len(self._names) and self._names[at] == name:
            return True
        parts = name.split("/")  # a sparse index names whole folders
        return any(self._stands("/".join(parts[:end]) + "/") for end in range(1, len(parts)))

    def has_below(self, folder: str) -> bool:
        """Whether anything in a folder is tracked, or may be."""
        if self.is_unknown:
            return True
        name = self._name(folder)
        if not name:
            return bool(self._names) and folder == self.root
        at = bisect_left(self._names, name + "/")
        is_in_it = at < len(self._names) and self._names[at].startswith(name + "/")
        return is_in_it or self.has(folder + "/.")

    def _name(self, path: str) -> str:
        top = self.root.rstrip("/") + "/"
        return path[len(top) :] if self.root and path.startswith(top) else ""

    def _stands(self, name: str) -> bool:
        at = bisect_left(self._names, name)
        return at < len(self._names) and self._names[at] == name


def tracked_in(project: str) -> Tracked:
    """What git tracks around a folder; nothing where there is no repository."""
    folder = project
    for _ in range(_MOST_FOLDERS):
        git = os.path.join(folder, ".git")
        if os.path.lexists(git):
            return _tracked_at(folder, git)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    return Tracked("", ())


def _tracked_at(root: str, git: str) -> Tracked:
    try:
        if not os.path.isdir(git):
            git = _pointed_at(root, git)
        data = read_regular(os.path.join(git, "index"), MOST_BYTES)
        return Tracked(root, () if data is None else names_in(data))
    except (OSError, ValueError):
        return Tracked(root, (), is_unknown=True)


def _pointed_at(root: str, git: str) -> str:
    """The folder of a worktree or a submodule, which a file names."""
    data = read_regular(git, _MOST_POINTER_BYTES) or b""
    if not data.startswith(b"gitdir:"):
        raise ValueError("it names no folder")
    return os.path.join(root, os.fsdecode(data.removeprefix(b"gitdir:").strip()))


def names_in(data: bytes) -> list[str]:
    """The names in an index of version 2 or 3.

    Raises:
        ValueError: it is another version, damaged, or only part of one.
    """
    try:
        signature, version, count = _HEADER.unpack_from(data)
        if signature != b"DIRC" or version not in (2, 3) or not _is_whole(data):
            raise ValueError("no index that can be read")
        names: list[str] = []
        at = _HEADER.size
        end = len(data) - _SUM_BYTES
        for _ in range(count):
            start = at
            (flags,) = _FLAGS.unpack_from(data, at + _FACTS_BYTES)
            at += _FACTS_BYTES + _FLAGS.size + (2 if flags & _EXTENDED else 0)
            stop = data.index(b"\0", at, end)
            names.append(os.fsdecode(data[at:stop]))
            at = start + (stop - start + 8) // 8 * 8
        _refuse_links(data, at, end)
    except struct.error as wrong:
        raise ValueError("it ends too early") from wrong
    return names


def _is_whole(data: bytes) -> bool:
    """Whether the sum at the end fits; git can be told to write zeros in place of it."""
    told = data[-_SUM_BYTES:]
    is_left_out = told == bytes(_SUM_BYTES)
    return is_left_out or hashlib.sha1(data[:-_SUM_BYTES], usedforsecurity=False).digest() == told


def _refuse_links(data: bytes, at: int, end: int) -> None:
    while at < end:
        name, size = _EXTENSION.unpack_from(data, at)
        if name == _LINK:
            raise ValueError("its entries stand in another file")
        at += _EXTENSION.size + size
    if at != end:
        raise ValueError("it is longer than it says")
