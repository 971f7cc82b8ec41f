"""From what could leave to one decision: act, mark, advise, or say why nothing is done."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.health import EMERGENCY
from tokenbudget.model.control import (
    ACT,
    ADVICE_ONLY,
    ADVISE,
    HISTORY,
    MARK,
    SERVERS,
    WAIT,
    Decision,
)
from tokenbudget.optimizer import money, putting_back, ranking, words
from tokenbudget.optimizer.policy import AIM_TOKENS, LEVERS_AT, SLOWING
from tokenbudget.optimizer.signals import is_amount
from tokenbudget.optimizer.state import MOST_PARTS, Mark, State
from tokenbudget.optimizer.worth import (
    BOUNDARY,
    COLD,
    COLD_NO_PAY,
    COOLDOWN,
    FEEDBACK,
    IN_USE,
    OPEN,
    SMALL,
    WARM,
    Option,
    Verdict,
    is_only_advised,
    verdict,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.model.control import Signals
    from tokenbudget.optimizer.ground import Ground
    from tokenbudget.optimizer.lever_facts import Fact


_TELLING = (FEEDBACK, WARM, COLD_NO_PAY, IN_USE, SMALL, OPEN, COOLDOWN)
"""Of several reasons to wait, the one that ends first, or says most, is told."""


_MARKED = (WARM, COLD_NO_PAY, IN_USE)
"""Chosen, and only waiting for its moment."""


class Judged(NamedTuple):
    """An option and what may be done with it."""

    option: Option
    verdict: Verdict


def ranked(ground: Ground) -> list[Judged]:
    """What each lever could do at this level; those that reach the aim come first."""
    found = [_option(lever, ground) for lever in LEVERS_AT[ground.level]]
    judged = [Judged(option, verdict(option, ground)) for option in found if option is not None]
    return sorted(judged, key=lambda one: one.option.tokens < AIM_TOKENS[ground.level])


def at_most_one(ground: Ground, choices: Sequence[Judged]) -> tuple[State, Decision]:
    """One of them, or the reason why nothing is done, and the state that remembers it.

    An action goes first, then what is newly marked or advised; then the reason why what could be
    done is not done yet; then what was advised before.
    """
    state = ground.state._replace(marks=_still_marked(ground.state, choices))
    for pick in (_to_do, _to_mark, _to_advise, _pending, _advised_before):
        found = pick(state, choices)
        if found is not None:
            return _picked(ground, state, found)
    return state, _nothing(ground)


def parts_of(seen: Signals) -> tuple[tuple[str, int], ...]:
    """The components of a look, as the state keeps them."""
    known = sorted((key, int(size)) for key, size in seen.composition.items() if is_amount(size))
    return tuple(known[:MOST_PARTS])


def _option(lever: str, ground: Ground) -> Option | None:
    """What the lever would take out; None where it is off, or has nothing that may leave."""
    mode, fact = ground.mode_of(lever), ground.fact(lever)
    if mode == "off" or (fact is not None and not _is_worth_a_notice(fact)):
        return None
    if lever in SLOWING and any(ground.state.is_in_force(one) for one in SLOWING):
        return None
    pins = (*ground.wishes.pins, *ground.state.pinned)
    choice = ranking.chosen(
        ranking.victims(ground.seen.held, lever, pins),
        ground.level,
        ground.used_tokens - ground.spare_tokens,
    )
    if not choice.victims:
        return None
    free_by = _free_by(ground.state, ground.seen, lever)
    victims = money.without_rewriting(choice.victims, fact.rewrites if fact else money.TOOLS)
    bill = money.bill(victims, ground.seen.cache, ground.seen.expected_requests, bool(free_by))
    return Option(lever, choice, mode, fact, ground.trust.of(lever, ground.now_ms), bill, free_by)


def _is_worth_a_notice(fact: Fact) -> bool:
    """Whether it frees more, once it does, than the client adds at once to say that it will."""
    is_later = fact.effect == "next compaction"
    return not (is_later and 0 < fact.freed_bytes <= fact.notice_bytes)


def _picked(ground: Ground, state: State, found: Judged) -> tuple[State, Decision]:
    if found.verdict.kind == ACT and found.option.lever == HISTORY:
        first = putting_back.reserve_first(state, ground.seen, ground.now_ms)
        if first is not None:
            return state, first
    decision = _decision(ground, found)
    return _after(state, decision), decision


def _to_do(state: State, choices: Sequence[Judged]) -> Judged | None:
    return next((one for one in choices if one.verdict.kind == ACT), None)


def _to_mark(state: State, choices: Sequence[Judged]) -> Judged | None:
    known = {mark.lever for mark in state.marks}
    for one in choices:
        if _is_marked(one) and one.option.lever not in known:
            return one._replace(verdict=one.verdict._replace(kind=MARK, code="mark"))
    return None


def _to_advise(state: State, choices: Sequence[Judged]) -> Judged | None:
    new = (one for one in choices if one.option.lever not in state.said)
    return next((one for one in new if one.verdict.kind == ADVISE), None)


def _pending(state: State, choices: Sequence[Judged]) -> Judged | None:
    waits = [one for one in choices if one.verdict.kind == WAIT]
    ours = [one for one in waits if not is_only_advised(one.option)]
    has_advice = any(one.verdict.kind == ADVISE for one in choices)
    found = ours or ([] if has_advice else waits)
    return min(found, key=lambda one: _TELLING.index(one.verdict.code), default=None)


def _advised_before(state: State, choices: Sequence[Judged]) -> Judged | None:
    return next((one for one in choices if one.verdict.kind == ADVISE), None)


def _is_marked(one: Judged) -> bool:
    return one.verdict.code in _MARKED and not is_only_advised(one.option)


def _still_marked(state: State, choices: Sequence[Judged]) -> tuple[Mark, ...]:
    """Marks of what could still be done: a resource may vanish, be pinned, or be switched off."""
    now = {one.option.lever: one.option.choice.items for one in choices}
    return tuple(mark._replace(items=now[mark.lever]) for mark in state.marks if mark.lever in now)


def _after(state: State, decision: Decision) -> State:
    lever = decision.lever
    if decision.kind == ADVISE:
        return state._replace(said=tuple(dict.fromkeys((*state.said, lever))))
    if decision.kind == MARK:
        mark = Mark(lever, decision.items, decision.at_ms)
        return state._replace(marks=(*state.marks, mark))
    if decision.kind != ACT:
        return state
    others = tuple(pair for pair in state.tried if pair[0] != lever)
    return state._replace(
        tried=(*others, (lever, decision.at_ms)),
        edited_key=decision.request_key,
        marks=tuple(mark for mark in state.marks if mark.lever != lever),
    )


def _decision(ground: Ground, judged: Judged) -> Decision:
    option, found = judged
    return Decision(
        ground.now_ms,
        ground.state.session,
        found.kind,
        ground.state.health.level,
        found.code,
        _reason(ground.seen, option, found),
        option.lever,
        option.choice.items,
        None if option.lever in ADVICE_ONLY else option.prediction,
        _next(ground, found, option),
        ground.seen.request_key,
    )


def _reason(seen: Signals, option: Option, found: Verdict) -> str:
    first, *others = option.choice.victims
    title = first.title + (f", and {len(others)} more" if others else "")
    full = words.fullness(seen)
    if found.kind in (MARK, WAIT):
        verb = "is marked" if found.kind == MARK else "waits"
        return f'{full}; "{title}" {verb}: {found.why}'
    return f"{full}: {title}{_frees(option, found)}; {found.why}"


def _frees(option: Option, found: Verdict) -> str:
    """What it does in tokens, and in money where that is known."""
    if not option.tokens:
        return ""
    is_done = found.kind == ACT
    size = words.tokens(option.tokens, option.choice.error_tokens)
    said = f", which {'frees' if is_done else 'would free'} {size}"
    usd = option.prediction.usd
    if usd is not None and usd > 0:
        said += f" and {'saves' if is_done else 'save'} about {words.dollars(usd)}"
    elif usd is not None and usd < 0 and not is_done:
        said += f" and cost about {words.dollars(usd)}"
    return said


def _next(ground: Ground, found: Verdict, option: Option) -> str:
    if found.kind == ACT:
        when = option.fact.effect if option.fact else "now"
        shown = "the next request" if when == "now" else f"the {when}"
        return f"{shown} shows what it did"
    return _stop(ground) or found.next or "it is for a person to do"


def _stop(ground: Ground) -> str:
    """That the turn is stopped, or where it will be, if that was asked for."""
    stop = ground.wishes.stop_share
    if ground.level != EMERGENCY or stop is None:
        return ""
    is_there = (ground.seen.share or 0.0) >= stop
    return "the turn is stopped" if is_there else f"the turn is stopped at {words.percent(stop)}"


def _nothing(ground: Ground) -> Decision:
    seen = ground.seen
    is_off = all(ground.mode_of(lever) == "off" for lever in LEVERS_AT[ground.level])
    code, why = ("off", "every lever is off") if is_off else ("nothing", _why_nothing(seen))
    return Decision(
        ground.now_ms,
        ground.state.session,
        WAIT,
        ground.state.health.level,
        code,
        f"{words.fullness(seen)}; {why}",
        next=_stop(ground) or "the client compacts by itself when the window is full",
        request_key=seen.request_key,
    )


def _why_nothing(seen: Signals) -> str:
    kept = sum(one.is_essential or one.is_pinned for one in seen.held)
    said = f" ({kept} of {len(seen.held)} are pinned or in use)" if kept else ""
    return f"nothing that may leave would make room{said}"


def _free_by(state: State, seen: Signals, lever: str) -> str:
    """Why the next request reads no cache anyway: it is cold, or a boundary was the last thing.

    A boundary makes nothing of the conversation free that came after it, only what stands before.
    """
    if seen.cache.is_cold is True:
        return COLD
    is_after = state.boundary_key is not None and state.boundary_key == seen.request_key
    return BOUNDARY if is_after and lever == SERVERS else ""
