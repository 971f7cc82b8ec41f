"""Turn token counts and a rate into exact money, and say what had no price."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact
from typing import NamedTuple

from tokenbudget.metering.rates import Rate

_TOKENS_PER_PRICE = -6  # a price is per 10**6 tokens
_REQUESTS_PER_PRICE = -3  # a web search price is per 10**3 requests

# Our own context, so a caller's precision cannot round money; what would not be exact raises.
_EXACT = Context(prec=120, traps=[Inexact])


class Priced(NamedTuple):
    """The cost of what has a price, and the amount of what has none."""

    cost_usd: Decimal
    """In USD, exact; covers only tokens and searches that have a price."""
    unpriced_tokens: int
    unpriced_web_searches: int
    """In requests."""


def price(
    rate: Rate | None,
    *,
    input_tokens: int,
    output_tokens: int,
    cache_write_5m_tokens: int,
    cache_write_1h_tokens: int,
    cache_read_tokens: int,
    web_search_requests: int,
) -> Priced:
    """Return the exact cost of token counts that share one rate: sum of tokens * price / 10**6.

    `input_tokens` excludes everything cached. Tokens without a price (no rate, or that part of it
    not known) are counted as unpriced and cost nothing here: a cost of 0 with unpriced tokens
    beside it is unknown, not free.
    """
    tokens = (
        input_tokens,
        output_tokens,
        cache_write_5m_tokens,
        cache_write_1h_tokens,
        cache_read_tokens,
    )
    if rate is None:
        return Priced(Decimal(0), sum(tokens), web_search_requests)
    cost = Decimal(0)
    unpriced_tokens = 0
    for count, usd in zip(tokens, rate[:-1], strict=True):
        if usd is None:
            unpriced_tokens += count
        elif count:
            cost = _EXACT.add(cost, _EXACT.scaleb(_EXACT.multiply(usd, count), _TOKENS_PER_PRICE))
    if rate.web_search is None:
        return Priced(cost, unpriced_tokens, web_search_requests)
    searches = _EXACT.multiply(rate.web_search, web_search_requests)
    cost = _EXACT.add(cost, _EXACT.scaleb(searches, _REQUESTS_PER_PRICE))
    return Priced(cost, unpriced_tokens, 0)


def format_usd(amount: Decimal) -> str:
    """Return a finite amount as a plain decimal: no exponent, no zeros at the end ("4.18", "0")."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    return "0" if text == "-0" else text
