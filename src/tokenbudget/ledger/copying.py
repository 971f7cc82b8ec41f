"""Read a ledger that cannot be written: a read-only home, a full disk, a holder that hangs.

What only the ledger knows (usage of transcripts that are gone) must not vanish from an answer just
because nothing can be added to it. So the answer is computed in a passing copy.
"""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import quote

from tokenbudget.ledger.migrations import migrate
from tokenbudget.ledger.schema import SCHEMA_VERSION
from tokenbudget.model.errors import LedgerTooNew

WAYS = ("mode=ro", "immutable=1")
"""The second one needs no side files, which a read-only folder or a full disk cannot hold; it does
not see what still stands in the write-ahead log."""


def copy_into(connection: sqlite3.Connection, path: str) -> bool:
    """Replace everything in `connection` by a copy of the ledger at `path`, at our schema.

    Returns False, and leaves an empty ledger, where there is none or it cannot be read.

    Raises:
        LedgerTooNew: a newer program wrote it.
    """
    if not os.path.exists(path):
        return False
    for way in WAYS:
        try:
            source = sqlite3.connect(f"file:{quote(path)}?{way}", uri=True)
        except sqlite3.OperationalError:
            continue
        try:
            source.execute("SELECT 1 FROM response LIMIT 1")
            source.backup(connection)
            break
        except sqlite3.OperationalError:
            continue
        finally:
            source.close()
    else:
        return False
    if connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
        raise LedgerTooNew(f"the ledger {path} was written by a newer program; upgrade tokenbudget")
    migrate(connection, SCHEMA_VERSION)
    return True
