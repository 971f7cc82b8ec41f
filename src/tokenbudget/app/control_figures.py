"""Figures of a session that follow from its last requests: price, pace, what is still to come."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.cache_state import TTL_1H_MS, cache_state
from tokenbudget.budget import burn, forecast
from tokenbudget.budget.experience import experience_of
from tokenbudget.budget.remaining import expected_requests, sure_requests
from tokenbudget.metering.rates import prompt_bucket
from tokenbudget.model.control import UNKNOWN_CACHE, Cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.budget.experience import Experience
    from tokenbudget.ledger.windows import RequestRow
    from tokenbudget.metering.rates import PriceBook

CACHE_REQUESTS = 20
"""The lifetime of the cache is looked for in so many last requests."""
BURN_SPAN_MINUTES = 15
HISTORY_MS = 90 * 86_400_000
"""Sessions of so long ago still say how long the person's sessions become."""
MOST_SESSIONS = 1_000
HISTORY_REQUESTS = 4_000
"""Of earlier sessions, so many requests are what a forecast learns from."""
LEARNT_MS = 1_800_000
"""What earlier sessions teach is asked again after so long."""
_MINUTE_MS = 60_000
_MILLION = 1_000_000


class Pace(NamedTuple):
    """How fast the window fills; None is unknown."""

    tokens_per_minute: float | None
    full_in_ms: int | None


class Experiences:
    """What the person's other sessions teach, asked once in a while."""

    def __init__(self) -> None:
        self._lengths: list[tuple[str, int]] = []
        self._experience: Experience | None = None
        self._lengths_at_ms = self._experience_at_ms = 0

    def expected_requests(
        self, bench: Workbench, session: str, requests: int, now_ms: int
    ) -> float | None:
        """Still to come, by the sessions that came as far; None where too few did."""
        return expected_requests(self._others(bench, session, now_ms), requests)

    def sure_requests(
        self, bench: Workbench, session: str, requests: int, now_ms: int
    ) -> float | None:
        """The same, of nine sessions in ten."""
        return sure_requests(self._others(bench, session, now_ms), requests)

    def _others(self, bench: Workbench, session: str, now_ms: int) -> list[int]:
        if not self._lengths or not 0 <= now_ms - self._lengths_at_ms < LEARNT_MS:
            rows = bench.ledger.session_signals.past_sessions(now_ms - HISTORY_MS, MOST_SESSIONS)
            self._lengths = [(row.session, row.requests) for row in rows]
            self._lengths_at_ms = now_ms
        return [length for name, length in self._lengths if name != session]

    def experience(self, bench: Workbench, now_ms: int) -> Experience:
        """How windows grew in them."""
        if self._experience is None or not 0 <= now_ms - self._experience_at_ms < LEARNT_MS:
            earlier = bench.ledger.windows.recent_requests(HISTORY_REQUESTS, now_ms)
            self._experience = experience_of([samples_of(rows) for rows in earlier.values()])
            self._experience_at_ms = now_ms
        return self._experience


def samples_of(rows: Sequence[RequestRow]) -> list[burn.Sample]:
    """How full the window was after each request; what reported nothing is left out."""
    return [
        burn.Sample(row.started_at_ms, row.prompt_tokens + row.output_tokens)
        for row in rows
        if row.prompt_tokens is not None
    ]


def pace_of(
    rows: Sequence[RequestRow], usable_tokens: int | None, experience: Experience, now_ms: int
) -> Pace:
    """The pace of the last minutes, and when the usable window is full by the middle forecast."""
    samples = samples_of(rows)
    [now] = burn.burns(samples, now_ms, (BURN_SPAN_MINUTES,))
    if usable_tokens is None or not samples:
        return Pace(now.tokens_per_minute, None)
    goal = forecast.Threshold("full", usable_tokens)
    [crossing] = forecast.crossings(samples, [goal], experience)
    minutes = crossing.active_minutes
    middle = None if minutes is None else minutes.p50
    return Pace(now.tokens_per_minute, None if middle is None else round(middle * _MINUTE_MS))


def cache_of(
    rows: Sequence[RequestRow], model: str, used_tokens: int, book: PriceBook, now_ms: int
) -> Cache:
    """The cache behind these requests, with what reading and writing it costs."""
    if not rows:
        return UNKNOWN_CACHE
    state = cache_state(rows[-CACHE_REQUESTS:], now_ms)
    is_cold = None if state.is_warm is None else not state.is_warm
    cold_in_ms = None if state.cold_at_ms is None else max(0, state.cold_at_ms - now_ms)
    unpriced = Cache(is_cold, cold_in_ms, None, None, None, None)
    bucket = prompt_bucket(used_tokens, book.thresholds())
    speed = "fast" if rows[-1].speed == 1 else "standard"
    rate = book.rate(model, now_ms, speed=speed, service_tier="standard", bucket=bucket)
    if rate is None or not rate.input:
        return unpriced
    write = rate.cache_write_1h if state.ttl_ms == TTL_1H_MS else rate.cache_write_5m
    read, written, output = (
        None if price is None else float(price / rate.input)
        for price in (rate.cache_read, write, rate.output)
    )
    return Cache(is_cold, cold_in_ms, read, written, output, float(rate.input) / _MILLION)
