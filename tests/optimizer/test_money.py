"""Break-even by the cache as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.optimizer.desk import COLD, WARM, history, server

from tokenbudget.budget.break_even import CacheRates, Edit, break_even_calls
from tokenbudget.model.control import UNKNOWN_CACHE
from tokenbudget.optimizer.money import UNKNOWN_BILL, bill, edit_of, without_rewriting


def test_unloading_twenty_thousand_before_a_conversation_is_the_worked_case() -> None:
    """Economics, section 4: S = 20k at the head, 150k behind, 5 minutes, r = 0.1: 86.2 calls."""
    found = bill([server(tokens=20_000, kept_tokens=150_000)], WARM, None, is_free=False)
    assert found.break_even_requests == pytest.approx(86.25)
    assert found.usd is None


def test_summarising_120k_to_5k_is_the_worked_case() -> None:
    """The same section: B = 0, g = 25k + r * 125k: 3.8 calls with the summary's own write."""
    talk = history(
        tokens=115_000,
        replacement_tokens=5_000,
        production_input_tokens=125_000,
        production_output_tokens=5_000,
    )
    warm = bill([talk], WARM, 100.0, is_free=False)
    loss = (1.25 - 0.1) * 5_000 + 5 * 5_000 + 0.1 * 125_000
    assert warm.break_even_requests == pytest.approx(loss / (0.1 * 115_000))
    assert warm.usd == pytest.approx((0.1 * 115_000 * 100 - loss) * 3e-6)


def test_what_will_be_read_again_is_paid_for_and_not_saved() -> None:
    talk = history(
        tokens=115_000,
        replacement_tokens=5_000,
        production_input_tokens=125_000,
        production_output_tokens=5_000,
        reread_requests=2.0,
        reread_tokens=15_000.0,
    )
    loss = (1.25 - 0.1) * 5_000 + 5 * 5_000 + 0.1 * 125_000
    again = 2 * (0.1 * 10_000 + 5 * 120) + 1.25 * 15_000
    found = bill([talk], WARM, 100.0, is_free=False)
    assert found.reread_iet == pytest.approx(again)
    assert found.carried_iet == pytest.approx(0.1 * 100_000)
    assert found.break_even_requests == pytest.approx((loss + again) / (0.1 * 100_000))
    assert found.usd == pytest.approx((0.1 * 100_000 * 100 - loss - again) * 3e-6)


def test_compacting_a_cold_history_costs_its_own_writing() -> None:
    talk = history(tokens=115_000, production_input_tokens=125_000, replacement_tokens=5_000)
    found = bill([talk], COLD, 50.0, is_free=True)
    made = 1.25 * 125_000 + 5 * talk.production_output_tokens
    expected = break_even_calls(
        Edit(120_000, 5_000, 0, made), CacheRates(0.1, 1.25), next_cold_probability=1.0
    )
    assert found.break_even_requests == pytest.approx(expected)


def test_in_a_cold_cache_a_server_leaves_for_nothing() -> None:
    found = bill([server(kept_tokens=150_000)], COLD, 10.0, is_free=True)
    assert found.break_even_requests == 0.0
    assert found.usd is not None
    assert found.usd > 0


def test_a_cold_next_call_is_paid_for_even_where_none_is_expected() -> None:
    none, one = (bill([history()], COLD, expected, is_free=True) for expected in (0.0, 1.0))
    assert none.usd == one.usd


def test_several_things_are_one_edit_from_the_first_of_them_on() -> None:
    held = [server("a", 1_000, kept_tokens=50_000), server("b", 2_000, kept_tokens=40_000)]
    assert edit_of(held, 7.0) == Edit(3_000, 0, 50_000, 7.0)


def test_where_the_table_says_that_the_cache_stays_good_nothing_is_written_anew() -> None:
    held = [server(kept_tokens=50_000)]
    assert without_rewriting(held, "")[0].kept_tokens == 0
    assert without_rewriting(held, "tools") == held
    talk = [history(kept_tokens=500)]
    assert without_rewriting(talk, "") == talk


@pytest.mark.parametrize(
    "cache",
    [
        UNKNOWN_CACHE,
        WARM._replace(read=None),
        WARM._replace(write=None),
        WARM._replace(output=None),
        WARM._replace(read=float("nan")),
        WARM._replace(write=-1.0),
    ],
)
def test_without_a_price_the_bill_is_unknown(cache: object) -> None:
    assert bill([history()], cache, 10.0, is_free=False) == UNKNOWN_BILL  # type: ignore[arg-type]


def test_without_a_price_of_input_the_break_even_is_known_and_the_money_is_not() -> None:
    found = bill([history()], WARM._replace(input_usd=None), 10.0, is_free=False)
    assert found.is_known
    assert found.break_even_requests is not None
    assert found.usd is None


def test_what_pays_is_at_least_the_factor_times_the_break_even() -> None:
    found = bill([history()], WARM, None, is_free=False)
    after = found.break_even_requests
    assert after is not None
    assert found.pays_after(1.5 * after, 1.5)
    assert not found.pays_after(1.49 * after, 1.5)
    assert not found.pays_after(None, 1.5)
    assert not UNKNOWN_BILL.pays_after(1e9, 1.5)


@given(
    tokens=st.integers(1, 500_000),
    kept=st.integers(0, 500_000),
    expected=st.floats(1, 500),
    is_free=st.booleans(),
)
def test_money_is_saved_exactly_from_the_break_even_on(
    tokens: int, kept: int, expected: float, is_free: bool
) -> None:
    found = bill([server(tokens=tokens, kept_tokens=kept)], WARM, expected, is_free)
    assert found.usd is not None
    assert found.break_even_requests is not None
    if abs(expected - found.break_even_requests) > 1e-6 * expected:
        assert (found.usd > 0) == (expected > found.break_even_requests)
