"""How well a thread's prompt cache serves it, and when it is cold: pure arithmetic.

What is in the cache lives for its time from the start of the request that wrote or read it; each
read gives it that time anew. A transcript tells what a request wrote, by lifetime, but not the
lifetime of what it read: that is taken to be the one of the last write before it.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.ledger.windows import RequestRow

TTL_5M_MS = 300_000
TTL_1H_MS = 3_600_000
"""The two lifetimes that the API offers; a request reports its writes under their names."""
RECENT_REQUESTS = 10
"""The hit share is that of so many last requests: what is, not what once was."""


class CacheState(NamedTuple):
    """What is known of the cache behind a thread; `None` is unknown."""

    hit_share: float | None
    """Of everything that the last requests sent, what was read from the cache."""
    ttl_ms: int | None
    """How long what is in the cache lives; unknown where only reads were seen."""
    cold_at_ms: int | None
    """When it is cold unless another request comes first."""
    is_warm: bool | None
    requests: int
    """How many requests the share is of, at most `RECENT_REQUESTS`."""


UNKNOWN = CacheState(None, None, None, None, 0)


def cache_state(requests: Sequence[RequestRow], now_ms: int) -> CacheState:
    """The state of the cache after one thread's requests, given in any order.

    Those that reported no usage say nothing and are left out. One that neither wrote nor read
    the cache lowers the share, and leaves what is cached as it was.
    """
    told = [one for one in requests if one.prompt_tokens is not None]
    told.sort(key=lambda one: one.started_at_ms)
    recent = told[-RECENT_REQUESTS:]
    used_at_ms = next((one.started_at_ms for one in reversed(told) if _uses_cache(one)), None)
    ttl_ms = next((ttl for ttl in map(_written_ttl_ms, reversed(told)) if ttl is not None), None)
    if used_at_ms is None:
        return CacheState(_hit_share(recent), None, None, None, len(recent))
    cold_at_ms = None if ttl_ms is None else used_at_ms + ttl_ms
    is_warm = _is_warm(now_ms - used_at_ms, ttl_ms)
    return CacheState(_hit_share(recent), ttl_ms, cold_at_ms, is_warm, len(recent))


def _hit_share(requests: Sequence[RequestRow]) -> float | None:
    sent = sum(one.prompt_tokens or 0 for one in requests)
    return sum(one.cache_read_tokens for one in requests) / sent if sent else None


def _uses_cache(request: RequestRow) -> bool:
    return request.cache_read_tokens > 0 or _written_ttl_ms(request) is not None


def _written_ttl_ms(request: RequestRow) -> int | None:
    """The lifetime of most of what it wrote; `None` where it wrote nothing."""
    short, long = request.cache_write_5m_tokens, request.cache_write_1h_tokens
    if not short and not long:
        return None
    return TTL_1H_MS if long > short else TTL_5M_MS


def _is_warm(age_ms: int, ttl_ms: int | None) -> bool | None:
    """Without a known lifetime only what holds for both of them."""
    if age_ms < (ttl_ms or TTL_5M_MS):
        return True
    return False if age_ms >= (ttl_ms or TTL_1H_MS) else None
