"""What a prompt cache does with the requests that a client sent: what each reads and writes of it.

The fake API bills what its scripts say, so this reckons from the bodies themselves, as the API's
rules have it: a request reads the longest prefix that the same model has been sent before, and
writes the rest. Nobody waits long enough here for a cache to get cold.
"""

import dataclasses
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal

from tests.e2e.billing import Exchange

from tokenbudget.metering.cost import price
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model.protocols import TokenCounter

_BILLING = "x-anthropic-billing-header"


@dataclasses.dataclass(frozen=True, slots=True)
class Reckoned:
    """One request: its model, its size, and how much of it that model's cache holds."""

    model: str
    tokens: int
    read_tokens: int
    has_whole_predecessor: bool
    """Whether it begins with the whole of the model's request before; true of the first."""

    @property
    def written_tokens(self) -> int:
        return self.tokens - self.read_tokens

    def cost_usd(self, book: PriceBook, at_ms: int, output_tokens: int) -> Decimal:
        """Its price, with a cache of five minutes and an answer of so many tokens."""
        rate = book.rate(self.model, at_ms, speed="standard", service_tier="standard", bucket=0)
        priced = price(
            rate,
            input_tokens=0,
            output_tokens=output_tokens,
            cache_write_5m_tokens=self.written_tokens,
            cache_write_1h_tokens=0,
            cache_read_tokens=self.read_tokens,
            web_search_requests=0,
        )
        assert not priced.unpriced_tokens, f"{self.model} has no price"
        return priced.cost_usd


def reckoned(exchanges: Sequence[Exchange], counter: TokenCounter) -> Iterator[Reckoned]:
    """Each request, in the order of sending."""
    sent: dict[str, list[tuple[str, int]]] = {}
    for exchange in exchanges:
        model = exchange.body["model"]
        parts = [(part, counter.count(part)) for part in parts_of(exchange)]
        before = sent.get(model, [])
        alike = _alike(before, parts)
        read = sum(tokens for _, tokens in parts[:alike])
        total = sum(tokens for _, tokens in parts)
        yield Reckoned(model, total, read, alike == len(before))
        sent[model] = parts


def parts_of(exchange: Exchange) -> list[str]:
    """All that a model reads, block by block, without the marks that only tell what to keep."""
    body = exchange.body
    system = [block for block in body["system"] if _BILLING not in json.dumps(block)]
    blocks = [
        {"role": message["role"], **block}
        for message in body["messages"]
        for block in _blocks(message["content"])
    ]
    return [json.dumps(_unmarked(part)) for part in [*body.get("tools", []), *system, *blocks]]


def _alike(before: list[tuple[str, int]], after: list[tuple[str, int]]) -> int:
    pairs = zip(before, after, strict=False)
    return next(
        (n for n, (old, new) in enumerate(pairs) if old != new), min(len(before), len(after))
    )


def _blocks(content: object) -> list[dict[str, object]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    assert isinstance(content, list)
    return content


def _unmarked(value: object) -> object:
    if isinstance(value, dict):
        return {name: _unmarked(part) for name, part in value.items() if name != "cache_control"}
    if isinstance(value, list):
        return [_unmarked(part) for part in value]
    return value
