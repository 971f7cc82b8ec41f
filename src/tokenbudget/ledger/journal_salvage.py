"""What a damaged ledger still tells of the journal and of the archives, for the new one.

A change that was made must stay one that can be taken back, so every step that can be read is
saved, also where the row of its action is lost. The index of the archives is saved as far as it
can be read, and the manifests tell the rest.
"""

from __future__ import annotations

import sqlite3

from tokenbudget.ledger.alert_salvage import Kinds, Row, readable
from tokenbudget.ledger.applied_fixes import COLUMNS
from tokenbudget.ledger.journal import step_record

LOST_CAUSE = "unknown"
"""Of an action whose row is lost."""

_MAYBE = (int, type(None))
_NAME = (str, bytes)
_ACTION: tuple[tuple[str, ...], Kinds] = (
    ("id", "at_ms", "cause", "project", "freed_tokens", "freed_bytes", "undone_at_ms", "undoes"),
    (int, int, str, _NAME, _MAYBE, int, _MAYBE, _MAYBE),
)
_STEP: tuple[tuple[str, ...], Kinds] = (
    ("id", "action_id", "number", "step", "state", "message", "result"),
    (int, int, int, str, str, str, str),
)
_SESSION: tuple[tuple[str, ...], Kinds] = (
    (
        *("id", "session", "folder", "archive_file", "archived_at_ms", "last_activity_ms"),
        *("raw_bytes", "size_bytes"),
    ),
    (int, str, _NAME, str, int, int, int, int),
)
_FILE: tuple[tuple[str, ...], Kinds] = (
    ("id", "archived_id", "name", "path"),
    (int, int, _NAME, _NAME),
)

_FIX: tuple[tuple[str, ...], Kinds] = (
    COLUMNS,
    (int, str, str, _NAME, _NAME, int, int, _MAYBE, _MAYBE, int, int, int, _MAYBE),
)


def take_over(connection: sqlite3.Connection, damaged: sqlite3.Connection) -> bool:
    """Copy what can be read; whether a part of the journal is lost. The caller commits."""
    actions, has_all_actions = readable(damaged, "action", *_ACTION)
    steps, has_all_steps = readable(damaged, "action_step", *_STEP)
    sound = [row for row in steps if _is_sound(row)]
    known = {row[0] for row in actions}
    orphans = sorted({row[1] for row in sound} - known)  # type: ignore[type-var]
    lost: list[Row] = [(number, 0, LOST_CAUSE, "", None, 0, None, None) for number in orphans]
    _insert(connection, "action", _ACTION[0], actions + lost)
    _insert(connection, "action_step", _STEP[0], sound)
    sessions, _ = readable(damaged, "archived_session", *_SESSION)
    files, _ = readable(damaged, "archived_file", *_FILE)
    fixes, _ = readable(damaged, "applied_fix", *_FIX)
    told = known | set(orphans)
    _insert(connection, "applied_fix", _FIX[0], [row for row in fixes if row[0] in told])
    saved = {row[0] for row in sessions}
    _insert(connection, "archived_session", _SESSION[0], sessions)
    _insert(connection, "archived_file", _FILE[0], [row for row in files if row[1] in saved])
    return not (has_all_actions and has_all_steps and len(sound) == len(steps)) or bool(lost)


def _is_sound(row: Row) -> bool:
    try:
        step_record(row[2:])
    except sqlite3.DatabaseError:
        return False
    return True


def _insert(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[Row]
) -> None:
    connection.executemany(
        f"INSERT OR IGNORE INTO {table} ({', '.join(columns)})"
        f" VALUES ({', '.join('?' * len(columns))})",
        rows,
    )
