"""Billed tokens and money, added up exactly."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.study import PICO_USD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.study import Spend


class Amount(NamedTuple):
    """What was billed for something: tokens by kind, and money in whole pico-dollars."""

    input_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    cost_pico_usd: int = 0
    unpriced_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent, again and again."""
        return sum(self[:4])

    @property
    def total_tokens(self) -> int:
        """Sent and received."""
        return sum(self[:5])

    @property
    def cost_usd(self) -> Decimal:
        """In USD, exact; covers what has a price."""
        return Decimal(self.cost_pico_usd) / PICO_USD

    def plus(self, other: Amount) -> Amount:
        """The sum of both."""
        return Amount(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Amount) -> Amount:
        """The difference."""
        return Amount(*(a - b for a, b in zip(self, other, strict=True)))


NOTHING = Amount()


def amount_of(spends: Iterable[Spend]) -> Amount:
    """The sum of some spends."""
    sums = [0] * 7
    for spend in spends:
        for place, value in enumerate(spend[8:15]):
            sums[place] += value
    return Amount(*sums)
