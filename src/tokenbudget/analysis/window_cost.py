"""What a session's window cost to send, again and again: by kind of token and by component.

A request pays for everything that stands in its window: the part that the cache still holds at the
price of a read, the rest at the price of a write or of plain input. A component pays its share of
both. The sums by kind of token are exact; a component's share is as good as its count.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.usage import SERVICE_TIERS, SPEEDS
from tokenbudget.metering.cost import price
from tokenbudget.metering.rates import prompt_bucket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.window_replay import Moment
    from tokenbudget.metering.cost import Priced
    from tokenbudget.metering.rates import PriceBook

OUTPUT = "output"


class WindowCost(NamedTuple):
    """The cost of one thread's requests in USD."""

    input_usd: Decimal
    cache_write_usd: Decimal
    cache_read_usd: Decimal
    output_usd: Decimal
    by_component: dict[str, Decimal]
    """What it cost to send each component, and `output` for what the model wrote."""
    unpriced_tokens: int
    requests: int

    @property
    def total_usd(self) -> Decimal:
        """Everything that has a price."""
        return self.input_usd + self.cache_write_usd + self.cache_read_usd + self.output_usd


class CostSums:
    """Prices the requests of a thread, one after the other."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._sums = [Decimal(0)] * 4
        self._shares: dict[str, float] = {}
        self._unpriced_tokens = self._requests = 0

    def add(self, moment: Moment) -> None:
        """One more request; one that reported no usage has no price."""
        if moment.request.prompt_tokens is None:
            return
        self._requests += 1
        parts = _parts(moment, self._book)
        self._unpriced_tokens += sum(part.unpriced_tokens for part in parts)
        self._sums = [total + part.cost_usd for total, part in zip(self._sums, parts, strict=True)]
        _share_out(moment, parts, self._shares)

    def copied(self) -> CostSums:
        """The same, to be added to on its own."""
        twin = CostSums(self._book)
        twin.__dict__.update(self.__dict__)
        twin._shares = dict(self._shares)
        return twin

    def cost(self) -> WindowCost:
        """What came of it."""
        by_component = {name: Decimal(f"{usd:.9f}") for name, usd in self._shares.items()}
        sent, written, read, answered = self._sums
        if answered:
            by_component[OUTPUT] = answered
        unpriced, requests = self._unpriced_tokens, self._requests
        return WindowCost(sent, written, read, answered, by_component, unpriced, requests)


def window_cost(moments: Iterable[Moment], book: PriceBook) -> WindowCost:
    """Price every request of a thread."""
    sums = CostSums(book)
    for moment in moments:
        sums.add(moment)
    return sums.cost()


def _parts(moment: Moment, book: PriceBook) -> tuple[Priced, Priced, Priced, Priced]:
    """Input, cache writes, cache reads and output of one request."""
    request = moment.request
    rate = book.rate(
        request.model,
        request.started_at_ms,
        speed=SPEEDS[request.speed],
        service_tier=SERVICE_TIERS[request.service_tier],
        bucket=prompt_bucket(request.prompt_tokens or 0, book.thresholds()),
    )

    def of(**tokens: int) -> Priced:
        none = dict.fromkeys(
            (
                "input_tokens",
                "output_tokens",
                "cache_write_5m_tokens",
                "cache_write_1h_tokens",
                "cache_read_tokens",
                "web_search_requests",
            ),
            0,
        )
        return price(rate, **(none | tokens))

    return (
        of(input_tokens=request.input_tokens or 0),
        of(
            cache_write_5m_tokens=request.cache_write_5m_tokens,
            cache_write_1h_tokens=request.cache_write_1h_tokens,
        ),
        of(cache_read_tokens=request.cache_read_tokens),
        of(output_tokens=request.output_tokens),
    )


def _share_out(
    moment: Moment, parts: tuple[Priced, Priced, Priced, Priced], shares: dict[str, float]
) -> None:
    sent, written, read, _ = (float(part.cost_usd) for part in parts)
    fresh = {
        name: max(0.0, tokens - moment.read_groups.get(name, 0.0))
        for name, tokens in moment.groups.items()
    }
    for groups, usd in ((moment.read_groups, read), (fresh, sent + written)):
        total = sum(groups.values())
        for name, tokens in groups.items():
            if tokens > 0 and total > 0:
                shares[name] = shares.get(name, 0.0) + usd * tokens / total
