from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.metering.cost import format_usd, price
from tokenbudget.metering.exact_cost import NO_WEIGHTS, usd_text, weights_of
from tokenbudget.metering.rates import Rate

prices = (
    st.none()
    | st.decimals(0, 1000, places=4)
    | st.sampled_from([Decimal(0), Decimal("1E+1"), Decimal("0.300"), Decimal("1E-30")])
)
rates = st.none() | st.builds(Rate, prices, prices, prices, prices, prices, prices)
counts = st.lists(st.integers(0, 10**10), min_size=6, max_size=6)


@given(rates, counts)
def test_it_says_what_the_decimal_one_says(rate: Rate | None, counted: list[int]) -> None:
    put, out, write_5m, write_1h, read, searches = counted
    expected = price(
        rate,
        input_tokens=put,
        output_tokens=out,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        cache_read_tokens=read,
        web_search_requests=searches,
    )

    weights = weights_of(rate)
    units = sum(count * weight for count, weight in zip(counted, weights[:6], strict=True))

    assert usd_text(units, weights.digits) == format_usd(expected.cost_usd)
    missing = weights.unpriced or (False,) * 5
    unpriced = sum(count for count, no in zip(counted[:5], missing, strict=True) if no)
    assert unpriced == expected.unpriced_tokens


def test_without_a_rate_nothing_has_a_price() -> None:
    assert weights_of(None) == NO_WEIGHTS
    assert usd_text(0, 0) == "0"
    assert usd_text(120, 0) == "120"
    assert usd_text(120, 3) == "0.12"
