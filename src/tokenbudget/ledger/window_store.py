"""Context windows as the rooms above see them; `Ledger.windows` gives one."""

from __future__ import annotations

from tokenbudget.ledger import calibrations, following, reports, windows
from tokenbudget.ledger.connection import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from tokenbudget.ledger.calibrations import CalibrationRow
    from tokenbudget.ledger.connection import Told
    from tokenbudget.ledger.reports import LimitRow, WindowRow
    from tokenbudget.ledger.windows import PieceRow, RequestRow, WindowFile


class WindowStore:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told) -> None:
        self._connection = connection
        self._told = told

    def files_of_session(self, session: str) -> list[WindowFile]:
        """The transcripts of a session; see `windows.files_of_session`."""
        with self._told:
            return windows.files_of_session(self._connection, session)

    def files_of_model(self, model: str, limit: int, before_ms: int) -> list[WindowFile]:
        """Transcripts with responses of a model, the one used last first."""
        with self._told:
            return windows.files_of_model(self._connection, model, limit, before_ms)

    def file_of(self, file_id: int) -> WindowFile | None:
        """A transcript by its number."""
        with self._told:
            return following.file_of(self._connection, file_id)

    def generation_of(self, file_id: int) -> tuple[int, int] | None:
        """(inode, rereads) of a transcript; see `following.generation_of`."""
        with self._told:
            return following.generation_of(self._connection, file_id)

    def all_files(self) -> list[WindowFile]:
        """Every transcript that is still there."""
        with self._told:
            return windows.all_files(self._connection)

    def measured_files(self) -> list[tuple[int, str]]:
        """(id, session) of files whose pieces have been counted."""
        with self._told:
            return windows.measured_files(self._connection)

    def pieces(self, file_id: int) -> list[PieceRow]:
        """What was counted of a file, in order."""
        with self._told:
            return windows.pieces(self._connection, file_id)

    def pieces_from(self, file_id: int, place: tuple[int, int]) -> list[PieceRow]:
        """What was counted of a file's main thread from this offset and position on."""
        with self._told:
            return following.pieces_from(self._connection, file_id, place)

    def requests_of(self, keys: Iterable[str]) -> dict[str, RequestRow]:
        """The requests of these keys that the ledger knows."""
        with self._told:
            return following.requests_of(self._connection, keys)

    def usage_sums(self, session: str, after_ms: int, until_ms: int) -> tuple[int, ...]:
        """Sums of what a session's main thread reported in a time; see `following.usage_sums`."""
        with self._told:
            return following.usage_sums(self._connection, session, after_ms, until_ms)

    def requests(self, file_id: int) -> dict[str, RequestRow]:
        """The requests whose answers stand in a file, by key."""
        with self._told:
            return windows.requests(self._connection, file_id)

    def recent_requests(self, limit: int, before_ms: int) -> dict[int, list[RequestRow]]:
        """The newest main-thread requests by session."""
        with self._told:
            return windows.recent_requests(self._connection, limit, before_ms)

    def snapshot(self, file_id: int, thread: str, made_of: str) -> str | None:
        """What was kept of a thread's window, if it was made of the same."""
        with self._told:
            return windows.snapshot(self._connection, file_id, thread, made_of)

    def store_snapshot(self, file_id: int, thread: str, made_of: str, body: str) -> None:
        """Keep the answer about a thread's window."""
        with self._told, Transaction(self._connection):
            windows.store_snapshot(self._connection, file_id, thread, made_of, body)

    def agents_of(self, session: str) -> list[tuple[str, int, int]]:
        """(transcript, responses, tokens of its last window) of a session's subagents."""
        with self._told:
            return windows.agents_of(self._connection, session)

    def store_pieces(
        self,
        file: WindowFile,
        counter: str,
        rows: Iterable[tuple[object, ...]],
        *,
        goes_on_from: WindowFile | None,
    ) -> bool:
        """Keep counted pieces, whole or not at all; see `windows.store_pieces`."""
        with self._told, Transaction(self._connection):
            return windows.store_pieces(
                self._connection, file, counter, rows, goes_on_from=goes_on_from
            )

    def store_reports(self, limits: Iterable[LimitRow], told: Iterable[WindowRow]) -> None:
        """Take in what the agent reported; see `reports.store`."""
        with self._told, Transaction(self._connection):
            reports.store(self._connection, limits, told)

    def limit_samples(self, name: str) -> list[tuple[int, float, int]]:
        """(at_ms, used_share, resets_at_ms) of a limit, oldest first."""
        with self._told:
            return reports.limit_samples(self._connection, name)

    def told_window(self, session: str) -> int | None:
        """The window of a session in tokens, as the agent reported it last."""
        with self._told:
            return reports.told_window(self._connection, session)

    def last_told(self) -> tuple[str, int] | None:
        """(session, at_ms) of the latest report of a window."""
        with self._told:
            return reports.last_told(self._connection)

    def calibrations(self) -> list[CalibrationRow]:
        """The learnt ways of counting."""
        with self._told:
            return calibrations.calibrations(self._connection)

    def calibrated_at_ms(self) -> int:
        """When that was learnt; 0 for never."""
        with self._told:
            return calibrations.calibrated_at_ms(self._connection)

    def store_calibrations(self, rows: Iterable[CalibrationRow]) -> None:
        """Replace the learnt ways of counting."""
        with self._told, Transaction(self._connection):
            calibrations.store_calibrations(self._connection, rows)
