"""The context window of a simulated session: what each request reads, writes and costs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from sample_sessions.truth import Attempts, Tokens

CHARACTERS_PER_TOKEN: Final = 3.6
SHORT_TTL_MS: Final = 5 * 60 * 1000
LONG_TTL_MS: Final = 60 * 60 * 1000


@dataclass(slots=True)
class Window:
    """Tokens in the context, how many of them the cache holds, and until when."""

    base: int
    long_cache: bool
    context: int = 0
    cached: int = 0
    used_at_ms: int = 0

    def __post_init__(self) -> None:
        self.context = self.context or self.base

    def add_text(self, characters: int) -> None:
        """Text that the next request will carry."""
        self.context += round(characters / CHARACTERS_PER_TOKEN)

    def request(self, rng: random.Random, now_ms: int, output: int) -> Tokens:
        """The usage of a request made now: a cold cache is written anew, a warm one is read."""
        lifetime = LONG_TTL_MS if self.long_cache else SHORT_TTL_MS
        warm = self.cached and now_ms - self.used_at_ms <= lifetime
        read = self.cached if warm else 0
        written = self.context - read
        # A mark with the short lifetime may sit on the last block even when the prefix is long.
        short = written if not self.long_cache else (written // 3 if rng.random() < 0.2 else 0)
        self.cached, self.used_at_ms = self.context, now_ms
        self.context += output
        return Tokens(
            input_tokens=rng.randint(2, 14),
            output_tokens=output,
            cache_write_5m_tokens=short,
            cache_write_1h_tokens=written - short,
            cache_read_tokens=read,
            requests=1,
        )

    def shrink(self, summary: int) -> None:
        """Compaction: only the fixed part and a summary stay."""
        self.context = self.base + summary
        self.cached = min(self.cached, self.base)


def counts_object(tokens: Tokens) -> dict[str, Any]:
    """The fields that a usage object and each of its iterations share."""
    return {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write_5m_tokens + tokens.cache_write_1h_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
        "output_tokens": tokens.output_tokens,
        "cache_creation": {
            "ephemeral_1h_input_tokens": tokens.cache_write_1h_tokens,
            "ephemeral_5m_input_tokens": tokens.cache_write_5m_tokens,
        },
    }


def usage_object(attempts: Attempts, *, fast: bool, listed: bool) -> dict[str, Any]:
    """The `usage` of a message: its top level is the last attempt, as the API reports it.

    `listed` also writes a single attempt as an iteration; several are always listed.
    """
    last = attempts[-1][1]
    iterations: list[dict[str, Any]] = []
    if len(attempts) > 1:
        kinds = ["message"] * (len(attempts) - 1) + ["fallback_message"]
        iterations = [
            {**counts_object(tokens), "type": kind, "model": model}
            for kind, (model, tokens) in zip(kinds, attempts, strict=True)
        ]
    elif listed:
        iterations = [{**counts_object(last), "type": "message"}]
    return {
        **counts_object(last),
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": "",
        "iterations": iterations,
        "speed": "fast" if fast else "standard",
    }
