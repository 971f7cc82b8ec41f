"""Put one session into the archive: written, read back, compared, named, and only then listed.

after a crash                        state
before the rename                    original whole; the stray is removed by the next writer
between rename and manifest          original whole; the next run lists the same archive
after the manifest                   both; only `retire` takes the original away
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import replace
from typing import NamedTuple

from tokenbudget.archive.container import LEVEL, Part, SourceChanged, unpack, write_container
from tokenbudget.archive.folder import load, locked_archive, save
from tokenbudget.archive.manifest import (
    CAPS,
    ArchiveRecord,
    Caps,
    FileRecord,
    Layout,
    archive_file_name,
    checked,
)
from tokenbudget.archive.verify import is_whole
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.regular_file import (
    is_still,
    new_file,
    opened_file,
    opened_folder,
    quoted,
    sha256_of,
    unreadable,
    version_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Member(NamedTuple):
    """One file of a session: its name inside the session, and its absolute path."""

    name: str
    path: str


class Bundle(NamedTuple):
    """Everything that belongs to one session: its transcript and its subagents' files."""

    session: str
    members: tuple[Member, ...]


class _Source(NamedTuple):
    member: Member
    facts: os.stat_result
    sha256: str


def pack(
    folder_path: str,
    bundle: Bundle,
    now_ms: int,
    *,
    layout: Layout = "solid",
    level: int = LEVEL,
    caps: Caps = CAPS,
) -> ArchiveRecord:
    """Archive a session; the originals are only read. Doing it again gives the same record.

    Args:
        folder_path: The archive's folder, made if missing. Its last three parts may be no links.
        bundle: The session, which the caller has found to be at rest.
        now_ms: When it is archived.
        layout: "solid" is smaller where a session has subagents; see `container`.
        level: Of zstd: 19 is the smallest, 12 is ten times as fast.
        caps: What recovery accepts, so that nothing is archived that would not come back.

    Raises:
        Refused: a file is a link, special, hard-linked or written meanwhile; a name or a size is
            impossible; another process is writing this archive.
        SourceUnreadable: a file is gone or may not be read, or the manifest is damaged.
        ProjectUnusable: the archive cannot be written; nothing but a stray is left there.
    """
    with locked_archive(folder_path) as folder:
        manifest = load(folder, folder_path)
        sources = [_looked_at(member) for member in bundle.members]
        record = checked(_described(bundle, sources, now_ms, layout), caps)
        listed = next((it for it in manifest.archives if it.file == record.file), None)
        if listed is None or not is_whole(folder, listed, caps):
            record = _write(folder, record, sources, level, caps)
        elif listed.marked_at_ms is None:
            return listed
        else:
            record = replace(listed, marked_at_ms=None)  # what is archived again is wanted
        save(folder, manifest.with_archive(record))
        return record


@contextlib.contextmanager
def _opened_member(member: Member) -> Iterator[int]:
    """One at a time, however many files a session has: descriptors are few."""
    if not os.path.isabs(member.path):
        raise Refused(f"{quoted(member.path)} is no absolute path; nothing is archived")
    parent, name = os.path.split(member.path)
    with opened_folder(parent) as folder, opened_file(folder, name, member.path) as descriptor:
        yield descriptor


def _looked_at(member: Member) -> _Source:
    with _opened_member(member) as descriptor:
        facts = os.fstat(descriptor)
        try:
            return _Source(member, facts, sha256_of(descriptor))
        except OSError as wrong:
            raise unreadable(member.path, wrong) from wrong


def _described(
    bundle: Bundle, sources: Sequence[_Source], now_ms: int, layout: Layout
) -> ArchiveRecord:
    files = tuple(
        FileRecord(
            name=source.member.name,
            path=source.member.path,
            size_bytes=source.facts.st_size,
            mode=stat.S_IMODE(source.facts.st_mode) & 0o777,
            mtime_ns=source.facts.st_mtime_ns,
            sha256=source.sha256,
        )
        for source in sources
    )
    # Until it is written, as large as its files: no ratio can be judged before.
    size = sum(file.size_bytes for file in files)
    record = ArchiveRecord("", bundle.session, layout, now_ms, size, "", files)
    return replace(record, file=archive_file_name(record))


def _write(
    folder: int, record: ArchiveRecord, sources: Sequence[_Source], level: int, caps: Caps
) -> ArchiveRecord:
    """Temporary file, fsync, read back, compare, look at the sources again, rename, fsync."""
    temporary = f".{record.file}.tmp"
    with new_file(folder, temporary) as descriptor:
        try:
            write_container(descriptor, record, [_part(source) for source in sources], level)
        except SourceChanged as wrong:
            raise _being_written(record) from wrong
        os.fsync(descriptor)
        _read_back(descriptor, record)
        written = replace(
            record, size_bytes=os.fstat(descriptor).st_size, sha256=sha256_of(descriptor)
        )
        checked(written, caps)
        if not all(_is_unchanged(source) for source in sources):
            raise _being_written(record)
        os.replace(temporary, record.file, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    return written


def _read_back(descriptor: int, record: ArchiveRecord) -> None:
    try:
        unpack(descriptor, record)
    except SourceUnreadable as wrong:
        raise ProjectUnusable(
            f"the archive {quoted(record.file)} does not read back as it was written; "
            "check the disk, the originals are left where they are"
        ) from wrong


def _part(source: _Source) -> Part:
    return Part(lambda: _opened_member(source.member), source.facts.st_size, source.sha256)


def _is_unchanged(source: _Source) -> bool:
    parent, name = os.path.split(source.member.path)
    with opened_folder(parent) as folder:
        return is_still(folder, name, version_of(source.facts))


def _being_written(record: ArchiveRecord) -> Refused:
    return Refused(f"the session {quoted(record.session)} is being written; it is left as it is")
