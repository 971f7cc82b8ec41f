"""The table of the controller's clean-ups: no empty column, and money with its sign."""

from __future__ import annotations

import pytest
from tests.reports.sample_report import cleanups, rich_report

from tokenbudget.analysis.report_data import CleanupRow
from tokenbudget.model.figures import Style
from tokenbudget.reports.report_cleanups import cleanups_table
from tokenbudget.reports.report_tables import Table
from tokenbudget.reports.report_text import report_lines


def table(*rows: CleanupRow) -> Table:
    return cleanups_table(rich_report()._replace(cleanups=rows))


def row(tokens: int | None, usd: float | None) -> CleanupRow:
    return cleanups()[1]._replace(measured_tokens=tokens, measured_usd=usd)


def test_what_was_freed_stands_beside_what_was_foretold() -> None:
    made = table(*cleanups())
    assert [column.title for column in made.columns][-3:] == ["Foretold", "Freed", "Saved"]
    assert {len(cells) for cells in made.rows} == {len(made.columns)}


def test_where_no_money_is_known_there_is_no_column_for_it() -> None:
    made = table(row(57_457, None), row(None, None))
    assert [column.title for column in made.columns][-1] == "Freed"
    assert {len(cells) for cells in made.rows} == {len(made.columns)}
    assert made.title.endswith("57,457 tokens freed, 58,019 foretold")


@pytest.mark.parametrize(
    ("usd", "cell", "title"),
    [
        (1.66, "$1.66", ", $1.66 saved"),
        (-0.03, "-$0.03", ", $0.03 dearer than without"),
        (0.0, "$0.00", ", $0.00 saved"),
    ],
)
def test_what_was_dearer_than_without_is_told_as_such(usd: float, cell: str, title: str) -> None:
    made = table(row(57_457, usd), row(57_457, None))
    data = rich_report()._replace(cleanups=(row(57_457, usd),))
    assert any(line.endswith(f" {cell}") for line in report_lines(data, Style(100, False)))
    assert made.title.endswith(title)


def test_nothing_is_added_up_before_anything_is_measured() -> None:
    assert table(row(None, None)).title == "Clean-ups of the controller: nothing is measured yet"
