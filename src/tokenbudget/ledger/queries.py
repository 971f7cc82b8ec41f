"""Questions to the ledger. Each function is one statement, or two."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.ledger.rollups import thresholds_in, usage_hour_sql
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR, SUMS, usage_rows_sql

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

MILLISECONDS_PER_DAY = 24 * MILLISECONDS_PER_HOUR
_FIRST_DATED_MS = MILLISECONDS_PER_HOUR
"""What has no usable time stands at 0, and so in the first hour of 1970."""


class ZoneSpan(NamedTuple):
    """A stretch of time in which a zone keeps one distance from UTC; `end_ms` is excluded."""

    begin_ms: int
    end_ms: int
    shift_ms: int


class UsageQuery(NamedTuple):
    """What to sum, and by what.

    `period` is None, 'day' (local day number since 1970) or 'hour' (UTC hour number since 1970).
    Ids of None mean no restriction; an empty sequence matches nothing. `since_ms` is included,
    `until_ms` is not; with either of them nothing undated is left. The project id 0 stands for the
    files that name no project.
    """

    period: str | None = None
    by_project: bool = False
    by_agent: bool = False
    by_session: bool = False
    zone: Sequence[ZoneSpan] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    model_ids: Sequence[int] | None = None
    project_ids: Sequence[int] | None = None
    agents: Sequence[str] | None = None
    session: str | None = None


class UsageRow(NamedTuple):
    """Sums of one group; dimensions that were not asked for are None."""

    period: int | None
    utc_day: int
    agent: str | None
    project_id: int | None
    session: str | None
    model_id: int
    speed: int
    service_tier: int
    prompt_bucket: int
    requests: int
    unknown_requests: int
    low_confidence_tokens: int
    input_tokens: int
    output_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    web_search_requests: int


def usage(connection: sqlite3.Connection, query: UsageQuery) -> list[UsageRow]:
    """Sum usage by the wanted dimensions and by everything that decides a price.

    Hourly sums are used where they can answer exactly; a session, a zone off the whole hour or a
    limit inside an hour is answered from the single responses.
    """
    session_id = None
    if query.session is not None:
        # Looked up first: only a plain number is pushed down to the index of the responses.
        session_id = _session_id(connection, query.session)
        if session_id is None:
            return []
    if _needs_responses(query):
        source = usage_rows_sql(thresholds_in(connection))
    else:
        source = usage_hour_sql(connection)
    columns = [
        _period_sql(query.period),
        f"u.started_at_ms / {MILLISECONDS_PER_DAY}",
        "u.agent" if query.by_agent else "NULL",
        "u.project_id" if query.by_project else "NULL",
        "s.name" if query.by_session else "NULL",
        "u.model_id, u.speed, u.service_tier, u.prompt_bucket",
    ]
    conditions, values = _conditions(query, session_id)
    sql = (
        f"SELECT {', '.join(columns)}, {', '.join(f'SUM(u.{name})' for name in SUMS)}"
        f" FROM ({source}) u {_joins(query)} {conditions} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"
    )
    return [UsageRow(*row) for row in connection.execute(sql, values)]


def _needs_responses(query: UsageQuery) -> bool:
    limits = [limit for limit in (query.since_ms, query.until_ms) if limit is not None]
    shifts = [span.shift_ms for span in query.zone] if query.period == "day" else []
    return (
        query.by_session
        or query.session is not None
        or any(number % MILLISECONDS_PER_HOUR for number in (*limits, *shifts))
    )


def _period_sql(period: str | None) -> str:
    if period == "day":
        return f"(u.started_at_ms + z.shift_ms) / {MILLISECONDS_PER_DAY}"
    if period == "hour":
        return f"u.started_at_ms / {MILLISECONDS_PER_HOUR}"
    return "NULL"


def _joins(query: UsageQuery) -> str:
    joins = ""
    if query.period == "day":
        spans = ", ".join(f"({s.begin_ms}, {s.end_ms}, {s.shift_ms})" for s in query.zone)
        joins += (
            f" JOIN (SELECT column1 AS begin_ms, column2 AS end_ms, column3 AS shift_ms"
            f" FROM (VALUES {spans})) z"
            " ON u.started_at_ms >= z.begin_ms AND u.started_at_ms < z.end_ms"
        )
    if query.by_session:
        joins += " JOIN session s ON s.id = u.session_id"
    return joins


def _session_id(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT id FROM session WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def _conditions(query: UsageQuery, session_id: int | None) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []
    if query.since_ms is not None or query.until_ms is not None:
        parts.append("u.started_at_ms >= ?")
        values.append(max(query.since_ms or 0, _FIRST_DATED_MS))
    if query.until_ms is not None:
        parts.append("u.started_at_ms < ?")
        values.append(query.until_ms)
    if session_id is not None:
        parts.append("u.session_id = ?")
        values.append(session_id)
    for column, wanted in (
        ("u.model_id", query.model_ids),
        ("ifnull(u.project_id, 0)", query.project_ids),
        ("u.agent", query.agents),
    ):
        if wanted is not None:
            parts.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


_NAMES = {"model": "SELECT id, name FROM model", "project": "SELECT id, path FROM project"}


def names(connection: sqlite3.Connection, kind: str) -> dict[int, str]:
    """All models or projects by id."""
    return dict(connection.execute(_NAMES[kind]).fetchall())
