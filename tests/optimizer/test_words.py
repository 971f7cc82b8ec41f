"""Figures as a person reads them."""

from __future__ import annotations

import pytest
from tests.optimizer.desk import Desk

from tokenbudget.optimizer import words


def test_fullness_is_told_by_both_measures() -> None:
    desk = Desk()
    desk.request(58_000)
    assert words.fullness(desk.seen) == (
        "58% of the usable window is used (58,000 of 100,000 tokens, 43% of the whole)"
    )
    assert words.fullness(desk.seen._replace(window_tokens=None)) == (
        "58% of the usable window is used (58,000 of 100,000 tokens)"
    )
    assert words.fullness(desk.seen._replace(used_tokens=None)) == ""


def test_a_boundary_is_never_shown_as_reached_before_it_is() -> None:
    assert words.percent(0.4999) == "49%"
    assert words.percent(0.5) == "50%"
    assert words.percent(0.29) == "29%"


@pytest.mark.parametrize(
    ("count", "text"), [(0.0, "0"), (3.76, "3.8"), (4.0, "4"), (86.25, "86"), (1234.0, "1,234")]
)
def test_requests_are_told_as_exactly_as_they_are_known(count: float, text: str) -> None:
    assert words.about(count) == text


def test_one_request_is_no_plural() -> None:
    assert [words.requests(one) for one in (0.0, 1.0, 1.2, 30.0)] == [
        "0 requests",
        "1 request",
        "1.2 requests",
        "30 requests",
    ]


def test_money_is_told_to_the_cent_or_to_two_digits_below_it() -> None:
    assert words.dollars(-1.234) == "$1.23"
    assert words.dollars(0.00123) == "$0.0012"
    assert words.dollars(1234.5) == "$1,234.50"


def test_tokens_are_told_with_their_error_where_there_is_one() -> None:
    assert words.tokens(12_000) == "12,000 tokens"
    assert words.tokens(12_000, 300) == "12,000 ± 300 tokens"
