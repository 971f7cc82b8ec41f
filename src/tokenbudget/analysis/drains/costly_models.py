"""Long runs of mechanical look-ups by a dear model, against what a cheaper one would have cost."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tokenbudget.analysis.cache_state import TTL_5M_MS
from tokenbudget.analysis.drains.cache_misses import misses, written_ttl_ms
from tokenbudget.analysis.drains.charges import Charge, charged_at
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.shell_steps import is_look, named
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.metering.rates import PriceBook, prompt_bucket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, ThreadView, Turn

LEAST_REQUESTS = 8
MOST_OUTPUT_TOKENS = 500
MOST_SAID_TOKENS = 60
"""Whoever says more draws conclusions between one look and the next."""
MOST_RESULT_TOKENS = 2_500
LEAST_SAVED_SHARE = 0.2
LEAST_SAVED_USD = 0.01
DOUBT = 0.3
"""The other model counts the same words differently, and may need a request more."""
LOOKUP_TOOLS = named("Read Grep Glob LS")
TODO_TOOLS = named("TodoWrite TaskUpdate TaskCreate TaskList")
"""They interrupt no run, and are none of its look-ups: no subagent keeps the list of another."""
_DEAR = re.compile(r"claude-(?:opus|fable|mythos)-(\d+)(?:-(\d{1,2}))?(?!\d)")
_CHEAPER = {
    (5, 5): "claude-sonnet-5-5",
    (5, 2): "claude-sonnet-5-5",
    (5, 1): "claude-sonnet-5",
    (5, 0): "claude-sonnet-5",
    (4, 8): "claude-sonnet-4-6",
    (4, 7): "claude-sonnet-4-6",
    (4, 6): "claude-sonnet-4-6",
    (4, 5): "claude-sonnet-4-5",
    (4, 1): "claude-sonnet-4-0",
    (4, 0): "claude-sonnet-4-0",
}
"""By generation: the model of the next cheaper family that was there at the same time."""


def cheaper_model(model: str) -> str:
    """The model that is named as the alternative to a dear one; '' where there is none."""
    found = _DEAR.match(model)
    return _CHEAPER.get((int(found[1]), int(found[2] or 0)), "") if found else ""


def _costly_models(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    if not any(cheaper_model(name) for name in {turn.model for turn in view.turns}):
        return
    facts = TurnFacts(view)
    cold = {miss.turn.number for miss in misses(view)}
    for lookups in _runs(facts, claimed, cold):
        run = _whole_agent(view, lookups, cold) or lookups
        saved = _saved_usd(view, run)
        paid = sum(turn.cost_usd for turn in run)
        if saved is not None and saved >= max(LEAST_SAVED_USD, LEAST_SAVED_SHARE * paid):
            yield _sighting(facts, claimed, run, paid, saved)


def _sighting(
    facts: TurnFacts, claimed: set[int], run: list[Turn], paid: float, saved: float
) -> Sighting:
    free = _share_not_charged(facts, run, claimed)
    claimed.update(number for turn in run for number in facts.pieces_of(turn.number))
    lookups = sum(len(facts.calls(turn.number)) for turn in run)
    model = run[0].model
    detail = (
        f"{len(run)} requests in a row for {lookups} look-ups, ${paid:.2f};"
        f" {cheaper_model(model)} would have cost ${paid - saved:.2f} with its own cache filled"
        " first; no token less would be sent"
    )
    place = (run[0].at_ms, run[0].line)
    charge = Charge(0.0, 0.0, saved * free)
    found = charged_at(facts.view, COSTLY_MODEL.id, model, place, len(run), charge, 0.0, detail)
    return found._replace(error_pico_usd=round(found.cost_pico_usd * DOUBT))


def _runs(facts: TurnFacts, claimed: set[int], cold: set[int]) -> Iterator[list[Turn]]:
    """Runs of requests that did nothing but look things up, without a thought in between."""
    run: list[Turn] = []
    for turn in facts.view.turns:
        is_plain = turn.number not in cold and _is_mechanical(facts, turn, claimed)
        goes_on = bool(run) and turn.number not in facts.prompts and turn.model == run[0].model
        if not is_plain or not goes_on or turn.cause:
            if _is_long(facts, run):
                yield run
            run = []
        if is_plain:
            run.append(turn)
    if _is_long(facts, run):
        yield run


def _is_long(facts: TurnFacts, run: list[Turn]) -> bool:
    """Whether enough of its requests looked something up."""
    names = ({call.name for call in facts.calls(turn.number)} for turn in run)
    return sum(not some <= TODO_TOOLS for some in names) >= LEAST_REQUESTS


def _whole_agent(view: ThreadView, run: list[Turn], cold: set[int]) -> list[Turn]:
    """All requests of a subagent that did nothing but look things up and tell; empty for others."""
    rest = view.turns[run[-1].number + 1 :]
    is_all = view.is_subagent and run[0].number == 0 and len(rest) <= 1
    if not is_all or not all(_is_alike(turn, run[0]) and turn.number not in cold for turn in rest):
        return []
    return [*run, *rest]


def _is_alike(turn: Turn, first: Turn) -> bool:
    return turn.is_owned and turn.model == first.model and not turn.cause


def _share_not_charged(facts: TurnFacts, run: list[Turn], claimed: set[int]) -> float:
    """Of what a run sent, the part that no drain has charged."""
    sent = sum(turn.prompt_tokens for turn in run)
    charged = sum(facts.charged_tokens(turn.number, claimed) for turn in run)
    return max(0.0, 1 - charged / sent) if sent else 0.0


def _is_mechanical(facts: TurnFacts, turn: Turn, claimed: set[int]) -> bool:
    if not turn.is_owned or not turn.read_usd or turn.thinking_tokens:
        return False
    if turn.output_tokens > MOST_OUTPUT_TOKENS or facts.said[turn.number] > MOST_SAID_TOKENS:
        return False
    calls = facts.calls(turn.number)
    return bool(calls) and all(_is_lookup(call, claimed) for call in calls)


def _is_lookup(call: Call, claimed: set[int]) -> bool:
    result, use = call.result, call.use
    if result is None or use is None or call.is_error or use.number in claimed:
        return False
    if result.tokens > MOST_RESULT_TOKENS or result.number in claimed:
        return False
    is_known = call.name in LOOKUP_TOOLS or call.name in TODO_TOOLS
    return is_known or (call.name == "Bash" and is_look(call.command))


# ── what the cheaper model would have cost ───────────────────────────────────────────────────────


class _Prices(NamedTuple):
    """Of one token, in USD."""

    input: float
    write_5m: float
    write_1h: float
    read: float
    output: float


def _saved_usd(view: ThreadView, run: list[Turn]) -> float | None:
    """What a run would have cost less, both changes of the model paid; None without prices."""
    alternative = 0.0
    for turn in run:
        prices = _prices(cheaper_model(turn.model), turn.at_ms, turn.prompt_tokens)
        if prices is None:
            return None
        is_switch = turn is run[0] and turn.number > 0
        alternative += _usd(turn, prices, is_cold=is_switch)
    return sum(turn.cost_usd for turn in run) - alternative - _return_usd(view, run)


def _usd(turn: Turn, prices: _Prices, *, is_cold: bool) -> float:
    """What a request would have cost; all that it sent is written, where the cache is cold."""
    short, long = turn.cache_write_5m_tokens, turn.cache_write_1h_tokens
    if is_cold:
        sent = turn.prompt_tokens * (prices.write_1h if long > short else prices.write_5m)
    else:
        sent = turn.input_tokens * prices.input + turn.cache_read_tokens * prices.read
        sent += short * prices.write_5m + long * prices.write_1h
    return sent + turn.output_tokens * prices.output


def _return_usd(view: ThreadView, run: list[Turn]) -> float:
    """What the dear model's cache would have had to be written again after the run."""
    after = run[-1].number + 1
    if after >= len(view.turns):
        return 0.0
    back, first = view.turns[after], run[0].number
    held = view.turns[first - 1] if first else None
    is_warm = held is not None and _is_within_lifetime(held, back)
    known = held.prompt_tokens if held is not None and is_warm else 0
    missing = max(0, min(back.cache_read_tokens, back.prompt_tokens) - known)
    return missing * max(0.0, run[-1].write_usd - run[-1].read_usd)


