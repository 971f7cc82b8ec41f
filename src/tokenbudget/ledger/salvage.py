"""What a damaged ledger still tells, for the new one that takes its place.

A damaged file is never repaired in place. It is moved aside under a name with the time, a new
ledger is begun, and every row of a response that can still be read is merged into it: reading the
transcripts again then fills in the rest, and usage whose transcript is gone is not lost.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.names import NameTable
from tokenbudget.ledger.responses import SELECT_ALL, SELECT_ITERATIONS, ResponseWriter
from tokenbudget.ledger.rollups import mark_stale
from tokenbudget.model.usage import UNKNOWN, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.usage import Iteration, Packed

_IDS_PER_STEP = 500

_LEAST_ROW_BYTES = 64
"""No response takes less: a bound for how many there can be, where the file does not say."""

_HOPELESS = 50_000
"""So many lost rows in a row are more than one page can have led to (some 20,000): all is lost."""

_UNREADABLE = (sqlite3.Error, OverflowError, UnicodeError)

_LARGEST_COUNT = 10**12
"""As in the decoder: beyond it, a number of tokens or a time is damage."""

_LARGEST_TIME_MS = 10**14


def take_over(connection: sqlite3.Connection, aside: str) -> int:
    """Merge every readable response of the file `aside` into this ledger; returns how many.

    The caller holds a transaction.
    """
    names = NameTable(connection)
    responses = ResponseWriter(connection, names)
    saved = 0
    for file, packed in _readable(aside):
        file_id = _unread_file(connection, names, file)
        responses.add(file_id, shown_path(file.path), [packed])
        saved += 1
    responses.flush()
    mark_stale(connection, responses.touched_hours)
    return saved


class _File(NamedTuple):
    path: str | bytes
    agent: str
    rereads: int
    project: str | None


def _unread_file(connection: sqlite3.Connection, names: NameTable, file: _File) -> int:
    """The row of a file as if it had not been read: if it is still there, it will be."""
    connection.execute(
        "INSERT OR IGNORE INTO file (path, agent, session, is_subagent, project_id, size_bytes,"
        " mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum, lines, blank_lines,"
        " malformed_lines, repaired_lines, synthetic_lines, rereads)"
        " VALUES (?, ?, '', 0, ?, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?)",
        (
            stored_path(shown_path(file.path)),
            file.agent,
            None if file.project is None else names.project(file.project),
            file.rereads,
        ),
    )
    row = connection.execute("SELECT id FROM file WHERE path = ?", (file.path,)).fetchone()
    return int(row[0])


def _readable(aside: str) -> Iterator[tuple[_File, Packed]]:
    """What can be read of a damaged ledger."""
    damaged = sqlite3.connect(aside)
    try:
        remains = _Remains(damaged)
        for begin in range(0, _last_id(damaged, aside) + 1, _IDS_PER_STEP):
            yield from remains.responses(begin, begin + _IDS_PER_STEP)
    finally:
        damaged.close()


def _last_id(damaged: sqlite3.Connection, aside: str) -> int:
    """The last id to look for; ids are given out without gaps, but rebuilds leave some."""
    most = 16 * os.path.getsize(aside) // _LEAST_ROW_BYTES
    try:
        return min(damaged.execute("SELECT max(id) FROM response").fetchone()[0] or 0, most)
    except _UNREADABLE:
        return most


class _Remains:
    """Reads a damaged ledger around the damage."""

    def __init__(self, damaged: sqlite3.Connection) -> None:
        self._damaged = damaged
        self._lost_in_a_row = 0

    def responses(self, begin: int, end: int) -> Iterator[tuple[_File, Packed]]:
        """The responses with ids from `begin` to before `end`."""
        if self._lost_in_a_row > _HOPELESS:
            return
        try:
            rows = self._damaged.execute(SELECT_ALL, (begin, end)).fetchall()
        except _UNREADABLE:
            if end - begin == 1:
                self._lost_in_a_row += 1
                return
            middle = (begin + end) // 2
            yield from self.responses(begin, middle)
            yield from self.responses(middle, end)
            return
        self._lost_in_a_row = 0
        for number, path, agent, rereads, project, *columns in rows:
            file = _File(path, agent, rereads, project)
            response = Response(*columns)
            response.iterations = _iterations(self._damaged, number)
            packed = response.packed()
            if _is_plausible(packed, response.iterations) and _is_plausible_file(*file):
                yield file, packed


def _iterations(damaged: sqlite3.Connection, number: int) -> tuple[Iteration, ...]:
    try:
        return tuple(damaged.execute(SELECT_ITERATIONS, (number,)))
    except _UNREADABLE:
        return ()


def _is_plausible(packed: Sequence[object], iterations: Sequence[Sequence[object]]) -> bool:
    """Whether a row can be what was once written: damage may hide inside a row that reads well.

    `packed` is a `Packed`, if it is one.
    """
    key, is_sidechain, at_ms, offset, session, model, *numbers = packed[:17]
    texts = (key, session, model, *packed[18:], *(attempt[0] for attempt in iterations))
    counts = (*numbers, offset, *(count for attempt in iterations for count in attempt[1:]))
    return (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(n, int) and UNKNOWN <= n <= _LARGEST_COUNT for n in counts)
        and key != ""
        and is_sidechain in (0, 1)
        and isinstance(at_ms, int)
        and 0 <= at_ms <= _LARGEST_TIME_MS
    )


def _is_plausible_file(path: object, agent: object, rereads: object, project: object) -> bool:
    return (
        isinstance(path, str | bytes)
        and isinstance(agent, str)
        and isinstance(rereads, int)
        and isinstance(project, str | None)
    )
