"""What a damaged ledger still tells, for the new one that takes its place.

A damaged file is never repaired in place. It is moved aside under a name with the time, a new
ledger is begun, and every row of a response that can still be read is merged into it: reading the
transcripts again then fills in the rest, and usage whose transcript is gone is not lost.

A response is read without its names, so that a lost name never costs a count: names are looked up
one by one, in their table or else in its index, and have a placeholder where neither tells them.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import Any, NamedTuple

from tokenbudget.ledger import alert_salvage, control_salvage, journal_salvage
from tokenbudget.ledger.alert_salvage import UNREADABLE as _UNREADABLE
from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.names import NameTable
from tokenbudget.ledger.responses import ResponseWriter
from tokenbudget.ledger.rollups import mark_stale
from tokenbudget.model.usage import UNKNOWN, UNKNOWN_TIME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeGuard

    from tokenbudget.model.usage import Iteration, Packed

UNKNOWN_NAME = "unknown"
"""A model or session whose name is lost."""

UNKNOWN_FILE = "unknown-file-{id}"
"""A transcript whose path is lost: no absolute path, so that no transcript is ever found there."""

_LIKELY_AGENT = "claude-code"
"""Who wrote a transcript if its row is lost."""

_IDS_PER_STEP = 500

_LEAST_ROW_BYTES = 64
"""No response takes less: a bound for how many there can be, where the file does not say."""

_HOPELESS = 50_000
"""So many lost rows in a row are more than one page can have led to (some 20,000): all is lost."""

_LARGEST_COUNT = 10**12
"""As in the decoder: beyond it, a number of tokens or a time is damage."""

_LARGEST_TIME_MS = 10**14

_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
)

_WITHOUT_COLUMN: dict[str, Any] = {
    "key": "",
    "file_id": 0,
    "byte_offset": 0,
    "session_id": 0,
    "model_id": 0,
    "started_at_ms": 0,
    "is_sidechain": 0,
    "speed": 0,
    "service_tier": 0,
    **dict.fromkeys(_TOKENS),
    "web_search_requests": 0,
    "thinking_tokens": None,
    "has_stop_reason": 0,
    "has_cache_split": 0,
    "skill": "",
    "reported_usd": "",
}
"""A response's value in each column that the damaged ledger may not have."""

_FLAGS = ("is_sidechain", "has_stop_reason", "has_cache_split")
_COUNTS = ("file_id", "byte_offset", "speed", "service_tier", "web_search_requests")

_HOW_MANY = (
    "SELECT count(*) FROM response NOT INDEXED",
    "SELECT count(*) FROM response INDEXED BY response_time",
    "SELECT count(*) FROM response INDEXED BY response_key WHERE key > ''",  # only by that one
    "SELECT ifnull(max(id), 0) FROM response",  # too many: rebuilds leave gaps between the ids
)


class Saved(NamedTuple):
    """What a damaged ledger still told."""

    responses: int
    is_memory_lost: bool
    """Whether what the alerts remembered could not be read."""
    is_journal_lost: bool = False
    """Whether a part of the journal could not be read."""
    are_receipts_lost: bool = False
    """Whether a receipt of the controller could not be read."""


def take_over(connection: sqlite3.Connection, aside: str) -> Saved:
    """Merge every readable response, alert, action, archive and receipt of `aside` into this one.

    The caller holds a transaction.
    """
    names = NameTable(connection)
    responses = ResponseWriter(connection, names)
    placed: dict[_File, int] = {}
    saved = 0
    with closing(sqlite3.connect(aside)) as damaged:
        for file, packed in _Remains(damaged).responses(_last_id(damaged, aside)):
            if file not in placed:
                placed[file] = _unread_file(connection, names, file)
            responses.add(placed[file], shown_path(file.path), [packed])
            saved += 1
        is_memory_lost = alert_salvage.take_over(connection, damaged)
        is_journal_lost = journal_salvage.take_over(connection, damaged)
        are_receipts_lost = control_salvage.take_over(connection, damaged)
    responses.flush()
    mark_stale(connection, responses.touched_hours)
    return Saved(saved, is_memory_lost, is_journal_lost, are_receipts_lost)


