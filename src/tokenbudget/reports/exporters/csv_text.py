"""CSV as RFC 4180 has it, UTF-8, a line per row and one of names; no cell of it is a formula."""

from __future__ import annotations

from tokenbudget.model.csv_cell import guarded
from tokenbudget.reports.exporters.tables import Spelling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.reports.exporters.tables import Table


def csv_text(text: str) -> str:
    """A text as a cell: guarded, and in quotes where the format asks for them."""
    if text.isidentifier() and text.isascii():  # most ids and names
        return text
    cell = guarded(text)
    if '"' in cell or "," in cell or "\n" in cell or ";" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


SPELLING = Spelling(csv_text, unknown="")


def csv_chunks(table: Table) -> Iterator[str]:
    """The file, a batch of rows at a time. An unknown value is an empty cell.

    Texts come as finished cells, and everything else is ours and needs no quotes: a row is one
    formatting, which takes a quarter of the time of the `csv` module.
    """
    names = [column.name for column in table.columns]
    yield ",".join(names) + "\n"
    line = ",".join(["%s"] * len(names)) + "\n"
    for batch in table.batches(SPELLING):
        yield "".join([line % row for row in batch])
