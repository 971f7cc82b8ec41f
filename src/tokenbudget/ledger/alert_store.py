"""What the alerts remember, decide and send, as rows; `Ledger.alerts` gives them.

The texts of state and messages are the alerts' own: the ledger keeps them and reads none.

Nothing is ever decided or sent out of a passing copy of the ledger (a read-only home, `--from`):
its rows can be read, for a list or the history, but every transaction in it is refused. Two copies
would otherwise claim the same decision, each in its own file, and tell it twice.
"""

from __future__ import annotations

from contextlib import contextmanager

from tokenbudget.ledger.writing import written
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from tokenbudget.ledger.connection import Told

    OutboxRow = tuple[str, str, int]
    WaitingRow = tuple[str, str, int, int]
    HistoryRow = tuple[int, str, str, str, str]

HISTORY_KEPT_MS = 90 * 86_400_000
"""Three months: longer than the 30 days after which the engine forgets an alert without data."""

CLOSED_KEPT_MS = 30 * 86_400_000
"""A message that was sent or given up keeps its key for a month, so that it is not posted anew."""

SHORT_PATIENCE_MS = 3_000
"""For an evaluation, which comes again soon; see `store.SHORT_PATIENCE_MS`."""

LONG_PATIENCE_MS = 60_000
"""For noting that a message has been sent: if that is lost, it is sent twice. Well below the
lease of five minutes, and longer than most rebuilds hold the ledger."""


class AlertRows:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told, is_kept: bool) -> None:
        self._connection = connection
        self._told = told
        self._is_kept = is_kept

    @contextmanager
    def transaction(self, patience_ms: int = SHORT_PATIENCE_MS) -> Iterator[AlertWriting]:
        """Write with the lock held from the beginning: kept whole, or nothing of it if it raises.

        What `Ledger.hold_still` began is let go before, since a view of the past cannot be written
        to, and begun again after: the ledger then shows what was written, by others too.

        Raises:
            LedgerUnusable: this ledger is a passing copy, cannot be written, or is held by another
                process for longer than `patience_ms`.
        """
        if not self._is_kept:
            raise LedgerUnusable(
                "alerts are decided and sent only where their ledger can be kept, and this is a"
                " passing copy; make its folder writable or set TOKENS_HOME"
            )
        with self._told, written(self._connection, patience_ms):
            yield AlertWriting(self._connection)

    def state(self) -> str | None:
        """What is remembered, as it was saved; `None` for nothing."""
        with self._told:
            return state(self._connection)

    def highest_version(self) -> int:
        """The highest claimed version; 0 for none."""
        with self._told:
            return highest_version(self._connection)

    def waiting(self) -> list[WaitingRow]:
        """(key, entry, failed rounds, due_ms) of what is still to be sent, oldest first."""
        with self._told:
            return self._connection.execute(
                "SELECT key, entry, rounds, due_ms FROM alert_outbox WHERE closed_at_ms IS NULL"
                " ORDER BY id"
            ).fetchall()

    def history(self, limit: int, rule_id: str = "") -> list[HistoryRow]:
        """(at_ms, rule_id, fingerprint, event, detail), newest first; of one rule or ('') all."""
        with self._told:
            return self._connection.execute(
                "SELECT at_ms, rule_id, fingerprint, event, detail FROM alert_history"
                " WHERE ? IN ('', rule_id) ORDER BY id DESC LIMIT ?",
                (_kept(rule_id), limit),
            ).fetchall()


