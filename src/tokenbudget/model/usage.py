"""One API response and the rule by which its copies become one: see `docs/counting.md`.

A transcript tells the same response several times: one line per content block, again in a fork, a
resume, a sidechain replay. `Response.absorb` is the only place where two copies meet, whether both
come from one file, from two, or one from the ledger, so that the result does not depend on order.
(One exception, never seen: three or more copies that tell different numbers of attempts.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    # model, input, output, cache write (5m and 1h together), of it 1h, cache read
    Iteration: TypeAlias = tuple[str, int, int, int, int, int]
    Packed: TypeAlias = tuple[
        str, int, int, int, str, str, int, int, int, int, int, int, int, int, int, int, int,
        tuple[Iteration, ...], str, str,
    ]  # fmt: skip

UNKNOWN = -1
"""Tokens that no copy reported. Below every count, so that a maximum prefers what is known."""

UNKNOWN_TIME = 0
"""The time of a line without a usable timestamp."""

STANDARD, FAST = 0, 1
"""Values of `Response.speed`, beside `OTHER`."""

BATCH = 1
"""Value of `Response.service_tier` for the batch interface, beside `STANDARD` and `OTHER`."""

OTHER = 2
"""A speed or service tier that no price is known for: such a response is unpriced."""


class Response:
    """What is known of one API response after any number of its copies.

    Token fields are `UNKNOWN` until a copy reports them. `iterations` holds the earlier attempts of
    a response that took more than one (each billed to its own model); the token fields are then
    those of the last attempt.
    """

    __slots__ = (
        "cache_read_tokens",
        "cache_write_1h_tokens",
        "cache_write_tokens",
        "has_cache_split",
        "has_stop_reason",
        "input_tokens",
        "is_sidechain",
        "iterations",
        "key",
        "model",
        "offset",
        "output_tokens",
        "reported_usd",
        "service_tier",
        "session",
        "skill",
        "speed",
        "started_at_ms",
        "thinking_tokens",
        "web_search_requests",
    )

    def __init__(
        self,
        key: str,
        is_sidechain: int,
        started_at_ms: int,
        offset: int,
        session: str,
        model: str,
        speed: int = STANDARD,
        service_tier: int = STANDARD,
        input_tokens: int = UNKNOWN,
        output_tokens: int = UNKNOWN,
        cache_write_tokens: int = UNKNOWN,
        cache_write_1h_tokens: int = UNKNOWN,
        cache_read_tokens: int = UNKNOWN,
        web_search_requests: int = 0,
        thinking_tokens: int = UNKNOWN,
        has_stop_reason: int = 0,
        has_cache_split: int = 0,
        iterations: tuple[Iteration, ...] = (),
        skill: str = "",
        reported_usd: str = "",
    ) -> None:
        self.key = key
        self.is_sidechain = is_sidechain
        self.started_at_ms = started_at_ms
        self.offset = offset
        self.session = session
        self.model = model
        self.speed = speed
        self.service_tier = service_tier
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.cache_write_tokens = cache_write_tokens
        self.cache_write_1h_tokens = cache_write_1h_tokens
        self.cache_read_tokens = cache_read_tokens
        self.web_search_requests = web_search_requests
        self.thinking_tokens = thinking_tokens
        self.has_stop_reason = has_stop_reason
        self.has_cache_split = has_cache_split
        self.iterations = iterations
        self.skill = skill
        self.reported_usd = reported_usd

    def packed(self) -> Packed:
        """The constructor's arguments as a plain tuple, for pipes and comparison."""
        return (
            self.key,
            self.is_sidechain,
            self.started_at_ms,
            self.offset,
            self.session,
            self.model,
            self.speed,
            self.service_tier,
            self.input_tokens,
            self.output_tokens,
            self.cache_write_tokens,
            self.cache_write_1h_tokens,
            self.cache_read_tokens,
            self.web_search_requests,
            self.thinking_tokens,
            self.has_stop_reason,
            self.has_cache_split,
            self.iterations,
            self.skill,
            self.reported_usd,
        )

    def absorb(self, other: Response, other_owns: bool) -> None:
        """Take the per-field maximum of both; `other_owns` says whose place and time stay.

        Who owns is decided by `owns`, which needs the paths that this record does not carry. The
        model is the owner's as well, unless the other copy tells of more attempts: the token fields
        are then those of its last one.
        """
        finer_by = len(other.iterations) - len(self.iterations)
        if finer_by > 0 or (other_owns and finer_by == 0):
            self.model = other.model
        if other_owns:
            self.is_sidechain = other.is_sidechain
            self.started_at_ms = other.started_at_ms
            self.offset = other.offset
            self.session = other.session
        if self.iterations or other.iterations:
            _absorb_split(self, other)
        else:
            self.input_tokens = max(self.input_tokens, other.input_tokens)
            self.output_tokens = max(self.output_tokens, other.output_tokens)
            self.cache_write_tokens = max(self.cache_write_tokens, other.cache_write_tokens)
            self.cache_write_1h_tokens = max(
                self.cache_write_1h_tokens, other.cache_write_1h_tokens
            )
            self.cache_read_tokens = max(self.cache_read_tokens, other.cache_read_tokens)
        self.web_search_requests = max(self.web_search_requests, other.web_search_requests)
        self.thinking_tokens = max(self.thinking_tokens, other.thinking_tokens)
        self.speed = max(self.speed, other.speed)
        self.service_tier = max(self.service_tier, other.service_tier)
        self.has_stop_reason |= other.has_stop_reason
        self.has_cache_split |= other.has_cache_split
        self.skill = max(self.skill, other.skill)
        self.reported_usd = max(self.reported_usd, other.reported_usd)


