"""Put sessions into the archive: written, read back, compared, named, and only then listed.

after a crash                        state
before the rename                    originals whole; the stray is removed by the next writer
between rename and manifest          originals whole; the next run lists the same archive
after the manifest                   both; only `retire` takes the originals away
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import NamedTuple

from tokenbudget.archive.container import (
    LEVEL,
    Part,
    SourceChanged,
    unheard,
    unpack,
    write_container,
)
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
from tokenbudget.model.errors import (
    ProjectUnusable,
    Refused,
    SourceUnreadable,
    TokenBudgetError,
)
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
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.archive.manifest import Manifest


class Member(NamedTuple):
    """One file of a session: its name below the projects folder, and its absolute path."""

    name: str
    path: str


class Bundle(NamedTuple):
    """Everything that belongs to one session: its transcript and its subagents' files."""

    session: str
    members: tuple[Member, ...]


class Unfit(NamedTuple):
    """A session that was left out, and the error that says why."""

    session: str
    reason: TokenBudgetError


class Packed(NamedTuple):
    """What became of a group: its record, if any session was fit, and those that were not."""

    record: ArchiveRecord | None
    unfit: tuple[Unfit, ...]


class _Source(NamedTuple):
    session: str
    member: Member
    facts: os.stat_result
    sha256: str


class _Manner(NamedTuple):
    now_ms: int
    layout: Layout
    level: int
    caps: Caps
    progress: Callable[[int], None]


def pack(
    folder_path: str,
    bundles: Sequence[Bundle],
    now_ms: int,
    *,
    layout: Layout = "solid",
    level: int = LEVEL,
    caps: Caps = CAPS,
    progress: Callable[[int], None] = unheard,
) -> ArchiveRecord:
    """Archive a group of sessions in one file; the originals are only read.

    All of them or none; doing it again gives the same record. `grouping` says which sessions
    belong together, and why the layout is solid.

    Args:
        folder_path: The archive's folder, made if missing. Its last three parts may be no links.
        bundles: Sessions of one projects folder, which the caller has found to be at rest.
        now_ms: When they are archived.
        layout: How the files lie in the archive; see `container`.
        level: Of zstd; see `container.LEVEL`.
        caps: What recovery accepts, so that nothing is archived that would not come back.
        progress: Is told again and again how many of the originals' bytes are packed.

    Raises:
        Refused: a file is a link, special, hard-linked or written meanwhile; a name or a size is
            impossible; another process is writing this archive.
        SourceUnreadable: a file is gone or may not be read, or the manifest is damaged.
        ProjectUnusable: the archive cannot be written; nothing but a stray is left there.
    """
    manner = _Manner(now_ms, layout, level, caps, progress)
    with locked_archive(folder_path) as folder:
        manifest = load(folder, folder_path)
        sources = [source for bundle in bundles for source in _looked_at(bundle)]
        try:
            return _put(folder, manifest, sources, manner)
        except SourceChanged as changed:
            raise _being_written(changed.session) from changed


def pack_fit(
    folder_path: str,
    bundles: Sequence[Bundle],
    now_ms: int,
    *,
    layout: Layout = "solid",
    level: int = LEVEL,
    caps: Caps = CAPS,
    progress: Callable[[int], None] = unheard,
) -> Packed:
    """The same, without the sessions that cannot be archived now: one never keeps the others out.

    Where a file is written while it is packed, the group is packed again without its session, and
    `progress` begins again.

    Raises:
        Refused: another process is writing this archive.
        SourceUnreadable: the manifest is damaged.
        ProjectUnusable: the archive cannot be written; nothing but a stray is left there.
    """
    manner = _Manner(now_ms, layout, level, caps, progress)
    unfit: list[Unfit] = []
    sources: list[_Source] = []
    with locked_archive(folder_path) as folder:
        manifest = load(folder, folder_path)
        for bundle in bundles:
            try:
                found = _looked_at(bundle)
                checked(_described(found, manner), caps)
                sources += found
            except (Refused, SourceUnreadable) as wrong:
                unfit.append(Unfit(bundle.session, wrong))
        while sources:
            try:
                return Packed(_put(folder, manifest, sources, manner), tuple(unfit))
            except SourceChanged as changed:
                unfit.append(Unfit(changed.session, _being_written(changed.session)))
                sources = [source for source in sources if source.session != changed.session]
    return Packed(None, tuple(unfit))


def _put(
    folder: int, manifest: Manifest, sources: Sequence[_Source], manner: _Manner
) -> ArchiveRecord:
    """Write the archive, unless it is there and whole, and list it. Raises SourceChanged too."""
    record = checked(_described(sources, manner), manner.caps)
    listed = next((it for it in manifest.archives if it.file == record.file), None)
    if listed is None or not is_whole(folder, listed, manner.caps):
        record = _write(folder, record, sources, manner)
    elif listed.marked_at_ms is None:
        return listed
    else:
        record = listed._replace(marked_at_ms=None)  # what is archived again is wanted
    save(folder, manifest.with_archive(record))
    return record


@contextlib.contextmanager
def opened_member(member: Member) -> Iterator[int]:
    """A descriptor of an original; one at a time, for descriptors are few.

    Raises:
        Refused: it is no plain file of our own, or its path does not say where it is.
        SourceUnreadable: it is gone or may not be read.
    """
    if not os.path.isabs(member.path):
        raise Refused(f"{quoted(member.path)} is no absolute path; nothing is archived")
    parent, name = os.path.split(member.path)
    with opened_folder(parent) as folder, opened_file(folder, name, member.path) as descriptor:
        yield descriptor


def _looked_at(bundle: Bundle) -> list[_Source]:
    if not bundle.members:
        raise Refused(f"the session {quoted(bundle.session)} holds 0 files; it is left as it is")
    return [_source(bundle.session, member) for member in bundle.members]


def _source(session: str, member: Member) -> _Source:
    with opened_member(member) as descriptor:
        facts = os.fstat(descriptor)
        try:
            return _Source(session, member, facts, sha256_of(descriptor))
        except OSError as wrong:
            raise unreadable(member.path, wrong) from wrong


def _described(sources: Sequence[_Source], manner: _Manner) -> ArchiveRecord:
    if not sources:
        raise Refused("an archive of 0 files is none; nothing is written")
    files = tuple(
        FileRecord(
            session=source.session,
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
    record = ArchiveRecord("", manner.layout, manner.now_ms, size, "", files)
    return record._replace(file=archive_file_name(record))


def _write(
    folder: int, record: ArchiveRecord, sources: Sequence[_Source], manner: _Manner
) -> ArchiveRecord:
    """Temporary file, fsync, read back, compare, look at the sources again, rename, fsync."""
    temporary = f".{record.file}.tmp"
    parts = [_part(source) for source in sources]
    with new_file(folder, temporary) as descriptor:
        write_container(descriptor, record, parts, manner.level, manner.progress)
        os.fsync(descriptor)
        _read_back(descriptor, record)
        written = record._replace(
            size_bytes=os.fstat(descriptor).st_size, sha256=sha256_of(descriptor)
        )
        checked(written, manner.caps)
        for source in sources:
            if not _is_unchanged(source):
                raise SourceChanged(source.session)
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
    return Part(
        source.session,
        lambda: opened_member(source.member),
        source.facts.st_size,
        source.sha256,
    )


def _is_unchanged(source: _Source) -> bool:
    parent, name = os.path.split(source.member.path)
    with opened_folder(parent) as folder:
        return is_still(folder, name, version_of(source.facts))


def _being_written(session: str) -> Refused:
    return Refused(f"the session {quoted(session)} is being written; it is left as it is")
