"""What one look would come to, with everything it rests on: state, inputs, ranking, arithmetic."""

from __future__ import annotations

from tokenbudget.budget import health
from tokenbudget.model.control import HISTORY
from tokenbudget.model.control_words import (
    deed,
    lever_name,
    next_words,
    percent,
    reason_words,
    usable_words,
    would_words,
)
from tokenbudget.model.figures import counted, text_width, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.model.spans import shown_span
from tokenbudget.optimizer import money, words
from tokenbudget.reports.control import WIDEST, labelled
from tokenbudget.reports.control import money as dollars_of
from tokenbudget.reports.table import Column, Marked, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.budget.break_even import CacheRates
    from tokenbudget.model.control import Decision, Held, Signals, Wishes
    from tokenbudget.model.figures import Style
    from tokenbudget.optimizer.deciding import Judged
    from tokenbudget.optimizer.state import State
    from tokenbudget.reports.table import Cell

THINGS_SHOWN = 12
LEVER_ROOM = 19
BELOW = " " * 6


def dry_lines(
    state: State,
    seen: Signals,
    wishes: Wishes,
    level: str,
    judged: Sequence[Judged],
    decision: Decision,
    style: Style,
) -> list[str]:
    """The decision first; then what it was made of."""
    width = min(style.width, WIDEST)
    style = style._replace(width=width)
    lines = [style.bold(line) for line in wrapped(_answer(decision), width, "  ")]
    if next_words(decision):
        lines += labelled("next", next_words(decision), width)
    lines += ["  Nothing was changed (--dry-run)."]
    for title, facts in (
        ("State", _state_facts(state, wishes, level, decision, seen.observed_at_ms)),
        ("Inputs", _inputs(seen)),
    ):
        lines += ["", style.bold(title)]
        lines += [line for label, text in facts for line in labelled(label, text, width)]
    is_early = level == health.HEALTHY and bool(judged)
    title = f"Levers, once {decision.level} has held" if is_early else "Levers at this level"
    lines += ["", style.bold(f"{title}, in order"), *_ranking(judged, style)]
    things = _things(judged, style)
    lines += ["", style.bold("What would leave, in order"), *things] if things else []
    sums = _arithmetic(judged, seen, width)
    return lines + (["", style.bold("Break-even"), *sums] if sums else [])


def _answer(decision: Decision) -> str:
    level = f"{health.SYMBOLS.get(decision.level, '?')} {one_line(decision.level)}"
    return f"{level} · {would_words(decision)}: {reason_words(decision)}"


def _state_facts(
    state: State, wishes: Wishes, level: str, decision: Decision, now_ms: int
) -> list[tuple[str, str]]:
    shares = (wishes.warning_share, wishes.critical_share, wishes.emergency_share)
    begins = ", ".join(
        f"{name} {percent(share)}" for name, share in zip(health.LEVELS[1:], shares, strict=True)
    )
    is_recovering = decision.code == "recovering"
    now = f"recovering from {state.health.level}" if is_recovering else state.health.level
    acted = "none" if level == health.HEALTHY else level
    found = [
        ("level", f"{now}; acted on: {acted} ({begins} of the usable window)"),
        *([] if is_recovering else [("met", _met(state))]),
    ]
    found += [
        ("marked", f"{deed(one.lever, one.items)}, {shown_span(now_ms - one.at_ms)} ago")
        for one in state.marks
    ]
    found += [
        ("cool-down", f"{lever_name(lever)}: pulled {shown_span(now_ms - at_ms)} ago")
        for lever, at_ms in state.tried
        if now_ms - at_ms < wishes.cooldown_ms
    ]
    found += [
        ("open", f"{deed(one.receipt.lever, one.receipt.items)}, not seen yet")
        for one in state.pulled
        if one.is_open
    ]
    pinned = ", ".join(map(one_line, (*wishes.pins, *state.pinned)))
    return [*found, *([("pinned", pinned)] if pinned else [])]


