"""Transcripts as the file system shows them."""

from __future__ import annotations

from typing import NamedTuple


class FoundFile(NamedTuple):
    """A transcript that is there now."""

    path: str
    size_bytes: int
    mtime_ns: int
    inode: int


class Found(NamedTuple):
    """All transcripts under some folders, and the folders that could not be listed, and why."""

    files: list[FoundFile]
    unreadable: list[tuple[str, str]]
