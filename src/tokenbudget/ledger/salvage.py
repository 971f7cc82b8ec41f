"""What a damaged ledger still tells, for the new one that takes its place.

A damaged file is never repaired in place. It is moved aside under a name with the time, a new
ledger is begun, and every row of a response that can still be read is merged into it: reading the
transcripts again then fills in the rest, and usage whose transcript is gone is not lost.
"""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.names import NameTable
from tokenbudget.ledger.responses import SELECT_ALL, ResponseWriter
from tokenbudget.ledger.rollups import mark_stale
from tokenbudget.model.usage import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.model.usage import Packed

_IDS_PER_STEP = 500


def take_over(connection: sqlite3.Connection, aside: str) -> int:
    """Merge every readable response of the file `aside` into this ledger; returns how many.

    The caller holds a transaction.
    """
    responses = ResponseWriter(connection, NameTable(connection))
    saved = 0
    for path, agent, project, packed in _readable(aside):
        file_id = _gone_file(connection, path, agent, project)
        responses.add(file_id, shown_path(path), [packed])
        saved += 1
    responses.flush()
    mark_stale(connection, responses.touched_hours)
    return saved


def _gone_file(
    connection: sqlite3.Connection, path: str | bytes, agent: str, project: str | None
) -> int:
    """The row of a file as if it had not been read: if it is still there, it will be."""
    project_id = None if project is None else NameTable(connection).project(project)
    connection.execute(
        "INSERT OR IGNORE INTO file (path, agent, session, is_subagent, project_id, size_bytes,"
        " mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum, lines, blank_lines,"
        " malformed_lines, repaired_lines, synthetic_lines, rereads)"
        " VALUES (?, ?, '', 0, ?, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        (stored_path(shown_path(path)), agent, project_id),
    )
    row = connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchone()
    return int(row[0])


def _readable(aside: str) -> Iterator[tuple[str | bytes, str, str | None, Packed]]:
    """What can be read of a damaged ledger, step by step around the damage."""
    try:
        damaged = sqlite3.connect(aside)
        last = damaged.execute("SELECT max(id) FROM response").fetchone()[0] or 0
    except sqlite3.Error:
        return
    try:
        for begin in range(0, last + 1, _IDS_PER_STEP):
            yield from _rows(damaged, begin, begin + _IDS_PER_STEP)
    finally:
        damaged.close()


def _rows(
    damaged: sqlite3.Connection, begin: int, end: int
) -> Iterator[tuple[str | bytes, str, str | None, Packed]]:
    try:
        rows = damaged.execute(SELECT_ALL, (begin, end)).fetchall()
    except (sqlite3.Error, OverflowError, UnicodeError):
        if end - begin > 1:
            middle = (begin + end) // 2
            yield from _rows(damaged, begin, middle)
            yield from _rows(damaged, middle, end)
        return
    for path, agent, project, *columns in rows:
        response = Response(*columns)
        response.iterations = ()
        yield path, agent, project, response.packed()
