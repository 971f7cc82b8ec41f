"""Long thinking of which nothing came but trivial steps."""

from __future__ import annotations

from tokenbudget.analysis.drains.charges import Charge, carried, charged_at
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.shell_steps import is_small_step, named
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView, Turn

LEAST_THINKING_TOKENS = 1_000
"""In one answer."""
FREE_TOKENS = 200
"""What anybody may think before a small step; only what is over it is charged."""
MOST_CALLS = 4
MOST_NEW_TOKENS = 500
MOST_SAID_TOKENS = 150
ONE_LINE_TOKENS = 30
MOST_PROMPT_TOKENS = 60
"""A longer prompt may have asked for thought, whatever the answer to it looks like."""
DOUBT = 0.25
"""How much of the thinking the model needed after all."""
TRIVIAL_TOOLS = named("TodoWrite TaskUpdate TaskCreate TaskList TaskGet")


def _thinking(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    long = [turn for turn in view.turns if turn.thinking_tokens >= LEAST_THINKING_TOKENS]
    if not long:
        return
    facts = TurnFacts(view)
    for turn in long:
        if turn.is_owned and _had_little_to_read(facts, turn) and _is_trivial(facts, turn):
            thoughts = _thoughts(facts, turn, claimed)
            if thoughts:
                yield _sighting(view, claimed, turn, thoughts)


def _had_little_to_read(facts: TurnFacts, turn: Turn) -> bool:
    """Whether nothing new was there that could have needed thought."""
    if sum(one.tokens for one in facts.prompts.get(turn.number, ())) > MOST_PROMPT_TOKENS:
        return False
    new = (one for one in facts.view.seen if one.entered == turn.number)
    fresh = sum(one.tokens for one in new if one.kind not in window.WRITTEN)
    return turn.number > 0 and fresh <= MOST_NEW_TOKENS


def _is_trivial(facts: TurnFacts, turn: Turn) -> bool:
    """Whether nothing came of an answer, up to the next prompt, but small steps and few words."""
    later = (number for number in facts.prompts if number > turn.number)
    turns = range(turn.number, min(later, default=len(facts.view.turns)))
    calls = [call for number in turns for call in facts.calls(number)]
    if len(calls) > MOST_CALLS or not all(map(_is_trivial_call, calls)):
        return False
    results = sum(call.result.tokens for call in calls if call.result is not None)
    said = sum(facts.said[number] for number in turns)
    return results <= MOST_NEW_TOKENS and said <= (MOST_SAID_TOKENS if calls else ONE_LINE_TOKENS)


def _is_trivial_call(call: Call) -> bool:
    if call.is_error or call.result is None:
        return False
    return call.name in TRIVIAL_TOOLS or (call.name == "Bash" and is_small_step(call.command))


def _thoughts(facts: TurnFacts, turn: Turn, claimed: set[int]) -> list[Seen]:
    return [
        piece
        for piece in facts.view.seen
        if piece.kind == window.THINKING
        and piece.number not in claimed
        and facts.author(piece) == turn.number
    ]


def _sighting(view: ThreadView, claimed: set[int], turn: Turn, thoughts: list[Seen]) -> Sighting:
    total = Charge()
    for piece in thoughts:
        total = total.plus(carried(piece)).plus(Charge(0.0, piece.tokens, piece.written_usd))
        claimed.add(piece.number)
    tokens = sum(piece.tokens for piece in thoughts)
    total = total.part(max(0.0, 1 - FREE_TOKENS / tokens) if tokens else 0.0)
    detail = f"{turn.thinking_tokens:,} tokens of thinking before nothing but trivial steps"
    place = (turn.at_ms, turn.line)
    times = int(turn.is_owned)
    return charged_at(view, THINKING.id, turn.model, place, times, total, DOUBT, detail)


THINKING = Drain(
    id="thinking",
    title="Long thinking on trivial turns",
    rule=(
        f"An answer with at least {LEAST_THINKING_TOKENS:,} tokens of thinking, to at most"
        f" {MOST_NEW_TOKENS} new tokens (a prompt at most {MOST_PROMPT_TOKENS}), of which nothing"
        f" came up to the next prompt but at most {MOST_CALLS} trivial calls (small shell"
        f" commands, task lists) with at most {MOST_NEW_TOKENS} tokens of results and"
        f" {MOST_SAID_TOKENS} tokens of text, or a line of at most {ONE_LINE_TOKENS} tokens."
        f" Charged: the thinking over {FREE_TOKENS} tokens, as it was written and as long as it was"
        f" carried. Error: the count's own, and {DOUBT:.0%}."
    ),
    alternative="the same answer with a lower effort",
    tip="Set a lower effort, or a cheaper model, for chores such as commits and clean-ups.",
    fix="Lower the effort of {subject} for small chores",
    detect=_thinking,
)
