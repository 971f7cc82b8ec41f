"""The originals of what was shortened: kept under a number, given back byte for byte.

    <data_dir>/spill/<handle>.zst
    <data_dir>/spill/removed          what was removed, so that asking for it is answered clearly
    <data_dir>/spill/pruned           empty; its time says when somebody last looked what may go

A handle is made from the content alone (`compression.handles`). Two contents with the same one are
told apart by its length: the second gets more digits, and a number once given out never leads to
another content, not even after the first was removed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from tokenbudget.archive.spill_file import Damaged, Head, read_content, read_head, write_content
from tokenbudget.archive.spill_folder import (
    HANDLE,
    SUFFIX,
    StoredFile,
    chosen,
    files,
    is_whole,
    place_for,
    placed,
    sha256_at,
)
from tokenbudget.archive.spill_removed import gone, note_removed, read_removed
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.atomic import RANDOM_BYTES, STRAY_SECONDS
from tokenbudget.system.regular_file import (
    OPEN_FOLDER,
    new_file,
    opened_file,
    quoted,
    unreadable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tokenbudget.model.protocols import Clock

PRUNED_NAME = "pruned"
_STRAY = re.compile(rf"\.[0-9a-f]{{{2 * RANDOM_BYTES}}}\.tmp")


class Kept(NamedTuple):
    """One original that is kept."""

    handle: str
    size_bytes: int
    stored_bytes: int
    used_at_ms: int
    """When it was last kept or given back."""
    label: str


class Pruned(NamedTuple):
    """What was removed."""

    originals: int
    freed_bytes: int


class Spill:
    """The originals below one folder of our own."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock

    def keep(self, content: bytes, label: str = "") -> str:
        """Keep these bytes on the disk; the handle to get them by. The same bytes are kept once.

        Raises:
            ProjectUnusable: they cannot be written.
            Refused: a link or another user's folder is in the way.
        """
        digest = sha256(content).digest()
        with self._writing() as folder:
            fcntl.flock(folder, fcntl.LOCK_SH)
            handle, is_there = place_for(folder, digest)
            if is_there and is_whole(folder, handle):
                self._touch(folder, handle)
                return handle
            return self._written(folder, (content,), label).handle

    def keep_stream(self, chunks: Iterable[bytes], label: str = "") -> Kept:
        """The same for a content that is read in parts; an OSError of theirs is told as ours."""
        with self._writing() as folder:
            return self._written(folder, chunks, label)

    def content(self, handle: str) -> bytes:
        """The very bytes that `keep` was given.

        Raises:
            SourceUnreadable: nothing was kept under it, it was removed since, or it is damaged.
        """
        return b"".join(self._parts(handle))

    def chunks(self, handle: str) -> Iterator[bytes]:
        """The same in parts; read twice, so that nothing is given out that is not whole."""
        for _ in self._parts(handle):
            pass
        return self._parts(handle)

    def size_of(self, handle: str) -> int:
        """How many bytes were kept. Raises as `content`."""
        with self._opened(handle) as (_, head):
            return head.size_bytes

    def listing(self) -> list[Kept]:
        """Everything that is kept and has a header, the latest first."""
        try:
            with self._reading() as folder:
                found = [_kept(folder, one) for one in files(folder)]
        except FileNotFoundError:
            return []
        kept = [one for one in found if one is not None]
        return sorted(kept, key=lambda one: (-one.used_at_ms, one.handle))

    def prune(self, before_ms: int, most_bytes: int | None = None) -> Pruned:
        """Remove what was last used before a moment, then the oldest until the rest fits.

        Raises:
            ProjectUnusable: it cannot be written.
        """
        if not self.folder.is_dir():
            return Pruned(0, 0)
        with self._writing() as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            self._note_pruning(folder)
            self._remove_strays(folder)
            going = chosen(files(folder), before_ms, most_bytes)
            if going:  # first what will be said of them, then the deed
                hashes = [(one.handle, sha256_at(folder, one.handle) or "-") for one in going]
                note_removed(folder, hashes, self._clock.now_ms())
            for one in going:
                os.unlink(one.handle + SUFFIX, dir_fd=folder)
            return Pruned(len(going), sum(one.stored_bytes for one in going))

    def pruned_at_ms(self) -> int:
        """When it was last looked through for what may go; 0 is never."""
        try:
            return os.stat(self.folder / PRUNED_NAME).st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def _note_pruning(self, folder: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(PRUNED_NAME, flags, 0o600, dir_fd=folder))
        now_ns = self._clock.now_ms() * 1_000_000
        os.utime(PRUNED_NAME, ns=(now_ns, now_ns), dir_fd=folder, follow_symlinks=False)

    def _written(self, folder: int, chunks: Iterable[bytes], label: str) -> Kept:
        temporary = f".{os.urandom(RANDOM_BYTES).hex()}.tmp"
        with new_file(folder, temporary) as descriptor:
            head = write_content(descriptor, chunks, label)
            os.fsync(descriptor)
            stored = os.fstat(descriptor).st_size
            fcntl.flock(folder, fcntl.LOCK_SH)  # not before: a stream may take its time
            handle = placed(folder, temporary, bytes.fromhex(head.sha256))
        # The folder is not synced: a hook would wait twice as long (8 ms for 4), and a name that a
        # power cut took is answered as any that is not there.
        self._touch(folder, handle)
        return Kept(handle, head.size_bytes, stored, self._clock.now_ms(), head.label)

    def _touch(self, folder: int, handle: str) -> None:
        now_ns = self._clock.now_ms() * 1_000_000
        with contextlib.suppress(OSError):  # it is kept, if not so long
            os.utime(handle + SUFFIX, ns=(now_ns, now_ns), dir_fd=folder, follow_symlinks=False)

    def _parts(self, handle: str) -> Iterator[bytes]:
        with self._opened(handle) as (descriptor, head):
            yield from read_content(descriptor, head)

    @contextlib.contextmanager
    def _opened(self, handle: str) -> Iterator[tuple[int, Head]]:
        """The file of a handle and its header; what goes wrong in the block is said of it."""
        if not HANDLE.fullmatch(handle):
            raise SourceUnreadable(f"{quoted(handle)} is no handle: it has 12 digits or more")
        path = str(self.folder / (handle + SUFFIX))
        try:
            with (
                self._reading() as folder,
                opened_file(folder, handle + SUFFIX, path, may_have_links=True) as descriptor,
            ):
                yield descriptor, read_head(descriptor)
                self._touch(folder, handle)
        except Damaged as wrong:
            raise SourceUnreadable(
                f"the original {handle} is damaged ({wrong} in {quoted(path)});"
                " run again what made it"
            ) from wrong
        except OSError as wrong:
            raise (
                self._missing(handle) if _is_missing(wrong) else unreadable(path, wrong)
            ) from wrong
        except SourceUnreadable as wrong:
            if isinstance(wrong.__cause__, OSError) and _is_missing(wrong.__cause__):
                raise self._missing(handle) from wrong
            raise

    def _missing(self, handle: str) -> SourceUnreadable:
        """What there is to say of a handle that nothing is kept under."""
        known = None
        with contextlib.suppress(OSError), self._reading() as folder:
            known = gone(read_removed(folder), handle)
        if known is None:
            return SourceUnreadable(
                f"no original {handle} is kept in {quoted(str(self.folder))};"
                " tokens recall --list shows what is"
            )
        day = datetime.fromtimestamp(known.removed_at_ms / 1000, UTC).date()
        return SourceUnreadable(
            f"the original {handle} was removed on {day} (spill.keep_days);"
            " read the file or run the command again"
        )

    @contextlib.contextmanager
    def _reading(self) -> Iterator[int]:
        """A descriptor of the folder. Raises OSError, Refused."""
        folder = os.open(self.folder, OPEN_FOLDER)
        try:
            if os.fstat(folder).st_uid != os.geteuid():
                raise Refused(f"{quoted(str(self.folder))} belongs to another user")
            yield folder
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[int]:
        """The same, made where it is missing; a lock on it is given back with it.

        Many may keep at once (a shared lock), or one may remove (an exclusive one).
        """
        path = str(self.folder)
        try:
            os.makedirs(self.folder.parent, mode=0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
            if self.folder.is_symlink():
                raise Refused(f"{quoted(path)} is a link; remove it")
            with self._reading() as folder:
                yield folder
        except OSError as wrong:
            raise ProjectUnusable(f"cannot write {quoted(path)}: {wrong.strerror}") from wrong

    def _remove_strays(self, folder: int) -> None:
        """What killed writers left; nobody writes now, but a stream may still be on its way."""
        last_ms = self._clock.now_ms() - STRAY_SECONDS * 1000
        for name in os.listdir(folder):
            if _STRAY.fullmatch(name):
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if facts.st_mtime_ns // 1_000_000 < last_ms:
                    os.unlink(name, dir_fd=folder)


def _kept(folder: int, one: StoredFile) -> Kept | None:
    """A file with what its header says; None where it has none."""
    try:
        with opened_file(folder, one.handle + SUFFIX, "", may_have_links=True) as descriptor:
            head = read_head(descriptor)
    except (SourceUnreadable, Refused):
        return None
    return Kept(one.handle, head.size_bytes, one.stored_bytes, one.used_at_ms, head.label)


def _is_missing(wrong: OSError) -> bool:
    return wrong.errno in (errno.ENOENT, errno.ENOTDIR)