def responses_in(aside: str) -> int | None:
    """At most how many responses the damaged file `aside` held; None if nothing in it tells.

    The indexes of a table count its rows as well, and may be sound where it is not.
    """
    with closing(sqlite3.connect(aside)) as damaged:
        for question in _HOW_MANY:
            try:
                return int(damaged.execute(question).fetchone()[0])
            except _UNREADABLE:
                continue
    return None


class _File(NamedTuple):
    path: str | bytes
    agent: str
    rereads: int
    project: str | None
    gone_at_ms: int | None


def _unread_file(connection: sqlite3.Connection, names: NameTable, file: _File) -> int:
    """The row of a file as if it had not been read: if it is still there, it will be."""
    path = stored_path(shown_path(file.path))
    connection.execute(
        "INSERT OR IGNORE INTO file (path, agent, session, is_subagent, project_id, size_bytes,"
        " mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum, lines, blank_lines,"
        " malformed_lines, repaired_lines, synthetic_lines, rereads, gone_at_ms)"
        " VALUES (?, ?, '', 0, ?, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?, ?)",
        (
            path,
            file.agent,
            None if file.project is None else names.project(file.project),
            file.rereads,
            file.gone_at_ms,
        ),
    )
    row = connection.execute("SELECT id FROM file WHERE path = ?", (path,)).fetchone()
    return int(row[0])


def _last_id(damaged: sqlite3.Connection, aside: str) -> int:
    """The last id to look for; ids are given out without gaps, but rebuilds leave some."""
    most = 16 * os.path.getsize(aside) // _LEAST_ROW_BYTES
    try:
        return min(damaged.execute("SELECT max(id) FROM response").fetchone()[0] or 0, most)
    except _UNREADABLE:
        return most


def _rows(damaged: sqlite3.Connection, sql: str, *values: int) -> list[dict[str, Any]]:
    """The rows by the names of their columns, whichever of them this ledger has."""
    cursor = damaged.execute(sql, values)
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor]


def _row(damaged: sqlite3.Connection, table: str, number: int) -> dict[str, Any]:
    """The row with this id, or an empty one."""
    try:
        found = _rows(damaged, f"SELECT * FROM {table} WHERE id = ?", number)
    except _UNREADABLE:
        return {}
    return found[0] if found else {}


class _Remains:
    """Reads a damaged ledger around the damage."""

    def __init__(self, damaged: sqlite3.Connection) -> None:
        self._damaged = damaged
        self._lost_in_a_row = 0
        self._models = _Names(damaged, "model", "name")
        self._sessions = _Names(damaged, "session", "name")
        self._projects = _Names(damaged, "project", "path")
        self._paths = _Names(damaged, "file", "path")
        self._files: dict[int, _File] = {}

    def responses(self, last_id: int) -> Iterator[tuple[_File, Packed]]:
        """Every response that can be read, up to the one with `last_id`."""
        for begin in range(0, last_id + 1, _IDS_PER_STEP):
            for found in self._readable(begin, begin + _IDS_PER_STEP):
                row = {**_WITHOUT_COLUMN, **found}
                if _is_plausible(row):
                    yield self._file(row["file_id"]), self._packed(row)

    def _readable(self, begin: int, end: int) -> Iterator[dict[str, Any]]:
        """The rows with ids from `begin` to before `end`."""
        if self._lost_in_a_row > _HOPELESS:
            return
        try:
            rows = _rows(
                self._damaged, "SELECT * FROM response WHERE id >= ? AND id < ?", begin, end
            )
        except _UNREADABLE:
            if end - begin == 1:
                self._lost_in_a_row += 1
                return
            middle = (begin + end) // 2
            yield from self._readable(begin, middle)
            yield from self._readable(middle, end)
            return
        self._lost_in_a_row = 0
        yield from rows

    def _packed(self, row: Mapping[str, Any]) -> Packed:
        thinking = row["thinking_tokens"]
        return (
            row["key"],
            row["is_sidechain"],
            row["started_at_ms"],
            row["byte_offset"],
            self._sessions.shown(row["session_id"]),
            self._models.shown(row["model_id"]),
            row["speed"],
            row["service_tier"],
            *_tokens(row),
            row["web_search_requests"],
            UNKNOWN if thinking is None else thinking,
            row["has_stop_reason"],
            row["has_cache_split"],
            tuple(self._iterations(row["id"])),
            row["skill"],
            row["reported_usd"],
        )

    def _iterations(self, response_id: int) -> Iterator[Iteration]:
        try:
            rows = _rows(
                self._damaged,
                "SELECT * FROM response_iteration WHERE response_id = ? ORDER BY position",
                response_id,
            )
        except _UNREADABLE:
            return
        for row in rows:
            attempt = {**_WITHOUT_COLUMN, **row}
            if all(_is_count(attempt[column]) for column in _TOKENS):
                yield self._models.shown(attempt["model_id"]), *_tokens(attempt)

    def _file(self, number: int) -> _File:
        known = self._files.get(number)
        if known is None:
            known = self._files[number] = self._read_file(number)
        return known

    def _read_file(self, number: int) -> _File:
        row = _row(self._damaged, "file", number)
        path = self._paths.name(number)
        agent, rereads = row.get("agent"), row.get("rereads")
        return _File(
            path or UNKNOWN_FILE.format(id=number),
            agent if isinstance(agent, str) else _LIKELY_AGENT,
            rereads if _is_count(rereads) else 1,  # perhaps rewritten: keeps what it told before
            self._projects.text(row.get("project_id")),
            None if path else UNKNOWN_TIME,  # no scan would miss what lies in no folder
        )


