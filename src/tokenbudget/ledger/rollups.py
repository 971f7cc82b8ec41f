"""Hourly sums: a cache of `response`, exact at every moment.

A commit that changes responses marks their UTC hours as stale in the same transaction. Readers use
`usage_hour_sql`, which takes fresh hours from the rollup and stale ones from the responses, so that
a process killed between the two steps leaves nothing wrong, only something slower.
"""

from __future__ import annotations

import json

from tokenbudget.ledger.connection import Transaction
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR, SUMS, usage_rows_sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_DIMENSIONS = "agent, project_id, model_id, speed, service_tier, prompt_bucket"
_SUMMED = ", ".join(f"SUM({name})" for name in SUMS)


def mark_stale(connection: sqlite3.Connection, hours: Iterable[int]) -> None:
    """Note that the responses of these UTC hours have changed."""
    connection.executemany(
        "INSERT OR IGNORE INTO rollup_stale (hour) VALUES (?)", [(hour,) for hour in hours]
    )


def thresholds_in(connection: sqlite3.Connection) -> tuple[int, ...]:
    """The prompt sizes by which the rollup tells requests apart."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'price_thresholds'").fetchone()
    return () if row is None else tuple(json.loads(row[0]))


def use_thresholds(connection: sqlite3.Connection, wanted: tuple[int, ...]) -> None:
    """Make the rollup tell requests apart at these sizes too; if it did not, all is stale."""
    if set(wanted) <= set(thresholds_in(connection)):
        return
    with Transaction(connection):
        union = sorted({*wanted, *thresholds_in(connection)})
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('price_thresholds', ?)",
            (json.dumps(union),),
        )
        connection.execute("INSERT OR IGNORE INTO rollup_stale SELECT DISTINCT hour FROM rollup")


def has_stale_hours(connection: sqlite3.Connection) -> bool:
    """Whether `refresh` has anything to do."""
    return connection.execute("SELECT 1 FROM rollup_stale LIMIT 1").fetchone() is not None


def refresh(connection: sqlite3.Connection) -> None:
    """Recompute the stale hours."""
    if not has_stale_hours(connection):
        return
    with Transaction(connection):
        connection.execute("DELETE FROM rollup WHERE hour IN (SELECT hour FROM rollup_stale)")
        is_first = connection.execute("SELECT 1 FROM rollup LIMIT 1").fetchone() is None
        rows = usage_rows_sql(thresholds_in(connection), only_stale_hours=not is_first)
        connection.execute(
            f"INSERT INTO rollup SELECT started_at_ms / {MILLISECONDS_PER_HOUR} AS hour,"
            f" {_DIMENSIONS}, {_SUMMED} FROM ({rows}) GROUP BY hour, {_DIMENSIONS}"
        )
        connection.execute("DELETE FROM rollup_stale")


def usage_hour_sql(connection: sqlite3.Connection) -> str:
    """A subquery with the rows of `rollup`, correct whether or not hours are stale.

    `started_at_ms` is the beginning of the hour.
    """
    columns = f"{_DIMENSIONS}, {', '.join(SUMS)}"
    fresh = f"SELECT hour * {MILLISECONDS_PER_HOUR} AS started_at_ms, {columns} FROM rollup"
    if not has_stale_hours(connection):
        return fresh
    stale = usage_rows_sql(thresholds_in(connection), only_stale_hours=True)
    return (
        f"{fresh} WHERE hour NOT IN (SELECT hour FROM rollup_stale) UNION ALL"
        f" SELECT started_at_ms, {columns} FROM ({stale})"
    )
