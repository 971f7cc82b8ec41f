"""Give a session back: byte for byte, looked at as a whole first, and never over another file.

Everything is unpacked and checked in a staging folder first. What a manifest says is not believed:
every step below the target goes through descriptors and follows no link.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import NamedTuple

from tokenbudget.archive.clashes import refuse_clashes
from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.manifest import CAPS, ArchiveRecord, Caps, FileRecord, checked
from tokenbudget.archive.staging import numbered, staged
from tokenbudget.archive.verify import check_bytes
from tokenbudget.model.errors import (
    ProjectUnusable,
    Refused,
    SourceUnreadable,
    TokenBudgetError,
)
from tokenbudget.system.regular_file import (
    OPEN_FOLDER,
    opened_file,
    opened_folder,
    place,
    quoted,
    sha256_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.archive.staging import Numbered


class Recovered(NamedTuple):
    """The names that were given back, and those that were there already, byte for byte."""

    session: str
    archive: ArchiveRecord
    placed: tuple[str, ...]
    were_there: tuple[str, ...]


class NotRecovered(NamedTuple):
    """A session of several that stays in the archive, and the error that says why."""

    session: str
    reason: TokenBudgetError


def recover(
    folder_path: str,
    session: str,
    to: str,
    *,
    archive_file: str | None = None,
    keep_mtime: bool = False,
    despite_damage: bool = False,
    caps: Caps = CAPS,
) -> Recovered:
    """Give back a session from its newest archive, or the one named, into the folder `to`.

    Of the other sessions in the archive nothing is unpacked, but that everything in front of this
    one's last file has to be decompressed.

    Args:
        folder_path: The archive's folder.
        session: Which one.
        to: The folder that the names in the archive start from; made if missing. It is the
            caller's word, and the only one, on where files may come to lie: `original_root`
            says where they were.
        archive_file: One of the session's archives, by its file name.
        keep_mtime: Give the files their old times; agents delete old files, so the time is now
            unless asked.
        despite_damage: Go on where the archive file as a whole is not as it was written. What is
            given back is right in any case, by the hash of each file; in front of the damage
            everything is.
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
        check = not despite_damage
        (found,) = _recovered(folder, record, [session], to, keep_mtime=keep_mtime, check=check)
    if isinstance(found, NotRecovered):
        raise found.reason
    return found


def recover_together(
    folder_path: str,
    archive_file: str,
    sessions: Sequence[str],
    to: str,
    *,
    keep_mtime: bool = False,
    caps: Caps = CAPS,
) -> list[Recovered | NotRecovered]:
    """Give back several sessions of one archive file, which is read and unpacked once for all.

    One that something is in the way of stays where it is, alone.

    Raises:
        SourceUnreadable, Refused, ProjectUnusable: as `recover`, before anything is given back.
    """
    with opened_archive(folder_path) as folder:
        records = [_chosen(folder, folder_path, name, archive_file) for name in sessions[:1]]
        if not records:
            return []
        record = checked(records[0], caps)
        for session in sessions:
            if not record.files_of(session):
                raise _no_session(folder_path, session)
        return _recovered(folder, record, sessions, to, keep_mtime=keep_mtime, check=True)


def _recovered(
    folder: int,
    record: ArchiveRecord,
    sessions: Sequence[str],
    to: str,
    *,
    keep_mtime: bool,
    check: bool,
) -> list[Recovered | NotRecovered]:
    try:
        os.makedirs(to, mode=0o700, exist_ok=True)
        with (
            opened_folder(to) as root,
            opened_file(folder, record.file, record.file, may_have_links=True) as source,
        ):
            if check:
                check_bytes(source, record)
            wanted = numbered(record, frozenset(sessions))
            with staged(root, source, record, wanted, keep_mtime) as staging:
                return [_given_back(root, staging, record, session, to) for session in sessions]
    except OSError as wrong:
        raise _unusable(to, wrong) from wrong


def _given_back(
    root: int, staging: int, record: ArchiveRecord, session: str, to: str
) -> Recovered | NotRecovered:
    files = numbered(record, frozenset({session}))
    try:
        refuse_clashes(staging, [file.name for file in files.values()])
        placed, there = _placed(root, staging, files, to)
    except OSError as wrong:
        return NotRecovered(session, _unusable(to, wrong))
    except (Refused, SourceUnreadable) as wrong:
        return NotRecovered(session, wrong)
    return Recovered(session, record, placed, there)


def _unusable(to: str, wrong: OSError) -> ProjectUnusable:
    return ProjectUnusable(f"cannot write in {quoted(to)}: {wrong.strerror}")


def _no_session(path: str, session: str) -> SourceUnreadable:
    return SourceUnreadable(f"the archive {quoted(path)} has no session {quoted(session)}")


def original_root(record: ArchiveRecord, session: str) -> str | None:
    """The one folder that the files of a session came from, by their names; None if there is none.

    It was read from the manifest: whether files may be written there, the caller decides.
    """
    roots = {
        file.path.removesuffix(f"/{file.name}") if file.path.endswith(f"/{file.name}") else None
        for file in record.files_of(session)
    }
    return roots.pop() if len(roots) == 1 else None


def _chosen(folder: int, path: str, session: str, archive_file: str | None) -> ArchiveRecord:
    found = load(folder, path).of_session(session)
    if archive_file is not None:
        found = tuple(record for record in found if record.file == archive_file)
    if not found:
        raise _no_session(path, session)
    return found[-1]


def _placed(
    root: int, staging: int, files: Numbered, to: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give every file its name: looked at all first, so that a refusal changes nothing."""
    there = {file.name for file in files.values() if _is_there(root, file, to)}
    placed = []
    for number, file in files.items():
        if file.name not in there:
            _place_one(root, staging, number, file, to)
            placed.append(file.name)
    return tuple(placed), tuple(file.name for file in files.values() if file.name in there)


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
