"""What the controller does, did and will do, in the few words that a live view has room for."""

from __future__ import annotations

from tokenbudget.dashboard.words import clean
from tokenbudget.model import control_words
from tokenbudget.model.control import WAIT
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control_standing import Standing

STALE_MS = 90_000
"""A look that is older says nothing of now: a look that changes nothing is noted once a minute."""


def is_stale(standing: Standing, now_ms: int) -> bool:
    """Whether what it came to last may not be so any more."""
    return now_ms - standing.looked_at_ms > STALE_MS


def now_words(standing: Standing, now_ms: int) -> str:
    """`auto · nothing done: cooling down`, or that nobody looks; with whom to ask to."""
    if is_stale(standing, now_ms):
        ago = shown_span(now_ms - standing.looked_at_ms) if standing.looked_at_ms else ""
        since = f" since {ago}" if ago else " yet"
        return f"nobody has looked{since}: tokens control"
    last = standing.last
    mode = clean(standing.mode.partition(" ")[0])
    if last is None:
        return mode
    said = control_words.decision_words(last)
    if last.kind == WAIT:
        return f"{mode} · {said}: {control_words.short_reason(last)}"
    foretold = last.prediction
    tokens = f", {foretold.tokens:,} tokens" if foretold and foretold.tokens else ""
    return f"{mode} · {said}{tokens}"


def next_words(standing: Standing, now_ms: int) -> str:
    """`history when the cache is cold, in 2m`; '' where nothing is foreseen."""
    last = standing.last
    if last is None or is_stale(standing, now_ms) or not last.next:
        return ""
    is_old = now_ms - last.at_ms >= control_words.OLD_MS
    return control_words.next_words(last, is_old, standing.level or "")


def done_words(standing: Standing, now_ms: int) -> str:
    """`history: freed 96,200 of 95,000 tokens foretold, 4m ago`; '' where nothing was done."""
    done = standing.receipt
    if done is None:
        return ""
    told = control_words.receipt_words(done)
    ago = shown_span(now_ms - done.at_ms)
    return f"{control_words.deed(done.lever, done.items)}: {told}, {ago} ago"
