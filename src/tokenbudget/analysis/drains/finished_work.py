"""Results that nothing came back from, carried on and on in a window that was never compacted."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tokenbudget.analysis.drains.charges import Charge, charged_at
from tokenbudget.analysis.drains.file_copies import file_name, is_prose
from tokenbudget.analysis.drains.identifiers import is_coined, words_of
from tokenbudget.analysis.drains.later_use import LEAST_QUOTED_CHARACTERS, LaterUse, later_use
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

LEAST_WINDOW_TOKENS = 100_000
LEAST_REQUESTS = 20
"""That carried the results on."""
LEAST_TOKENS = 15_000
"""Of such results."""
LEAST_SHARE = 0.25
"""Of the window at that moment."""
LEAST_CALL_TOKENS = 150
SUMMARY_TOKENS = 8_000
"""Of the summary that would have taken the place of everything before it."""
RARE_CALLS = 3
"""An identifier in more calls than these does not tell which of them was used."""
DOUBT = 0.4
"""What the summary would have kept, and what would have been read again after it."""
LEAST_WORDS = 5
"""Of a prompt that may begin something: `yes, go on` does not."""
LAST_CHARACTERS = 400
"""Of an answer, where it asks what is to be done next."""
_ASKS = frozenset(("AskUserQuestion", "ExitPlanMode"))
_ACTS_WITHOUT_TRACE = frozenset(("Skill", "SlashCommand", "AskUserQuestion", "ExitPlanMode"))


class _Work(NamedTuple):
    """A call and its result, beside the last piece in which something of them came back."""

    result: Seen
    use: Seen
    tokens: int
    """Of both."""
    last_use: int


class _Rest(NamedTuple):
    """What stood in the window at a prompt, and what leaving it out would have saved."""

    boundary: int
    idle: list[_Work]
    charge: Charge
    tokens: int


def finished_work(
    facts: TurnFacts, claimed: set[int], start: int, end: int, drain: str
) -> Iterator[Sighting]:
    """What was carried on needlessly between two compactions, the dearest prompt first."""
    view = facts.view
    turns = view.turns[start:end]
    largest = max((turn.prompt_tokens for turn in turns), default=0)
    prompts = [
        boundary
        for boundary, said in facts.prompts.items()
        if start < boundary <= end - LEAST_REQUESTS
        and any(map(_is_of_a_person, said))
        and begins_something(facts, boundary)
    ]
    work = _work(view, claimed, start, end) if prompts and largest >= LEAST_WINDOW_TOKENS else []
    while work:
        rests = [_rest(facts, claimed, work, boundary, end) for boundary in prompts]
        best = max(filter(None, rests), key=lambda rest: rest.charge.usd, default=None)
        if best is None:
            return
        yield _sighting(view, claimed, best, end, drain)
        work = [one for one in work if one.use.number not in claimed]


def begins_something(facts: TurnFacts, boundary: int) -> bool:
    """Whether what a person said there could begin a session.

    A short word in between cannot, nor an answer to what the agent had asked.
    """
    words = " ".join(piece.text for piece in facts.prompts[boundary] if _is_of_a_person(piece))
    if len(words.split()) < LEAST_WORDS:
        return False
    if any(call.name in _ASKS for call in facts.calls(boundary - 1)):
        return False
    said = [p for p in facts.view.seen if p.kind == window.TEXT and p.entered <= boundary]
    last = said[-1] if said and facts.author(said[-1]) == boundary - 1 else None
    return last is None or "?" not in last.text[-LAST_CHARACTERS:]


def _is_of_a_person(prompt: Seen) -> bool:
    """Whether somebody typed it, who could have typed `/compact`; notices are marked up."""
    return not prompt.text.lstrip().startswith("<")


def _work(view: ThreadView, claimed: set[int], start: int, end: int) -> list[_Work]:
    """Calls that stayed up to the end, and when they were last of use."""
    calls = [
        (call, call.use, call.result)
        for call in view.calls
        if call.use is not None and call.result is not None and not _acts_without_trace(call)
    ]
    calls = [(call, u, r) for call, u, r in calls if start <= r.entered and r.left >= end]
    calls = [(c, u, r) for c, u, r in calls if not {u.number, r.number} & claimed]
    calls = [(c, u, r) for c, u, r in calls if u.tokens + r.tokens >= LEAST_CALL_TOKENS]
    if not calls:
        return []
    use = later_use(view)
    words = [set(words_of(r.text)).union(words_of(u.text)) for _, u, r in calls]
    frequency: Counter[str] = Counter()
    for some in words:
        frequency.update(some)
    rare = {word for word, n in frequency.items() if n <= RARE_CALLS and is_coined(word)}
    named = _last_named(view, use, {call.target for call, _, _ in calls if call.target})
    found = []
    for (call, asked, result), some in zip(calls, words, strict=True):
        last = max(_last_use(result, use, some & rare), named.get(call.target, -1))
        found.append(_Work(result, asked, asked.tokens + result.tokens, last))
    return found


def _acts_without_trace(call: Call) -> bool:
    return call.name in _ACTS_WITHOUT_TRACE or bool(call.target and is_prose(call.target))


def _last_use(result: Seen, use: LaterUse, names: Iterable[str]) -> int:
    """The last piece that quotes a line of a result, or holds one of these names."""
    lines = (line for line in result.text.split("\n") if len(line) >= LEAST_QUOTED_CHARACTERS)
    quoted = max(map(use.last_line, lines), default=-1)
    return max(quoted, max(map(use.last_word, names), default=-1))


def _last_named(view: ThreadView, use: LaterUse, paths: Iterable[str]) -> Mapping[str, int]:
    """The last piece that names each file, a person's prompts among them, or is a call about it."""
    texts = [(p.number, p.text) for p in view.seen if p.kind == window.PROMPT] + use.texts
    texts.sort(reverse=True)
    found: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for path in paths:
        name = file_name(path)
        if name not in by_name:
            by_name[name] = next((number for number, text in texts if name in text), -1)
        found[path] = by_name[name]
    for call in view.calls:
        if call.target in found and call.use is not None:
            found[call.target] = max(found[call.target], call.use.number)
    return found


