"""Write to a ledger that may be held still, with the lock from the beginning."""

from __future__ import annotations

from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@contextmanager
def written(
    connection: sqlite3.Connection, patience_ms: int, *, is_durable: bool = False
) -> Iterator[None]:
    """A transaction: kept whole, or nothing of it if the block raises.

    What `Ledger.hold_still` began is let go before, since a view of the past cannot be written
    to, and begun again after: the ledger then shows what was written, by others too.

    Args:
        connection: In autocommit mode, or held still.
        patience_ms: How long another writer is waited for.
        is_durable: Whether it must outlive a loss of power: the log is then synced before the
            commit returns, which the ledger otherwise leaves to the next checkpoint.
    """
    was_still = connection.in_transaction
    if was_still:
        connection.execute("COMMIT")
    (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
    try:
        if is_durable:
            # A write cache that ignores fsync (macOS) is told in its own way; elsewhere no change.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # it raised, or could not be committed
            connection.execute("ROLLBACK")
        if is_durable:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA fullfsync = OFF")
        connection.execute(f"PRAGMA busy_timeout = {before}")
        if was_still:
            connection.execute("BEGIN")
