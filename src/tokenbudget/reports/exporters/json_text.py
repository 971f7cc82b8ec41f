"""One JSON object with all tables in it, or a JSON object a line; in ASCII, every text exact."""

from __future__ import annotations

import json

from tokenbudget.reports.exporters.tables import UNKNOWN_MARK, RowFormat, Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.reports.exporters.tables import Table

FORMAT = "tokenbudget/export/1"


def json_string(text: str) -> str:
    """A text as a JSON string; its own escapes say every text, lone surrogates too."""
    if text.isidentifier() and text.isascii():  # most ids and names
        return f'"{text}"'
    return json.dumps(text)


SPELLING = Spelling(json_string, unknown=UNKNOWN_MARK, flags=("false", "true"))


def json_chunks(tables: Sequence[Table], facts: Mapping[str, object]) -> Iterator[str]:
    """The object, a batch of rows at a time; `facts` stand at its beginning."""
    head = json.dumps({"format": FORMAT, **facts})
    yield head[:-1] + ', "tables": {'
    for number, table in enumerate(tables):
        yield f'{"," if number else ""}\n {json.dumps(table.name)}: {{"rows": ['
        begun = "\n  "
        for lines in _lines(table, "{"):
            if lines:
                yield begun + ",\n  ".join(lines)
                begun = ",\n  "
        yield "\n ]}"
    yield "\n}}\n"


def jsonl_chunks(tables: Sequence[Table]) -> Iterator[str]:
    """A line per row; `table` says which it belongs to."""
    for table in tables:
        for lines in _lines(table, f'{{"table": "{table.name}", '):
            if lines:
                yield "\n".join(lines) + "\n"


def _lines(table: Table, begin: str) -> Iterator[list[str]]:
    rows = RowFormat(table.columns, begin=begin, end="}", quote='"', null="null", is_named=True)
    for batch in table.batches(SPELLING):
        yield rows.lines(batch)
