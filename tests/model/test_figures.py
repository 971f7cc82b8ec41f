"""How amounts, bars and words of a fixed width are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.figures import (
    Style,
    bar,
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

ANYTHING = "aZ9 -_/.é漢字한ｱテ🙂👩🏽\u0301\u0e31\u094d\u20dd\u200d\ufe0f\x1b\u202e\n\t…─"

texts = st.text(ANYTHING, max_size=60) | st.text(max_size=20)
counts = st.integers(0, 10**14)


class TestStyle:
    def test_weight_only_where_it_shows(self) -> None:
        assert (Style(80, True).bold("a"), Style(80, True).faint("a")) == (
            "\x1b[1ma\x1b[0m",
            "\x1b[2ma\x1b[0m",
        )
        assert (Style(80, False).bold("a"), Style(80, False).faint("a")) == ("a", "a")


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

    @given(st.integers(-(10**15), -1))
    def test_what_is_negative_has_a_sign_and_the_same_digits(self, count: int) -> None:
        assert short_count(count) == f"-{short_count(-count)}"


class TestCounted:
    def test_one_is_no_plural(self) -> None:
        assert [counted(n, "session") for n in (0, 1, 1000)] == [
            "0 sessions",
            "1 session",
            "1,000 sessions",
        ]


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


class TestBar:
    @given(st.floats(-2, 3, allow_nan=False), st.integers(1, 60))
    def test_has_its_cells_whatever_the_share(self, share: float, cells: int) -> None:
        assert text_width(bar(share, cells)) == cells

    @pytest.mark.parametrize(
        ("share", "drawn"),
        [
            (0.0, "░░░░"),
            (0.125, "▌░░░"),
            (0.5, "██░░"),
            (0.97, "███▉"),
            (1.0, "████"),
            (7.0, "████"),
            (-1.0, "░░░░"),
        ],
    )
    def test_is_filled_to_an_eighth_of_a_cell(self, share: float, drawn: str) -> None:
        assert bar(share, 4) == drawn


class TestSparkline:
    @given(st.lists(counts, max_size=30))
    def test_one_sign_per_value(self, values: list[int]) -> None:
        assert len(sparkline(values)) == len(values)

    def test_shapes(self) -> None:
        assert sparkline([0, 1, 4, 8]) == "·▂▅█"
        assert sparkline([0, 0]) == "··"
        assert sparkline([5]) == "█"
        assert sparkline([1, 10**9]) == "▁█"


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
