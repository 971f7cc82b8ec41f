"""A Parquet file of one table, row group by row group; needs the extra `[parquet]`."""

from __future__ import annotations

from tokenbudget.model.errors import BadRequest
from tokenbudget.model.spelled import storable
from tokenbudget.reports.exporters.tables import Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tokenbudget.reports.exporters.tables import Batch, Table

ROWS_OF_GROUP = 20_000
WITHOUT_LIBRARY = (
    "Parquet needs pyarrow, which is not installed; pip install 'tokenbudget[parquet]',"
    " or export csv"
)
SPELLING = Spelling(storable, is_time_in_ms=True, flags=(False, True))


def pyarrow_or_refusal() -> Any:
    """The library.

    Raises:
        BadRequest: it is not installed.
    """
    from importlib import import_module  # untyped, and absent where nobody asked for it

    try:
        import_module("pyarrow.parquet")
        return import_module("pyarrow")
    except ImportError as wrong:
        raise BadRequest(WITHOUT_LIBRARY) from wrong


def write_parquet(table: Table, sink: Any, zone_name: str) -> None:
    """Write the table; moments are timestamps in the zone, money stays a decimal string.

    Raises:
        BadRequest: the library is not installed.
    """
    pyarrow = pyarrow_or_refusal()
    schema = _schema(pyarrow, table, zone_name)
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        rows: Batch = []
        for batch in table.batches(SPELLING):
            rows += batch
            if len(rows) >= ROWS_OF_GROUP:
                writer.write_batch(_group(pyarrow, schema, rows))
                rows = []
        writer.write_batch(_group(pyarrow, schema, rows))


def _schema(pyarrow: Any, table: Table, zone_name: str) -> Any:
    zone = "UTC" if zone_name == "local" else zone_name
    types = {
        "whole": pyarrow.int64(),
        "flag": pyarrow.bool_(),
        "time": pyarrow.timestamp("ms", tz=zone),
    }
    return pyarrow.schema(
        [
            pyarrow.field(column.name, types.get(column.kind, pyarrow.string()))
            for column in table.columns
        ]
    )


def _group(pyarrow: Any, schema: Any, rows: Batch) -> Any:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pyarrow.record_batch(
        [
            pyarrow.array(cells, type=field.type)
            for field, cells in zip(schema, columns, strict=True)
        ],
        schema=schema,
    )
