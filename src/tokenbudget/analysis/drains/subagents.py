"""Subagents that carried a set-up of their own for a task that one call would have done."""

from __future__ import annotations

from tokenbudget.analysis.drains.charges import Charge, charged_at
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.model import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import ThreadView, Turn

LEAST_OVERHEAD_TOKENS = 3_000
MOST_REQUESTS = 3
MOST_CALLING_REQUESTS = 1
"""With more of them, the caller would have sent its own, larger window again for each."""
MOST_RESULT_TOKENS = 1_500
"""More than that, and its caller was spared something."""
DOUBT = 0.1
_OF_THE_CLIENT = ("acompact", "aprompt", "asession", "aside")
"""Threads that the client runs for itself begin so; nobody chose them."""
_TASK = frozenset(
    (window.PROMPT, window.FILE, window.IMAGE, window.SUMMARY, *window.WRITTEN, window.TOOL_RESULT)
)
"""Kinds of what it was given to do; all else that it sent first is set-up."""


def _subagents(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    if not view.is_subagent or not _is_tiny(view):
        return
    task = sum(one.tokens for one in view.seen if one.entered == 0 and one.kind in _TASK)
    overhead = view.turns[0].prompt_tokens - task
    results = sum(call.result.tokens for call in view.calls if call.result is not None)
    written = sum(turn.output_tokens for turn in view.turns)
    if overhead < LEAST_OVERHEAD_TOKENS or results + written >= overhead:
        return
    own = [one for one in view.seen if one.entered == 0 and one.kind not in _TASK]
    if any(one.number in claimed for one in own):
        return
    claimed.update(one.number for one in own)
    paid = [turn for turn in view.turns if turn.is_owned and turn.prompt_tokens]
    if not paid:
        return
    usd = sum(overhead * turn.read_usd for turn in paid if turn.number)
    if paid[0].number == 0:
        usd += _prompt_usd(paid[0]) * min(1.0, overhead / paid[0].prompt_tokens)
    charge = Charge(overhead, overhead * len(paid), usd)
    calls = f"{len(view.calls)} call" + "s" * (len(view.calls) != 1)
    detail = (
        f"{overhead:,} tokens of set-up, sent {len(paid)} times, for {calls} that brought"
        f" {results:,} tokens and {written:,} tokens of answer"
    )
    place = (view.turns[0].at_ms, view.turns[0].line)
    times = int(view.turns[0].is_owned)
    yield charged_at(view, SUBAGENT.id, "", place, times, charge, DOUBT, detail)


def _is_tiny(view: ThreadView) -> bool:
    """Whether a subagent was given a task by somebody and did hardly anything for it."""
    if not 0 < len(view.turns) <= MOST_REQUESTS or view.thread.startswith(_OF_THE_CLIENT):
        return False
    prompts = [one.text.strip() for one in view.seen if one.kind == window.PROMPT]
    if not prompts or prompts == ["Warmup"] or view.compactions:
        return False
    results = sum(call.result.tokens for call in view.calls if call.result is not None)
    calling = len({call.turn for call in view.calls})
    return calling <= MOST_CALLING_REQUESTS and results <= MOST_RESULT_TOKENS


def _prompt_usd(turn: Turn) -> float:
    return max(0.0, turn.cost_usd - turn.output_tokens * turn.output_usd)


SUBAGENT = Drain(
    id="subagent",
    title="Subagents for tasks of one call",
    rule=(
        f"A subagent of at most {MOST_REQUESTS} requests of which at most {MOST_CALLING_REQUESTS}"
        f" called tools, whose results came to at most {MOST_RESULT_TOKENS:,} tokens, and whose"
        f" set-up (what its first request sent beside the task) is at least"
        f" {LEAST_OVERHEAD_TOKENS:,} tokens and larger than what it read and wrote together."
        " Subagents that the client starts for itself do not count. Charged: the set-up with every"
        " request, for the caller would have needed no request more; results and answer the caller"
        f" would have carried as well. Error: the count's own, and {DOUBT:.0%}."
    ),
    alternative="the same call by the main thread itself",
    tip="A subagent pays where it reads much and returns little; one look-up is cheaper inline.",
    fix="Tell the agent in the memory file to do look-ups of one call itself, without a subagent",
    detect=_subagents,
)
