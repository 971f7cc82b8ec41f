"""What the controller remembers, decides and measures, as rows; `Ledger.control` gives it.

The text of a state is the controller's own: the ledger keeps it and reads none. What belongs
together is written in one transaction (`ControlRows.transaction`), so that a controller that is
killed leaves what it was before, or what it was to be: never an action that was noted without the
rest that it implies.

Nothing is written in a passing copy of the ledger (a read-only home, `--from`): two copies would
otherwise act each for itself.
"""

from __future__ import annotations

from contextlib import contextmanager

from tokenbudget.ledger.control_columns import (
    DECISION,
    RECEIPT,
    decision_of,
    decision_values,
    items_text,
    receipt_of,
    receipt_values,
    storable,
)
from tokenbudget.ledger.files import shown_path, stored_path
from tokenbudget.ledger.writing import written
from tokenbudget.model.control import ACT, RESTORE
from tokenbudget.model.errors import LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from tokenbudget.ledger.connection import Told
    from tokenbudget.model.control import Decision, Receipt

KEPT_MS = 90 * 86_400_000
"""A decision is history for three months, as an alert is; a receipt stays."""

MOST_DECISIONS = 500
"""Of one session: a window that hovers for a week leaves no more."""

SHORT_PATIENCE_MS = 3_000
"""For a tick, which comes again soon."""

LONG_PATIENCE_MS = 60_000
"""For what has been done: a receipt that is not noted has to be found out at the next start."""


class ControlRows:
    """Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: Told, is_kept: bool) -> None:
        self._connection = connection
        self._told = told
        self._is_kept = is_kept

    @property
    def is_kept(self) -> bool:
        """Whether what is written stays: not so in a passing copy, where writing is refused."""
        return self._is_kept

    # ── reading ────────────────────────────────────────────────────────────────────────────────

    def state(self, session: str) -> str | None:
        """What is remembered of a session, as it was kept; None for nothing."""
        with self._told:
            return _state(self._connection, session)

    def states(self, before_ms: int | None = None) -> list[str]:
        """The sessions of which something is remembered, the last kept first.

        With `before_ms` only those that were kept before, and not since.
        """
        with self._told:
            rows = self._connection.execute(
                "SELECT session FROM control_state WHERE ?1 IS NULL OR at_ms < ?1"
                " ORDER BY at_ms DESC, session",
                (before_ms,),
            )
            return [row[0] for row in rows]

    def decisions(self, session: str = "", limit: int = 50) -> list[Decision]:
        """The latest first; of one session or ('') all."""
        with self._told:
            rows = self._connection.execute(
                f"SELECT {', '.join(DECISION)} FROM control_decision"
                " WHERE ? IN ('', session) ORDER BY id DESC LIMIT ?",
                (storable(session), limit),
            )
            return [decision_of(row) for row in rows]

    def receipts(
        self, session: str = "", project: str = "", since_ms: int = 0, limit: int = 200
    ) -> list[Receipt]:
        """The latest first; of one session and of one project, or ('') all."""
        with self._told:
            rows = self._connection.execute(
                f"SELECT id, {', '.join(RECEIPT)} FROM control_receipt WHERE ?1 IN ('', session)"
                " AND ?2 IN ('', project) AND at_ms >= ?3 ORDER BY id DESC LIMIT ?4",
                (storable(session), stored_path(project), since_ms, limit),
            )
            return [receipt_of(row) for row in rows]

    def open_receipts(self, session: str = "") -> list[tuple[Receipt, str]]:
        """Those that are not settled, each with its project's folder, the oldest first."""
        with self._told:
            rows = self._connection.execute(
                f"SELECT project, id, {', '.join(RECEIPT)} FROM control_receipt"
                " WHERE settled_at_ms IS NULL AND ? IN ('', session) ORDER BY id",
                (storable(session),),
            )
            return [(receipt_of(row[1:]), shown_path(row[0])) for row in rows]

    def project_of(self, session: str) -> str:
        """The project's folder by the session's last receipt; '' where it has none."""
        with self._told:
            row = self._connection.execute(
                "SELECT project FROM control_receipt WHERE session = ? ORDER BY id DESC LIMIT 1",
                (storable(session),),
            ).fetchone()
            return "" if row is None else shown_path(row[0])

    def pulled_in(self, lever: str, since_ms: int) -> list[str]:
        """The projects in which a lever was pulled since then, each once."""
        with self._told:
            rows = self._connection.execute(
                "SELECT DISTINCT project FROM control_receipt WHERE at_ms >= ? AND lever = ?"
                " AND outcome <> 'failed' ORDER BY project",
                (since_ms, lever),
            )
            return [shown_path(row[0]) for row in rows]

    def receipt_of_action(self, action: int) -> Receipt | None:
        """The receipt of an action of the journal; None where it has none."""
        with self._told:
            row = self._connection.execute(
                f"SELECT id, {', '.join(RECEIPT)} FROM control_receipt WHERE action = ?", (action,)
            ).fetchone()
            return None if row is None else receipt_of(row)

    def check(self) -> None:
        """See that every row can be read; raises LedgerDamaged where one cannot."""
        self.receipts(limit=-1)
        self.decisions(limit=-1)

    # ── writing ────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def transaction(
        self, patience_ms: int = SHORT_PATIENCE_MS, *, is_durable: bool = False
    ) -> Iterator[ControlWriting]:
        """Write with the lock held from the beginning: kept whole, or nothing of it if it raises.

        Args:
            patience_ms: How long another writer is waited for.
            is_durable: Whether it must outlive a loss of power.

        Raises:
            LedgerUnusable: this is a passing copy, or it cannot be written.
        """
        if not self._is_kept:
            raise LedgerUnusable(
                "the controller acts only where its record can be kept, and this is a passing"
                " copy; make its folder writable or set TOKENS_HOME"
            )
        with self._told, written(self._connection, patience_ms, is_durable=is_durable):
            yield ControlWriting(self._connection)

    def put_state(self, session: str, text: str, at_ms: int) -> None:
        """Keep what is remembered of a session."""
        with self.transaction() as writing:
            writing.put_state(session, text, at_ms)

    def record(self, decision: Decision, project: str) -> bool:
        """Write a decision down, unless it says what the last one of its session said."""
        with self.transaction() as writing:
            return writing.record(decision, project)

    def open_receipt(self, receipt: Receipt, project: str) -> int:
        """Write down, durably, what an action is to do; the receipt's id."""
        with self.transaction(is_durable=True) as writing:
            return writing.open_receipt(receipt, project)

    def settle(self, receipt: Receipt) -> None:
        """Write down how a receipt stands now, durably."""
        with self.transaction(LONG_PATIENCE_MS, is_durable=True) as writing:
            writing.settle(receipt)


