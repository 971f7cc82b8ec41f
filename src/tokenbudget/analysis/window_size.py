"""The window that a session works in: how large it is, and what the client keeps free of it."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.metering.windows import published_window_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SETTING = "setting"
REPORTED = "reported"
OBSERVED = "observed"
PUBLISHED = "published"
ASSUMED = "assumed"
UNKNOWN = "unknown"

STANDARD_TOKENS = 200_000
LARGE_TOKENS = 1_000_000
RESERVE_TOKENS = 33_000
"""What Claude Code 2.1.329 shows as its buffer; 45,000 was seen in older ones."""


class WindowSize(NamedTuple):
    """A window in tokens and where that is known from; None is not known."""

    tokens: int | None
    origin: str
    reserve_tokens: int | None
    """Kept free for auto-compaction."""
    reserve_origin: str

    @property
    def usable_tokens(self) -> int | None:
        """Tokens until auto-compaction, from an empty window."""
        if self.tokens is None:
            return None
        return max(0, self.tokens - (self.reserve_tokens or 0))


def window_size(
    model: str,
    own: Mapping[str, int],
    own_reserve_tokens: int | None,
    largest_seen_tokens: int,
    compacted_at_tokens: Iterable[int],
    told_tokens: int | None = None,
) -> WindowSize:
    """What is known of the window of a session.

    `own` is the person's own figures by model (`*` at the end stands for any rest);
    `compacted_at_tokens` is how full the window was when the client compacted it by itself;
    `told_tokens` is the size that the agent itself reported.
    """
    compacted = max(compacted_at_tokens, default=None)
    tokens, origin = _size(model, own, largest_seen_tokens, compacted)
    if told_tokens and origin != SETTING:
        tokens, origin = told_tokens, REPORTED
    if own_reserve_tokens is not None:
        return WindowSize(tokens, origin, own_reserve_tokens, SETTING)
    if tokens is None:
        return WindowSize(None, origin, None, UNKNOWN)
    if compacted is not None and tokens // 2 < compacted <= tokens:
        return WindowSize(tokens, origin, tokens - compacted, OBSERVED)
    return WindowSize(tokens, origin, min(RESERVE_TOKENS, tokens // 4), ASSUMED)


def _size(
    model: str, own: Mapping[str, int], largest_seen: int, compacted: int | None
) -> tuple[int | None, str]:
    given = own_window(model, own)
    if given is not None:
        return given, SETTING
    published = published_window_tokens(model)
    if published is None:
        return None, UNKNOWN
    if largest_seen > published:
        return (LARGE_TOKENS, OBSERVED) if largest_seen <= LARGE_TOKENS else (None, UNKNOWN)
    was_compacted_small = compacted is not None and compacted <= STANDARD_TOKENS
    if was_compacted_small and largest_seen <= STANDARD_TOKENS < published:
        return STANDARD_TOKENS, OBSERVED
    return published, PUBLISHED


def own_window(model: str, own: Mapping[str, int]) -> int | None:
    """The person's own figure for a model: its exact name, then the longest beginning."""
    name = model.lower()
    known = {key.lower(): tokens for key, tokens in own.items()}
    if name in known:
        return known[name]
    starts = [key for key in known if key.endswith("*") and name.startswith(key[:-1])]
    return known[max(starts, key=len)] if starts else None
