"""What the ledger knows of a file, and how a path is stored."""

from __future__ import annotations

import os
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from tokenbudget.model.events import Stretch


class FileState(NamedTuple):
    """What the ledger knows of a file's place and progress."""

    id: int
    path: str
    size_bytes: int
    mtime_ns: int
    inode: int
    usage_offset: int
    detail_offset: int
    head_sum: int
    tail_sum: int
    is_gone: bool


class FileToRead(NamedTuple):
    """A file as it was found, and where the ledger stood when reading began.

    `known` is None for a new file. `is_reset` says that the old bytes are void: read from 0.
    """

    path: str
    agent: str
    session: str
    is_subagent: bool
    size_bytes: int
    mtime_ns: int
    inode: int
    known: FileState | None
    is_reset: bool
    with_detail: bool


class Piece(NamedTuple):
    """One stretch of one file, ready to be committed."""

    file: FileToRead
    stretch: Stretch


def stored_path(path: str) -> str | bytes:
    """A path as SQLite can hold it: bytes where the name is not UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def shown_path(stored: str | bytes) -> str:
    """The inverse of `stored_path`."""
    return stored if isinstance(stored, str) else os.fsdecode(stored)


FILE_COLUMNS = (
    "id, path, size_bytes, mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum,"
    " gone_at_ms IS NOT NULL"
)


def file_state(row: tuple[object, ...]) -> FileState:
    """A row of `FILE_COLUMNS` as a value."""
    number, path, *rest = row
    return FileState(number, shown_path(path), *rest)  # type: ignore[arg-type]


def file_states(connection: sqlite3.Connection) -> dict[str, FileState]:
    """Every file of the ledger by path."""
    rows = connection.execute(f"SELECT {FILE_COLUMNS} FROM file")
    return {state.path: state for state in map(file_state, rows)}
