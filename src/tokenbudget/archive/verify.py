"""Check an archive folder without changing it: every byte is covered by a hash."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from tokenbudget.archive.container import unpack
from tokenbudget.archive.folder import archive_files, load, opened_archive
from tokenbudget.archive.manifest import CAPS, NAME, ArchiveRecord, Caps, Manifest, checked
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import opened_file, sha256_of

Fault = Literal["damaged", "missing", "unlisted", "refused"]


class Problem(NamedTuple):
    """What is wrong with one file of the folder, and the sentence that says it."""

    file: str
    fault: Fault
    message: str


class Verified(NamedTuple):
    """What was checked, and what was found wrong; none means that everything can be recovered."""

    archives: int
    files: int
    archive_bytes: int
    raw_bytes: int
    problems: tuple[Problem, ...]


def verify(folder_path: str, caps: Caps = CAPS) -> Verified:
    """Read every archive, compare its hash, decompress it, compare the hash of every file.

    An archive that is not in the manifest is a problem too: `rebuild` lists it.

    Raises:
        SourceUnreadable: the folder is not there, or may not be read.
        Refused: the folder is a link, or another user's.
    """
    with opened_archive(folder_path) as folder:
        try:
            manifest = load(folder, folder_path)
        except (SourceUnreadable, Refused) as wrong:
            fault: Fault = "refused" if isinstance(wrong, Refused) else "damaged"
            return Verified(0, 0, 0, 0, (Problem(NAME, fault, str(wrong)),))
        faults = [problem_of(folder, record, caps) for record in manifest.archives]
        problems = (*(fault for fault in faults if fault), *_unlisted(folder, manifest))
    return Verified(
        archives=len(manifest.archives),
        files=sum(len(record.files) for record in manifest.archives),
        archive_bytes=sum(record.size_bytes for record in manifest.archives),
        raw_bytes=sum(record.raw_bytes for record in manifest.archives),
        problems=problems,
    )


def problem_of(folder: int, record: ArchiveRecord, caps: Caps = CAPS) -> Problem | None:
    """What is wrong with one archive, if anything."""
    try:
        checked(record, caps)
        with opened_file(folder, record.file, record.file, may_have_links=True) as descriptor:
            check_bytes(descriptor, record)
            unpack(descriptor, record)
    except Refused as wrong:
        return Problem(record.file, "refused", str(wrong))
    except SourceUnreadable as wrong:
        is_missing = isinstance(wrong.__cause__, FileNotFoundError)
        return Problem(record.file, "missing" if is_missing else "damaged", str(wrong))
    except OSError as wrong:
        return Problem(record.file, "damaged", f"it cannot be read: {wrong.strerror}")
    return None


def is_whole(folder: int, record: ArchiveRecord, caps: Caps = CAPS) -> bool:
    """Whether everything in this archive can be given back."""
    return problem_of(folder, record, caps) is None


def check_bytes(descriptor: int, record: ArchiveRecord) -> None:
    """Compare size and hash of the archive file with its record.

    Raises:
        SourceUnreadable: they differ.
    """
    size = os.fstat(descriptor).st_size
    if size != record.size_bytes or sha256_of(descriptor) != record.sha256:
        raise SourceUnreadable(f"the archive '{record.file}' is damaged: its hash differs")


def _unlisted(folder: int, manifest: Manifest) -> list[Problem]:
    listed = {record.file for record in manifest.archives}
    message = "the manifest does not list it; rebuilding the manifest does"
    return [
        Problem(name, "unlisted", f"{name}: {message}")
        for name in archive_files(folder)
        if name not in listed
    ]
