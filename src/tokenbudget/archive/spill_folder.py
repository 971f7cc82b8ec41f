"""Which file of the spill holds which content, and which of them may go."""

from __future__ import annotations

import contextlib
import os
import re
from typing import NamedTuple

from tokenbudget.archive.spill_file import read_content, read_head
from tokenbudget.archive.spill_removed import HASH_DIGITS, gone, read_removed
from tokenbudget.compression.handles import DIGITS, handle_of_digest
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import opened_file, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = ".zst"
MOST_DIGITS = 36
"""More than 2^119 numbers: nobody makes two contents with the same one."""
MORE_DIGITS = 3
"""A collision costs one token more."""
HANDLE = re.compile(r"[0-9]{12,36}")


class StoredFile(NamedTuple):
    """A file of the folder as it lies there, whatever is in it."""

    handle: str
    stored_bytes: int
    used_at_ms: int


def place_for(folder: int, digest: bytes) -> tuple[str, bool]:
    """The shortest handle that leads to no other content, and whether this one is there."""
    removed = read_removed(folder)
    own = digest.hex()
    for digits in range(DIGITS, MOST_DIGITS + 1, MORE_DIGITS):
        handle = handle_of_digest(digest, digits)
        there = sha256_at(folder, handle)
        if there == own:
            return handle, True
        before = gone(removed, handle)
        if there is None and (before is None or before.hash == own[:HASH_DIGITS]):
            return handle, False
    raise Refused("every handle of this content leads to another one, so it is not kept")


def placed(folder: int, temporary: str, digest: bytes) -> str:
    """Give the file its name; in the place of another one only where that holds the same."""
    while True:
        handle, is_there = place_for(folder, digest)
        if is_there:
            os.replace(temporary, handle + SUFFIX, src_dir_fd=folder, dst_dir_fd=folder)
            return handle
        with contextlib.suppress(FileExistsError):  # another process was quicker
            place(folder, temporary, folder, handle + SUFFIX)
            return handle


def sha256_at(folder: int, handle: str) -> str | None:
    """The hash of what a handle leads to: '' where nobody can say, None where there is none."""
    try:
        with opened_file(folder, handle + SUFFIX, handle, may_have_links=True) as descriptor:
            return read_head(descriptor).sha256
    except Refused:
        return ""
    except SourceUnreadable as wrong:
        is_missing = isinstance(wrong.__cause__, FileNotFoundError)
        return None if is_missing else ""


def is_whole(folder: int, handle: str) -> bool:
    """Whether the content under a handle is what its header says."""
    try:
        with opened_file(folder, handle + SUFFIX, handle, may_have_links=True) as descriptor:
            for _ in read_content(descriptor, read_head(descriptor)):
                pass
    except (SourceUnreadable, Refused):
        return False
    return True


def files(folder: int) -> list[StoredFile]:
    """Every file that a handle leads to. Raises OSError."""
    found = []
    for name in os.listdir(folder):
        handle = name.removesuffix(SUFFIX)
        if handle != name and HANDLE.fullmatch(handle):
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            found.append(StoredFile(handle, facts.st_size, facts.st_mtime_ns // 1_000_000))
    return found


def chosen(files: Iterable[StoredFile], before_ms: int, most_bytes: int | None) -> list[StoredFile]:
    """What may go: whatever is too old, and what does not fit beside the newer ones."""
    going, kept_bytes = [], 0
    for one in sorted(files, key=lambda one: (-one.used_at_ms, one.handle)):
        does_not_fit = most_bytes is not None and kept_bytes + one.stored_bytes > most_bytes
        if one.used_at_ms < before_ms or does_not_fit:
            going.append(one)
        else:
            kept_bytes += one.stored_bytes
    return going
