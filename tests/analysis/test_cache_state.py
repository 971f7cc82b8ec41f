"""The state of the prompt cache: what recent requests read from it, and when it is cold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import NOON_MS, request_row

from tokenbudget.analysis.cache_state import (
    RECENT_REQUESTS,
    TTL_1H_MS,
    TTL_5M_MS,
    UNKNOWN,
    CacheState,
    cache_state,
)
from tokenbudget.ledger.windows import RequestRow

MINUTE_MS = 60_000


def sent(
    at_ms: int, plain: int | None = 0, short: int = 0, long: int = 0, read: int = 0
) -> RequestRow:
    """A request at a moment after noon: plain input, writes for 5 minutes and 1 hour, reads."""
    return request_row(f"r{at_ms}", None)._replace(
        started_at_ms=NOON_MS + at_ms,
        input_tokens=plain,
        cache_write_5m_tokens=short,
        cache_write_1h_tokens=long,
        cache_read_tokens=read,
    )


def state(*requests: RequestRow, at_ms: int = 0) -> CacheState:
    return cache_state(requests, NOON_MS + at_ms)


def test_without_requests_nothing_is_known() -> None:
    assert state() == UNKNOWN
    assert state(sent(0, plain=None, short=70), sent(1, plain=None)) == UNKNOWN


def test_a_write_for_five_minutes_is_cold_after_five() -> None:
    wrote = sent(0, plain=10, short=90)
    cold_at_ms = NOON_MS + TTL_5M_MS
    assert state(wrote, at_ms=TTL_5M_MS - 1) == (0.0, TTL_5M_MS, cold_at_ms, True, 1)
    assert state(wrote, at_ms=TTL_5M_MS) == (0.0, TTL_5M_MS, cold_at_ms, False, 1)


def test_a_write_for_an_hour_is_cold_after_one() -> None:
    wrote = sent(0, long=90)
    assert state(wrote, at_ms=59 * MINUTE_MS).is_warm is True
    assert state(wrote, at_ms=60 * MINUTE_MS).is_warm is False
    assert state(wrote).cold_at_ms == NOON_MS + TTL_1H_MS


def test_a_read_gives_what_was_written_before_its_time_anew() -> None:
    requests = sent(0, long=90), sent(50 * MINUTE_MS, read=90)
    told = state(*requests, at_ms=100 * MINUTE_MS)
    assert told == (0.5, TTL_1H_MS, NOON_MS + 110 * MINUTE_MS, True, 2)


def test_the_last_write_says_which_lifetime_is_in_use() -> None:
    assert state(sent(0, long=900), sent(1, read=900, short=5)).ttl_ms == TTL_5M_MS
    assert state(sent(0, short=900), sent(1, read=900, long=5)).ttl_ms == TTL_1H_MS


def test_of_a_mixed_write_the_larger_part_does_and_of_equal_ones_the_shorter_life() -> None:
    assert state(sent(0, short=5, long=6)).ttl_ms == TTL_1H_MS
    assert state(sent(0, short=6, long=5)).ttl_ms == TTL_5M_MS
    assert state(sent(0, short=5, long=5)).ttl_ms == TTL_5M_MS


def test_where_only_reads_were_seen_it_says_what_holds_for_both_lifetimes() -> None:
    read = sent(0, read=90)
    assert state(read, at_ms=TTL_5M_MS - 1) == (1.0, None, None, True, 1)
    assert state(read, at_ms=TTL_5M_MS).is_warm is None
    assert state(read, at_ms=TTL_1H_MS - 1).is_warm is None
    assert state(read, at_ms=TTL_1H_MS).is_warm is False


def test_a_request_without_cache_lowers_the_share_and_warms_nothing() -> None:
    requests = sent(0, short=50), sent(MINUTE_MS, read=50), sent(2 * MINUTE_MS, plain=100)
    assert state(*requests, at_ms=MINUTE_MS) == (
        0.25, TTL_5M_MS, NOON_MS + 6 * MINUTE_MS, True, 3,
    )  # fmt: skip


def test_where_nothing_is_cached_the_share_is_zero_and_warmth_unknown() -> None:
    assert state(sent(0, plain=100)) == (0.0, None, None, None, 1)


def test_a_request_of_no_tokens_has_no_share() -> None:
    assert state(sent(0)) == (None, None, None, None, 1)


def test_a_request_without_usage_is_as_if_it_were_not_there() -> None:
    known = sent(0, plain=50, short=50), sent(MINUTE_MS, read=100)
    unknown = sent(9 * MINUTE_MS, plain=None, read=7)
    assert state(*known, unknown) == state(*known)


def test_only_the_last_ten_requests_make_the_share() -> None:
    old = [sent(n, plain=1000, short=1000) for n in range(20)]
    new = [sent(100 + n, plain=20, read=80) for n in range(RECENT_REQUESTS)]
    told = state(*old, *new)
    assert (told.hit_share, told.requests) == (0.8, 10)
    assert told.ttl_ms == TTL_5M_MS, "a write further back still tells the lifetime"


def test_a_clock_behind_the_last_request_finds_the_cache_warm() -> None:
    assert state(sent(MINUTE_MS, short=5), at_ms=-MINUTE_MS).is_warm is True


TOKENS = st.integers(0, 2_000_000)
REQUESTS = st.lists(
    st.builds(
        sent,
        st.integers(0, 86_400_000),
        plain=st.none() | TOKENS,
        short=TOKENS,
        long=TOKENS,
        read=TOKENS,
    ),
    max_size=30,
    unique_by=lambda one: one.started_at_ms,
)


@given(REQUESTS, st.integers(-86_400_000, 2 * 86_400_000), st.randoms(use_true_random=False))
def test_what_always_holds(requests: list[RequestRow], at_ms: int, order: object) -> None:
    told = state(*requests, at_ms=at_ms)
    assert told.requests == min(10, sum(one.input_tokens is not None for one in requests))
    assert told.hit_share is None or 0 <= told.hit_share <= 1
    assert (told.ttl_ms is None) == (told.cold_at_ms is None)
    if told.cold_at_ms is not None:
        assert told.is_warm == (NOON_MS + at_ms < told.cold_at_ms)
    order.shuffle(requests)  # type: ignore[attr-defined]
    assert state(*requests, at_ms=at_ms) == told
