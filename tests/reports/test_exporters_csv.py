import csv
import io
import re

import pytest
from tests.reports.hostile_tables import hostile_table, original_rows, with_iso

from tokenbudget.model.csv_cell import FORMULA_SIGNS, original
from tokenbudget.reports.exporters.csv_text import csv_chunks, csv_text
from tokenbudget.reports.exporters.tables import COLUMNS


def written(name: str) -> str:
    return "".join(csv_chunks(hostile_table(name)))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_reader_gets_every_row_back(name: str) -> None:
    head, *rows = csv.reader(io.StringIO(written(name), newline=""))

    assert head == [column.name for column in COLUMNS[name]]
    back = [
        tuple(
            original(cell) if column.kind == "text" else cell
            for column, cell in zip(COLUMNS[name], row, strict=True)
        )
        for row in rows
    ]
    assert back == [
        tuple("" if value is None else str(value) for value in with_iso(name, row))
        for row in original_rows(name)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", COLUMNS)
def test_no_cell_is_a_formula_whatever_separates_cells(name: str, delimiter: str) -> None:
    for row in csv.reader(io.StringIO(written(name), newline=""), delimiter=delimiter):
        for cell in row:
            seen = cell.lstrip(" \u00a0\u200b\ufeff")[:1]
            assert seen not in tuple(FORMULA_SIGNS), cell


@pytest.mark.parametrize("name", COLUMNS)
def test_numbers_are_plain(name: str) -> None:
    places = [
        place
        for place, column in enumerate(COLUMNS[name])
        if column.kind in ("whole", "flag", "money")
    ]
    _, *rows = csv.reader(io.StringIO(written(name), newline=""))

    for row in rows:
        for place in places:
            assert re.fullmatch(r"(\d+(\.\d+)?)?", row[place])


@pytest.mark.parametrize("name", COLUMNS)
def test_the_file_moves_no_cursor(name: str) -> None:
    text = written(name)

    assert not set(text) & set(map(chr, [*range(9), *range(11, 32), *range(127, 160)]))
    text.encode()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("msg_1", "msg_1"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ("a\nb", '"a\nb"'),
        ("a;b", '"a;b"'),
        ("a\rb", "a\\u{d}b"),
        ("=1", "'=1"),
        ("", ""),
    ],
)
def test_quotes(text: str, cell: str) -> None:
    assert csv_text(text) == cell
