from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.figures import (
    Style,
    counted,
    cut,
    dollars,
    padded,
    short_count,
    sparkline,
    text_width,
    wrapped,
)
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


class TestShortCount:
    @pytest.mark.parametrize(
        ("count", "short"),
        [
            (0, "0"),
            (950, "950"),
            (999, "999"),
            (1000, "1.00K"),
            (1234, "1.23K"),
            (9_994, "9.99K"),
            (9_995, "10.0K"),
            (33_600, "33.6K"),
            (99_949, "99.9K"),
            (99_950, "100K"),
            (999_499, "999K"),
            (999_500, "1.00M"),
            (1_670_000_000, "1.67B"),
            (2_000_000_000_000, "2.00T"),
            (9_990_000_000_000_000, "9990T"),
        ],
    )
    def test_examples(self, count: int, short: str) -> None:
        assert short_count(count) == short

    @given(st.integers(1000, 10**15 - 10**12))
    def test_has_three_significant_digits_and_the_right_size(self, count: int) -> None:
        short = short_count(count)
        factor = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}[short[-1]]

        assert len(short[:-1].replace(".", "")) == 3
        assert abs(Decimal(short[:-1]) * factor - count) <= Decimal(count) / 198

    @given(st.integers(0, 999))
    def test_what_is_short_stays_exact(self, count: int) -> None:
        assert short_count(count) == str(count)

    @given(counts, counts)
    def test_more_is_never_shown_as_less(self, one: int, other: int) -> None:
        def read(short: str) -> Decimal:
            factor = {"K": 3, "M": 6, "B": 9, "T": 12}.get(short[-1], 0)
            return Decimal(short.rstrip("KMBT")).scaleb(factor)

        low, high = sorted((one, other))
        assert read(short_count(low)) <= read(short_count(high))


class TestDollars:
    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            ("0", "$0.00"),
            ("0.00000001", "<$0.0001"),
            ("0.0001", "$0.0001"),
            ("0.00994", "$0.0099"),
            ("0.00996", "$0.01"),
            ("0.01", "$0.01"),
            ("0.015", "$0.02"),
            ("4.18", "$4.18"),
            ("4.185", "$4.19"),
            ("1234567.891", "$1,234,567.89"),
        ],
    )
    def test_examples(self, amount: str, text: str) -> None:
        assert dollars(Decimal(amount)) == text

    @given(st.decimals("0.0000000001", 10**9, places=10))
    def test_what_is_not_nothing_is_never_shown_as_nothing(self, amount: Decimal) -> None:
        assert any(digit in "123456789" for digit in dollars(amount))

    @given(st.decimals("0.01", 10**9, places=10))
    def test_is_rounded_to_the_cent(self, amount: Decimal) -> None:
        text = dollars(amount).replace("$", "").replace(",", "")

        assert abs(Decimal(text) - amount) <= Decimal("0.005")
        assert text[-3] == "."


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

    def test_one_is_no_plural(self) -> None:
        assert [counted(n, "session") for n in (0, 1, 1000)] == [
            "0 sessions",
            "1 session",
            "1,000 sessions",
        ]


class TestWidth:
    @pytest.mark.parametrize(
        ("text", "width"),
        [
            ("plain", 5),
            ("漢字", 4),
            ("한글", 4),
            ("ｱ", 1),
            ("\N{FULLWIDTH LATIN CAPITAL LETTER A}", 2),
            ("🙂", 2),
            ("é", 1),
            ("e\u0301", 1),
            ("ก\u0e31", 1),
            ("क\u094dष", 2),
            ("\u1100\u1161", 2),
            ("a\u20dd", 1),
            ("…─█·", 4),
        ],
    )
    def test_in_columns(self, text: str, width: int) -> None:
        assert text_width(text) == width

    @given(texts, st.integers(0, 30), st.booleans())
    def test_a_cut_text_fits(self, text: str, width: int, keeps_start: bool) -> None:
        clean = one_line(text)

        assert text_width(cut(clean, width, keeps_start)) <= width

    @given(texts, st.integers(1, 30), st.booleans())
    def test_only_what_is_too_wide_is_cut(self, text: str, width: int, keeps_start: bool) -> None:
        clean = one_line(text)
        fitting = cut(clean, width, keeps_start)

        if text_width(clean) <= width:
            assert fitting == clean
        else:
            assert "…" in fitting

    def test_the_middle_goes_or_the_end(self) -> None:
        assert cut("abcdefghij", 5) == "ab…ij"
        assert cut("abcdefghij", 5, keeps_start=True) == "abcd…"

    @given(texts, st.integers(0, 40))
    def test_a_padded_text_is_as_wide_as_asked_for(self, text: str, width: int) -> None:
        assert text_width(padded(one_line(text), width)) == width

    @given(st.lists(texts).map(" ".join), st.integers(10, 100), st.sampled_from(["", "  "]))
    def test_wrapped_lines_fit_and_keep_the_words(self, text: str, width: int, indent: str) -> None:
        clean = one_line(text)
        lines = wrapped(clean, width, indent)

        assert all(text_width(line) <= width for line in lines)
        if all(text_width(word) <= width - len(indent) for word in clean.split()):
            assert " ".join(lines).split() == clean.split()

    def test_later_lines_are_indented(self) -> None:
        assert wrapped("? one two three", 9, "  ") == ["? one two", "  three"]


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


class TestSparkline:
    @given(st.lists(counts, max_size=30))
    def test_one_sign_per_value(self, values: list[int]) -> None:
        assert len(sparkline(values)) == len(values)

    def test_shapes(self) -> None:
        assert sparkline([0, 1, 4, 8]) == "·▂▅█"
        assert sparkline([0, 0]) == "··"
        assert sparkline([5]) == "█"
        assert sparkline([1, 10**9]) == "▁█"
