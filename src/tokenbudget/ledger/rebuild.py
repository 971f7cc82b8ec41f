"""Read everything afresh without losing what only the ledger knows.

`begin` voids what the files that are still there told, and keeps every row that another file has
any part in: a response is kept when its owner or one of its copies is gone, or was rewritten since
it told of it. The files are then read again inside the same transaction, and merge with what was
kept.
"""

from __future__ import annotations

from tokenbudget.ledger.files import stored_path
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_VOID = f"""
CREATE TEMP TABLE kept_response AS
    SELECT id FROM response WHERE file_id NOT IN (SELECT id FROM intact_file)
    UNION
    SELECT response_id FROM response_copy WHERE file_id NOT IN (SELECT id FROM intact_file);
INSERT OR IGNORE INTO rollup_stale
    SELECT DISTINCT started_at_ms / {MILLISECONDS_PER_HOUR} FROM response;
INSERT OR IGNORE INTO rollup_stale SELECT DISTINCT hour FROM rollup;
DELETE FROM response_iteration WHERE response_id NOT IN (SELECT id FROM kept_response);
DELETE FROM response_copy WHERE response_id NOT IN (SELECT id FROM kept_response);
DELETE FROM response WHERE id NOT IN (SELECT id FROM kept_response);
DELETE FROM tool_call
    WHERE ifnull(call_file_id, result_file_id) IN (SELECT id FROM intact_file)
      AND ifnull(result_file_id, call_file_id) IN (SELECT id FROM intact_file);
UPDATE tool_call SET response_id = NULL WHERE response_id NOT IN (SELECT id FROM kept_response);
DELETE FROM content WHERE file_id IN (SELECT id FROM intact_file);
DELETE FROM attachment WHERE file_id IN (SELECT id FROM intact_file);
DELETE FROM compaction WHERE file_id IN (SELECT id FROM intact_file);
DELETE FROM piece WHERE file_id IN (SELECT id FROM present_file);
DELETE FROM window_snapshot WHERE file_id IN (SELECT id FROM present_file);
DELETE FROM measured_file WHERE file_id IN (SELECT id FROM present_file);
DELETE FROM study WHERE file_id IN (SELECT id FROM present_file);
DELETE FROM problem WHERE file_id IN (SELECT id FROM present_file);
UPDATE file SET size_bytes = -1, usage_offset = 0, detail_offset = 0, lines = 0, blank_lines = 0,
                malformed_lines = 0, repaired_lines = 0, synthetic_lines = 0, project_id = NULL,
                trouble = NULL
    WHERE id IN (SELECT id FROM present_file);
DROP TABLE kept_response;
DROP TABLE intact_file;
DROP TABLE present_file
"""


def begin(
    connection: sqlite3.Connection, present_paths: Sequence[str], rewritten_paths: Sequence[str]
) -> None:
    """Open a transaction and void what the present files told; the caller commits.

    Of the present files, those in `rewritten_paths` are not what the ledger has read.
    """
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "UPDATE file SET rereads = rereads + 1 WHERE path = ?", _rows(rewritten_paths)
    )
    connection.execute("CREATE TEMP TABLE present_file (id INTEGER PRIMARY KEY)")
    connection.executemany(
        "INSERT INTO present_file SELECT id FROM file WHERE path = ?", _rows(present_paths)
    )
    connection.execute(
        "CREATE TEMP TABLE intact_file AS"
        " SELECT id FROM file JOIN present_file USING (id) WHERE rereads = 0"
    )
    for statement in _VOID.split(";"):
        connection.execute(statement)


def _rows(paths: Sequence[str]) -> list[tuple[str | bytes]]:
    return [(stored_path(path),) for path in paths]
