"""The last advice that was given, for views that have no time to make it anew."""

from __future__ import annotations

from tokenbudget.ledger.connection import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

_KEY = "advice"


def keep(connection: sqlite3.Connection, text: str) -> None:
    """Keep it in place of the advice before."""
    with Transaction(connection):
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
            (_KEY, text),
        )


def kept(connection: sqlite3.Connection) -> str | None:
    """What was kept last; None for nothing."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return None if row is None else str(row[0])
