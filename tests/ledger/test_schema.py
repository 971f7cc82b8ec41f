"""The schema is a contract: every table and column says what it holds."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.builders import Home

from tokenbudget.collector.ingest import Want
from tokenbudget.ledger import schema
from tokenbudget.ledger.deed_tables import ALERT_TABLES, CONTROL_TABLES, FIX_TABLES, JOURNAL_TABLES
from tokenbudget.ledger.migrations import MIGRATIONS
from tokenbudget.ledger.schema import (
    PIECE_TABLES,
    REPORT_TABLES,
    SCHEMA_VERSION,
    STUDY_TABLES,
    SUMS,
    TABLES,
)
from tokenbudget.metering.rates import prompt_bucket

DOCUMENT = (
    TABLES
    + PIECE_TABLES
    + REPORT_TABLES
    + ALERT_TABLES
    + JOURNAL_TABLES
    + FIX_TABLES
    + STUDY_TABLES
    + CONTROL_TABLES
)
CREATED = re.findall(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", DOCUMENT, re.DOTALL | re.MULTILINE)
BODIES: dict[str, str] = dict(CREATED)

SELF_EVIDENT = {
    "id", "name", "path", "value", "file_id", "byte_offset", "session_id", "model_id",
    "response_id", "position", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "web_search_requests", "is_subagent",
    "reason", "kind", "at_ms", "size_bytes", "uuid", "hour", "agent", "project_id", "speed",
    "service_tier", "last_at", "tool_id", "called_at_ms", "result_hash", "is_error",
    "answered_at_ms", "result_file_id", "result_offset", "call_offset", "blank_lines",
    "post_tokens", "saved_tokens", "mtime_ns", "inode",
    "tool_use_id", "upper_bytes", "digit_bytes", "space_bytes", "line_bytes", "sign_bytes",
    "high_bytes", "sessions", "p90_error", "made_at_ms", "made_of", "thread",
    "archived_at_ms", "archived_id", "action_id", "weekly_error_tokens", "weekly_error_micro_usd",
}  # fmt: skip
"""Columns whose name, unit included, is the whole comment; any other one has words beside it."""


def columns(table: str) -> list[tuple[str, str]]:
    """(name, comment) of every column; a comment may go on in the lines below."""
    found = []
    for text in BODIES[table].splitlines():
        declared, _, comment = text.strip().partition("--")
        if declared and not declared.startswith(("PRIMARY KEY", "UNIQUE")):
            found.append((declared.split()[0], comment.strip()))
    return found


def test_every_table_of_a_new_ledger_is_in_the_document(home: Home) -> None:
    home.refresh()
    made = {name for (name,) in home.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert made == set(BODIES)


@pytest.mark.parametrize("table", BODIES)
def test_every_table_says_what_a_row_is(table: str) -> None:
    first = BODIES[table].splitlines()[0].strip()
    assert re.fullmatch(r"-- [A-Z`].*[.:]", first)


@pytest.mark.parametrize("table", BODIES)
def test_every_column_says_what_it_holds(table: str) -> None:
    silent = [name for name, comment in columns(table) if not comment]
    assert set(silent) <= SELF_EVIDENT


@pytest.mark.parametrize("table", BODIES)
def test_the_document_has_every_column_of_the_table(home: Home, table: str) -> None:
    home.refresh()
    made = [row[1] for row in home.rows(f"PRAGMA table_info({table})")]
    assert [name for name, _ in columns(table)] == made


def test_the_history_has_an_entry_per_version() -> None:
    history = (schema.__doc__ or "").partition("History\n")[2]
    numbers = [int(number) for number in re.findall(r"^ {4}(\d+) ", history, re.MULTILINE)]
    assert numbers == list(range(1, SCHEMA_VERSION + 1)) == list(range(1, len(MIGRATIONS) + 1))


def test_the_rollup_holds_every_sum_in_order(home: Home) -> None:
    assert tuple(name for name, _ in columns("rollup"))[-len(SUMS) :] == SUMS


def test_every_reference_of_a_filled_ledger_resolves(full_home: Home) -> None:
    full_home.refresh(Want.DETAIL)
    for path in full_home.files()[::3]:
        path.unlink()
    full_home.rebuild()
    with closing(sqlite3.connect(full_home.ledger_path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    referring = full_home.rows("SELECT count(*) FROM tool_call WHERE response_id IS NOT NULL")
    assert referring[0][0] > 50


@given(st.integers(0, 400_000), st.sets(st.sampled_from([0, 100_000, 128_000, 200_000])))
def test_the_sql_puts_a_prompt_into_the_bucket_that_prices_are_looked_up_by(
    prompt_tokens: int, thresholds: set[int]
) -> None:
    marks = tuple(sorted(thresholds - {0}))
    row = f"SELECT {prompt_tokens} AS input_tokens, 0 AS cache_write_5m_tokens"
    row += ", 0 AS cache_write_1h_tokens, 0 AS cache_read_tokens"
    with closing(sqlite3.connect(":memory:")) as connection:
        sql = f"SELECT {schema._bucket_sql('r', marks)} FROM ({row}) r"
        assert connection.execute(sql).fetchone()[0] == prompt_bucket(prompt_tokens, marks)