def _met(state: State) -> str:
    parts = [
        f"{name} for {counted(state.requests - first, 'request')}"
        for name, first in zip(health.LEVELS[1:], state.met, strict=True)
        if first is not None
    ]
    return ", ".join(parts) or "no threshold is met"


def _inputs(seen: Signals) -> list[tuple[str, str]]:
    used = "unknown" if seen.used_tokens is None else f"{seen.used_tokens:,}"
    usable = "unknown" if seen.usable_tokens is None else f"{seen.usable_tokens:,}"
    use = usable_words(seen.share, seen.used_tokens, seen.window_tokens)
    search = {True: "tools deferred", False: "tools in full", None: "tools: not known how"}
    waits = "the agent waits for you" if seen.is_between_turns else "the agent is at work"
    ago = shown_span(seen.observed_at_ms - seen.request_at_ms) if seen.request_at_ms else "?"
    found = [
        ("window", f"{used} of {usable} tokens: {use}"),
        ("client", f"{_known(seen.client)}, {_known(seen.model)}, {search[seen.has_tool_search]}"),
        ("requests", f"{seen.requests:,}, the last one {ago} ago; {waits}"),
        ("cache", _cache(seen)),
        ("expected", _expected(seen)),
        ("burn", _burn(seen)),
    ]
    parts = ", ".join(f"{one_line(part)} {tokens:,}" for part, tokens in seen.composition.items())
    found += [("holds", parts)] if parts else []
    return found + ([("alerts", ", ".join(map(one_line, seen.alerts)))] if seen.alerts else [])


def _known(text: str) -> str:
    return one_line(text) or "unknown"


def _cache(seen: Signals) -> str:
    cache = seen.cache
    warmth = {True: "cold", False: "warm", None: "not known whether warm"}[cache.is_cold]
    if cache.is_cold is False and cache.cold_in_ms is not None:
        warmth += f", cold in {shown_span(cache.cold_in_ms)}"
    prices = (("read", cache.read), ("write", cache.write), ("output", cache.output))
    if any(price is None for _, price in prices) or cache.input_usd is None:
        return f"{warmth}; the model has no price"
    told = ", ".join(f"{name} {price:g}" for name, price in prices)
    return f"{warmth}; {told} x the price of input, ${cache.input_usd * 1e6:g} per million tokens"


def _expected(seen: Signals) -> str:
    if seen.expected_requests is None:
        return "unknown: too few sessions of yours went this deep"
    more = words.about(seen.expected_requests)
    said = f"about {more} more requests, by your own sessions at this depth"
    if seen.sure_requests is None:
        return said
    return f"{said}; {words.about(seen.sure_requests)} to count on, as in nine of ten"


def _burn(seen: Signals) -> str:
    if seen.burn_tokens_per_minute is None:
        return "unknown"
    full = f", full in {shown_span(seen.full_in_ms)}" if seen.full_in_ms is not None else ""
    return f"{seen.burn_tokens_per_minute:,.0f} tokens/min{full}"


def _ranking(judged: Sequence[Judged], style: Style) -> list[str]:
    """A line for each lever that has anything to offer, and why it is pulled or not."""
    if not judged:
        return ["  none of them has anything to offer now"]
    columns = [
        Column("Lever", is_text=True),
        Column("Mode", is_text=True, may_cut=False),
        Column("Things", drop_rank=3),
        Column("Tokens"),
        Column("Trust", drop_rank=2),
        Column("Pays after", drop_rank=1),
        Column("Saves", drop_rank=4),
        Column("Takes effect", is_text=True, drop_rank=5),
        Column("Verdict", is_text=True, may_cut=False),
    ]
    rows: list[list[Cell]] = []
    for one in judged:
        option, foretold = one.option, one.option.prediction
        after = foretold.break_even_requests
        rows.append(
            [
                lever_name(option.lever),
                option.mode,
                len(option.choice.victims),
                Marked(option.tokens),
                f"{option.factor:.2f}",
                "" if after is None else f"{after:.1f}" if after else "at once",
                "" if foretold.usd is None else dollars_of(foretold.usd),
                foretold.effect,
                f"{one.verdict.kind} ({one.verdict.code})",
            ]
        )
    whys = [
        line
        for one in judged
        for line in labelled(
            lever_name(one.option.lever),
            f"{one_line(one.verdict.why)}{_row(one)}",
            style.width,
            LEVER_ROOM,
        )
    ]
    return [*render(columns, rows, None, style), *whys]


