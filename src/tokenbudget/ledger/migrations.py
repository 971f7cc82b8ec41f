"""Numbered steps from one schema to the next; each step and its number share one transaction.

A released step is never edited.
"""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger.deed_tables import ALERT_TABLES, CONTROL_TABLES, FIX_TABLES, JOURNAL_TABLES
from tokenbudget.ledger.schema import (
    PIECE_TABLES,
    REPORT_TABLES,
    SESSION_INDEXES,
    STUDY_TABLES,
    TABLES,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: `executescript` would end the transaction that we need."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if statement.strip() and sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def m001_tables(connection: sqlite3.Connection) -> None:
    """The first schema."""
    for statement in _statements(TABLES):
        connection.execute(statement)


def m002_pieces(connection: sqlite3.Connection) -> None:
    """Pieces of context windows, and calibration."""
    for statement in _statements(PIECE_TABLES):
        connection.execute(statement)


def m003_reports(connection: sqlite3.Connection) -> None:
    """What the agent reports through its status line."""
    for statement in _statements(REPORT_TABLES):
        connection.execute(statement)


def m004_alerts(connection: sqlite3.Connection) -> None:
    """What the alerts remember, decide and send; and sessions found by an index."""
    for statement in _statements(ALERT_TABLES + SESSION_INDEXES):
        connection.execute(statement)


def m005_journal(connection: sqlite3.Connection) -> None:
    """What was changed of a person's files, and where each archived session lies."""
    for statement in _statements(JOURNAL_TABLES):
        connection.execute(statement)


def m006_studies(connection: sqlite3.Connection) -> None:
    """What each transcript spent, and on what; and what was foretold of applied fixes."""
    for statement in _statements(STUDY_TABLES + FIX_TABLES):
        connection.execute(statement)


def m007_control(connection: sqlite3.Connection) -> None:
    """What the controller remembers, decided, and freed."""
    for statement in _statements(CONTROL_TABLES):
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    m001_tables,
    m002_pieces,
    m003_reports,
    m004_alerts,
    m005_journal,
    m006_studies,
    m007_control,
)


def migrate(connection: sqlite3.Connection, target: int) -> None:
    """Bring an older (or empty) ledger to schema `target`.

    Several processes may try at once: the version is read again under the write lock.
    """
    for number, step in enumerate(MIGRATIONS[:target], start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] < number:
                step(connection)
                connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
