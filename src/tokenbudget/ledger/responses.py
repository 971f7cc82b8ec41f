"""Merge new copies of responses with those that the ledger has."""

from __future__ import annotations

import os

from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR
from tokenbudget.model.usage import UNKNOWN, Response, owns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from tokenbudget.ledger.names import NameTable
    from tokenbudget.model.usage import Packed

_KEYS_PER_QUERY = 500
_FLUSH_RESPONSES = 1000
_REMEMBERED_IDS = 30_000
"""Bounds the memory of a long transaction: 6 MB instead of 50 for 3 GB of transcripts."""

_COLUMNS = (
    "key, is_sidechain, started_at_ms, byte_offset, session_id, model_id, speed, service_tier,"
    " input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens,"
    " cache_read_tokens, web_search_requests, thinking_tokens, has_stop_reason, has_cache_split,"
    " skill, reported_usd, file_id"
)
_INSERT = f"INSERT INTO response (id, {_COLUMNS}) VALUES (?{', ?' * 20})"
_UPDATE = (
    "UPDATE response SET "
    + ", ".join(f"{column.strip()} = ?" for column in _COLUMNS.split(","))
    + " WHERE id = ?"
)


class _Known:
    """A response of the ledger as it was found, to be compared after merging."""

    __slots__ = ("before", "file_id", "id", "path", "response")

    def __init__(self, number: int, file_id: int, path: str, response: Response) -> None:
        self.id = number
        self.file_id = file_id
        self.path = path
        self.response = response
        self.before = (response.packed(), file_id)


