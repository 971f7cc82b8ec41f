"""What only a person can do about a full or dear window: another model, subagents for searches."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.analysis.window_pieces import CONTEXT_FILES, MESSAGES
from tokenbudget.app.observations import TOOL_RESULTS
from tokenbudget.metering.rates import prompt_bucket
from tokenbudget.metering.windows import own_name, published_window_tokens
from tokenbudget.model.control import DELEGATION, MODEL, Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.metering.rates import PriceBook, Rate

DEAREST_FIRST = ("fable", "mythos", "opus", "sonnet", "haiku")
"""The sizes that models come in, by what they cost."""
WORTH_SHARE = 0.75
"""A model that costs more than this of the present one is not worth a cold cache."""
SEARCHES = ("Grep", "Glob", "WebFetch", "WebSearch", "Read", "LS")
SEARCH_SHARE = 0.25
"""Of the window: from here on somebody is told."""
_ID = re.compile(r"claude-([a-z]+)-(\d+(?:-\d+)?)")


class Cheaper(NamedTuple):
    """Another model of the same generation."""

    model: str
    share: float
    """What its input costs, of what the present one's does."""


def advice_for(window: SessionWindow, book: PriceBook, now_ms: int) -> list[Held]:
    """What is worth saying; none of it is ever done by itself."""
    used = window.total_tokens
    if not used:
        return []
    return [one for one in (_model(window, used, book, now_ms), _delegation(window, used)) if one]


def cheaper_model(model: str, prompt_tokens: int, book: PriceBook, now_ms: int) -> Cheaper | None:
    """The next smaller model of its generation that takes the window and is worth the switch."""
    parts = _ID.match(own_name(model))
    if parts is None or parts[1] not in DEAREST_FIRST:
        return None
    present, size = _rate(model, prompt_tokens, book, now_ms), published_window_tokens(model)
    if present is None or not present.input or size is None:
        return None
    for tier in DEAREST_FIRST[DEAREST_FIRST.index(parts[1]) + 1 :]:
        other = f"claude-{tier}-{parts[2]}"
        rate = _rate(other, prompt_tokens, book, now_ms)
        if rate is None or not rate.input or (published_window_tokens(other) or 0) < size:
            continue
        share = float(rate.input / present.input)
        if share <= WORTH_SHARE:
            return Cheaper(other, share)
    return None


def _rate(model: str, prompt_tokens: int, book: PriceBook, now_ms: int) -> Rate | None:
    bucket = prompt_bucket(prompt_tokens, book.thresholds())
    return book.rate(model, now_ms, speed="standard", service_tier="standard", bucket=bucket)


def _model(window: SessionWindow, used: int, book: PriceBook, now_ms: int) -> Held | None:
    found = cheaper_model(window.model, used, book, now_ms)
    if found is None:
        return None
    return Held(
        id=f"{MODEL}/{found.model}",
        lever=MODEL,
        title=f"go on with {found.model} where the task allows it (/model {found.model})",
        reason=f"its tokens cost {found.share:.0%} of these; switching writes {used:,} tokens anew",
        tokens=0,
        is_reversible=False,
    )


def _delegation(window: SessionWindow, used: int) -> Held | None:
    tokens = _searched_tokens(window)
    if tokens < SEARCH_SHARE * used:
        return None
    return Held(
        id=f"{DELEGATION}/searches",
        lever=DELEGATION,
        title="have a subagent look around, and tell only what it found",
        reason=f"{tokens:,} tokens of the window are files and finds that were looked at",
        tokens=0,
        is_reversible=False,
    )


def _searched_tokens(window: SessionWindow) -> int:
    """What looking around has brought into the window."""
    found = 0
    for part in window.components:
        if part.key == CONTEXT_FILES:
            found += part.tokens
        elif part.key == MESSAGES:
            results = [item for item in part.items if item.name == TOOL_RESULTS]
            tools = [tool for item in results for tool in (item.children or (item,))]
            found += sum(tool.tokens for tool in tools if tool.name in SEARCHES)
    return found
