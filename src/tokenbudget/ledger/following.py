"""What a window that is followed on asks: what is new, and whether what was before is as it was."""

from __future__ import annotations

from tokenbudget.ledger.windows import (
    FILES,
    PIECES,
    REQUEST_COLUMNS,
    REQUEST_NAMES,
    RequestRow,
    file_row,
    piece_row,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from tokenbudget.ledger.windows import PieceRow, WindowFile


def file_of(connection: sqlite3.Connection, file_id: int) -> WindowFile | None:
    """A transcript by its number; None where the ledger has none of it."""
    row = connection.execute(FILES + " WHERE f.id = ?", (file_id,)).fetchone()
    return None if row is None else file_row(row)


def generation_of(connection: sqlite3.Connection, file_id: int) -> tuple[int, int] | None:
    """(inode, rereads) of a transcript: others where it was replaced, or read anew from its begin.

    None where the ledger has none of it.
    """
    row: tuple[int, int] | None = connection.execute(
        "SELECT inode, rereads FROM file WHERE id = ?", (file_id,)
    ).fetchone()
    return row


def pieces_from(
    connection: sqlite3.Connection, file_id: int, place: tuple[int, int]
) -> list[PieceRow]:
    """What was counted of a file's main thread from this offset and position on, in order."""
    rows = connection.execute(
        PIECES + " AND (byte_offset, position) >= (?, ?) AND thread = ''"
        " ORDER BY byte_offset, position",
        (file_id, *place),
    )
    return [piece_row(row) for row in rows]


def requests_of(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, RequestRow]:
    """The requests of these keys that the ledger knows, by key."""
    # One by one, because `json_each` ends a text at a NUL, and a hostile key may have one.
    asked = REQUEST_COLUMNS + " FROM response r" + REQUEST_NAMES + " WHERE r.key = ?"
    rows = (connection.execute(asked, (key,)).fetchone() for key in keys)
    return {row[0]: RequestRow(*row) for row in rows if row is not None}


_SUMMED = (
    "r.started_at_ms", "r.model_id", "ifnull(r.input_tokens, -1)", "ifnull(r.output_tokens, -1)",
    "ifnull(r.cache_write_5m_tokens, -1)", "ifnull(r.cache_write_1h_tokens, -1)",
    "ifnull(r.cache_read_tokens, -1)", "ifnull(r.thinking_tokens, -1)", "r.has_stop_reason",
    "r.speed", "r.service_tier",
)  # fmt: skip
_SUMS = (
    "SELECT count(*), "
    + ", ".join(f"ifnull(sum({column}), 0)" for column in _SUMMED)
    + " FROM response r JOIN session s ON s.id = r.session_id"
    " WHERE s.name = ? AND r.started_at_ms > ? AND r.started_at_ms <= ? AND r.is_sidechain = 0"
)


def usage_sums(
    connection: sqlite3.Connection, session: str, after_ms: int, until_ms: int
) -> tuple[int, ...]:
    """Sums of all that a session's main thread reported in a time, `after_ms` left out.

    They are others where any of these responses is: copies of one are merged by maximum.
    """
    return tuple(connection.execute(_SUMS, (session, after_ms, until_ms)).fetchone())
