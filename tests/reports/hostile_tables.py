"""Tables of an export in which every text is an attack and every number is odd."""

from collections.abc import Iterator
from typing import Any

from tests.hostile import PAYLOADS

from tokenbudget.reports.exporters.tables import COLUMNS, Column, Spelling, Table

BATCH_ROWS = 100
NUMBERS = (0, 1, 123_456, 2**53 + 1, None)
MONEY = ("0", "0.000000000001", "12345678901234567890.123456789012345", "4.18", None)
TIMES = (1_795_262_400_123, 1, None)
ISO = {TIMES[0]: "2026-11-21T08:00:00.123+01:00", TIMES[1]: "1970-01-01T00:00:00.001+00:00"}


def original_rows(name: str) -> list[tuple[Any, ...]]:
    """A row per payload, which stands in every text of it; times are milliseconds."""
    return [
        tuple(_value(column, payload, number + place) for place, column in enumerate(COLUMNS[name]))
        for number, payload in enumerate(PAYLOADS.values())
    ]


def _value(column: Column, payload: str, number: int) -> Any:
    if column.kind == "text":
        return payload
    return {
        "word": ("standard", "claude-code", "other speed"),
        "day": ("2026-11-20", None),
        "time": TIMES,
        "flag": (0, 1, None),
        "whole": NUMBERS,
        "money": MONEY,
    }[column.kind][number % {"word": 3, "day": 2, "time": 3, "flag": 3}.get(column.kind, 5)]


def hostile_table(name: str) -> Table:
    """The table as the app would hand it to a writer."""
    columns, rows = COLUMNS[name], original_rows(name)

    def batches(spelling: Spelling) -> Iterator[list[tuple[Any, ...]]]:
        told = [
            tuple(
                _told(column, value, spelling) for column, value in zip(columns, row, strict=True)
            )
            for row in rows
        ]
        for first in range(0, len(told), BATCH_ROWS):
            yield told[first : first + BATCH_ROWS]
        yield []

    return Table(name, columns, batches)


def _told(column: Column, value: Any, spelling: Spelling) -> Any:
    if value is None:
        return spelling.unknown
    if column.kind == "text":
        return spelling.text(value)
    if column.kind == "flag":
        return spelling.flags[value]
    if column.kind == "time" and not spelling.is_time_in_ms:
        return ISO[value]
    return value


def with_iso(name: str, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with its times as text."""
    return tuple(
        ISO[value] if column.kind == "time" and value is not None else value
        for column, value in zip(COLUMNS[name], row, strict=True)
    )
