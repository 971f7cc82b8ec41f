"""Take stretches of files into the ledger, each commit whole or not at all.

Reading a stretch twice changes nothing: responses merge by maximum, events are keyed by the ids
that the agent gave them, and a file's position moves in the same transaction as its rows.
"""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger.connection import Transaction, translated
from tokenbudget.ledger.details import DetailWriter
from tokenbudget.ledger.files import FILE_COLUMNS, FileState, Piece, file_state, stored_path
from tokenbudget.ledger.names import NameTable
from tokenbudget.ledger.responses import ResponseWriter
from tokenbudget.ledger.rollups import mark_stale

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.model.events import Stretch


_TROUBLE = """
INSERT INTO file (path, agent, session, is_subagent, size_bytes, mtime_ns, inode, usage_offset,
                  detail_offset, head_sum, tail_sum, lines, blank_lines, malformed_lines,
                  repaired_lines, synthetic_lines, rereads, trouble)
VALUES (?1, ?2, ?3, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?4)
ON CONFLICT (path) DO UPDATE SET trouble = ?4
"""

_STALE_WITHOUT_PROJECT = """
INSERT OR IGNORE INTO rollup_stale
    SELECT DISTINCT u.hour FROM file f CROSS JOIN rollup u
    WHERE f.id = ? AND f.project_id IS NULL AND u.project_id IS NULL
"""


