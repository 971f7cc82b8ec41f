import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile import PAYLOADS
from tests.reports.hostile_tables import hostile_table, original_rows, with_iso

from tokenbudget.model.spelled import unspelled
from tokenbudget.reports.exporters.sql_dump import (
    LETTERS_OF_STATEMENT,
    ROWS_OF_STATEMENT,
    _checked,
    _statements,
    sql_chunks,
    sql_literal,
)
from tokenbudget.reports.exporters.tables import COLUMNS


def dump() -> str:
    return "".join(sql_chunks([hostile_table(name) for name in COLUMNS], "a test"))


def expected(name: str) -> list[tuple[Any, ...]]:
    return [with_iso(name, row) for row in original_rows(name)]


def back(name: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    kinds = [column.kind for column in COLUMNS[name]]
    return [
        tuple(
            unspelled(value) if kind == "text" else value
            for kind, value in zip(kinds, row, strict=True)
        )
        for row in rows
    ]


def loaded(connection: sqlite3.Connection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT * FROM token_{name} ORDER BY rowid").fetchall()


@pytest.mark.parametrize("name", COLUMNS)
def test_sqlite_holds_exactly_the_original_rows(name: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(dump())

    assert back(name, loaded(connection, name)) == expected(name)
    connection.close()


def test_a_text_that_a_database_takes_is_loaded_letter_by_letter() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(dump())
    titles = [row[0] for row in connection.execute("SELECT title FROM token_sessions")]

    assert len(titles) == len(PAYLOADS)
    for payload, title in zip(PAYLOADS.values(), titles, strict=True):
        if "\0" not in payload and not any(0xD800 <= ord(sign) < 0xE000 for sign in payload):
            assert title == payload
    connection.close()


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="SQLite's shell is not installed")
def test_its_own_shell_loads_it(tmp_path: Path) -> None:
    (tmp_path / "dump.sql").write_text(dump(), encoding="utf-8", newline="")
    with open(tmp_path / "dump.sql", "rb") as given_dump:
        done = subprocess.run(
            [shutil.which("sqlite3") or "", "-bail", tmp_path / "t.db"],
            stdin=given_dump,
            capture_output=True,
            check=False,
            env={"HOME": str(tmp_path)},
        )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    connection = sqlite3.connect(tmp_path / "t.db")
    for name in COLUMNS:
        assert back(name, loaded(connection, name)) == expected(name)
    connection.close()


def test_loading_it_again_replaces_the_tables() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE requests (mine)")
    for _ in range(2):
        connection.executescript(dump())

    count = connection.execute("SELECT count(*) FROM token_requests").fetchone()[0]
    assert count == len(PAYLOADS)
    assert connection.execute("SELECT count(*) FROM requests").fetchone()[0] == 0
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT count(*) FROM token_tool_calls"
        " JOIN token_requests USING (request) WHERE token_tool_calls.session = 'x'"
    ).fetchall()
    assert all("INDEX" in step[-1] for step in plan)
    connection.close()


def test_half_a_dump_changes_nothing() -> None:
    whole = dump()
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(whole)
    before = loaded(connection, "requests")
    half = whole[: whole.rindex(";\n", 0, len(whole) // 2) + 1]
    connection.executescript(half)
    connection.rollback()

    assert loaded(connection, "requests") == before
    connection.close()


@given(st.lists(st.sampled_from((1, 900, 2_000, 125_000, 300_000)), max_size=450))
def test_statements_hold_every_row_and_are_not_too_long(lengths: list[int]) -> None:
    lines = ["x" * length for length in lengths]

    found = list(_statements(lines))

    assert [line for statement in found for line in statement] == lines
    for statement in found:
        assert 1 <= len(statement) <= ROWS_OF_STATEMENT
        assert len(statement) == 1 or sum(map(len, statement)) <= LETTERS_OF_STATEMENT


@given(st.text(st.characters()) | st.text(st.sampled_from("'\\\r\n;-/*$\0\ud83d\"")))
def test_a_literal_is_one_value(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    (value,) = connection.execute(f"SELECT {sql_literal(text)}").fetchone()
    connection.close()

    assert unspelled(value) == text
    assert "\r\n" not in sql_literal(text)


@pytest.mark.parametrize("name", ["", "x;", "a b", 'a"', "A", "é"])
def test_a_foreign_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        _checked(name)
