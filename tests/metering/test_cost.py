from decimal import Decimal, localcontext
from typing import TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.metering.cost import Priced, format_usd, price
from tokenbudget.metering.rates import PriceBook, Rate


class Counts(TypedDict, total=False):
    input_tokens: int
    output_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    cache_read_tokens: int
    web_search_requests: int


KEYS = tuple(Counts.__annotations__)
OPUS = PriceBook.bundled().rate(
    "claude-opus-4-6", 1_795_000_000_000, speed="standard", service_tier="standard", bucket=0
)


def priced(rate: Rate | None, **counts: Unpack[Counts]) -> Priced:
    every: Counts = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "cache_read_tokens": 0,
        "web_search_requests": 0,
    }
    every.update(counts)
    return price(rate, **every)


amounts = st.integers(min_value=0, max_value=10**13)
prices = st.none() | st.decimals(0, 10**6, places=12)
rates = st.tuples(*[prices] * 6).map(Rate._make)
counts = st.fixed_dictionaries(dict.fromkeys(KEYS, amounts))


@pytest.mark.parametrize(
    ("kind", "usd"),
    [
        ("input_tokens", "5"),
        ("output_tokens", "25"),
        ("cache_write_5m_tokens", "6.25"),
        ("cache_write_1h_tokens", "10"),
        ("cache_read_tokens", "0.5"),
    ],
)
def test_a_million_tokens_cost_their_price(kind: str, usd: str) -> None:
    counts: Counts = {kind: 1_000_000}  # type: ignore[misc]  # one key of Counts
    assert priced(OPUS, **counts) == Priced(Decimal(usd), 0, 0)


def test_a_thousand_web_searches_cost_their_price() -> None:
    assert priced(OPUS, web_search_requests=1000) == Priced(Decimal(10), 0, 0)
    assert priced(OPUS, web_search_requests=1) == Priced(Decimal("0.01"), 0, 0)


def test_without_a_rate_everything_is_unpriced() -> None:
    found = priced(
        None, input_tokens=1, output_tokens=2, cache_read_tokens=4, web_search_requests=3
    )
    assert found == Priced(Decimal(0), 7, 3)


def test_a_kind_without_a_price_is_unpriced_and_the_rest_is_priced() -> None:
    rate = Rate(Decimal(2), None, Decimal(3), None, Decimal(1), None)
    found = priced(
        rate, input_tokens=10**6, output_tokens=5, cache_write_1h_tokens=6, web_search_requests=2
    )
    assert found == Priced(Decimal(2), 11, 2)


def test_a_price_of_zero_is_a_price() -> None:
    free = Rate._make([Decimal(0)] * 6)
    found = priced(free, input_tokens=9, web_search_requests=9)
    assert found == Priced(Decimal(0), 0, 0)


def test_tenths_stay_exact() -> None:
    rate = Rate._make([Decimal("0.1")] * 6)
    assert priced(rate, input_tokens=3_000_000).cost_usd == Decimal("0.3")


def test_a_callers_precision_cannot_round_money() -> None:
    with localcontext(prec=3):
        assert str(priced(OPUS, output_tokens=123_457).cost_usd) == "3.086425"


@given(rates, counts, counts)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(
    rate: Rate, one: dict[str, int], other: dict[str, int]
) -> None:
    both = price(rate, **{key: one[key] + other[key] for key in KEYS})
    first, second = price(rate, **one), price(rate, **other)
    with localcontext(prec=100):
        assert both.cost_usd == first.cost_usd + second.cost_usd
    assert both.unpriced_tokens == first.unpriced_tokens + second.unpriced_tokens
    assert both.unpriced_web_searches == first.unpriced_web_searches + second.unpriced_web_searches


@given(st.none() | rates, counts)
def test_every_token_is_either_priced_or_counted_as_unpriced(
    rate: Rate | None, amount: dict[str, int]
) -> None:
    found = price(rate, **amount)
    known = rate or Rate._make([None] * 6)
    split = zip(KEYS, known, strict=True)
    missing = [amount[key] for key, usd in split if usd is None and key.endswith("_tokens")]
    assert found.unpriced_tokens == sum(missing)
    assert found.unpriced_web_searches == (amount["web_search_requests"] if known[5] is None else 0)


@given(rates, counts)
def test_the_cost_is_the_formula(rate: Rate, amount: dict[str, int]) -> None:
    with localcontext(prec=100):
        parts = zip([amount[key] for key in KEYS], rate, [10**6] * 5 + [10**3], strict=True)
        expected = sum(
            (count * usd / per for count, usd, per in parts if usd is not None), Decimal(0)
        )
        assert price(rate, **amount).cost_usd == expected


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0"),
        ("0.000000", "0"),
        ("-0.00", "0"),
        ("4.1800", "4.18"),
        ("0.000375", "0.000375"),
        ("1E+3", "1000"),
        ("1E-9", "0.000000001"),
        ("100", "100"),
        ("-2.50", "-2.5"),
    ],
)
def test_money_is_written_plainly(amount: str, text: str) -> None:
    assert format_usd(Decimal(amount)) == text


@given(st.decimals(-(10**9), 10**9, places=12))
def test_what_is_written_is_the_same_amount(amount: Decimal) -> None:
    text = format_usd(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))