def _row(one: Judged) -> str:
    """By which row of the table of levers that is known."""
    row = one_line(one.option.prediction.known_by)
    return f" [{row}]" if row else ""


def _things(judged: Sequence[Judged], style: Style) -> list[str]:
    held = [thing for one in judged for thing in one.option.choice.victims]
    lines = [line for thing in held[:THINGS_SHOWN] for line in _thing(thing, style.width)]
    more = len(held) - THINGS_SHOWN
    return [*lines, *([f"  and {more:,} more: --json has all"] if more > 0 else [])]


def _thing(held: Held, width: int) -> list[str]:
    """What leaves, by its id, and what that frees; beside it or below it what is done, and why."""
    error = f" ± {held.error_tokens:,}" if held.error_tokens else ""
    head, *more = wrapped(f"{one_line(held.id)} {held.tokens:,}{error}", width - 2)
    head = f"  {one_line(held.id)}  {held.tokens:,}{error}" if not more else f"  {head}"
    said = f"{one_line(held.title)}: {one_line(held.reason)}"
    if not more and text_width(head) + 2 + text_width(said) <= width:
        return [f"{head}  {said}"]
    below = wrapped(said, width - len(BELOW))
    return [head, *(BELOW + line for line in (*more, *below))]


def _arithmetic(judged: Sequence[Judged], seen: Signals, width: int) -> list[str]:
    """The break-even of each lever that changes the next request, term by term."""
    rates = money.rates_of(seen.cache)
    if rates is None:
        return []
    found = []
    for one in judged:
        if one.option.reaches_window_now and one.option.choice.victims:
            text = _sum(one, seen, rates)
            name = lever_name(one.option.lever)
            found += labelled(name, text, width, LEVER_ROOM) if text else []
    return found


def _sum(one: Judged, seen: Signals, rates: CacheRates) -> str:
    option = one.option
    victims = option.choice.victims
    production = money.production_iet(victims, seen.cache, rates, bool(option.free_by))
    if production is None:
        return ""
    kept = money.without_rewriting(victims, option.fact.rewrites if option.fact else "tools")
    edit = money.edit_of(kept, production)
    once = edit.production_iet
    made = f"{once:,.0f} for the summary" if option.lever == HISTORY else f"{once:,.0f}"
    again = option.bill.reread_iet
    once += again
    made += f" + {again:,.0f} to read again" if again else ""
    dearer = f"({rates.write:g} - {rates.read:g})"
    left, back = f"{edit.shrinkage_tokens:,}", money.reread_tokens(victims)
    left = f"({edit.shrinkage_tokens + back:,} - {back:,})" if back else left
    if option.free_by:
        once -= (rates.write - rates.read) * edit.shrinkage_tokens
        terms = f"{made} - {dearer} x {left} not written"
    else:
        rewritten = edit.kept_tokens + edit.replacement_tokens
        once += (rates.write - rates.read) * rewritten
        terms = f"{made} + {dearer} x {rewritten:,} written anew"
    each = rates.read * edit.shrinkage_tokens
    after = option.bill.break_even_requests
    pays = "never pays" if after is None else "pays at once"
    return (
        f"{terms} = {once:,.0f} once; {rates.read:g} x {left} ="
        f" {each:,.0f} less a request (in tokens of plain input):"
        f" {f'pays after {after:.1f} requests' if after else pays}"
    )
