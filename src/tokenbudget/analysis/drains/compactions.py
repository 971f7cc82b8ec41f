"""Compactions that came too late for what was in the window, or too early."""

from __future__ import annotations

from tokenbudget.analysis.drains.cache_misses import written_ttl_ms
from tokenbudget.analysis.drains.charges import Charge, charged, charged_at, owned_calls
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import file_name, reads
from tokenbudget.analysis.drains.finished_work import DOUBT as FINISHED_DOUBT
from tokenbudget.analysis.drains.finished_work import LEAST_REQUESTS as FINISHED_REQUESTS
from tokenbudget.analysis.drains.finished_work import LEAST_SHARE as FINISHED_SHARE
from tokenbudget.analysis.drains.finished_work import LEAST_TOKENS as FINISHED_TOKENS
from tokenbudget.analysis.drains.finished_work import (
    LEAST_WINDOW_TOKENS,
    LEAST_WORDS,
    RARE_CALLS,
    SUMMARY_TOKENS,
    begins_something,
    finished_work,
)
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.analysis.window_pieces import WRITING_TOOLS
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

FULL_SHARE = 0.75
"""Of the window, from which on it is nearly full."""
LEAST_REQUESTS = 30
"""For which a finished topic was carried on."""
LEAST_OLD_SHARE = 0.25
"""Of the window, that the finished topic took."""
LEAST_OLD_FILES = 3
"""By which a topic is known; with fewer, whether it is finished cannot be told."""
LATER_REQUESTS = 20
"""After the compaction, in which nobody came back to it."""
ROOM_SHARE = 0.5
"""Of the window, up to which there was plenty of room."""
SOON_REQUESTS = 15
LEAST_RE_READS = 2
LEAST_RE_READ_TOKENS = 2_000
LATE_DOUBT, EARLY_DOUBT = 0.3, 0.1
_CONVERSATION = frozenset((*window.WRITTEN, window.TOOL_RESULT, window.FILE, window.IMAGE))


# ── late ─────────────────────────────────────────────────────────────────────────────────────────


