from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.figures import Style, text_width
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.table import Column, Marked, render, shown

if TYPE_CHECKING:
    from tokenbudget.reports.table import Cell

WIDE = Style(1000, is_styled=False)
ANYTHING = "aZ9 -_/.é漢字한ｱテ🙂👩🏽\u0301\u0e31\u094d\u20dd\u200d\ufe0f\x1b\u202e\n\t…─"

texts = st.text(ANYTHING, max_size=60) | st.text(max_size=20)
widths = st.integers(80, 160)
counts = st.integers(0, 10**14)
costs = st.decimals(0, 10**7, places=8)

COLUMNS = [
    Column("Project", is_text=True),
    Column("Title", is_text=True, drop_rank=4, keeps_start=True, enough=12),
    Column("Input", drop_rank=3),
    Column("Output", drop_rank=2),
    Column("Cache read", drop_rank=1),
    Column("Total tokens"),
    Column("Cost"),
]
rows = st.tuples(
    texts, texts, counts, counts | counts.map(Marked), counts, counts, costs | costs.map(Marked)
)


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "exact", "short"),
        [
            (None, "", ""),
            ("a\x1b[2Jb", "a[2Jb", "a[2Jb"),
            (1234567, "1,234,567", "1.23M"),
            (Marked(1234567), "~1,234,567", "~1.23M"),
            (Decimal("1.5"), "$1.50", "$1.50"),
            (Marked(Decimal("1.5")), "$1.50?", "$1.50?"),
        ],
    )
    def test_as_text(self, cell: Cell, exact: str, short: str) -> None:
        assert (shown(cell), shown(cell, is_short=True)) == (exact, short)


class TestRender:
    @given(st.lists(rows, min_size=1, max_size=6), widths)
    def test_no_line_is_wider_than_the_device(
        self, table: list[tuple[Cell, ...]], width: int
    ) -> None:
        lines = render(COLUMNS, table, table[0], Style(width, is_styled=False))

        assert max(map(text_width, lines)) <= width

    @given(st.lists(rows, max_size=6), widths)
    def test_a_row_is_one_line(self, table: list[tuple[Cell, ...]], width: int) -> None:
        lines = render(COLUMNS, table, None, Style(width, is_styled=False))

        assert len(lines) == 2 + len(table)
        assert all(line == one_line(line) for line in lines)

    @given(st.lists(st.tuples(texts, counts), min_size=1, max_size=6))
    def test_amounts_are_aligned_at_their_right(self, table: list[tuple[Cell, ...]]) -> None:
        columns = [Column("Name", is_text=True), Column("Tokens")]
        heading, _, *lines = render(columns, table, None, WIDE)

        assert {text_width(line) for line in (heading, *lines)} == {text_width(heading)}

    @given(st.lists(costs | costs.map(Marked), min_size=1, max_size=6))
    def test_money_is_aligned_at_its_digits(self, amounts: list[Cell]) -> None:
        lines = render([Column("Cost")], [[amount] for amount in amounts], None, WIDE)[2:]

        assert len({len(line.rstrip("?")) for line in lines}) == 1

    def test_exact_where_there_is_room(self) -> None:
        row: list[Cell] = ["shop", "Fix it", 1, 2, 3, 1_234_567, Decimal("4.18")]

        assert render(COLUMNS, [row], None, Style(100, is_styled=False)) == [
            "Project  Title   Input  Output  Cache read  Total tokens   Cost",
            "───────────────────────────────────────────────────────────────",
            "shop     Fix it      1       2           3     1,234,567  $4.18",
        ]

    def test_first_digits_go_then_columns_then_letters(self) -> None:
        row: list[Cell] = ["shop" * 9, "Fix it", *[123_456_789] * 4, Decimal("4.18")]
        shown_at = {
            width: render(COLUMNS, [row], None, Style(width, is_styled=False))[2].split()
            for width in (160, 90, 76, 40)
        }

        assert shown_at[160] == ["shop" * 9, "Fix", "it", *["123,456,789"] * 4, "$4.18"]
        assert shown_at[90][1:] == ["Fix", "it", *["123M"] * 4, "$4.18"]
        assert shown_at[76][1:] == ["123M", "123M", "123M", "123M", "$4.18"]
        assert shown_at[40][1:] == ["123M", "$4.18"]

    def test_an_id_keeps_its_beginning(self) -> None:
        columns = [Column("Session", is_text=True, keeps_start=True)]

        assert render(columns, [["0123456789abcdef"]], None, Style(9, is_styled=False))[2] == (
            "01234567…"
        )

    def test_a_date_is_never_cut(self) -> None:
        columns = [Column("Day", is_text=True, may_cut=False), Column("Tokens")]

        assert "2026-11-20" in render(columns, [["2026-11-20", 1]], None, Style(5, False))[2]

    def test_totals_stand_under_a_rule(self) -> None:
        columns = [Column("Day", is_text=True), Column("Tokens")]
        lines = render(columns, [["a", 1], ["b", 2]], ["Total", 3], WIDE)

        assert [line.split() for line in lines[-2:]] == [["─" * 13], ["Total", "3"]]

    def test_weight_only_where_it_shows(self) -> None:
        columns = [Column("Day", is_text=True)]
        styled = render(columns, [["a"]], ["Total"], Style(80, is_styled=True))

        assert styled[0] == "\x1b[1mDay\x1b[0m"
        assert styled[1] == "\x1b[2m─────\x1b[0m"
        assert styled[-1] == "\x1b[1mTotal\x1b[0m"

    def test_a_huge_text_costs_no_time(self) -> None:
        lines = render(COLUMNS, [["x" * 10**6, "y" * 10**6, 1, 2, 3, 4, Decimal(5)]], None, WIDE)

        assert len(lines[2]) <= 1000
