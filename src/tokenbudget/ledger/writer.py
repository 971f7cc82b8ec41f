"""Take stretches of files into the ledger, each commit whole or not at all.

Reading a stretch twice changes nothing: responses merge by maximum, events are keyed by the ids
that the agent gave them, and a file's position moves in the same transaction as its rows.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from tokenbudget.ledger.connection import Transaction, translated
from tokenbudget.ledger.details import DetailWriter
from tokenbudget.ledger.names import NameTable
from tokenbudget.ledger.responses import ResponseWriter
from tokenbudget.ledger.rollups import mark_stale
from tokenbudget.model.events import Stretch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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


_FILE_COLUMNS = (
    "id, path, size_bytes, mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum,"
    " gone_at_ms IS NOT NULL"
)


def _file_state(row: tuple[object, ...]) -> FileState:
    state = FileState(*row)  # type: ignore[arg-type]
    return state if isinstance(state.path, str) else state._replace(path=shown_path(state.path))


def file_states(connection: sqlite3.Connection) -> dict[str, FileState]:
    """Every file of the ledger by path."""
    rows = connection.execute(f"SELECT {_FILE_COLUMNS} FROM file")
    return {state.path: state for state in map(_file_state, rows)}


class Writer:
    """Takes pieces in, many to a transaction. Other processes may write between transactions.

    One transaction lasts from the first `take` after a `commit` to the next `commit`, so that rows
    are written while the next pieces are still being read.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: str, project_root: Callable[[str], str]
    ) -> None:
        self._connection = connection
        self._name = name
        self._project_root = project_root
        self._names = NameTable(connection)
        self._responses: ResponseWriter | None = None
        self.skipped = 0
        """Pieces left out because another process had taken them in before."""

    def take(self, piece: Piece) -> None:
        """Take one piece in.

        Raises:
            LedgerUnusable: the disk is full, or the ledger is held by another process.
            LedgerDamaged: the file is no sound database.
        """
        try:
            if self._responses is None:
                if not self._connection.in_transaction:
                    self._connection.execute("BEGIN IMMEDIATE")
                self._responses = ResponseWriter(self._connection, self._names)
            self._take(piece, self._responses)
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc

    def commit(self) -> None:
        """Make everything taken so far durable and visible.

        Raises:
            LedgerUnusable, LedgerDamaged: as `take`; nothing of the transaction remains then.
        """
        if self._responses is None:
            return
        try:
            mark_stale(self._connection, self._responses.touched_hours)
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc
        self._responses = None

    def roll_back(self) -> None:
        """Forget everything since the last commit."""
        self._responses = None
        self._names.forget()
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _take(self, piece: Piece, responses: ResponseWriter) -> None:
        row = self._current(piece)
        if row is None:
            self.skipped += 1
            return
        file_id = self._advance(piece, row)
        self._write_sessions(piece.stretch)
        responses.add(file_id, piece.file.path, piece.stretch.responses)
        responses.flush()
        if piece.stretch.detail is not None:
            DetailWriter(self._connection, self._names, responses).write(
                file_id, piece.stretch.detail
            )

    def _current(self, piece: Piece) -> FileState | _NewFile | None:
        """The file's row if it still is where this piece was planned from, else None."""
        found = self._connection.execute(
            f"SELECT {_FILE_COLUMNS} FROM file WHERE path = ?", (stored_path(piece.file.path),)
        ).fetchone()
        known = piece.file.known
        if found is None:
            return NEW_FILE if known is None and piece.stretch.start == 0 else None
        state = _file_state(found)
        if piece.stretch.start == 0 and (known is None or piece.file.is_reset):
            return state if known == state else None
        expected = state.detail_offset if piece.file.with_detail else state.usage_offset
        return state if expected == piece.stretch.start else None

    def _advance(self, piece: Piece, row: FileState | _NewFile) -> int:
        """Move the file's position behind the stretch; returns the file's id."""
        file, stretch = piece
        if isinstance(row, _NewFile):
            file_id = self._insert_file(file)
            usage_offset = detail_offset = 0
            sums = (0, 0)
        else:
            file_id, usage_offset, detail_offset = row.id, row.usage_offset, row.detail_offset
            sums = (row.head_sum, row.tail_sum)
            if file.is_reset and stretch.start == 0:
                self._reset_file(file_id)
                usage_offset = detail_offset = 0
        if stretch.end >= usage_offset:
            usage_offset, sums = stretch.end, stretch.fingerprint
        if file.with_detail:
            detail_offset = stretch.end
        seen = (file.size_bytes, file.mtime_ns, file.inode) if stretch.is_last else (-1, 0, 0)
        self._connection.execute(
            "UPDATE file SET size_bytes = ?, mtime_ns = ?, inode = ?, usage_offset = ?,"
            " detail_offset = ?, head_sum = ?, tail_sum = ?, lines = lines + ?,"
            " blank_lines = blank_lines + ?, malformed_lines = malformed_lines + ?,"
            " repaired_lines = repaired_lines + ?, synthetic_lines = synthetic_lines + ?,"
            " project_id = ifnull(project_id, ?), trouble = NULL, gone_at_ms = NULL WHERE id = ?",
            (
                *seen,
                usage_offset,
                detail_offset,
                *sums,
                stretch.lines,
                stretch.blank_lines,
                stretch.malformed_lines,
                stretch.repaired_lines,
                stretch.synthetic_lines,
                self._project_id(stretch),
                file_id,
            ),
        )
        if stretch.problems:
            self._connection.executemany(
                "INSERT OR REPLACE INTO problem (file_id, byte_offset, reason) VALUES (?, ?, ?)",
                [(file_id, *problem) for problem in stretch.problems],
            )
        return file_id

    def _insert_file(self, file: FileToRead) -> int:
        cursor = self._connection.execute(
            "INSERT INTO file (path, agent, session, is_subagent, size_bytes, mtime_ns, inode,"
            " usage_offset, detail_offset, head_sum, tail_sum, lines, blank_lines,"
            " malformed_lines, repaired_lines, synthetic_lines, rereads)"
            " VALUES (?, ?, ?, ?, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
            (stored_path(file.path), file.agent, file.session, file.is_subagent),
        )
        return int(cursor.lastrowid or 0)

    def _reset_file(self, file_id: int) -> None:
        self._connection.execute("DELETE FROM problem WHERE file_id = ?", (file_id,))
        self._connection.execute(
            "UPDATE file SET lines = 0, blank_lines = 0, malformed_lines = 0, repaired_lines = 0,"
            " synthetic_lines = 0, rereads = rereads + 1 WHERE id = ?",
            (file_id,),
        )

    def _project_id(self, stretch: Stretch) -> int | None:
        for fact in stretch.sessions:
            if fact.cwd:
                return self._names.project(self._project_root(fact.cwd))
        return None

    def _write_sessions(self, stretch: Stretch) -> None:
        for fact in stretch.sessions:
            self._names.session(fact.session)
        self._connection.executemany(
            "UPDATE session SET"
            " git_branch = iif(?2 = '' OR last_at > ?6, git_branch, ?2),"
            " version = iif(?3 = '' OR last_at > ?6, version, ?3),"
            " title = iif(?4 = '', title, ?4),"
            " cwd = iif(cwd = '' OR (first_at > ?5 AND ?7 <> ''), ?7, cwd),"
            " first_at = iif(first_at = '' OR (?5 <> '' AND ?5 < first_at), ?5, first_at),"
            " last_at = iif(?6 > last_at, ?6, last_at)"
            " WHERE name = ?1",
            [
                (f.session, f.git_branch, f.version, f.title, f.first_at, f.last_at, f.cwd)
                for f in stretch.sessions
            ],
        )

    def note_trouble(self, path: str, agent: str, session: str, reason: str) -> None:
        """Remember for `doctor` that a file could not be read."""
        with Transaction(self._connection):
            self._connection.execute(
                "INSERT INTO file (path, agent, session, is_subagent, size_bytes, mtime_ns, inode,"
                " usage_offset, detail_offset, head_sum, tail_sum, lines, blank_lines,"
                " malformed_lines, repaired_lines, synthetic_lines, rereads, trouble)"
                " VALUES (?1, ?2, ?3, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?4)"
                " ON CONFLICT (path) DO UPDATE SET trouble = ?4",
                (stored_path(path), agent, session, reason),
            )

    def note_gone(self, file_ids: Sequence[int], now_ms: int) -> None:
        """Remember that these files are missing; what they told stays."""
        with Transaction(self._connection):
            self._connection.executemany(
                "UPDATE file SET gone_at_ms = ? WHERE id = ?", [(now_ms, i) for i in file_ids]
            )


class _NewFile:
    """Says that the ledger has no row for a file yet."""


NEW_FILE = _NewFile()
