"""The store's contract over SQLite, as small as it can be: the reference for the real one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.state import State, state_fields, state_from
from tokenbudget.alerts.store import LONGEST_WAIT_MS, OutboxEntry

TABLES = """
CREATE TABLE IF NOT EXISTS alert_state (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alert_claim (fingerprint TEXT PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alert_outbox (
    key TEXT PRIMARY KEY, entry TEXT NOT NULL, due_ms INTEGER, rounds INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS alert_history (at_ms INTEGER, entry TEXT NOT NULL);
"""


class SqliteStore:
    """An `AlertStore` and its `Outbox` in one file; any number of processes may open it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(TABLES)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        with self._writing() as connection:
            yield SqliteTransaction(connection)

    def lease(self, now_ms: int, until_ms: int, most: int) -> list[OutboxEntry]:
        with self._writing() as connection:
            rows = connection.execute(
                "SELECT key, entry, rounds FROM alert_outbox"
                " WHERE due_ms IS NOT NULL AND NOT (due_ms > ? AND due_ms <= ?)"
                " ORDER BY rowid LIMIT ?",
                (now_ms, now_ms + LONGEST_WAIT_MS, most),
            ).fetchall()
            connection.executemany(
                "UPDATE alert_outbox SET due_ms = ? WHERE key = ?",
                [(until_ms, key) for key, _, _ in rows],
            )
        return [OutboxEntry(*json.loads(e))._replace(rounds=rounds) for _, e, rounds in rows]

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryEntry) -> None:
        with self._writing() as connection:
            connection.execute(
                "UPDATE alert_outbox SET due_ms = ?, rounds = rounds + ? WHERE key = ?",
                (due_ms, not is_sent, key),
            )
            SqliteTransaction(connection).record([note])

    def outbox(self) -> list[OutboxEntry]:
        with self._connected() as connection:
            rows = connection.execute("SELECT entry FROM alert_outbox ORDER BY rowid").fetchall()
        return [OutboxEntry(*json.loads(entry)) for (entry,) in rows]

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")


class SqliteTransaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def load(self) -> State:
        row = self._connection.execute("SELECT state FROM alert_state").fetchone()
        if row:
            return state_from(json.loads(row[0]))
        highest = self._connection.execute("SELECT MAX(version) FROM alert_claim").fetchone()[0]
        return State(sequence=highest or 0)

    def claim(self, fingerprint: str, version: int) -> bool:
        done = self._connection.execute(
            "INSERT INTO alert_claim VALUES (?, ?) ON CONFLICT (fingerprint)"
            " DO UPDATE SET version = excluded.version WHERE excluded.version > version",
            (fingerprint, version),
        )
        return done.rowcount == 1

    def save(self, state: State) -> None:
        self._connection.execute(
            "INSERT INTO alert_state VALUES (1, ?) ON CONFLICT DO UPDATE SET state=excluded.state",
            (json.dumps(state_fields(state)),),
        )

    def post(self, entries: Sequence[OutboxEntry]) -> None:
        self._connection.executemany(
            "INSERT OR IGNORE INTO alert_outbox (key, entry, due_ms) VALUES (?, ?, 0)",
            [(entry.key, json.dumps(entry)) for entry in entries],
        )

    def record(self, entries: Sequence[HistoryEntry]) -> None:
        self._connection.executemany(
            "INSERT INTO alert_history VALUES (?, ?)",
            [(entry.at_ms, json.dumps(entry)) for entry in entries],
        )
