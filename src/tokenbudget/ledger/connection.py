"""Open the ledger: WAL, migrated, and with SQLite's errors told as sentences."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from tokenbudget.ledger.migrations import migrate
from tokenbudget.ledger.schema import SCHEMA_VERSION
from tokenbudget.model.errors import LedgerDamaged, LedgerTooNew, LedgerUnusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

BUSY_TIMEOUT_SECONDS = 60.0
"""How long a writer waits for another one; a commit takes milliseconds, a rebuild seconds."""

OLDEST_SQLITE = (3, 35, 0)
"""The first with RETURNING (March 2021)."""

TEMPORARY = ""
"""SQLite's name for a private database on disk that vanishes with the connection."""

_WAL_ATTEMPTS = 100
"""More than the processes that begin a new ledger at the same moment."""

_DAMAGE = (
    "malformed",
    "not a database",
    "file is encrypted",
    "disk image",
    "no such table",  # the schema's number says that everything is there
    "no such column",
    "no such index",
    "has no column named",
    "already exists",
)

_PARTS = """
SELECT type || ': ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'
UNION
SELECT 'column: ' || t.name || '.' || c.name
FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'
"""
_PRAGMAS = """
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8000;
PRAGMA foreign_keys = OFF;
"""


def translated(path: str, exc: sqlite3.Error) -> Exception:
    """SQLite's error as one of ours, with the file's name and what to do."""
    text = str(exc)
    if path == TEMPORARY:
        return _without_temporary_files(text)
    if any(sign in text for sign in _DAMAGE):
        return LedgerDamaged(f"the ledger {path} is damaged ({text}); run: tokens doctor --rebuild")
    if "full" in text:
        return LedgerUnusable(f"no room left to write the ledger {path}; free some disk space")
    if "locked" in text or "busy" in text:
        return LedgerUnusable(f"another process does not let go of the ledger {path}; try again")
    if "disk I/O" in text:
        return LedgerUnusable(
            f"the disk failed with the ledger {path} ({text}); check the disk,"
            " or set TOKENS_HOME to a folder on another one"
        )
    return LedgerUnusable(
        f"cannot write the ledger {path} ({text}); make its folder writable or set TOKENS_HOME"
    )


def _without_temporary_files(text: str) -> LedgerUnusable:
    """What to say where the ledger that nobody keeps fails: no person knows that it is one."""
    if "full" in text:
        return LedgerUnusable("no room left for temporary files; free some disk space")
    if "disk I/O" in text:
        return LedgerUnusable(
            f"the disk failed with temporary files ({text}); check the disk,"
            " or set TMPDIR to a folder on another one"
        )
    return LedgerUnusable(
        f"cannot use temporary files ({text}); set TMPDIR to a folder that can be written"
    )


class Told:
    """Tells SQLite's errors as ours; a block that only reads or writes the ledger goes inside."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error):
            raise translated(self._path, error) from error


def open_ledger(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode to a ledger of the current schema; made if it is missing.

    Raises:
        LedgerUnusable: the place cannot be written.
        LedgerDamaged: the file is no sound database.
        LedgerTooNew: a newer program wrote it.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerUnusable(
            f"this Python has SQLite {sqlite3.sqlite_version}, and the ledger needs"
            f" {'.'.join(map(str, OLDEST_SQLITE))}; use a newer Python"
        )
    try:
        if path != TEMPORARY:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    except OSError as exc:
        raise LedgerUnusable(
            f"cannot make {os.path.dirname(path)} ({exc.strerror}); set TOKENS_HOME to a folder"
            " that can be written"
        ) from exc
    except sqlite3.Error as exc:
        raise translated(path, exc) from exc
    try:
        _prepare(connection, path)
    except sqlite3.Error as exc:
        connection.close()
        raise translated(path, exc) from exc
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.executescript(_PRAGMAS)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise LedgerTooNew(
            f"the ledger {path} has schema {version} and this program knows {SCHEMA_VERSION};"
            " upgrade tokenbudget, or set TOKENS_HOME to another folder"
        )
    if version == SCHEMA_VERSION:
        return
    if path != TEMPORARY:
        os.chmod(path, 0o600)  # first: -wal and -shm are made with the mode that this file has
        _use_wal(connection)
    migrate(connection, SCHEMA_VERSION)


def check_tables(path: str) -> None:
    """See that the ledger at `path` has every table, column and index of the current schema.

    Raises:
        LedgerDamaged: one is missing, which SQLite's own check takes for sound.
        LedgerUnusable, LedgerTooNew: see `open_ledger`.
    """
    try:
        with closing(open_ledger(path)) as ledger, closing(_empty_ledger()) as empty:
            missing = _parts(empty) - _parts(ledger)
            if missing:  # the greatest: a table tells more than its columns
                raise sqlite3.DatabaseError(f"no such {max(missing)}")
    except sqlite3.Error as exc:
        raise translated(path, exc) from exc


def _empty_ledger() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, SCHEMA_VERSION)
    return connection


def _parts(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute(_PARTS)}


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log, also while others do the same.

    SQLite fails at once where it finds the file locked while it switches, without asking the busy
    handler (two locks that wait for each other). A transaction does wait, until the other is done.
    """
    for _ in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc):
                raise
        with Transaction(connection):
            pass
    connection.execute("PRAGMA journal_mode = WAL")


class Transaction:
    """`BEGIN IMMEDIATE` to `COMMIT`; anything raised, also by the latter, rolls back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()  # a full disk: the lock must not stay
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