class _Names:
    """The names of one table, as far as they can be read."""

    def __init__(self, damaged: sqlite3.Connection, table: str, column: str) -> None:
        self._damaged = damaged
        self._table = table
        self._column = column
        self._known: dict[int, str | bytes | None] = {}
        self._indexed: dict[int, object] | None = None

    def shown(self, number: object) -> str:
        """The name with this id, or the placeholder."""
        name = self.text(number)
        return UNKNOWN_NAME if name is None else name

    def text(self, number: object) -> str | None:
        """The name with this id, if it can be read and is text."""
        name = self.name(number)
        return name if isinstance(name, str) else None

    def name(self, number: object) -> str | bytes | None:
        """The name with this id, if it can be read."""
        if not isinstance(number, int):
            return None
        if number not in self._known:
            name = _row(self._damaged, self._table, number).get(self._column)
            if not isinstance(name, str | bytes):
                name = self._in_index(number)
            self._known[number] = name
        return self._known[number]

    def _in_index(self, number: int) -> str | bytes | None:
        """The index that keeps the names unique has all of them, on other pages."""
        if self._indexed is None:
            self._indexed = {}
            for order in ("ASC", "DESC"):  # up to the damage from either side
                self._read_index(self._indexed, order)
        name = self._indexed.get(number)
        return name if isinstance(name, str | bytes) else None

    def _read_index(self, found: dict[int, object], order: str) -> None:
        index = f"sqlite_autoindex_{self._table}_1"
        try:
            found.update(  # row by row: what was read before the damage stays
                self._damaged.execute(
                    f"SELECT id, {self._column} FROM {self._table} INDEXED BY {index}"
                    f" ORDER BY {self._column} {order}"
                )
            )
        except _UNREADABLE:
            return


def _tokens(row: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    """Input, output, cache writes, of them those for an hour, and cache reads."""
    if all(row[column] is None for column in _TOKENS):
        return (UNKNOWN,) * 5
    sent, output, write_5m, write_1h, read = (row[column] or 0 for column in _TOKENS)
    return sent, output, write_5m + write_1h, write_1h, read


def _is_plausible(row: Mapping[str, Any]) -> bool:
    """Whether a row can be what was once written: damage may hide inside a row that reads well."""
    tokens = [row[column] for column in (*_TOKENS, "thinking_tokens")]
    return (
        all(isinstance(row[column], str) for column in ("key", "skill", "reported_usd"))
        and row["key"] != ""
        and all(_is_count(row[column]) for column in (*_COUNTS, *_FLAGS))
        and all(row[column] in (0, 1) for column in _FLAGS)
        and all(count is None or _is_count(count) for count in tokens)
        and isinstance(row["started_at_ms"], int)
        and 0 <= row["started_at_ms"] <= _LARGEST_TIME_MS
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and UNKNOWN <= value <= _LARGEST_COUNT