def _is_within_lifetime(held: Turn, back: Turn) -> bool:
    lifetime_ms = written_ttl_ms(held) or TTL_5M_MS
    return bool(held.at_ms and back.at_ms) and back.at_ms - held.at_ms < lifetime_ms


@cache
def _book() -> PriceBook:
    return PriceBook.bundled()


def _prices(model: str, at_ms: int, prompt_tokens: int) -> _Prices | None:
    book = _book()
    bucket = prompt_bucket(prompt_tokens, book.thresholds())
    rate = book.rate(model, at_ms, speed="standard", service_tier="standard", bucket=bucket)
    if rate is None:
        return None
    needed = (rate.input, rate.cache_write_5m, rate.cache_write_1h, rate.cache_read, rate.output)
    prices = [float(price) / 1e6 for price in needed if price is not None]
    return _Prices(*prices) if len(prices) == len(needed) else None


COSTLY_MODEL = Drain(
    id="costly-model",
    title="Dear models for mechanical turns",
    rule=(
        f"At least {LEAST_REQUESTS} requests in a row to an opus, fable or mythos model that did"
        " nothing but look things up (Read, Grep, Glob, commands that only show; keeping a list of"
        " tasks does not count), each without"
        f" thinking, with at most {MOST_OUTPUT_TOKENS} tokens of output and results of at most"
        f" {MOST_RESULT_TOKENS:,}. Charged: what they cost less what the sonnet model of their"
        " generation would have cost, which has to fill its own cache first, and less what the dear"
        " model has to write again when it goes on (a subagent that did nothing else and then told"
        f" is taken whole); told from {LEAST_SAVED_SHARE:.0%} of the cost on, without the share"
        f" that other drains have charged. No token less would be sent. Error: {DOUBT:.0%}."
    ),
    alternative="a subagent for look-ups with a cheaper model",
    tip="Give searches to a subagent whose definition names a cheaper model (`model: sonnet`).",
    fix="Let look-ups be done by a cheaper model than {subject}, in a subagent",
    detect=_costly_models,
    least_tokens_per_week=0,
)
