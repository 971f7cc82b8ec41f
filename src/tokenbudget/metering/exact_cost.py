"""The cost of one request at a time, exact and fast: whole numbers instead of `Decimal`.

For a million rows; `cost.price` says the same for sums. A rate becomes the `Weights` of its prices
in the smallest unit that all of them are whole in; a cost is then a sum of products.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

    from tokenbudget.metering.rates import Rate

_TOKENS_DIGITS = 6
_SEARCHES_DIGITS = 3


class Weights(NamedTuple):
    """What a token or a search costs in units of 10**-digits USD; 0 where it has no price."""

    input: int
    output: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    web_search: int
    digits: int
    unpriced: tuple[bool, ...]
    """Which of the five kinds of tokens have no price; () where all have one."""


NO_WEIGHTS = Weights(0, 0, 0, 0, 0, 0, 0, (True,) * 5)


def weights_of(rate: Rate | None) -> Weights:
    """The whole numbers of a rate; no rate prices nothing."""
    if rate is None:
        return NO_WEIGHTS
    tokens, search = rate[:-1], rate.web_search
    digits = max(
        *(_decimals(price) + _TOKENS_DIGITS for price in tokens),
        _decimals(search) + _SEARCHES_DIGITS,
    )
    missing = tuple(price is None for price in tokens)
    return Weights._make(
        (
            *(_whole(price, digits - _TOKENS_DIGITS) for price in tokens),
            _whole(search, digits - _SEARCHES_DIGITS),
            digits,
            missing if any(missing) else (),
        )
    )


def usd_text(units: int, digits: int) -> str:
    """Units of 10**-digits USD as `cost.format_usd` writes them."""
    if not units:
        return "0"
    if not digits:
        return str(units)
    whole = str(units).rjust(digits + 1, "0")
    return (whole[:-digits] + "." + whole[-digits:]).rstrip("0").removesuffix(".")


def _decimals(price: Decimal | None) -> int:
    if price is None:
        return 0
    exponent = price.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _whole(price: Decimal | None, digits: int) -> int:
    if price is None:
        return 0
    sign, number, exponent = price.as_tuple()
    if sign or not isinstance(exponent, int):  # no price is negative or infinite
        raise ValueError(f"{price} is no price")
    return int("".join(map(str, number)) or "0") * int(10 ** (digits + exponent))
