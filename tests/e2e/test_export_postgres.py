"""The SQL export in a real PostgreSQL server: exactly the original rows, whatever they say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.cli.hostile_sessions import write_hostile_sessions
from tests.e2e.install_postgres import install, programs
from tests.e2e.postgres_server import Server, running_server
from tests.reports.hostile_tables import hostile_table, original_rows, with_iso

from tokenbudget.model.spelled import storable
from tokenbudget.reports.exporters.sql_dump import sql_chunks
from tokenbudget.reports.exporters.tables import COLUMNS

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    outcome = install()
    found = programs()
    if found is None:
        pytest.fail(f"PostgreSQL: {outcome}")  # not skipped: only a real server proves it
    with running_server(found) as running:
        yield running


def rows_of(server: Server, name: str) -> list[list[Any]]:
    """Every row of a table, as the server itself writes it as JSON; in hex, for psql shows less."""
    columns = ", ".join(column.name for column in COLUMNS[name])
    shown = f"encode(convert_to(json_build_array({columns})::text, 'UTF8'), 'hex')"
    done = server.run("-At", "-c", f"SELECT {shown} FROM token_{name}")
    assert done.returncode == 0, done.stderr
    return [json.loads(bytes.fromhex(line)) for line in done.stdout.decode().split()]


def stored(name: str, row: tuple[Any, ...]) -> list[Any]:
    """A row as the dump says that it is stored."""
    return [
        storable(value) if column.kind == "text" and value is not None else value
        for column, value in zip(COLUMNS[name], row, strict=True)
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_every_payload_is_loaded_letter_by_letter(
    server: Server, tmp_path: Path, times: int
) -> None:
    path = tmp_path / "dump.sql"
    dump = "".join(sql_chunks([hostile_table(name) for name in COLUMNS], "a test"))
    path.write_text(dump, encoding="utf-8", newline="")
    for _ in range(times):
        done = server.run("-f", str(path))
        assert (done.returncode, done.stdout) == (0, b""), done.stderr

    for name in COLUMNS:
        expected = [stored(name, with_iso(name, row)) for row in original_rows(name)]
        assert sorted(rows_of(server, name), key=repr) == sorted(expected, key=repr)


def test_an_export_of_hostile_sessions_is_what_json_says(server: Server, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    write_hostile_sessions(home)
    sql, text = tmp_path / "export.sql", tmp_path / "export.json"
    assert home.run("export", "sql", "--output", str(sql)).code == 0
    assert home.run("export", "json", "--output", str(text)).code == 0
    done = server.run("-f", str(sql))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr

    tables = json.loads(text.read_text())["tables"]
    for name in COLUMNS:
        kinds = [column.kind for column in COLUMNS[name]]
        expected = [
            [
                storable(value)
                if kind == "text" and value is not None
                else int(value)
                if kind == "flag" and value is not None
                else value
                for kind, value in zip(kinds, row.values(), strict=True)
            ]
            for row in tables[name]["rows"]
        ]
        assert expected
        assert sorted(rows_of(server, name), key=repr) == sorted(expected, key=repr)


def test_its_sums_are_exact_as_numbers(server: Server, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    write_hostile_sessions(home)
    sql = tmp_path / "export.sql"
    assert home.run("export", "sql", "--output", str(sql)).code == 0
    assert server.run("-f", str(sql)).returncode == 0
    ask = "SELECT sum(total_tokens), sum(cost_usd::numeric) FROM token_requests"

    tokens, cost = server.run("-At", "-F", " ", "-c", ask).stdout.decode().split()

    totals = home.ask("usage", "--by", "model")["totals"]
    assert int(tokens) == totals["total_tokens"]
    assert cost.rstrip("0").rstrip(".") == totals["cost_usd"]
