"""The learnt ways of counting, kept so that a warm command need not learn again."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


class CalibrationRow(NamedTuple):
    """A model's way of counting; see `metering.calibration.Fit`. `weights` is a JSON object."""

    model: str
    steps: int
    sessions: int
    median_error: float | None
    p90_error: float
    p90_text_error: float
    unexplained_share: float
    weights: str
    made_at_ms: int


def calibrations(connection: sqlite3.Connection) -> list[CalibrationRow]:
    """Every one that is kept, the best known first."""
    rows = connection.execute("SELECT * FROM calibration ORDER BY steps DESC, model")
    return [CalibrationRow(*row) for row in rows]


def store_calibrations(connection: sqlite3.Connection, rows: Iterable[CalibrationRow]) -> None:
    """Replace what is kept; the caller commits."""
    connection.execute("DELETE FROM calibration")
    connection.executemany("INSERT INTO calibration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def calibrated_at_ms(connection: sqlite3.Connection) -> int:
    """When that was learnt; 0 for never."""
    row = connection.execute("SELECT ifnull(max(made_at_ms), 0) FROM calibration").fetchone()
    return int(row[0])
