"""How far a lever's predictions are believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.model.control import HISTORY, SKILLS, Receipt
from tokenbudget.optimizer.trust import LEAST, RETRIAL_MS, trust_of


def receipt(measured: int | None, lever: str = HISTORY, predicted: int = 100) -> Receipt:
    return Receipt(1, "s", 7, lever, (), "critical", 1, predicted, None, "now", 0,
                   measured_tokens=measured)  # fmt: skip


def factor_of(*measured: int | None) -> float:
    """Of a lever whose predictions of 100 came out like this, the latest last."""
    return trust_of([receipt(one) for one in reversed(measured)]).of(HISTORY, 7)


def test_a_lever_without_receipts_is_trusted_fully() -> None:
    assert trust_of([]).of(HISTORY, 0) == 1.0
    assert trust_of([receipt(0, SKILLS)] * 2).of(HISTORY, 7) == 1.0


def test_one_bad_prediction_is_forgiven() -> None:
    assert factor_of(0) == 1.0


def test_an_error_of_a_quarter_is_no_bad_one() -> None:
    assert factor_of(75, 125) == 1.0
    assert factor_of(74, 126) == 0.5


def test_two_bad_predictions_in_a_row_halve_the_trust() -> None:
    assert factor_of(0, 0) == 0.5
    assert factor_of(0, 0, 0) == 0.5
    assert factor_of(0, 0, 0, 0) == 0.25


def test_a_good_prediction_in_between_begins_the_count_anew() -> None:
    assert factor_of(0, 100, 0) == 1.0


def test_a_good_prediction_raises_the_trust_again() -> None:
    assert factor_of(0, 0, 100) == 1.0
    assert factor_of(0, 0, 0, 0, 100) == 0.5


def test_what_was_not_measured_says_nothing() -> None:
    assert factor_of(0, None, 0) == 0.5
    assert trust_of([receipt(50, predicted=0)] * 4).of(HISTORY, 7) == 1.0


def test_what_is_only_advised_may_show_once_more_after_a_week() -> None:
    trust = trust_of([receipt(0)] * 4)
    assert trust.of(HISTORY, 7 + RETRIAL_MS - 1) == 0.25
    assert trust.of(HISTORY, 7 + RETRIAL_MS) == LEAST


@given(st.lists(st.one_of(st.none(), st.integers(0, 300)), max_size=50))
def test_trust_is_a_share_and_never_nothing(measured: list[int | None]) -> None:
    assert 0 < factor_of(*measured) <= 1
