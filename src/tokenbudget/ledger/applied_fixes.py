"""Fixes of `tokens optimize` that were applied: what was foretold, to be held against what came."""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.writing import written
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from tokenbudget.ledger.connection import Told

PATIENCE_MS = 10_000

COLUMNS = (
    *("action_id", "finding", "drain", "subject", "project", "weekly_tokens"),
    *("weekly_error_tokens", "weekly_micro_usd", "weekly_error_micro_usd", "period_days"),
    *("period_requests", "period_sent_tokens", "freed_tokens"),
)


class FixRow(NamedTuple):
    """One applied fix; the fields are the columns of `applied_fix`."""

    action_id: int
    finding: str
    drain: str
    subject: str
    """'' for all that the drain is about in the project."""
    project: str
    weekly_tokens: int
    weekly_error_tokens: int
    weekly_micro_usd: int | None
    weekly_error_micro_usd: int | None
    period_days: int
    period_requests: int
    period_sent_tokens: int
    freed_tokens: int | None


class FixRows:
    """The applied fixes of a ledger; beside LedgerUnusable every method may raise LedgerDamaged."""

    def __init__(self, connection: sqlite3.Connection, told: Told, is_kept: bool) -> None:
        self._connection = connection
        self._told = told
        self._is_kept = is_kept

    def add(self, row: FixRow) -> None:
        """Write down what was foretold of an action, durably.

        Raises:
            LedgerUnusable: it cannot be written, or this is a passing copy.
        """
        if not self._is_kept:
            raise LedgerUnusable("a passing copy of the ledger keeps nothing")
        values = [_stored(value) if isinstance(value, str) else value for value in row]
        marks = ", ".join("?" * len(COLUMNS))
        with self._told, written(self._connection, PATIENCE_MS, is_durable=True):
            self._connection.execute(
                f"INSERT OR REPLACE INTO applied_fix ({', '.join(COLUMNS)}) VALUES ({marks})",
                values,
            )

    def all(self) -> list[FixRow]:
        """Every one, the latest action first."""
        with self._told:
            rows = self._connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM applied_fix ORDER BY action_id DESC"
            )
            return [_row(row) for row in rows]


def _stored(text: str) -> str | bytes:
    """As SQLite can hold it; half a character, which no file name has, becomes a question mark."""
    try:
        return stored_path(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()


def _row(row: tuple[Any, ...]) -> FixRow:
    found = FixRow(*row)
    return found._replace(subject=shown_path(found.subject), project=shown_path(found.project))