class Writer:
    """Takes pieces in, many to a transaction. Other processes may write between transactions.

    One transaction lasts from the first `take` after a `commit` to the next `commit`, so that rows
    are written while the next pieces are still being read. Where the caller holds a transaction of
    its own already, `commit` leaves the committing to it.
    """

    def __init__(
        self, connection: sqlite3.Connection, name: str, project_root: Callable[[str], str]
    ) -> None:
        self._connection = connection
        self._name = name
        self._project_root = project_root
        self._names = NameTable(connection)
        self._responses: ResponseWriter | None = None
        self._is_nested = connection.in_transaction
        self.skipped = 0
        """Pieces left out because another process had taken them in before."""

    def take(self, piece: Piece) -> None:
        """Take one piece in.

        Raises:
            LedgerUnusable: the disk is full, or the ledger is held by another process.
            LedgerDamaged: the file is no sound database.
        """
        try:
            self._take(piece, self._begin())
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
            self._responses.flush()
            mark_stale(self._connection, self._responses.touched_hours)
            if not self._is_nested:
                self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc
        self._responses = None

    def roll_back(self) -> None:
        """Forget everything since the last commit."""
        self._responses = None
        self._names.forget()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc

    def _begin(self) -> ResponseWriter:
        if self._responses is None:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._responses = ResponseWriter(self._connection, self._names)
        return self._responses

    def _take(self, piece: Piece, responses: ResponseWriter) -> None:
        file_id = self._advance(piece)
        if file_id is None:
            self.skipped += 1
            return
        known = piece.file.known
        if known is not None and (piece.file.is_reset or not known.usage_offset):
            responses.reread_files.add(file_id)
        self._write_sessions(piece.stretch)
        self._write_problems(file_id, piece.stretch)
        responses.add(file_id, piece.file.path, piece.stretch.responses)
        if piece.stretch.detail is not None:
            responses.flush()
            DetailWriter(self._connection, self._names, responses).write(
                file_id, piece.stretch.detail
            )

    def _advance(self, piece: Piece) -> int | None:
        """Move the file's position behind the stretch; returns the file's id.

        None if the position is not where the stretch was planned from: another process was here.
        """
        if piece.file.known is None and piece.stretch.start == 0:
            return self._insert_file(piece)
        found = self._connection.execute(
            f"SELECT {FILE_COLUMNS} FROM file WHERE path = ?", (stored_path(piece.file.path),)
        ).fetchone()
        state = None if found is None else file_state(found)
        if state is None or not _is_expected(piece, state):
            return None
        self._update_file(piece, state)
        return state.id

    def _insert_file(self, piece: Piece) -> int | None:
        file, stretch = piece
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO file (path, agent, session, is_subagent, project_id,"
            " size_bytes, mtime_ns, inode, usage_offset, detail_offset, head_sum, tail_sum, lines,"
            " blank_lines, malformed_lines, repaired_lines, synthetic_lines, rereads)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                stored_path(file.path),
                file.agent,
                file.session,
                file.is_subagent,
                self._project_id(stretch),
                *_seen(piece),
                stretch.end,
                stretch.end if file.with_detail else 0,
                *stretch.fingerprint,
                *stretch.line_counts,
            ),
        )
        return cursor.lastrowid if cursor.rowcount == 1 else None

    def _update_file(self, piece: Piece, state: FileState) -> None:
        file, stretch = piece
        usage_offset, detail_offset = state.usage_offset, state.detail_offset
        sums = (state.head_sum, state.tail_sum)
        if file.is_reset and stretch.start == 0:
            self._reset_file(state.id)
            usage_offset = detail_offset = 0
        if stretch.end >= usage_offset:
            usage_offset, sums = stretch.end, stretch.fingerprint
        if file.with_detail:
            detail_offset = stretch.end
        project_id = self._project_id(stretch)
        if project_id is not None:  # what the file told before belongs to this project as well
            self._connection.execute(_STALE_WITHOUT_PROJECT, (state.id,))
        self._connection.execute(
            "UPDATE file SET size_bytes = ?, mtime_ns = ?, inode = ?, usage_offset = ?,"
            " detail_offset = ?, head_sum = ?, tail_sum = ?, lines = lines + ?,"
            " blank_lines = blank_lines + ?, malformed_lines = malformed_lines + ?,"
            " repaired_lines = repaired_lines + ?, synthetic_lines = synthetic_lines + ?,"
            " project_id = ifnull(project_id, ?), trouble = NULL, gone_at_ms = NULL WHERE id = ?",
            (
                *_seen(piece),
                usage_offset,
                detail_offset,
                *sums,
                *stretch.line_counts,
                project_id,
                state.id,
            ),
        )

    def _reset_file(self, file_id: int) -> None:
        self._connection.execute("DELETE FROM problem WHERE file_id = ?", (file_id,))
        self._connection.execute(
            "UPDATE file SET lines = 0, blank_lines = 0, malformed_lines = 0, repaired_lines = 0,"
            " synthetic_lines = 0, rereads = rereads + 1 WHERE id = ?",
            (file_id,),
        )

    def _project_id(self, stretch: Stretch) -> int | None:
        return self._names.project(self._project_root(stretch.cwd)) if stretch.cwd else None

    def _write_sessions(self, stretch: Stretch) -> None:
        for fact in stretch.sessions:
            self._names.note_session(fact)

    def _write_problems(self, file_id: int, stretch: Stretch) -> None:
        if stretch.problems:
            self._connection.executemany(
                "INSERT OR REPLACE INTO problem (file_id, byte_offset, reason) VALUES (?, ?, ?)",
                [(file_id, *problem) for problem in stretch.problems],
            )

    def note_trouble(self, path: str, agent: str, session: str, reason: str) -> None:
        """Remember for `doctor` that a file could not be read; part of the next commit."""
        try:
            self._begin()
            self._connection.execute(_TROUBLE, (stored_path(path), agent, session, reason))
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc

    def note_gone(self, file_ids: Sequence[int], now_ms: int) -> None:
        """Remember that these files are missing; what they told stays."""
        try:
            with Transaction(self._connection):
                self._connection.executemany(
                    "UPDATE file SET gone_at_ms = ? WHERE id = ?", [(now_ms, i) for i in file_ids]
                )
        except sqlite3.Error as exc:
            raise translated(self._name, exc) from exc


def _is_expected(piece: Piece, state: FileState) -> bool:
    """Whether the ledger still stands where this stretch was planned from."""
    if piece.file.is_reset and piece.stretch.start == 0:
        return piece.file.known == state
    position = state.detail_offset if piece.file.with_detail else state.usage_offset
    return position == piece.stretch.start


def _seen(piece: Piece) -> tuple[int, int, int]:
    """Size, time and inode by which the next scan passes a file by that was read to its end."""
    file = piece.file
    return (file.size_bytes, file.mtime_ns, file.inode) if piece.stretch.is_last else (-1, 0, 0)
