"""Read an archived session without giving it back: copies for a moment, in a folder of our own."""

from __future__ import annotations

import os

from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.manifest import CAPS, ArchiveRecord, Caps, checked
from tokenbudget.archive.staging import numbered, unpack_into
from tokenbudget.model.errors import ProjectUnusable, SourceUnreadable
from tokenbudget.system.regular_file import opened_file, opened_folder, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def copied_session(
    folder_path: str, archive_file: str, session: str, to: str, caps: Caps = CAPS
) -> Mapping[str, str]:
    """Unpack the files of a session into the empty folder `to`; where each copy is, by its origin.

    The copies have numbers for names, so whatever the archive calls its files stays within `to`.
    Each has the hash that the manifest says, or there is an error; they are not durable.

    Raises:
        SourceUnreadable: manifest or archive are damaged or gone, or do not have the session.
        Refused: the manifest asks for what may not be done.
        ProjectUnusable: the copies cannot be written.
    """
    with opened_archive(folder_path) as folder:
        record = checked(_record(folder, folder_path, archive_file, session), caps)
        with opened_file(folder, record.file, record.file, may_have_links=True) as source:
            files = numbered(record, frozenset({session}))
            try:
                with opened_folder(to) as target:
                    unpack_into(target, source, record, files)
            except OSError as wrong:
                raise ProjectUnusable(f"cannot write in {quoted(to)}: {wrong.strerror}") from wrong
    return {file.path: os.path.join(to, str(number)) for number, file in files.items()}


def _record(folder: int, path: str, archive_file: str, session: str) -> ArchiveRecord:
    for record in load(folder, path).of_session(session):
        if record.file == archive_file:
            return record
    raise SourceUnreadable(f"the archive {quoted(archive_file)} in {quoted(path)} is not listed")
