"""Make the manifest again from the archive files, each of which knows what it holds."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.archive.container import read_header, unpack
from tokenbudget.archive.folder import archive_files, load, locked_archive, save
from tokenbudget.archive.manifest import (
    CAPS,
    NAME,
    ArchiveRecord,
    Caps,
    Manifest,
    archive_file_name,
    checked,
)
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system.regular_file import opened_file, sha256_of

KEPT_ASIDE = "manifest.damaged"


class Rebuilt(NamedTuple):
    """The archives that were listed anew, and those that could not be read."""

    adopted: tuple[str, ...]
    damaged: tuple[str, ...]


def rebuild(folder_path: str, caps: Caps = CAPS) -> Rebuilt:
    """List every whole archive that no readable manifest lists; a damaged manifest is kept aside.

    Raises:
        Refused: a newer version wrote the manifest, or another process is writing.
        SourceUnreadable: the folder cannot be read.
        ProjectUnusable: it cannot be written.
    """
    with locked_archive(folder_path, may_make=False) as folder:
        try:
            manifest, is_damaged = load(folder, folder_path), False
        except SourceUnreadable:
            manifest, is_damaged = Manifest(), NAME in os.listdir(folder)
        listed = {record.file for record in manifest.archives}
        adopted, damaged = [], []
        for name in archive_files(folder):
            if name in listed:
                continue
            try:
                record = _adopted(folder, name, caps)
            except (SourceUnreadable, Refused):
                damaged.append(name)
                continue
            manifest = manifest.with_archive(record)
            adopted.append(name)
        if is_damaged:
            aside = f"{KEPT_ASIDE}-{os.urandom(8).hex()}"
            os.rename(NAME, aside, src_dir_fd=folder, dst_dir_fd=folder)
        save(folder, manifest)
        return Rebuilt(tuple(adopted), tuple(damaged))


def _adopted(folder: int, name: str, caps: Caps) -> ArchiveRecord:
    with opened_file(folder, name, name, may_have_links=True) as descriptor:
        told, _ = read_header(descriptor, name)
        facts = os.fstat(descriptor)
        record = told._replace(
            archived_at_ms=facts.st_mtime_ns // 1_000_000,
            size_bytes=facts.st_size,
            sha256=sha256_of(descriptor),
        )
        checked(record, caps)
        if archive_file_name(record) != name:
            raise SourceUnreadable(f"the archive '{name}' has another one's name")
        unpack(descriptor, record)
    return record
