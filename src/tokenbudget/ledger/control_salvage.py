"""What a damaged ledger still tells of the controller, for the new one that takes its place.

What was lent must be put back, and what was measured cannot be measured again. A receipt or a
decision that cannot be read as a whole is left out; a state that cannot is begun afresh.
"""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger.alert_salvage import SIGNED, Kinds, Row, readable
from tokenbudget.ledger.control_columns import DECISION, RECEIPT, decision_of, receipt_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_MAYBE = (int, type(None))
_NAME = (str, bytes)
_USD = (float, type(None))
_STATE: tuple[tuple[str, ...], Kinds] = (("session", "at_ms", "state"), (str, int, str))
_DECISION: tuple[tuple[str, ...], Kinds] = (
    ("id", "project", *DECISION),
    (int, _NAME, int, *(str,) * 7, (str, type(None)), str, str),
)
_RECEIPT: tuple[tuple[str, ...], Kinds] = (
    ("id", "project", *RECEIPT),
    (
        *(int, _NAME, str, int, str, str, str, _MAYBE, int, _USD, str, int, str),
        *((*_MAYBE, SIGNED), _USD, _MAYBE, str),
    ),
)


def take_over(connection: sqlite3.Connection, damaged: sqlite3.Connection) -> bool:
    """Copy what can be read; whether a receipt is lost. The caller commits."""
    states, _ = readable(damaged, "control_state", *_STATE)
    decisions, _ = readable(damaged, "control_decision", *_DECISION)
    receipts, has_all = readable(damaged, "control_receipt", *_RECEIPT)
    whole = [row for row in receipts if _can_be_read(receipt_of, (row[0], *row[2:]))]
    _insert(connection, "control_state", _STATE[0], states)
    _insert(
        *(connection, "control_decision", _DECISION[0]),
        (row for row in decisions if _can_be_read(decision_of, row[2:])),
    )
    _insert(connection, "control_receipt", _RECEIPT[0], whole)
    return not has_all or len(whole) < len(receipts)


def _can_be_read(read: Callable[[Sequence[object]], object], row: Sequence[object]) -> bool:
    try:
        read(row)
    except sqlite3.DatabaseError:
        return False
    return True


def _insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Row]
) -> None:
    connection.executemany(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)})"
        f" VALUES ({', '.join('?' * len(columns))})",
        rows,
    )
