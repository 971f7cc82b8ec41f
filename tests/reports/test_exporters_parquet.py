import io
import sys
from datetime import datetime
from typing import Any

import pytest
from tests.reports.hostile_tables import hostile_table, original_rows

from tokenbudget.model.errors import BadRequest
from tokenbudget.model.spelled import unspelled
from tokenbudget.reports.exporters import parquet_file
from tokenbudget.reports.exporters.parquet_file import write_parquet
from tokenbudget.reports.exporters.tables import COLUMNS

parquet: Any = pytest.importorskip("pyarrow.parquet")


def read_back(name: str, zone: str = "Europe/Berlin") -> Any:
    sink = io.BytesIO()
    write_parquet(hostile_table(name), sink, zone)
    return parquet.ParquetFile(io.BytesIO(sink.getvalue()))


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_is_read_back(name: str) -> None:
    found = read_back(name).read().to_pylist()

    assert [
        tuple(
            unspelled(value)
            if column.kind == "text"
            else as_ms(value)
            if isinstance(value, datetime)
            else value
            for column, value in zip(COLUMNS[name], row.values(), strict=True)
        )
        for row in found
    ] == original_rows(name)


def as_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_columns_have_types() -> None:
    schema = read_back("requests").schema_arrow

    assert str(schema.field("total_tokens").type) == "int64"
    assert str(schema.field("is_final").type) == "bool"
    assert str(schema.field("started_at").type) == "timestamp[ms, tz=Europe/Berlin]"
    assert str(schema.field("cost_usd").type) == "string"


def test_rows_come_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "ROWS_OF_GROUP", 100)

    found = read_back("daily")

    assert found.metadata.num_row_groups >= 3
    assert found.metadata.num_rows == len(original_rows("daily"))


def test_without_rows_it_is_a_file_all_the_same() -> None:
    sink = io.BytesIO()
    write_parquet(hostile_table("daily")._replace(batches=lambda _: iter([[]])), sink, "local")

    found = parquet.read_table(io.BytesIO(sink.getvalue()))
    assert found.num_rows == 0
    assert found.column_names == [column.name for column in COLUMNS["daily"]]


def test_without_the_library_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(BadRequest, match=r"tokenbudget\[parquet\]"):
        write_parquet(hostile_table("daily"), io.BytesIO(), "UTC")
