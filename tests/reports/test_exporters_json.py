import json
from typing import Any

import pytest
from tests.reports.hostile_tables import hostile_table, original_rows, with_iso

from tokenbudget.reports.exporters.json_text import json_chunks, jsonl_chunks
from tokenbudget.reports.exporters.tables import COLUMNS


def expected(name: str) -> list[dict[str, Any]]:
    return [
        {
            column.name: bool(value) if column.kind == "flag" and value is not None else value
            for column, value in zip(COLUMNS[name], with_iso(name, row), strict=True)
        }
        for row in original_rows(name)
    ]


def test_one_object_holds_every_row_exactly() -> None:
    tables = [hostile_table(name) for name in COLUMNS]
    text = "".join(json_chunks(tables, {"timezone": "UTC", "since": "\x1b"}))

    assert text.isascii()
    found = json.loads(text)
    assert (found["format"], found["timezone"]) == ("tokenbudget/export/1", "UTC")
    assert list(found["tables"]) == list(COLUMNS)
    for name in COLUMNS:
        assert found["tables"][name]["rows"] == expected(name)


def test_a_line_is_an_object_of_its_table() -> None:
    lines = "".join(jsonl_chunks([hostile_table(name) for name in COLUMNS])).splitlines()

    found = [json.loads(line) for line in lines]
    for name in COLUMNS:
        rows = [row for row in found if row["table"] == name]
        assert rows == [{"table": name, **row} for row in expected(name)]
    assert all(line.isascii() and line.isprintable() for line in lines)


@pytest.mark.parametrize("tables", [[], ["daily"]])
def test_nothing_is_valid_too(tables: list[str]) -> None:
    empty = [hostile_table(name)._replace(batches=lambda spelling: iter([[]])) for name in tables]

    assert json.loads("".join(json_chunks(empty, {})))["tables"] == {
        n: {"rows": []} for n in tables
    }
    assert "".join(jsonl_chunks(empty)) == ""
