"""Our trash: what the product takes away from a person's folders lies here until it is emptied.

    <data_dir>/trash/<id>/content       the file
    <data_dir>/trash/<id>/origin.json   where from, when, why, size, mode, mtime, sha256

The origin is durable before the file moves, so a file in the trash always knows where it belongs.
Every step goes through descriptors, and no link is followed below `data_dir`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from datetime import UTC, datetime
from typing import NamedTuple

from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.regular_file import (
    OPEN_FOLDER,
    Version,
    copy_verified,
    is_still,
    opened_file,
    opened_folder,
    place,
    quoted,
    sha256_of,
    version_of,
)
from tokenbudget.system.trash_origin import ORIGIN, Discarded, read_origin, write_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenbudget.model.protocols import Clock

FOLDER, CONTENT = "trash", "content"
DAY_MS = 86_400_000
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{16}")


class Listing(NamedTuple):
    """The trash, oldest first.

    A process that held a file open may have written on in the trash: such an entry is in
    `written_since` too, by its id, and is not emptied, for its last words are nowhere else.
    `unreadable` are entries without origin or content.
    """

    discarded: tuple[Discarded, ...]
    written_since: tuple[str, ...]
    unreadable: tuple[str, ...]


class Emptied(NamedTuple):
    """What `Trash.empty` removed for good."""

    files: int
    bytes: int


class Trash:
    """The trash below one data folder; what is there stays until `empty` is called."""

    def __init__(self, data_dir: str, clock: Clock) -> None:
        self.data_dir = data_dir
        self._clock = clock

    def move(self, path: str, reason: str, folder: int | None = None) -> Discarded:
        """Take a regular file away, into the trash; it can be given back.

        Whoever writes to it meanwhile loses nothing: its last bytes are in the trash too.
        `folder` is a descriptor of the folder that it is in, for who came there in their own way.

        Raises:
            Refused: it is a link, special, another user's, hard-linked, or was just replaced.
            SourceUnreadable: it is not there, or may not be read.
            ProjectUnusable: it cannot be moved; it is then whole in its place or in the trash.
        """
        folder_path, name = os.path.split(os.path.abspath(path))
        try:
            with (
                _held(folder, folder_path) as place,
                opened_file(place, name, path) as source,
                self._opened_trash() as trash,
            ):
                found = _described(source, self._new_id(), path, reason, self._clock.now_ms())
                with _new_entry(trash, found) as entry:
                    _take(place, name, source, entry, path)
                    return _settled(entry, source, found)
        except OSError as wrong:
            raise _unusable(path, wrong) from wrong

    def listing(self) -> Listing:
        """What is in the trash; nothing is changed, and a trash that is not there is empty.

        Raises:
            ProjectUnusable: the trash cannot be read.
        """
        discarded: list[Discarded] = []
        written_since: list[str] = []
        unreadable: list[str] = []
        if not os.path.lexists(os.path.join(self.data_dir, FOLDER)):
            return Listing((), (), ())
        try:
            with self._opened_trash() as trash:
                for name in sorted(os.listdir(trash)):
                    found, size_bytes = _found_in(trash, name)
                    if found is None:
                        unreadable.append(name)
                        continue
                    discarded.append(found)
                    if size_bytes != found.size_bytes:
                        written_since.append(name)
        except OSError as wrong:
            raise _unusable(self.data_dir, wrong) from wrong
        return Listing(tuple(discarded), tuple(written_since), tuple(unreadable))

    def find(self, identity: str) -> Discarded | None:
        """One entry, however many there are; None where the trash has no such, or it is damaged.

        Raises:
            ProjectUnusable: the trash cannot be read.
        """
        if not _ID.fullmatch(identity) or not os.path.lexists(os.path.join(self.data_dir, FOLDER)):
            return None
        try:
            with self._opened_trash() as trash:
                return _found_in(trash, identity)[0]
        except OSError as wrong:
            raise _unusable(self.data_dir, wrong) from wrong

    def give_back(self, identity: str, to: str | None = None, folder: int | None = None) -> str:
        """Put a file back where it came from, or at `to`; the path where it now is.

        What somebody wrote at its end while it was in the trash comes back with it.
        `folder` is a descriptor of the folder that it goes to, as for `move`.

        Raises:
            Refused: another file is there by now; nothing was changed.
            SourceUnreadable: the trash has no such entry, or its content is damaged.
            ProjectUnusable: it cannot be written there; it is still in the trash.
        """
        if not _ID.fullmatch(identity):
            raise SourceUnreadable(f"the trash has nothing named {quoted(identity)}")
        try:
            with self._opened_trash() as trash, _opened_entry(trash, identity) as entry:
                found = read_origin(entry, identity)
                path = os.path.abspath(to or found.path)
                if folder is None:
                    _make_durably(os.path.dirname(path))
                with (
                    _held(folder, os.path.dirname(path)) as place,
                    opened_file(entry, CONTENT, path, may_have_links=True) as content,
                ):
                    if sha256_of(content, found.size_bytes) != found.sha256:
                        raise SourceUnreadable(f"the kept copy of {quoted(path)} is damaged")
                    _put(entry, content, place, path, sha256_of(content))
                _remove_entry(trash, entry, identity)
                return path
        except OSError as wrong:
            raise _unusable(to or identity, wrong) from wrong

    def empty(
        self, older_than_days: int, may_go: Callable[[Discarded], bool] | None = None
    ) -> Emptied:
        """Remove for good what was moved here longer ago, and what `may_go` agrees to.

        What tells no time, and what was written since, is left.

        Raises:
            ProjectUnusable: something cannot be removed; the rest is still there.
        """
        latest_ms = self._clock.now_ms() - older_than_days * DAY_MS
        listing = self.listing()
        ripe = [
            found
            for found in listing.discarded
            if found.moved_at_ms < latest_ms
            and found.id not in listing.written_since
            and (may_go is None or may_go(found))
        ]
        if not ripe:
            return Emptied(0, 0)
        try:
            with self._opened_trash() as trash:
                for found in ripe:
                    with _opened_entry(trash, found.id) as entry:
                        _remove_entry(trash, entry, found.id)
        except OSError as wrong:
            raise _unusable(self.data_dir, wrong) from wrong
        return Emptied(len(ripe), sum(found.size_bytes for found in ripe))

    def _new_id(self) -> str:
        moment = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        return f"{moment:%Y%m%dT%H%M%SZ}-{os.urandom(8).hex()}"

    @contextlib.contextmanager
    def _opened_trash(self) -> Iterator[int]:
        os.makedirs(self.data_dir, mode=0o700, exist_ok=True)
        with opened_folder(self.data_dir) as data:
            with contextlib.suppress(FileExistsError):
                os.mkdir(FOLDER, 0o700, dir_fd=data)
                os.fsync(data)
            with _opened_entry(data, FOLDER) as trash:
                yield trash


@contextlib.contextmanager
def _held(folder: int | None, path: str) -> Iterator[int]:
    """The folder that the caller holds open, or else the one at `path`."""
    if folder is not None:
        yield folder
        return
    with opened_folder(path) as opened:
        yield opened


@contextlib.contextmanager
def _opened_entry(parent: int, name: str) -> Iterator[int]:
    try:
        entry = os.open(name, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError as wrong:
        raise SourceUnreadable(f"the trash has nothing named {quoted(name)}") from wrong
    except OSError as wrong:
        if wrong.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused(f"{quoted(name)} in the trash is no folder; remove it") from wrong
        raise
    try:
        yield entry
    finally:
        os.close(entry)


def _described(source: int, identity: str, path: str, reason: str, now_ms: int) -> Discarded:
    facts = os.fstat(source)
    mode, digest = stat.S_IMODE(facts.st_mode), sha256_of(source)
    where = os.path.abspath(path)
    return Discarded(
        identity, where, reason, now_ms, facts.st_size, mode, facts.st_mtime_ns, digest
    )


@contextlib.contextmanager
def _new_entry(trash: int, found: Discarded) -> Iterator[int]:
    """A durable entry that knows its origin; taken away again when nothing came into it."""
    os.mkdir(found.id, 0o700, dir_fd=trash)
    with _opened_entry(trash, found.id) as entry:
        try:
            write_origin(entry, found)
            os.fsync(trash)
            yield entry
        except BaseException:
            if CONTENT not in os.listdir(entry):
                with contextlib.suppress(OSError):
                    _remove_entry(trash, entry, found.id)
            raise


def _take(folder: int, name: str, source: int, entry: int, path: str) -> None:
    """Move the very file that is open; one that was put in its place meanwhile goes back."""
    if not is_still(folder, name, version_of(os.fstat(source))):
        raise Refused(f"{quoted(path)} is being written; it is left where it is")
    try:
        os.rename(name, CONTENT, src_dir_fd=folder, dst_dir_fd=entry)
    except OSError as wrong:
        if wrong.errno != errno.EXDEV:
            raise
        _take_across(folder, name, source, entry, path)
        return
    moved = os.stat(CONTENT, dir_fd=entry, follow_symlinks=False)
    if not os.path.samestat(moved, os.fstat(source)):
        place(entry, CONTENT, folder, name)
        raise Refused(f"{quoted(path)} was replaced by another file; it is left where it is")
    os.fsync(entry)
    os.fsync(folder)


def _take_across(folder: int, name: str, source: int, entry: int, path: str) -> None:
    """The same onto another file system: the original goes only after its copy was read back."""
    copied = _copied(source, entry)
    if copied != version_of(os.fstat(source)) or not is_still(folder, name, copied):
        os.unlink(CONTENT, dir_fd=entry)
        raise Refused(f"{quoted(path)} is being written; it is left where it is")
    os.unlink(name, dir_fd=folder)
    os.fsync(folder)
    if copied != version_of(os.fstat(source)):  # the last words of a writer that held it open
        _copied(source, entry)


def _copied(source: int, entry: int) -> Version:
    version = version_of(os.fstat(source))
    temporary = f".{CONTENT}.{os.urandom(8).hex()}.tmp"
    copy_verified(source, entry, temporary)
    os.rename(temporary, CONTENT, src_dir_fd=entry, dst_dir_fd=entry)
    os.fsync(entry)
    return version


def _settled(entry: int, source: int, found: Discarded) -> Discarded:
    """What was moved, with what a writer added until the last moment."""
    facts = os.fstat(source)
    if (facts.st_size, facts.st_mtime_ns) == (found.size_bytes, found.mtime_ns):
        return found
    settled = found._replace(
        size_bytes=facts.st_size, mtime_ns=facts.st_mtime_ns, sha256=sha256_of(source)
    )
    write_origin(entry, settled)
    return settled


def _make_durably(path: str) -> None:
    """Make a folder and what is missing above it: the entry goes only when they are on the disk."""
    parent = os.path.dirname(path)
    if os.path.isdir(path) or parent == path:
        return
    _make_durably(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    with opened_folder(parent) as above:
        os.fsync(above)


def _put(entry: int, content: int, folder: int, path: str, sha256: str) -> None:
    """Give the content its name outside; the same bytes there were put there before a crash."""
    name = os.path.basename(path)
    try:
        place(entry, CONTENT, folder, name)
    except FileExistsError as wrong:
        if not _holds(folder, name, path, sha256):
            raise Refused(f"{quoted(path)} is there already; move it away first") from wrong
    except OSError as wrong:
        if wrong.errno != errno.EXDEV:
            raise
        _put_across(content, folder, name, path, sha256)
    os.fsync(folder)


def _put_across(content: int, folder: int, name: str, path: str, sha256: str) -> None:
    temporary = f".{os.urandom(8).hex()}.tmp"
    copy_verified(content, folder, temporary)
    try:
        place(folder, temporary, folder, name)
    except OSError as wrong:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        if not isinstance(wrong, FileExistsError):
            raise
        if not _holds(folder, name, path, sha256):
            raise Refused(f"{quoted(path)} is there already; move it away first") from wrong


def _holds(folder: int, name: str, path: str, sha256: str) -> bool:
    try:
        with opened_file(folder, name, path, may_have_links=True) as there:
            return sha256_of(there) == sha256
    except (Refused, SourceUnreadable):
        return False


def _remove_entry(trash: int, entry: int, identity: str) -> None:
    """Content first: an origin alone is a leftover, content alone would be a riddle."""
    for name in sorted(os.listdir(entry), key=lambda name: name == ORIGIN):
        os.unlink(name, dir_fd=entry)
    os.rmdir(identity, dir_fd=trash)
    os.fsync(trash)


def _found_in(trash: int, name: str) -> tuple[Discarded | None, int]:
    """The entry, if it is one, and how large its content is now."""
    try:
        with _opened_entry(trash, name) as entry:
            found = read_origin(entry, name)
            facts = os.stat(CONTENT, dir_fd=entry, follow_symlinks=False)
    except (FileNotFoundError, SourceUnreadable, Refused):
        return None, 0
    return (found if stat.S_ISREG(facts.st_mode) else None), facts.st_size


def _unusable(path: str, wrong: OSError) -> ProjectUnusable:
    return ProjectUnusable(f"cannot move {quoted(path)}: {wrong.strerror}")
