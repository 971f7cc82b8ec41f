from decimal import Decimal

import pytest
from tests.reports.conftest import sums, table

from tokenbudget.model.figures import Style
from tokenbudget.reports.table import Marked
from tokenbudget.reports.usage import (
    cost_cell,
    note_lines,
    nothing_lines,
    shown_labels,
    tilde,
    usage_lines,
)

PIPE = Style(160, is_styled=False)


class TestCost:
    def test_is_an_amount_where_everything_has_a_price(self) -> None:
        assert cost_cell(sums(cost="1.5")) == Decimal("1.5")

    @pytest.mark.parametrize("what", ["unpriced_tokens", "unpriced_web_searches"])
    def test_is_marked_where_something_has_none(self, what: str) -> None:
        assert cost_cell(sums(1000, "1.5", **{what: 1})) == Marked(Decimal("1.5"))

    def test_is_unknown_and_not_nothing_where_all_has_none(self) -> None:
        assert cost_cell(sums(1000, "0", unpriced_tokens=1000)) == "?"

    def test_of_nothing_is_nothing(self) -> None:
        assert cost_cell(sums(0, "0")) == Decimal(0)


class TestNotes:
    def test_there_are_none_where_all_is_known(self) -> None:
        assert note_lines(sums(), [], 80) == []

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("unpriced_tokens", "? 1 tokens have no price and are not in the cost: m."),
            ("unpriced_web_searches", "? 1 web search request without a price, not in the cost."),
            ("unknown_requests", "? 1 response reported no usage: unknown, and not counted."),
            ("low_confidence_tokens", "~ 1 output tokens come from responses whose final count"),
        ],
    )
    def test_each_doubt_is_said(self, what: str, said: str) -> None:
        lines = note_lines(sums(1000, "1.5", **{what: 1}), ["m"], 100)

        assert lines[0].startswith(said)

    def test_only_the_largest_models_are_named(self) -> None:
        names = [f"m{number}" for number in range(9)]
        text = " ".join(note_lines(sums(unpriced_tokens=1), names, 100))

        assert "m0, m1, m2, m3, m4 and 4 more." in text

    @pytest.mark.parametrize("width", [40, 80, 160])
    def test_they_fit_and_hang(self, width: int) -> None:
        lines = note_lines(sums(unpriced_tokens=1), ["m" * 300, "漢字" * 50], width)

        assert all(len(line) <= width for line in lines)
        assert all(line.startswith("  ") for line in lines[1:])


class TestLines:
    def test_no_rows_are_no_lines(self) -> None:
        assert usage_lines(table("day", {}), PIPE, "") == []

    def test_output_that_is_too_low_is_marked(self) -> None:
        part = sums(output_tokens=7, low_confidence_tokens=7)

        assert " ~7 " in usage_lines(table("day", {"2026-11-20": part}), PIPE, "")[2]

    @pytest.mark.parametrize(
        ("by", "label", "shown"),
        [
            ("project", "/home/me/shop", "~/shop"),
            ("project", "/home/mean/shop", "/home/mean/shop"),
            ("project", "/home/me", "/home/me"),
            ("block", "2026-11-20T09:00+05:30", "2026-11-20 09:00"),
            ("block", "unknown", "unknown"),
            ("model", "/home/me/model", "/home/me/model"),
        ],
    )
    def test_labels_for_people(self, by: str, label: str, shown: str) -> None:
        assert shown_labels((by,), (label,), "/home/me") == [shown]

    def test_without_a_home_paths_stay(self) -> None:
        assert tilde("/home/me", "") == "/home/me"


class TestNothing:
    def test_names_where_was_looked(self) -> None:
        lines = nothing_lines(["/home/me/.claude", "/other"], False, "/home/me")

        assert lines[0] == "No sessions under ~/.claude or /other yet."
        assert lines[1].startswith("Try: tokens usage --from PATH")

    def test_names_the_limits_where_there_are_any(self) -> None:
        assert nothing_lines([], True, "")[0] == "No usage within these limits."
