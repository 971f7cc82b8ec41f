"""Take the originals of an archived session away, into the trash: a step of its own."""

from __future__ import annotations

import contextlib
import os

from tokenbudget.archive.folder import load, locked_archive
from tokenbudget.archive.pack import Bundle, Member
from tokenbudget.archive.verify import problem_of
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import (
    opened_file,
    opened_folder,
    quoted,
    sha256_of,
    version_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tokenbudget.archive.manifest import ArchiveRecord, FileRecord, Manifest
    from tokenbudget.system.regular_file import Version
    from tokenbudget.system.trash import Trash
    from tokenbudget.system.trash_origin import Discarded

REASON = "archived"


def retire(
    folder_path: str, bundle: Bundle, trash: Trash, is_live: Callable[[str], bool]
) -> tuple[Discarded, ...]:
    """Move the originals of one session to the trash, if the archive holds exactly their bytes.

    What is gone already is passed over, so it can be done again after a crash. The transcript,
    which makes a session a session, should be the bundle's last member.

    Args:
        folder_path: The archive's folder.
        bundle: The session as it was given to `pack`.
        trash: Where they go.
        is_live: Whether somebody works with this path; asked for all, and for each again.

    Raises:
        Refused: the session is live, was written since, or its archive is not whole.
        SourceUnreadable: it is not in the manifest, or that is damaged.
        ProjectUnusable: a file cannot be moved; those before it are in the trash.
    """
    with retiring(folder_path, trash, is_live) as retire_one:
        return retire_one(bundle)


@contextlib.contextmanager
def retiring(
    folder_path: str, trash: Trash, is_live: Callable[[str], bool]
) -> Iterator[Callable[[Bundle], tuple[Discarded, ...]]]:
    """For many sessions: the block is given a `retire` that takes a bundle, and raises as it does.

    The archive is locked for the block, and each archive file is checked once, not once for every
    session in it; one that somebody changes meanwhile is checked again.
    """
    with locked_archive(folder_path, may_make=False) as folder:
        manifest = load(folder, folder_path)
        whole: set[tuple[str, Version]] = set()

        def retire_one(bundle: Bundle) -> tuple[Discarded, ...]:
            files = _archived_files(folder, manifest, bundle, whole)
            there = [member for member in bundle.members if os.path.lexists(member.path)]
            for member in there:
                _refuse_if_not_at_rest(member, files[member.name], is_live)
            return tuple(_move(member, files[member.name], trash, is_live) for member in there)

        yield retire_one


def _archived_files(
    folder: int, manifest: Manifest, bundle: Bundle, whole: set[tuple[str, Version]]
) -> dict[str, FileRecord]:
    wanted = {(member.name, member.path) for member in bundle.members}
    for record in reversed(manifest.of_session(bundle.session)):
        files = record.files_of(bundle.session)
        if wanted == {(file.name, file.path) for file in files}:
            _refuse_if_not_whole(folder, record, whole)
            if record.marked_at_ms is not None:
                raise Refused(f"the archive {quoted(record.file)} is marked for deletion")
            return {file.name: file for file in files}
    raise SourceUnreadable(f"the session {quoted(bundle.session)} is not archived with these files")


def _refuse_if_not_whole(
    folder: int, record: ArchiveRecord, whole: set[tuple[str, Version]]
) -> None:
    if (record.file, _version(folder, record)) in whole:
        return
    if problem := problem_of(folder, record):
        raise Refused(f"{problem.message}; the originals are left where they are")
    if version := _version(folder, record):
        whole.add((record.file, version))


def _version(folder: int, record: ArchiveRecord) -> Version | None:
    """What tells one state of the archive file from another; None where it is not there."""
    try:
        return version_of(os.stat(record.file, dir_fd=folder, follow_symlinks=False))
    except OSError:
        return None


def _refuse_if_not_at_rest(
    member: Member, file: FileRecord, is_live: Callable[[str], bool]
) -> None:
    if is_live(member.path):
        raise Refused(f"{quoted(member.path)} is in use; it is left where it is")
    parent, name = os.path.split(member.path)
    with opened_folder(parent) as folder, opened_file(folder, name, member.path) as descriptor:
        # Not its time: one that was given back has a new one, and every byte is compared.
        is_same = os.fstat(descriptor).st_size == file.size_bytes
        if not is_same or sha256_of(descriptor) != file.sha256:
            raise Refused(f"{quoted(member.path)} was written since; archive it again")


def _move(
    member: Member, file: FileRecord, trash: Trash, is_live: Callable[[str], bool]
) -> Discarded:
    _refuse_if_not_at_rest(member, file, is_live)
    moved = trash.move(member.path, REASON)
    if moved.sha256 != file.sha256:  # a writer's last words came in between
        trash.give_back(moved.id)
        raise Refused(f"{quoted(member.path)} was written at the last moment; it is back")
    return moved
