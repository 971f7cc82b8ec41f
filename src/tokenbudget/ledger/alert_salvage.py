"""What a damaged ledger still tells of the alerts, for the new one that takes its place.

A silence, an acknowledgement and a message that waits must outlive the damage, and nothing that was
told may be told again. Each table is read up to its damage from either side.
"""

from __future__ import annotations

import sqlite3
from typing import Any, TypeAlias

from tokenbudget.ledger.alert_store import highest_version

Row: TypeAlias = tuple[object, ...]
Kinds: TypeAlias = "tuple[type | tuple[type, ...], ...]"

UNREADABLE = (sqlite3.Error, OverflowError, UnicodeError, MemoryError)
"""What reading damaged pages raises; a damaged length may ask for any amount of memory."""

LEAP = 1_000_000
"""More decisions than can have been lost: where the state is, their versions are passed over, for
with a version comes the key by which a receiver knows what it has shown before."""

_LARGEST = 10**15
"""No version and no time in milliseconds is greater: beyond it a number is damage."""


class SIGNED:
    """Stands among the kinds of a column whose numbers may be below 0."""


_MAYBE = (int, type(None))
_TABLES: dict[str, tuple[tuple[str, ...], Kinds]] = {
    "alert_state": (("id", "state"), (int, str)),
    "alert_claim": (("fingerprint", "version"), (str, int)),
    "alert_outbox": (
        ("id", "key", "entry", "due_ms", "rounds", "is_sent", "closed_at_ms"),
        (int, str, str, _MAYBE, int, int, _MAYBE),
    ),
    "alert_history": (
        ("id", "at_ms", "rule_id", "fingerprint", "event", "detail"),
        (int, int, str, str, str, str),
    ),
}
"""Columns, the first one ordering the rows, and what can stand in each."""


def take_over(connection: sqlite3.Connection, damaged: sqlite3.Connection) -> bool:
    """Copy what can be read; whether what the alerts remembered is lost. The caller commits."""
    is_state_lost = False
    for table, (columns, kinds) in _TABLES.items():
        rows, is_whole = readable(damaged, table, columns, kinds)
        connection.executemany(
            f"INSERT OR IGNORE INTO {table} ({', '.join(columns)})"
            f" VALUES ({', '.join('?' * len(columns))})",
            rows,
        )
        if table == "alert_state":
            is_state_lost = not is_whole and not rows
    if is_state_lost:
        connection.execute(
            "INSERT OR REPLACE INTO alert_claim (fingerprint, version) VALUES ('', ?)",
            (highest_version(connection) + LEAP,),
        )
    return is_state_lost


def readable(
    damaged: sqlite3.Connection, table: str, columns: tuple[str, ...], kinds: Kinds
) -> tuple[list[Row], bool]:
    """Every row that can be read, in order of the first column, and whether these are all."""
    found: dict[Any, Row] = {}
    is_whole = False
    for order in ("ASC", "DESC"):
        rows = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]} {order}"
        try:
            lost = 0
            for row in damaged.execute(rows):
                if all(map(_is_plausible, row, kinds)):
                    found[row[0]] = row
                else:
                    lost += 1
            is_whole = lost == 0
            break
        except UNREADABLE as damage:
            if "no such table" in str(damage):
                return [], True  # an earlier version wrote this ledger
    return [found[key] for key in sorted(found)], is_whole


def _is_plausible(value: object, kind: type | tuple[type, ...]) -> bool:
    if not isinstance(value, int):
        return isinstance(value, kind)
    is_signed = isinstance(kind, tuple) and SIGNED in kind
    return isinstance(value, kind) and (-_LARGEST if is_signed else 0) <= value <= _LARGEST
