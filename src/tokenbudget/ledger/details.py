"""Write the events that are not usage: tools, words, attachments, compactions.

Every event has an identity that the agent gave it, so that a copy in a fork adds nothing: the first
one stays, and of a tool call the earliest, as a replay may tell it with a time of its own. A file
that is read again corrects the positions of what it told. A tool's call and its result may come
from different stretches and meet in one row.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3

    from tokenbudget.ledger.names import NameTable
    from tokenbudget.ledger.responses import ResponseWriter
    from tokenbudget.model.events import Detail

_CALL = """
INSERT INTO tool_call (tool_use_id, response_id, tool_id, target, input_bytes, input_hash,
                       called_at_ms, call_file_id, call_offset)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tool_use_id) DO UPDATE SET
    response_id = excluded.response_id, tool_id = excluded.tool_id, target = excluded.target,
    input_bytes = excluded.input_bytes, input_hash = excluded.input_hash,
    called_at_ms = excluded.called_at_ms, call_file_id = excluded.call_file_id,
    call_offset = excluded.call_offset
WHERE tool_call.tool_id IS NULL OR excluded.called_at_ms < tool_call.called_at_ms
   OR (excluded.called_at_ms = tool_call.called_at_ms
       AND excluded.call_file_id = tool_call.call_file_id)
"""
_RESULT = """
INSERT INTO tool_call (tool_use_id, result_bytes, result_hash, is_error, duration_ms,
                       answered_at_ms, result_file_id, result_offset)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tool_use_id) DO UPDATE SET
    result_bytes = excluded.result_bytes, result_hash = excluded.result_hash,
    is_error = excluded.is_error, duration_ms = excluded.duration_ms,
    answered_at_ms = excluded.answered_at_ms, result_file_id = excluded.result_file_id,
    result_offset = excluded.result_offset
WHERE tool_call.result_bytes IS NULL OR excluded.answered_at_ms < tool_call.answered_at_ms
   OR (excluded.answered_at_ms = tool_call.answered_at_ms
       AND excluded.result_file_id = tool_call.result_file_id)
"""
_CONTENT = """
INSERT INTO content (uuid, position, response_id, kind, size_bytes, at_ms, session_id, byte_offset,
                     file_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uuid, position) DO UPDATE SET byte_offset = excluded.byte_offset
WHERE content.file_id = excluded.file_id
"""
_ATTACHMENT = """
INSERT INTO attachment (uuid, kind, size_bytes, at_ms, session_id, byte_offset, file_id)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uuid) DO UPDATE SET byte_offset = excluded.byte_offset
WHERE attachment.file_id = excluded.file_id
"""
_COMPACTION = """
INSERT INTO compaction (uuid, kind, trigger, pre_tokens, post_tokens, saved_tokens, at_ms,
                        session_id, byte_offset, file_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uuid) DO UPDATE SET byte_offset = excluded.byte_offset
WHERE compaction.file_id = excluded.file_id
"""


class DetailWriter:
    """Writes the events of one transaction."""

    def __init__(
        self, connection: sqlite3.Connection, names: NameTable, responses: ResponseWriter
    ) -> None:
        self._connection = connection
        self._names = names
        self._responses = responses

    def write(self, file_id: int, detail: Detail) -> None:
        """Write the events of one stretch of one file, whose responses were written before."""
        self._write_tools(file_id, detail)
        self._write_words(file_id, detail)

    def _write_tools(self, file_id: int, detail: Detail) -> None:
        ids = self._responses.ids
        tool = self._names.tool
        self._connection.executemany(
            _CALL,
            [
                (
                    c.tool_use_id,
                    ids.get(c.response_key),
                    tool(c.name),
                    c.target,
                    c.input_bytes,
                    c.input_hash,
                    c.called_at_ms,
                    file_id,
                    c.offset,
                )
                for c in detail.tool_calls
            ],
        )
        self._connection.executemany(
            _RESULT, [(*r[:6], file_id, r.offset) for r in detail.tool_results]
        )

    def _write_words(self, file_id: int, detail: Detail) -> None:
        ids = self._responses.ids
        session = self._names.session
        self._connection.executemany(
            _CONTENT,
            [
                (
                    c.uuid,
                    c.position,
                    ids.get(c.response_key),
                    c.kind,
                    c.size_bytes,
                    c.at_ms,
                    session(c.session),
                    c.offset,
                    file_id,
                )
                for c in detail.contents
            ],
        )
        self._connection.executemany(
            _ATTACHMENT,
            [(*a[:4], session(a.session), a.offset, file_id) for a in detail.attachments],
        )
        self._connection.executemany(
            _COMPACTION,
            [(*c[:7], session(c.session), c.offset, file_id) for c in detail.compactions],
        )
