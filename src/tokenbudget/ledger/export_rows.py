"""Requests and tool calls row by row, for whoever takes them out: in batches, never all at once."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

BATCH_ROWS = 2_000


class Limits(NamedTuple):
    """Which rows; None is no limit, as in `queries.UsageQuery`."""

    since_ms: int | None = None
    until_ms: int | None = None
    project_ids: Sequence[int] | None = None
    session: str | None = None


_ANSWERS = """
SELECT r.started_at_ms, r.id, 0, r.key, r.session_id, r.file_id, r.model_id, r.speed,
       r.service_tier, r.input_tokens, r.output_tokens, r.cache_write_5m_tokens,
       r.cache_write_1h_tokens, r.cache_read_tokens, r.web_search_requests, r.is_sidechain,
       r.thinking_tokens, r.has_stop_reason, r.skill
FROM response r {where} ORDER BY r.started_at_ms, r.id
"""
_ATTEMPTS = """
SELECT r.started_at_ms, r.id, i.position + 1, r.key, r.session_id, r.file_id, i.model_id, r.speed,
       r.service_tier, i.input_tokens, i.output_tokens, i.cache_write_5m_tokens,
       i.cache_write_1h_tokens, i.cache_read_tokens, 0, r.is_sidechain, NULL, 1, r.skill
FROM response_iteration i JOIN response r ON r.id = i.response_id {where}
ORDER BY r.started_at_ms, r.id, i.position
"""
_CALLS = """
SELECT c.tool_use_id, r.key, r.session_id, coalesce(r.file_id, c.call_file_id, c.result_file_id),
       c.tool_id, c.target, c.called_at_ms, c.answered_at_ms, c.duration_ms, c.input_bytes,
       c.result_bytes, c.is_error
FROM tool_call c LEFT JOIN response r ON r.id = c.response_id {where} ORDER BY c.tool_use_id
"""


_SESSION_OF_ANSWER = "r.session_id = (SELECT id FROM session WHERE name = ?)"
_SESSION_OF_CALL = """
(SELECT name FROM session WHERE id = r.session_id
 UNION ALL SELECT session FROM file
 WHERE id = coalesce(c.call_file_id, c.result_file_id) AND r.session_id IS NULL) = ?
"""
"""A call whose answer is in no transcript belongs to the session of its file."""


class FileFact(NamedTuple):
    """What a row's file says of it."""

    agent: str
    session: str
    project: str
    """'' where it is not known."""


class ExportRows:
    """Reads one ledger. Every method raises LedgerUnusable or LedgerDamaged where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection, told: AbstractContextManager[None]) -> None:
        self._connection = connection
        self._told = told

    def requests(self, limits: Limits) -> Iterator[list[tuple[Any, ...]]]:
        """Answers and the earlier attempts at them, in the order of time.

        Each is started_at_ms, response id, attempt (0: the answer), key, session id, file id,
        model id, speed, service tier, the five token counts in the order of `response` (None: not
        reported), web searches, is_sidechain, thinking tokens, has_stop_reason, skill.
        """
        where, values = _where(limits, "r.started_at_ms", "r.file_id")
        answers = self._batches(_ANSWERS.format(where=where), values)
        if not self._one("SELECT EXISTS (SELECT 1 FROM response_iteration)"):
            return answers
        attempts = self._batches(_ATTEMPTS.format(where=where), values)
        return _merged(answers, attempts)

    def tool_calls(self, limits: Limits) -> Iterator[list[tuple[Any, ...]]]:
        """Calls by their id, as the columns of `_CALLS`."""
        at = "ifnull(c.called_at_ms, c.answered_at_ms)"
        file_id = "coalesce(r.file_id, c.call_file_id, c.result_file_id)"
        where, values = _where(limits, at, file_id, _SESSION_OF_CALL)
        return self._batches(_CALLS.format(where=where), values)

    def sessions(self) -> dict[int, str]:
        """The agent's own ids of sessions."""
        return dict(self._all("SELECT id, name FROM session"))

    def files(self) -> dict[int, FileFact]:
        """Every transcript that ever was."""
        rows = self._all(
            "SELECT f.id, f.agent, f.session, ifnull(p.path, '')"
            " FROM file f LEFT JOIN project p ON p.id = f.project_id"
        )
        return {file_id: FileFact(*facts) for file_id, *facts in rows}

    def tools(self) -> dict[int, tuple[str, str]]:
        """Tools, each with its MCP server or ''."""
        rows = self._all("SELECT id, name, ifnull(mcp_server, '') FROM tool")
        return {tool_id: (name, server) for tool_id, name, server in rows}

    def _one(self, sql: str) -> Any:
        with self._told:
            return self._connection.execute(sql).fetchone()[0]

    def _all(self, sql: str) -> list[tuple[Any, ...]]:
        with self._told:
            return self._connection.execute(sql).fetchall()

    def _batches(self, sql: str, values: Sequence[object]) -> Iterator[list[tuple[Any, ...]]]:
        with self._told:
            cursor = self._connection.execute(sql, values)
        while True:
            with self._told:
                rows = cursor.fetchmany(BATCH_ROWS)
            if not rows:
                return
            yield rows


def _merged(
    first: Iterable[list[tuple[Any, ...]]], second: Iterable[list[tuple[Any, ...]]]
) -> Iterator[list[tuple[Any, ...]]]:
    """Both, in order of time, id and attempt; rows never tie there, so no text is compared."""
    batch = []
    for row in heapq.merge(_single(first), _single(second)):
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _single(batches: Iterable[list[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from batch


def _where(
    limits: Limits, at: str, file_id: str, is_of_session: str = _SESSION_OF_ANSWER
) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []
    if limits.since_ms is not None or limits.until_ms is not None:  # nothing undated is left
        parts.append(f"{at} >= ?")
        values.append(max(limits.since_ms or 0, MILLISECONDS_PER_HOUR))
    if limits.until_ms is not None:
        parts.append(f"{at} < ?")
        values.append(limits.until_ms)
    if limits.session is not None:
        parts.append(is_of_session)
        values.append(limits.session)
    if limits.project_ids is not None:
        marks = ", ".join("?" * len(limits.project_ids))
        known = f"SELECT id FROM file WHERE ifnull(project_id, 0) IN ({marks})"
        parts.append(f"{file_id} IN ({known})")
        values.extend(limits.project_ids)
    return ("WHERE " + " AND ".join(parts) if parts else ""), values