def owns(is_sidechain: int, started_at_ms: int, path: str, kept: tuple[int, int, str]) -> bool:
    """Whether a copy comes before the kept one: main thread, then time, then path, decide."""
    known_first = (not started_at_ms, started_at_ms)
    kept_known_first = (not kept[1], kept[1])
    return (is_sidechain, known_first, path) < (kept[0], kept_known_first, kept[2])


def _attempts(response: Response) -> list[list[int]]:
    """Every attempt's counts, the last one being the response's own fields."""
    last = [
        response.input_tokens,
        response.output_tokens,
        response.cache_write_tokens,
        response.cache_write_1h_tokens,
        response.cache_read_tokens,
    ]
    return [[*attempt[1:]] for attempt in response.iterations] + [last]


def _absorb_split(kept: Response, other: Response) -> None:
    """Merge when at least one copy tells several attempts: the finer split wins.

    A coarser copy can only add what its total has beyond the finer one's; that goes to the last.
    """
    finer, coarser = kept, other
    if len(other.iterations) > len(kept.iterations):
        finer, coarser = other, kept
    mine, theirs = _attempts(finer), _attempts(coarser)
    if len(mine) == len(theirs):
        merged = [
            [max(a, b) for a, b in zip(x, y, strict=True)]
            for x, y in zip(mine, theirs, strict=True)
        ]
    else:
        missing = [_total(theirs, i) - _total(mine, i) for i in range(5)]
        last = [max(0, n) + m if m > 0 else n for n, m in zip(mine[-1], missing, strict=True)]
        merged = [*mine[:-1], last]
    models = [attempt[0] for attempt in finer.iterations]
    kept.iterations = tuple(
        (model, *counts)  # type: ignore[misc]
        for model, counts in zip(models, merged[:-1], strict=True)
    )
    (
        kept.input_tokens,
        kept.output_tokens,
        kept.cache_write_tokens,
        kept.cache_write_1h_tokens,
        kept.cache_read_tokens,
    ) = merged[-1]


def _total(attempts: Sequence[Sequence[int]], column: int) -> int:
    return sum(max(0, attempt[column]) for attempt in attempts)