class ControlWriting:
    """What can be done inside `ControlRows.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def state(self, session: str) -> str | None:
        """What is remembered of a session, as it was kept; None for nothing."""
        return _state(self._connection, session)

    def put_state(self, session: str, text: str, at_ms: int) -> None:
        """Keep what is remembered of a session."""
        self._connection.execute(
            "INSERT OR REPLACE INTO control_state (session, at_ms, state) VALUES (?, ?, ?)",
            (storable(session), at_ms, text),
        )

    def drop_state(self, session: str) -> None:
        """Remember nothing more of a session."""
        self._connection.execute(
            "DELETE FROM control_state WHERE session = ?", (storable(session),)
        )

    def record(self, decision: Decision, project: str) -> bool:
        """Write a decision down, and drop what is too old; whether it was written.

        One that says what the last one of its session said is not, unless something is done by it.
        """
        if decision.kind not in (ACT, RESTORE) and self._was_last(decision):
            return False
        columns = ("project", *DECISION)
        self._connection.execute(
            f"INSERT INTO control_decision ({', '.join(columns)})"
            f" VALUES ({', '.join('?' * len(columns))})",
            (stored_path(project), *decision_values(decision)),
        )
        self._prune(decision.session, decision.at_ms)
        return True

    def _was_last(self, decision: Decision) -> bool:
        row = self._connection.execute(
            "SELECT kind, code, lever, items FROM control_decision WHERE session = ?"
            " ORDER BY id DESC LIMIT 1",
            (storable(decision.session),),
        ).fetchone()
        said = (decision.kind, decision.code, decision.lever, items_text(decision.items))
        return row is not None and tuple(row) == said

    def _prune(self, session: str, now_ms: int) -> None:
        self._connection.execute(
            "DELETE FROM control_decision WHERE at_ms < ?", (now_ms - KEPT_MS,)
        )
        self._connection.execute(
            "DELETE FROM control_decision WHERE session = ?1 AND id <= (SELECT id FROM"
            " control_decision WHERE session = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (storable(session), MOST_DECISIONS),
        )

    def open_receipt(self, receipt: Receipt, project: str) -> int:
        """Write down what an action is to do; the receipt's id, whatever it says of one."""
        columns = ("project", *RECEIPT)
        done = self._connection.execute(
            f"INSERT INTO control_receipt ({', '.join(columns)})"
            f" VALUES ({', '.join('?' * len(columns))})",
            (stored_path(project), *receipt_values(receipt)),
        )
        return done.lastrowid or 0

    def settle(self, receipt: Receipt) -> None:
        """Write down how a receipt stands now: its action, what was measured, how it ended.

        Raises:
            LedgerUnusable: there is no such receipt.
        """
        done = self._connection.execute(
            "UPDATE control_receipt SET action = ?, measured_tokens = ?, measured_usd = ?,"
            " settled_at_ms = ?, outcome = ? WHERE id = ?",
            (
                *(receipt.action, receipt.measured_tokens, receipt.measured_usd),
                *(receipt.settled_at_ms, receipt.outcome, receipt.id),
            ),
        )
        if done.rowcount != 1:
            raise LedgerUnusable(f"there is no receipt {receipt.id}")


def _state(connection: sqlite3.Connection, session: str) -> str | None:
    row = connection.execute(
        "SELECT state FROM control_state WHERE session = ?", (storable(session),)
    ).fetchone()
    return None if row is None else row[0]
