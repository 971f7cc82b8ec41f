"""Requests that wrote into the cache again what had been in it, by what the evidence says why."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.cache_state import TTL_1H_MS, TTL_5M_MS
from tokenbudget.analysis.drains.charges import Charge, charged_at
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.analysis.study import PICO_USD
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import ThreadView, Turn

TTL, PREFIX_CHANGE, SWITCH = "cache-ttl", "cache-prefix", "cache-model-switch"
LEAST_TOKENS = 5_000
LEAST_SHARE = 0.2
"""Of what was in the cache. Less is how the client moves its marks: the last answer is written
anew, old thinking is left out."""
LEAST_WINDOW_SHARE = 0.9
"""A prompt that is smaller than this of the one before is another conversation."""
LATENCY_MS = 180_000
"""An answer is dated when it begins to arrive, the cache counts from its request: so far apart two
moments may be, and so long before the end of a lifetime the cause is not certain."""
LONG_PAUSE_MS = 4 * TTL_1H_MS
LEAST_RESUMED_TOKENS = 100_000
"""Whoever comes back after so long to a smaller window pays little for going on where he was."""
_PLAIN_CAUSES = ("", "model switch", "retold")
"""A compaction, a rewinding or a clearing is meant to change what is sent."""
_TOLD_AT_THE_START = frozenset(
    (
        window.SYSTEM_TOOL, window.MCP_TOOL, window.DEFERRED_NAMES, window.MCP_INSTRUCTIONS,
        window.SKILL_LISTING, window.AGENT_LISTING,
    )
)  # fmt: skip
"""Kinds that enter in the middle of a thread where a client was started or set up anew."""
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000


class Miss(NamedTuple):
    """A request that wrote again what the one before it had left in the cache."""

    before: Turn
    turn: Turn
    tokens: int
    """Written again."""
    ttl_ms: int
    """The lifetime of what was in the cache."""

    @property
    def gap_ms(self) -> int | None:
        """Between both requests; None where a time is not known."""
        if not self.before.at_ms or not self.turn.at_ms:
            return None
        return max(0, self.turn.at_ms - self.before.at_ms)

    @property
    def cause(self) -> str:
        """The drain that it belongs to; '' where the evidence does not tell."""
        gap_ms = self.gap_ms
        if gap_ms is not None and gap_ms >= self.ttl_ms:
            return TTL
        if self.turn.model != self.before.model:
            return SWITCH
        if gap_ms is None or gap_ms > self.ttl_ms - LATENCY_MS:
            return ""
        return PREFIX_CHANGE


def misses(view: ThreadView) -> Iterator[Miss]:
    """Every miss of a thread that is to be paid here, and how much it wrote again."""
    ttl_ms = 0
    before: Turn | None = None
    for turn in view.turns:
        if before is not None and ttl_ms:
            tokens = _written_again(before, turn)
            if tokens:
                yield Miss(before, turn, tokens, ttl_ms)
        ttl_ms = written_ttl_ms(turn) or ttl_ms
        before = turn


def _written_again(before: Turn, turn: Turn) -> int:
    """How much of what was in the cache a request wrote again; 0 where that is no miss."""
    if not turn.is_owned or turn.cause not in _PLAIN_CAUSES:
        return 0
    if turn.prompt_tokens < LEAST_WINDOW_SHARE * before.prompt_tokens:
        return 0
    cached = before.cache_read_tokens + before.cache_write_5m_tokens + before.cache_write_1h_tokens
    wrote = turn.cache_write_5m_tokens + turn.cache_write_1h_tokens
    again = min(cached - turn.cache_read_tokens, wrote)
    return again if again >= max(LEAST_TOKENS, LEAST_SHARE * cached) else 0


def written_ttl_ms(turn: Turn) -> int:
    """The lifetime of most of what it wrote; 0 where it wrote nothing."""
    short, long = turn.cache_write_5m_tokens, turn.cache_write_1h_tokens
    if not short and not long:
        return 0
    return TTL_1H_MS if long > short else TTL_5M_MS


# ── what is told of them ─────────────────────────────────────────────────────────────────────────


def _ttl_misses(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    for facts, miss in _of(view, TTL):
        gap_ms = miss.gap_ms or 0
        if gap_ms > LONG_PAUSE_MS and miss.tokens < LEAST_RESUMED_TOKENS:
            continue
        life = "5 minutes" if miss.ttl_ms == TTL_5M_MS else "1 hour"
        expected = ", as is to be expected when a session is resumed" * (gap_ms > LONG_PAUSE_MS)
        why = f"after a pause of {_span(gap_ms)}, the cache lives {life}{expected}"
        yield _sighting(facts, claimed, miss, why)


def _prefix_misses(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    for facts, miss in _of(view, PREFIX_CHANGE):
        gap = f"{_span(miss.gap_ms or 0)} after the request before it, by the same model"
        yield _sighting(facts, claimed, miss, f"{gap}: {_evidence(facts, miss)}")


def _switch_misses(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    for facts, miss in _of(view, SWITCH):
        usd = _switch_usd(facts, miss)
        if usd <= 0:
            continue
        why = f"after {_span(miss.gap_ms or 0)} by another model, which has a cache of its own"
        found = _sighting(facts, claimed, miss, why)
        yield found._replace(cost_pico_usd=min(found.cost_pico_usd, round(usd * PICO_USD)))


def _switch_usd(facts: TurnFacts, miss: Miss) -> float:
    """What a change of the model cost beyond the same prompts to the model before it.

    Prompt and output of every request up to the next change count: a cheaper model that goes on
    for long earns what filling its cache cost. Of a dearer one, the first prompt alone is told.
    """
    before, turn = miss.before, miss.turn
    if min(before.read_usd, before.write_usd, turn.read_usd, turn.write_usd) <= 0:
        return 0.0
    held = min(before.prompt_tokens, turn.prompt_tokens)
    wrote = turn.cache_write_5m_tokens + turn.cache_write_1h_tokens
    paid = turn.cache_read_tokens * turn.read_usd + wrote * turn.write_usd
    loss = paid - held * before.read_usd - (turn.prompt_tokens - held) * before.write_usd
    if turn.read_usd > before.read_usd or loss <= 0:
        return max(0.0, loss)
    for later in facts.view.turns[turn.number :]:
        if later.model != turn.model:
            break
        wrote = later.cache_write_5m_tokens + later.cache_write_1h_tokens
        loss -= later.output_tokens * (before.output_usd - later.output_usd)
        if later is not turn:
            loss -= later.cache_read_tokens * (before.read_usd - later.read_usd)
            loss -= wrote * (before.write_usd - later.write_usd)
    return max(0.0, loss)


def _of(view: ThreadView, cause: str) -> Iterator[tuple[TurnFacts, Miss]]:
    """The misses of one cause, beside the facts of their thread; made only where there is one."""
    facts: TurnFacts | None = None
    for miss in misses(view):
        if miss.cause == cause:
            facts = facts or TurnFacts(view)
            yield facts, miss


def _evidence(facts: TurnFacts, miss: Miss) -> str:
    """What is recorded between both requests that explains it, or that nothing is."""
    turn = miss.turn
    told = {one.kind for one in facts.view.seen if one.entered == turn.number}
    if turn.cause == "retold":
        return "system prompt or tools were told anew"
    if any(call.name == "ToolSearch" for call in facts.calls(miss.before.number)):
        return "a tool search had just loaded tools"
    if told & _TOLD_AT_THE_START:
        return "tools, servers, skills or agents were announced anew"
    if written_ttl_ms(turn) != miss.ttl_ms:
        return "the cache's lifetime changed, as it does with another account or plan"
    if turn.cache_read_tokens:
        return f"no cause is recorded; only its first {turn.cache_read_tokens:,} tokens were there"
    return "no cause is recorded; nothing of it was there"


def _sighting(facts: TurnFacts, claimed: set[int], miss: Miss, why: str) -> Sighting:
    turn = miss.turn
    tokens = max(0, miss.tokens - facts.charged_tokens(turn.number, claimed))
    usd = tokens * max(0.0, turn.write_usd - turn.read_usd) if turn.read_usd > 0 else 0.0
    detail = f"{miss.tokens:,} tokens written again, {why}; no token less would be sent"
    place = (turn.at_ms, turn.line)
    charge = Charge(0.0, 0.0, usd)
    found = charged_at(facts.view, miss.cause, "", place, 1, charge, 0.0, detail)
    return found._replace(error_pico_usd=0)


def _span(ms: int) -> str:
    if ms >= _HOUR_MS:
        return f"{ms / _HOUR_MS:.1f} h"
    return f"{ms / _MINUTE_MS:.0f} min" if ms >= _MINUTE_MS else f"{ms / 1000:.0f} s"


_RULE = (
    f" wrote again at least {LEAST_TOKENS:,} tokens and {LEAST_SHARE:.0%} of what the request"
    " before it had left in the cache. The first request of a thread, compaction, rewinding and"
    " clearing do not count. Charged: those tokens, without pieces that other drains have charged,"
    " at the price of writing less that of reading; as reported, so without error. No token less"
    " would be sent."
)

CACHE_TTL = Drain(
    id=TTL,
    title="Pauses in which the cache ran out",
    rule=(
        "A request came later than the lifetime of the cache (5 minutes or 1 hour, by what the"
        f" thread last wrote) after the one before it, and{_RULE} After a pause of more than"
        f" {LONG_PAUSE_MS // _HOUR_MS} hours only {LEAST_RESUMED_TOKENS:,} tokens or more count."
    ),
    alternative="the same request before the cache ran out, or a new session with a small window",
    tip=(
        "Finish a topic before a long pause, and begin the next one with /clear; where it has to go"
        " on, /compact before the pause, while the cache is warm. A thread with many pauses of 5 to"
        " 60 minutes is cheaper with the one-hour cache."
    ),
    fix="Begin a new session after a pause, or compact before it",
    detect=_ttl_misses,
    least_tokens_per_week=0,
)
CACHE_PREFIX = Drain(
    id=PREFIX_CHANGE,
    title="Caches lost while they should have lived",
    rule=(
        "Within the lifetime of the cache and with the same model, a request"
        f"{_RULE} Nothing is said of the last {LATENCY_MS // _MINUTE_MS} minutes of a lifetime."
        " That the cache was lost is certain; why, is told where it is recorded: tools loaded by a"
        " search, tools, servers, skills or agents announced anew, another lifetime."
    ),
    alternative="the same request with the beginning of its window unchanged",
    tip=(
        "What stands first in the window must not change during a session: tools, MCP servers,"
        " the system prompt and the account. Load tools at the start, and resume a session rarely."
    ),
    fix="Keep tools, servers, settings and account as they are during a session",
    detect=_prefix_misses,
    least_tokens_per_week=0,
)
CACHE_MODEL_SWITCH = Drain(
    id=SWITCH,
    title="Caches lost to a change of the model",
    rule=(
        f"Within the lifetime of the cache, a request to another model{_RULE} No more than what the"
        " prompt cost beyond its price from the warm cache of the model before it; where the new"
        " model is cheaper, less what it saved up to the next change. Nothing is told of a change"
        " that cost nothing."
    ),
    alternative="the same request to the model whose cache was warm, or a subagent with its own",
    tip="Change the model at the start of a session, or right after /clear or a compaction.",
    fix="Change the model between sessions, not within one",
    detect=_switch_misses,
    least_tokens_per_week=0,
)
