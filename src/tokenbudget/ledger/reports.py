"""What the agent reported of itself: usage limits, and how large a session's window is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    LimitRow = tuple[str, int, float, int]
    WindowRow = tuple[str, int, int]

KEPT_MS = 70 * 86_400_000
"""Ten weeks of reports: as much as a forecast of the 7-day limit looks back on."""


def store(
    connection: sqlite3.Connection, limits: Iterable[LimitRow], windows: Iterable[WindowRow]
) -> None:
    """Take reports in, each once however often it comes; the caller commits.

    A limit is (name, at_ms, used_share, resets_at_ms), a window (session, at_ms, window_tokens).
    """
    connection.executemany("INSERT OR IGNORE INTO limit_sample VALUES (?, ?, ?, ?)", limits)
    connection.executemany(
        "INSERT INTO told_window VALUES (?, ?, ?) ON CONFLICT (session) DO UPDATE SET"
        " at_ms = excluded.at_ms, window_tokens = excluded.window_tokens"
        " WHERE excluded.at_ms >= at_ms",
        windows,
    )
    connection.execute(
        "DELETE FROM limit_sample WHERE at_ms < (SELECT max(at_ms) FROM limit_sample) - ?",
        (KEPT_MS,),
    )


def limit_samples(connection: sqlite3.Connection, name: str) -> list[tuple[int, float, int]]:
    """(at_ms, used_share, resets_at_ms) of a limit, oldest first."""
    return connection.execute(
        "SELECT at_ms, used_share, resets_at_ms FROM limit_sample WHERE name = ? ORDER BY at_ms",
        (name,),
    ).fetchall()


def told_window(connection: sqlite3.Connection, session: str) -> int | None:
    """The window of a session in tokens, as the agent reported it last."""
    row = connection.execute(
        "SELECT window_tokens FROM told_window WHERE session = ?", (session,)
    ).fetchone()
    return None if row is None else int(row[0])


def last_told(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """(session, at_ms) of the latest report that was kept."""
    row: tuple[str, int] | None = connection.execute(
        "SELECT session, at_ms FROM told_window ORDER BY at_ms DESC LIMIT 1"
    ).fetchone()
    return row