def _rest(
    facts: TurnFacts, claimed: set[int], work: list[_Work], boundary: int, end: int
) -> _Rest | None:
    """What a summary at the prompt before request `boundary` would have saved; None for little."""
    view = facts.view
    turn = view.turns[boundary]
    before = min(piece.number for piece in facts.prompts[boundary])
    held = [one for one in work if one.result.entered < boundary]
    idle = [one for one in held if one.last_use < before]
    tokens = sum(one.tokens for one in idle)
    if tokens < max(LEAST_TOKENS, LEAST_SHARE * turn.prompt_tokens):
        return None
    turns = (one for one in view.turns[boundary:end] if one.is_owned and one.prompt_tokens)
    paid = [one for one in turns if not facts.is_charged(one.number, claimed)]
    if len(paid) < LEAST_REQUESTS:
        return None
    needed = sum(one.tokens for one in held) - tokens
    spared = max(0, tokens - SUMMARY_TOKENS)
    usd = spared * sum(one.read_usd for one in paid)
    usd -= SUMMARY_TOKENS * (turn.output_usd + turn.write_usd) + needed * turn.write_usd
    sent = spared * len(paid) - SUMMARY_TOKENS - needed
    if sent <= 0 or usd <= 0:
        return None
    return _Rest(boundary, idle, Charge(spared, sent, usd), tokens)


def _sighting(view: ThreadView, claimed: set[int], rest: _Rest, end: int, drain: str) -> Sighting:
    turn = view.turns[rest.boundary]
    claimed.update(number for one in rest.idle for number in (one.use.number, one.result.number))
    largest = max(one.prompt_tokens for one in view.turns[rest.boundary : end])
    how = "and was not compacted" if end == len(view.turns) else "until it was compacted"
    detail = (
        f"{len(rest.idle):,} calls and results of {rest.tokens:,} tokens, of which nothing came"
        f" back after this prompt, carried by {end - rest.boundary:,} more requests; the window"
        f" grew to {largest:,} tokens {how}"
    )
    times = int(turn.is_owned)
    return charged_at(view, drain, "", (turn.at_ms, turn.line), times, rest.charge, DOUBT, detail)
