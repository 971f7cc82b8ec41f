"""What a token costs a session, by the cache that its last requests show."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.control_desk import MINUTE_MS, NOON_MS

from tokenbudget.app.control_figures import cache_of
from tokenbudget.ledger.windows import RequestRow
from tokenbudget.metering.rates import PriceBook, Rate
from tokenbudget.model.control import Cache

BOOK = PriceBook.bundled()
OPUS = "claude-opus-5-5"


def row(written_5m: int = 0, written_1h: int = 0, speed: int = 0) -> RequestRow:
    """A request a minute ago."""
    return RequestRow(
        "k", 1, OPUS, NOON_MS - MINUTE_MS, 10, written_5m, written_1h, 90_000, 100, None,
        has_stop_reason=True, speed=speed, service_tier=0, session="s",
    )  # fmt: skip


def found(*rows: RequestRow, book: PriceBook = BOOK) -> Cache:
    return cache_of(rows, OPUS, 100_000, book, NOON_MS)


def test_a_write_costs_what_the_lifetime_in_use_costs() -> None:
    assert found(row(written_5m=1_000)).write == pytest.approx(1.25)
    assert found(row(written_1h=1_000)).write == pytest.approx(2.0)


def test_read_and_output_are_multiples_of_plain_input() -> None:
    cache = found(row(written_5m=1_000))
    assert cache.read == pytest.approx(0.05)
    assert cache.output == pytest.approx(5.0)
    assert cache.input_usd == pytest.approx(4e-6)


def test_a_fast_session_is_billed_as_one() -> None:
    assert found(row(written_5m=1_000, speed=1)).input_usd == pytest.approx(8e-6)


def test_a_model_whose_input_is_free_has_no_multiples(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Rate(*(Decimal(0) for _ in Rate._fields))
    monkeypatch.setattr(PriceBook, "rate", lambda *_, **__: nothing)
    cache = found(row(written_5m=1_000))
    assert cache.is_cold is False
    assert (cache.read, cache.write, cache.output, cache.input_usd) == (None, None, None, None)