def _late(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    start, last = 0, len(view.turns)
    facts = TurnFacts(view)
    for first, trigger, before_tokens in (*view.compactions, (last, "", 0)):
        is_full = 0 < view.window_tokens * FULL_SHARE <= before_tokens
        if trigger == "auto" and is_full and first - start > LEAST_REQUESTS:
            boundary = _finished_before(facts, start, first, before_tokens)
            pieces = _topic(view, start, boundary, first) if boundary else []
            pieces = [one for one in pieces if one.number not in claimed]
            if pieces and (found := _late_sighting(facts, claimed, pieces, range(boundary, first))):
                yield found
        else:
            yield from finished_work(facts, claimed, start, first, LATE_COMPACTION.id)
        start = first


def _finished_before(facts: TurnFacts, start: int, first: int, before_tokens: int) -> int:
    """The latest prompt long before the compaction after which nothing older was touched; or 0."""
    view = facts.view
    prompts = [turn for turn in facts.prompts if start < turn <= first - LEAST_REQUESTS]
    prompts = [turn for turn in prompts if begins_something(facts, turn)]
    for boundary in sorted(prompts, reverse=True):
        older = _targets(view, start, boundary)
        if len(older) < LEAST_OLD_FILES or older & _targets(view, boundary, first + LATER_REQUESTS):
            continue
        names = {file_name(path) for path in older}
        later = (p for turn, ps in facts.prompts.items() if turn >= boundary for p in ps)
        if any(name in piece.text for piece in later for name in names):
            continue
        old = sum(piece.tokens for piece in _topic(view, start, boundary, first))
        if old >= LEAST_OLD_SHARE * before_tokens:
            return boundary
    return 0


def _targets(view: ThreadView, begins: int, ends: int) -> set[str]:
    return {call.target for call in view.calls if begins <= call.turn < ends and call.target}


def _topic(view: ThreadView, start: int, boundary: int, first: int) -> list[Seen]:
    """What entered before the boundary and stayed until the compaction."""
    return [
        piece
        for piece in view.seen
        if start <= piece.entered < boundary and piece.left >= first and piece.kind in _CONVERSATION
    ]


def _late_sighting(
    facts: TurnFacts, claimed: set[int], pieces: list[Seen], turns: range
) -> Sighting | None:
    view = facts.view
    total = _carried(facts, pieces, turns, claimed)
    summaries = [one for one in view.seen if one.kind == window.SUMMARY]
    kept = sum(one.tokens for one in summaries if one.entered == turns.stop)
    turn = view.turns[turns.start]
    instead = facts.carried(_like(pieces[0], kept), turns, claimed)
    making = Charge(0.0, kept, kept * (turn.write_usd + turn.output_usd))
    total = total.plus(instead.plus(making).part(-1.0))
    if total.sent_tokens <= 0 or not turn.is_owned:
        return None
    claimed.update(piece.number for piece in pieces)
    charge = Charge(max(0.0, total.window_tokens), total.sent_tokens, max(0.0, total.usd))
    detail = (
        f"{round(charge.window_tokens):,} tokens of a finished topic carried for {len(turns)}"
        " requests until the window was full"
    )
    place = (turn.at_ms, turn.line)
    return charged_at(view, LATE_COMPACTION.id, "", place, 1, charge, LATE_DOUBT, detail)


def _carried(facts: TurnFacts, pieces: list[Seen], turns: range, claimed: set[int]) -> Charge:
    """What these pieces took together: as one piece, where all of them stood in the window."""
    if not pieces:
        return Charge()
    return facts.carried(_like(pieces[0], sum(one.tokens for one in pieces)), turns, claimed)


def _like(piece: Seen, tokens: int) -> Seen:
    """A piece of so many tokens in the same place."""
    return piece._replace(tokens=tokens)


# ── early ────────────────────────────────────────────────────────────────────────────────────────


def _early(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    start = 0
    for first, _, before_tokens in view.compactions:
        has_room = 0 < before_tokens <= ROOM_SHARE * view.window_tokens
        if has_room and _is_warm(view, first):
            again = [
                (call, result)
                for call, result in _read_again(view, start, first)
                if result.number not in claimed and result.sent_tokens > 0
            ]
            tokens = sum(result.tokens for _, result in again)
            if len(again) >= LEAST_RE_READS and tokens >= LEAST_RE_READ_TOKENS:
                share = before_tokens / view.window_tokens
                yield _early_sighting(view, claimed, again, share)
        start = first


def _is_warm(view: ThreadView, first: int) -> bool:
    """Whether the cache still held the window when it was compacted."""
    if not 0 < first < len(view.turns):
        return False
    before, after = view.turns[first - 1], view.turns[first]
    ttl_ms = next(filter(None, map(written_ttl_ms, reversed(view.turns[:first]))), 0)
    return bool(before.at_ms and after.at_ms) and after.at_ms - before.at_ms < ttl_ms


def _read_again(view: ThreadView, start: int, first: int) -> list[tuple[Call, Seen]]:
    """Reads soon after the compaction of what had been in the window, unchanged since."""
    held: dict[str, Call] = {}
    shown: set[int] = set()
    again = []
    calls = {call.number: (call, result) for call, result in reads(view)}
    for call in view.calls:
        if not start <= call.turn < first + SOON_REQUESTS:
            continue
        if call.name in WRITING_TOOLS and not call.is_error:
            held.pop(call.target, None)
        elif call.number in calls:
            if call.turn < first:
                held[call.target] = call
                shown.add(call.result_hash)
            elif call.target in held and call.result_hash in shown:
                again.append(calls[call.number])
                del held[call.target]
    return again


def _early_sighting(
    view: ThreadView, claimed: set[int], again: list[tuple[Call, Seen]], share: float
) -> Sighting:
    facts = TurnFacts(view)
    always = range(len(view.turns))
    total = Charge()
    for call, result in again:
        total = total.plus(facts.carried(result, always, claimed))
        use = call.use
        if use is not None and use.number not in claimed:
            is_billed = view.turns[call.turn].is_owned
            total = total.plus(facts.carried(use, always, claimed))
            total = total.plus(Charge(0.0, use.tokens if is_billed else 0, use.written_usd))
    for call, result in again:
        claimed.add(result.number)
        if call.use is not None:
            claimed.add(call.use.number)
    detail = (
        f"compacted with {share:.0%} of the window used; {len(again)} files read again, unchanged,"
        f" within {SOON_REQUESTS} requests"
    )
    call = again[0][0]
    times = owned_calls(view, (call,))
    return charged(view, EARLY_COMPACTION.id, "", call, times, total, EARLY_DOUBT, detail)


LATE_COMPACTION = Drain(
    id="late-compaction",
    title="Finished work carried on without compaction",
    rule=(
        f"The client compacted by itself at {FULL_SHARE:.0%} of the window or more, and at least"
        f" {LEAST_REQUESTS} requests earlier a prompt (of {LEAST_WORDS} words or more, and no"
        " answer to a question of the agent) had begun another topic: of the files before"
        f" it (at least {LEAST_OLD_FILES}) none was touched or named in a prompt after it, up to"
        f" {LATER_REQUESTS} requests after the compaction, and what stood before it took at least"
        f" {LEAST_OLD_SHARE:.0%} of the window. Charged: those pieces from that prompt to the"
        " compaction, less the summary that would have taken their place. Error: the count's own,"
        f" and {LATE_DOUBT:.0%}. Or a window grew to {LEAST_WINDOW_TOKENS:,} tokens or more, and at"
        f" such a prompt with {FINISHED_REQUESTS} or more requests after it, calls and results of"
        f" {FINISHED_TOKENS:,} tokens and {FINISHED_SHARE:.0%} of the window or more stood there"
        " of which nothing came back any more: no line, no file's name, no identifier that stands"
        f" in {RARE_CALLS} of them or fewer. Charged: what they took from that prompt on, less a"
        f" summary of {SUMMARY_TOKENS:,} tokens and all results that were still of use, read"
        f" again. Error: the count's own, and {FINISHED_DOUBT:.0%}."
    ),
    alternative="/compact or /clear when the first topic was finished",
    tip="One task, one session: /clear costs nothing, and /compact between topics is cheap.",
    fix="Compact or begin a new session when a topic is finished",
    detect=_late,
)
EARLY_COMPACTION = Drain(
    id="early-compaction",
    title="Compactions that came early",
    rule=(
        f"A window of which at most {ROOM_SHARE:.0%} was used was compacted while its cache was"
        f" warm, and within {SOON_REQUESTS} requests at least {LEAST_RE_READS} files that had been"
        f" in it, {LEAST_RE_READ_TOKENS:,} tokens or more, were read again with the same words."
        f" Charged: those reads. Error: the count's own, and {EARLY_DOUBT:.0%}."
    ),
    alternative="the same work in the window as it was",
    tip="Compact at the end of a topic, not in the middle of it, and say what is to be kept.",
    fix="Let the window fill further before it is compacted, or name the files to keep in /compact",
    detect=_early,
)