class ResponseWriter:
    """Collects the responses of one transaction and writes them in one go."""

    def __init__(self, connection: sqlite3.Connection, names: NameTable) -> None:
        self._connection = connection
        self._names = names
        self._new: dict[str, tuple[Packed, int]] = {}
        self._paths: dict[int, str] = {}
        self._copies: dict[str, set[int]] = {}
        self._was_empty = not self._has_rows()
        self._next_id = self._first_free_id()
        self.reread_files: set[int] = set()
        """Files whose lines may stand in other places than before."""
        self.touched_hours: set[int] = set()
        self.ids: dict[str, int] = {}

    def add(self, file_id: int, path: str, responses: Sequence[Packed]) -> None:
        """Take the responses of one stretch of one file."""
        self._paths[file_id] = path
        new = self._new
        for packed in responses:
            key = packed[0]
            kept = new.get(key)
            new[key] = (packed, file_id) if kept is None else self._joined(kept, packed, file_id)
        if len(new) >= _FLUSH_RESPONSES:
            self.flush()

    def _joined(self, kept: tuple[Packed, int], packed: Packed, file_id: int) -> tuple[Packed, int]:
        response = Response(*kept[0])
        kept_file = self._absorb(response, kept[1], self._paths[kept[1]], packed, file_id)
        return response.packed(), kept_file

    def _absorb(
        self, response: Response, file_id: int, path: str, packed: Packed, other_id: int
    ) -> int:
        """Merge `packed` into `response`; returns the id of the file that owns the result."""
        rank = (response.is_sidechain, response.started_at_ms, path)
        other_owns = owns(packed[1], packed[2], self._paths[other_id], rank)
        response.absorb(Response(*packed), other_owns)
        if file_id != other_id:
            self._copies.setdefault(response.key, set()).update((file_id, other_id))
        return other_id if other_owns else file_id

    def flush(self) -> None:
        """Write what was added since the last flush."""
        if not self._new:
            return
        if len(self.ids) > _REMEMBERED_IDS:  # from here on they are looked up like any others
            self.ids.clear()
            self._was_empty = False
        known = self._known_among(self._keys_to_look_up())
        inserted: list[tuple[object, ...]] = []
        iterated: list[tuple[int, Packed]] = []
        for key, (packed, file_id) in self._new.items():
            found = known.get(key)
            if found is not None:
                self._merge(found, packed, file_id)
                continue
            number = self.ids[key] = self._next_id
            self._next_id += 1
            inserted.append((number, *self._row(packed, file_id)))
            self.touched_hours.add(packed[2] // MILLISECONDS_PER_HOUR)
            if packed[17]:
                iterated.append((number, packed))
        self._connection.executemany(_INSERT, inserted)
        for number, packed in iterated:
            self._write_iterations(number, packed)
        self._update(known)
        self._write_copies()
        self._new.clear()

    def _keys_to_look_up(self) -> list[str]:
        """In a ledger that was empty when the transaction began, only our own rows can be there."""
        if self._was_empty:
            return [key for key in self._new if key in self.ids]
        return list(self._new)

    def _merge(self, found: _Known, packed: Packed, file_id: int) -> None:
        self.ids[packed[0]] = found.id
        self._paths[found.file_id] = found.path
        kept = found.response
        is_in_place = (kept.is_sidechain, kept.started_at_ms) == packed[1:3]
        if is_in_place and file_id == found.file_id and file_id in self.reread_files:
            kept.offset = packed[3]
        found.file_id = self._absorb(found.response, found.file_id, found.path, packed, file_id)
        found.path = self._paths[found.file_id]

    def _has_rows(self) -> bool:
        return self._connection.execute("SELECT 1 FROM response LIMIT 1").fetchone() is not None

    def _first_free_id(self) -> int:
        row = self._connection.execute("SELECT ifnull(max(id), 0) + 1 FROM response").fetchone()
        return int(row[0])

    def _update(self, known: dict[str, _Known]) -> None:
        for found in known.values():
            packed = found.response.packed()
            if (packed, found.file_id) == found.before:
                continue
            row = self._row(packed, found.file_id)
            self._connection.execute(_UPDATE, (*row, found.id))
            before = found.before[0]
            self.touched_hours.update(
                (before[2] // MILLISECONDS_PER_HOUR, packed[2] // MILLISECONDS_PER_HOUR)
            )
            if packed[17] != before[17]:
                self._connection.execute(
                    "DELETE FROM response_iteration WHERE response_id = ?", (found.id,)
                )
                self._write_iterations(found.id, packed)

    def _row(self, packed: Packed, file_id: int) -> tuple[object, ...]:
        """The columns of `_COLUMNS`: unknown counts become NULL, the 5-minute writes the rest."""
        write, hour = packed[10], packed[11]
        is_known = packed[8] != UNKNOWN
        return (
            *packed[:4],
            self._names.session(packed[4]),
            self._names.model(packed[5]),
            packed[6],
            packed[7],
            packed[8] if is_known else None,
            packed[9] if is_known else None,
            write - hour if is_known else None,
            hour if is_known else None,
            packed[12] if is_known else None,
            packed[13],
            None if packed[14] == UNKNOWN else packed[14],
            packed[15],
            packed[16],
            packed[18],
            packed[19],
            file_id,
        )

    def _write_iterations(self, response_id: int, packed: Packed) -> None:
        self._connection.executemany(
            "INSERT INTO response_iteration (response_id, position, model_id, input_tokens,"
            " output_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (response_id, position, self._names.model(model), i, o, write - hour, hour, read)
                for position, (model, i, o, write, hour, read) in enumerate(packed[17])
            ],
        )

    def _write_copies(self) -> None:
        if not self._copies:
            return
        self._connection.executemany(
            "INSERT OR IGNORE INTO response_copy (response_id, file_id) VALUES (?, ?)",
            [(self.ids[key], f) for key, files in self._copies.items() for f in files],
        )
        self._copies.clear()

    def _known_among(self, keys: list[str]) -> dict[str, _Known]:
        """The responses that the ledger has of these."""
        found: dict[str, _Known] = {}
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            part = keys[start : start + _KEYS_PER_QUERY]
            marks = ", ".join("?" * len(part))
            for row in self._connection.execute(_SELECT_KNOWN.format(marks=marks), part):
                known = self._known(row)
                found[known.response.key] = known
        return found

    def _known(self, row: tuple[object, ...]) -> _Known:
        number, file_id, path, has_iterations, *columns = row
        response = Response(*columns)  # type: ignore[arg-type]
        response.iterations = ()
        if has_iterations:
            response.iterations = tuple(self._connection.execute(SELECT_ITERATIONS, (number,)))
        shown = path if isinstance(path, str) else os.fsdecode(path)  # type: ignore[arg-type]
        return _Known(number, file_id, shown, response)  # type: ignore[arg-type]


_RESPONSE = f"""
       r.key, r.is_sidechain, r.started_at_ms, r.byte_offset, s.name, m.name, r.speed,
       r.service_tier, ifnull(r.input_tokens, {UNKNOWN}), ifnull(r.output_tokens, {UNKNOWN}),
       ifnull(r.cache_write_5m_tokens + r.cache_write_1h_tokens, {UNKNOWN}),
       ifnull(r.cache_write_1h_tokens, {UNKNOWN}), ifnull(r.cache_read_tokens, {UNKNOWN}),
       r.web_search_requests, ifnull(r.thinking_tokens, {UNKNOWN}), r.has_stop_reason,
       r.has_cache_split, 0, r.skill, r.reported_usd
FROM response r JOIN file f ON f.id = r.file_id JOIN session s ON s.id = r.session_id
     JOIN model m ON m.id = r.model_id
"""
"""The arguments of `Response`, the iterations left open."""

_SELECT_KNOWN = f"""
SELECT r.id, r.file_id, f.path,
       EXISTS (SELECT 1 FROM response_iteration i WHERE i.response_id = r.id), {_RESPONSE}
WHERE r.key IN ({{marks}})
"""

SELECT_ITERATIONS = """
SELECT m.name, i.input_tokens, i.output_tokens, i.cache_write_5m_tokens + i.cache_write_1h_tokens,
       i.cache_write_1h_tokens, i.cache_read_tokens
FROM response_iteration i JOIN model m ON m.id = i.model_id
WHERE i.response_id = ? ORDER BY i.position
"""
