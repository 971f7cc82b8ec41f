"""What requests were billed: by session, local day and model, exact, as `tokens usage` tells it."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.amounts import NOTHING, Amount
from tokenbudget.analysis.study import PICO_USD
from tokenbudget.analysis.usage import SERVICE_TIERS, SPEEDS
from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY
from tokenbudget.metering.cost import price
from tokenbudget.metering.rates import prompt_bucket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.ledger.queries import ZoneSpan
    from tokenbudget.ledger.studies import BilledRequest
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.metering.rates import PriceBook, Rate


class Group(NamedTuple):
    """Everything whose shares are rounded together."""

    session: str
    day: int
    """Local days since 1970; 0 for what has no usable time."""
    model: str


class Tag(NamedTuple):
    """What decides the price of a request, and where its tokens are added up."""

    group: Group
    utc_day: int
    speed: int
    service_tier: int
    bucket: int


class Rates(NamedTuple):
    """USD per token, None without a price; in the order of `Amount`."""

    input: float | None
    cache_write_5m: float | None
    cache_write_1h: float | None
    cache_read: float | None
    output: float | None


NO_RATES = Rates(None, None, None, None, None)


class Biller:
    """Prices requests as `analysis.usage` does: at the price of their UTC day."""

    def __init__(self, book: PriceBook, zone: Sequence[ZoneSpan]) -> None:
        self._book = book
        self._thresholds = book.thresholds()
        self._begins = [span.begin_ms for span in zone]
        self._shifts = [span.shift_ms for span in zone]
        self._rates: dict[Tag, Rates] = {}

    def shift_ms(self, at_ms: int) -> int:
        """The zone's distance from UTC at a moment; 0 at the unknown one."""
        place = bisect_right(self._begins, at_ms) - 1
        return self._shifts[place] if place >= 0 else 0

    def day(self, at_ms: int) -> int:
        """The local day of a moment; 0 of the unknown one."""
        return (at_ms + self.shift_ms(at_ms)) // MILLISECONDS_PER_DAY if at_ms else 0

    def tag(self, request: RequestRow) -> Tag:
        """Where a request's tokens are added up, and at which price."""
        at_ms = request.started_at_ms
        return Tag(
            Group(request.session, self.day(at_ms), request.model),
            at_ms // MILLISECONDS_PER_DAY,
            request.speed,
            request.service_tier,
            prompt_bucket(request.prompt_tokens or 0, self._thresholds),
        )

    def rates(self, tag: Tag) -> Rates:
        """Prices per token, for shares; exact sums go through `amounts`."""
        found = self._rates.get(tag)
        if found is None:
            rate = self._rate(tag)
            found = NO_RATES if rate is None else _per_token(rate)
            self._rates[tag] = found
        return found

    def rates_at(self, request: RequestRow, prompt_tokens: float) -> Rates:
        """Prices per token of a request if its prompt were of this size."""
        bucket = prompt_bucket(round(prompt_tokens), self._thresholds)
        return self.rates(self.tag(request)._replace(bucket=bucket))

    def search_usd(self, tag: Tag) -> float:
        """Price of one web search; 0.0 without one."""
        rate = self._rate(tag)
        return float(rate.web_search or 0) / 1000 if rate is not None else 0.0

    def amounts(self, requests: Iterable[BilledRequest]) -> dict[Group, Amount]:
        """What these requests were billed with their earlier attempts; money in whole pico-USD."""
        tokens: dict[Tag, list[int]] = {}
        for billed in requests:
            searches = billed.web_search_requests
            self._add(tokens, billed.request, searches)
            for attempt in billed.attempts:
                self._add(tokens, attempt, 0)
        sums: dict[Group, Amount] = {}
        money: dict[Group, Decimal] = {}
        for tag, counts in tokens.items():
            priced = price(
                self._rate(tag),
                input_tokens=counts[0],
                cache_write_5m_tokens=counts[1],
                cache_write_1h_tokens=counts[2],
                cache_read_tokens=counts[3],
                output_tokens=counts[4],
                web_search_requests=counts[5],
            )
            part = Amount._make((*counts[:5], 0, priced.unpriced_tokens))
            sums[tag.group] = sums.get(tag.group, NOTHING).plus(part)
            money[tag.group] = money.get(tag.group, Decimal(0)) + priced.cost_usd
        return {
            group: amount._replace(cost_pico_usd=round(money[group] * PICO_USD))
            for group, amount in sums.items()
        }

    def _add(self, tokens: dict[Tag, list[int]], request: RequestRow, searches: int) -> None:
        counts = tokens.setdefault(self.tag(request), [0] * 6)
        for place, count in enumerate((*classes_of(request), searches)):
            counts[place] += count

    def _rate(self, tag: Tag) -> Rate | None:
        return self._book.rate(
            tag.group.model,
            tag.utc_day * MILLISECONDS_PER_DAY,
            speed=SPEEDS[tag.speed],
            service_tier=SERVICE_TIERS[tag.service_tier],
            bucket=tag.bucket,
        )


def classes_of(request: RequestRow) -> tuple[int, int, int, int, int]:
    """A request's billed tokens in the order of `Amount`."""
    return (
        request.input_tokens or 0,
        request.cache_write_5m_tokens,
        request.cache_write_1h_tokens,
        request.cache_read_tokens,
        request.output_tokens,
    )


def _per_token(rate: Rate) -> Rates:
    prices = (
        rate.input,
        rate.cache_write_5m,
        rate.cache_write_1h,
        rate.cache_read,
        rate.output,
    )
    return Rates(*(None if usd is None else float(usd) / 1e6 for usd in prices))
