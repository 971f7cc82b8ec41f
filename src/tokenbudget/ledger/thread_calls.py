"""The tool calls that a transcript shows, with what came of them."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3


class CallRow(NamedTuple):
    """A call and its result; hashes are 64-bit sums of the JSON text."""

    tool_use_id: str
    response_key: str
    name: str
    server: str
    """Its MCP server; '' for the agent's own tools."""
    input_hash: int
    called_at_ms: int
    call_file_id: int
    call_offset: int
    result_hash: int
    """0: no result was seen."""
    is_error: bool
    duration_ms: int | None
    answered_at_ms: int


_CALLS = """
SELECT c.tool_use_id, r.key, t.name, ifnull(t.mcp_server, ''), ifnull(c.input_hash, 0),
       ifnull(c.called_at_ms, 0), ifnull(c.call_file_id, 0), ifnull(c.call_offset, 0),
       ifnull(c.result_hash, 0), ifnull(c.is_error, 0), c.duration_ms, ifnull(c.answered_at_ms, 0)
FROM (SELECT DISTINCT link FROM piece WHERE file_id = ? AND kind = 'tool_use') p
CROSS JOIN response r ON r.key = p.link
CROSS JOIN tool_call c ON c.response_id = r.id
JOIN tool t ON t.id = c.tool_id
ORDER BY c.called_at_ms, c.call_offset, c.tool_use_id
"""


def calls_of_file(connection: sqlite3.Connection, file_id: int) -> list[CallRow]:
    """The calls of the answers that a file's counted pieces are part of, in order of time."""
    rows = connection.execute(_CALLS, (file_id,))
    return [CallRow._make((*row[:9], bool(row[9]), *row[10:])) for row in rows]