class AlertWriting:
    """What can be done inside `AlertRows.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def state(self) -> str | None:
        """What is remembered, as it was saved; `None` for nothing."""
        return state(self._connection)

    def highest_version(self) -> int:
        """The highest claimed version; 0 for none."""
        return highest_version(self._connection)

    def save(self, text: str) -> None:
        """Replace what is remembered."""
        self._connection.execute("INSERT OR REPLACE INTO alert_state VALUES (1, ?)", (text,))

    def claim(self, fingerprint: str, version: int) -> bool:
        """Whether this version is higher than any claimed before of this fingerprint."""
        done = self._connection.execute(
            "INSERT INTO alert_claim (fingerprint, version) VALUES (?, ?)"
            " ON CONFLICT (fingerprint) DO UPDATE SET version = excluded.version"
            " WHERE excluded.version > version",
            (_kept(fingerprint), version),
        )
        return done.rowcount == 1

    def post(self, entries: Iterable[tuple[str, str]]) -> None:
        """Add messages (key, entry), due at once; a key that is there already stays as it is."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO alert_outbox (key, entry, due_ms, rounds, is_sent)"
            " VALUES (?, ?, 0, 0, 0)",
            entries,
        )

    def due(self, now_ms: int, furthest_ms: int) -> list[OutboxRow]:
        """(key, entry, failed rounds) of the messages that are due, oldest first.

        Due is what was so before now, or would be only after `furthest_ms`, which no sound clock
        has said.
        """
        return self._connection.execute(
            "SELECT key, entry, rounds FROM alert_outbox WHERE closed_at_ms IS NULL"
            " AND (due_ms <= ? OR due_ms > ?) ORDER BY id",
            (now_ms, furthest_ms),
        ).fetchall()

    def put_off(self, keys: Iterable[str], until_ms: int) -> None:
        """Make messages due again only at `until_ms`; with `due` before it this is a lease."""
        self._connection.executemany(
            "UPDATE alert_outbox SET due_ms = ? WHERE key = ?", [(until_ms, key) for key in keys]
        )

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryRow) -> None:
        """Close a message, or make it due later with one failed round more; record the note.

        What is closed stays so: a sender whose lease ran out long ago may come back late.
        """
        if is_sent:
            due_ms = None
        self._connection.execute(
            "UPDATE alert_outbox SET rounds = rounds + ?, is_sent = is_sent OR ?,"
            " due_ms = iif(closed_at_ms IS NULL, ?, NULL), closed_at_ms = ifnull(closed_at_ms, ?)"
            " WHERE key = ?",
            (not is_sent, is_sent, due_ms, note[0] if due_ms is None else None, key),
        )
        self.record([note])

    def record(self, rows: Iterable[HistoryRow]) -> None:
        """Add to the history, and drop what is too old beside the newest of these."""
        added = list(rows)
        self._connection.executemany(
            "INSERT INTO alert_history (at_ms, rule_id, fingerprint, event, detail)"
            " VALUES (?, ?, ?, ?, ?)",
            [(row[0], *map(_kept, row[1:])) for row in added],
        )
        if added:
            self._prune(max(row[0] for row in added))

    def _prune(self, now_ms: int) -> None:
        """Drop what is too old: where nothing is, two looks into an index.

        A claim stays as long as the history tells of its alert: until then a state that was put
        back could decide the same again. The highest stays for ever: a lost state goes on from it.
        """
        self._connection.execute(
            "DELETE FROM alert_outbox WHERE closed_at_ms < ?", (now_ms - CLOSED_KEPT_MS,)
        )
        gone = self._connection.execute(
            "DELETE FROM alert_history WHERE at_ms < ?", (now_ms - HISTORY_KEPT_MS,)
        )
        if gone.rowcount:
            self._connection.execute(
                "DELETE FROM alert_claim"
                " WHERE fingerprint NOT IN (SELECT fingerprint FROM alert_history)"
                " AND version < (SELECT max(version) FROM alert_claim)"
            )


def state(connection: sqlite3.Connection) -> str | None:
    """What is remembered, as it was saved."""
    row = connection.execute("SELECT state FROM alert_state").fetchone()
    return None if row is None else row[0]


def highest_version(connection: sqlite3.Connection) -> int:
    """The highest claimed version; 0 for none."""
    row = connection.execute("SELECT ifnull(max(version), 0) FROM alert_claim").fetchone()
    return int(row[0])


def _kept(text: str) -> str:
    """The text as SQLite takes it: it refuses lone surrogates, which a path may hold."""
    return text.encode("utf-8", "backslashreplace").decode()
