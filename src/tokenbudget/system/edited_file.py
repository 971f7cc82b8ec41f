"""Change a part of somebody's own file: nothing lost, whoever else writes it, and a copy first."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from tokenbudget.model.errors import ProjectUnusable, Refused
from tokenbudget.model.plain_text import one_line
from tokenbudget.system.atomic import write_atomic_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 4_000_000
"""No file that a person writes is larger."""
ATTEMPTS = 3
MOST_COPIES = 99


class _Found(NamedTuple):
    content: bytes
    mode: int
    version: tuple[int, int, int]
    """Inode, size and time of change: what is different after anybody wrote it."""


class _ChangedMeanwhileError(Exception):
    pass


def edit_file(
    path: str,
    change: Callable[[bytes], bytes],
    copy_suffix: str,
    is_known: Callable[[bytes], bool],
    *,
    may_create: bool = False,
) -> bool:
    """Replace a file's content by what `change` makes of it; says whether it had to be written.

    The file keeps its mode. Who saves it at the same time loses nothing: the change is then made
    to what they wrote.

    Args:
        path: The file; its last part is never followed when it is a link.
        change: The new content of the old; it may raise, and nothing is written then.
        copy_suffix: What the name of the copy has more than the file's; it is made beside it,
            and no copy that is there is ever overwritten.
        is_known: Whether such content was changed by us before; where not, the copy is made.
        may_create: Whether a file that is not there is made, by the umask.

    Raises:
        ProjectUnusable: it is not there, cannot be read or written, or changes all the time.
        Refused: it is a link, no regular file, another user's, or larger than `MOST_BYTES`.
    """
    try:
        folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, ValueError) as wrong:
        raise _unusable(path, wrong) from wrong
    try:
        for _ in range(ATTEMPTS):
            try:
                return _edit_once(folder, path, change, copy_suffix, is_known, may_create)
            except _ChangedMeanwhileError:
                continue
    except OSError as wrong:
        raise _unusable(path, wrong) from wrong
    finally:
        os.close(folder)
    raise ProjectUnusable(f"{_quoted(path)} is being written by others; it is tried again later")


def _edit_once(
    folder: int,
    path: str,
    change: Callable[[bytes], bytes],
    copy_suffix: str,
    is_known: Callable[[bytes], bool],
    may_create: bool,
) -> bool:
    name = os.path.basename(path)
    found = _read(folder, name, path)
    if found is None and not may_create:
        raise ProjectUnusable(f"{_quoted(path)} is not there; create it, or name another file")
    before = b"" if found is None else found.content
    after = change(before)
    if found is not None and after == before:
        return False
    if found is not None and not is_known(before):
        _copy(folder, name + copy_suffix, found)

    def refuse_if_changed() -> None:
        if _version(folder, name) != (None if found is None else found.version):
            raise _ChangedMeanwhileError

    mode = None if found is None else found.mode
    write_atomic_at(folder, name, after, mode, refuse_if_changed)
    return True


def _read(folder: int, name: str, path: str) -> _Found | None:
    if _is_link(folder, name):
        raise Refused(f"{_quoted(path)} is a link; name the file that it leads to")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise Refused(f"{_quoted(path)} is no regular file; nothing is written there")
        if facts.st_uid != os.geteuid():
            raise Refused(f"{_quoted(path)} belongs to another user; nothing is written there")
        content = _read_all(descriptor) if facts.st_size <= MOST_BYTES else None
    finally:
        os.close(descriptor)
    if content is None or len(content) > MOST_BYTES:
        raise Refused(f"{_quoted(path)} is larger than {MOST_BYTES:,} bytes; name another file")
    if len(content) != facts.st_size:
        raise _ChangedMeanwhileError
    return _Found(content, stat.S_IMODE(facts.st_mode), _version_of(facts))


def _read_all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, MOST_BYTES + 1):
        parts.append(part)
    return b"".join(parts)


def _copy(folder: int, name: str, found: _Found) -> None:
    """Keep the content under this name, or under the first number after it that is free."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for number in range(1, MOST_COPIES + 1):
        copy = name if number == 1 else f"{name}-{number}"
        try:
            descriptor = os.open(copy, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
        try:
            with os.fdopen(descriptor, "wb") as handle:
                os.fchmod(descriptor, found.mode)
                handle.write(found.content)
                handle.flush()
                os.fsync(descriptor)
        except BaseException:
            os.unlink(copy, dir_fd=folder)
            raise
        return
    raise Refused(f"there are {MOST_COPIES} copies named {_quoted(name)} already; remove some")


def _is_link(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _version(folder: int, name: str) -> tuple[int, int, int] | None:
    try:
        return _version_of(os.stat(name, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _version_of(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _unusable(path: str, wrong: OSError | ValueError) -> ProjectUnusable:
    reason = wrong.strerror if isinstance(wrong, OSError) else "no file has such a name"
    return ProjectUnusable(f"cannot change {_quoted(path)}: {reason}")


def _quoted(path: str) -> str:
    return f"'{one_line(path[:500])}'"
