"""Sizes, ages and places as every report of the archive writes them."""

from __future__ import annotations

from tokenbudget.model.figures import counted
from tokenbudget.model.plain_text import one_line

DAY_MS = 86_400_000
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.reports.table import Cell, Column

_UNITS = ("B", "KB", "MB", "GB", "TB")


def size(size_bytes: int) -> str:
    """Bytes in decimal units, with three digits at most: 950 B, 1.24 KB, 33.6 MB."""
    value, unit = float(size_bytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value /= 1000
        unit += 1
    digits = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {_UNITS[unit]}"


def share(part: int, whole: int) -> str:
    """A share in percent, '' of nothing."""
    return f"{part / whole:.1%}" if whole else ""


def place(path: str, home: str) -> str:
    """A path as a person reads it: the home folder is `~`."""
    if home and (path == home or path.startswith(f"{home}/")):
        path = f"~{path[len(home) :]}"
    return one_line(path)


def age(last_ms: int, now_ms: int) -> str:
    """How long ago something was used last."""
    days = (now_ms - last_ms) // DAY_MS
    if days < 0:
        return "in the future"
    return "today" if days == 0 else counted(days, "day")


def without_empty(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], totals: Sequence[Cell]
) -> tuple[list[Column], list[list[Cell]], list[Cell]]:
    """A table without the columns that hold nothing in any row: no title, no remark."""
    kept = [n for n in range(len(columns)) if any(row[n] != "" for row in rows)]
    return (
        [columns[n] for n in kept],
        [[row[n] for n in kept] for row in rows],
        [totals[n] for n in kept],
    )
