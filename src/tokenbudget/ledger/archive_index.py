"""Which session lies in which archive, as rows; `Ledger.archives` gives it.

An index, so that a session or a path that is archived is found at once: the manifests beside the
archives are the truth, and it can be filled from them again.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, NamedTuple

from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.writing import written
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from tokenbudget.ledger.connection import Told

PATIENCE_MS = 60_000

_ROWS = (
    "SELECT a.id, a.session, a.folder, a.archive_file, a.archived_at_ms, a.last_activity_ms,"
    " a.raw_bytes, a.size_bytes FROM archived_session a"
)
_NEWEST = " ORDER BY a.archived_at_ms DESC, a.id DESC"


class ArchivedSession(NamedTuple):
    """One session in one archive file."""

    session: str
    folder: str
    """Of the archive."""
    archive_file: str
    """Its name in there."""
    archived_at_ms: int
    last_activity_ms: int
    raw_bytes: int
    """Of the session's files."""
    size_bytes: int
    """Of the archive file, or of this session's part of it."""
    files: tuple[tuple[str, str], ...]
    """(name inside the archive, original path)."""


class ArchiveRows:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told, is_kept: bool) -> None:
        self._connection = connection
        self._told = told
        self._is_kept = is_kept

    def put(self, sessions: Sequence[ArchivedSession]) -> None:
        """Add sessions; one that is there already, of this archive file, is replaced."""
        with self._written():
            for one in sessions:
                where = "session = ? AND folder = ? AND archive_file = ?"
                self._drop(where, (one.session, stored_path(one.folder), one.archive_file))
                self._add(one)

    def remove(self, folder: str, archive_file: str) -> None:
        """Forget an archive file, with every session in it."""
        with self._written():
            self._drop("folder = ? AND archive_file = ?", (stored_path(folder), archive_file))

    def replace(self, folder: str, sessions: Sequence[ArchivedSession]) -> None:
        """Have exactly these sessions in a folder, as its manifest says."""
        with self._written():
            self._drop("folder = ?", (stored_path(folder),))
            for one in sessions:
                self._add(one)

    def of_session(self, session: str) -> list[ArchivedSession]:
        """The archives of a session, the newest first."""
        try:
            session.encode()
        except UnicodeEncodeError:  # the id of nothing in the ledger
            return []
        return self._found(" WHERE a.session = ?" + _NEWEST, (session,))

    def session_of_path(self, path: str) -> ArchivedSession | None:
        """The newest archive of the session that had a file at this path."""
        found = self._found(
            " JOIN archived_file f ON f.archived_id = a.id WHERE f.path = ?" + _NEWEST + " LIMIT 1",
            (stored_path(path),),
        )
        return found[0] if found else None

    def all(self) -> list[ArchivedSession]:
        """Every session in every archive, the newest first."""
        return self._found(_NEWEST, ())

    def _found(self, where: str, values: tuple[object, ...]) -> list[ArchivedSession]:
        with self._told:
            rows = self._connection.execute(_ROWS + where, values).fetchall()
            return [self._session(row) for row in rows]

    def _session(self, row: tuple[Any, ...]) -> ArchivedSession:
        number, session, folder, file, archived_at_ms, last_activity_ms, raw_bytes, size_bytes = row
        files = self._connection.execute(
            "SELECT name, path FROM archived_file WHERE archived_id = ? ORDER BY id", (number,)
        )
        pairs = tuple((shown_path(name), shown_path(path)) for name, path in files)
        return ArchivedSession(
            *(session, shown_path(folder), file, archived_at_ms, last_activity_ms),
            *(raw_bytes, size_bytes, pairs),
        )

    def _add(self, one: ArchivedSession) -> None:
        values = [stored_path(value) if isinstance(value, str) else value for value in one[:-1]]
        done = self._connection.execute(
            "INSERT INTO archived_session (session, folder, archive_file, archived_at_ms,"
            " last_activity_ms, raw_bytes, size_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        self._connection.executemany(
            "INSERT INTO archived_file (archived_id, name, path) VALUES (?, ?, ?)",
            [(done.lastrowid, stored_path(name), stored_path(path)) for name, path in one.files],
        )

    def _drop(self, where: str, values: tuple[object, ...]) -> None:
        self._connection.execute(
            "DELETE FROM archived_file WHERE archived_id IN"
            f" (SELECT id FROM archived_session WHERE {where})",
            values,
        )
        self._connection.execute(f"DELETE FROM archived_session WHERE {where}", values)

    @contextmanager
    def _written(self) -> Iterator[None]:
        if not self._is_kept:
            raise LedgerUnusable(
                "archives are made only where their index can be kept, and this is a passing"
                " copy; make its folder writable or set TOKENS_HOME"
            )
        with self._told, written(self._connection, PATIENCE_MS):
            yield
