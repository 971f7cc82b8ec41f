"""The same question asked again and again while something else takes its time."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls, written
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.failing_commands import changes_nothing
from tokenbudget.analysis.drains.turn_facts import TurnFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, ThreadView

LEAST_IN_VAIN = 3
"""Answers that told nothing new: looking two or three times is how one waits."""
MOST_OTHER_CALLS = 1
"""Between two looks; whoever does more than that is at work, and looks now and then."""
LIKENESS = 0.9
"""Share of words that two answers have in common from which on the second is no news."""
DOUBT = 0.1
WAITING_TOOLS = {
    "BashOutput": "bash_id",
    "TaskOutput": "task_id",
    "AgentOutputTool": "agentId",
    "TaskGet": "taskId",
}
"""Tools that ask how something stands, and the argument that says what."""
_NUMBER = re.compile(r"\d+")
_SLEEP = re.compile(r"^\s*(?:sleep|Start-Sleep(?: -\w+)?)\s+[\d.]+[smh]?\s*(?:&&|;|$)\s*")
_ASKS = re.compile(
    r"\bsleep\b|\bStart-Sleep\b|\b(?:gh|glab)\s+(?:run|pr|workflow|ci|api)\b|\bsystemctl\s+status\b"
    r"|\b(?:kubectl|oc)\s+(?:get|describe|logs|rollout)\b|\bdocker\s+(?:compose\s+)?(?:ps|logs|inspect)\b"
    r"|^\s*(?:curl|wget|ping|nc|ps|pgrep|lsof|ss|netstat|jobs)\b"
)
"""Commands that ask how something else stands; whoever repeats others may mean to."""
_ASKING_TOOL = re.compile(
    r"status|state|wait|poll|check|get|list|log|console|screenshot|snapshot", re.IGNORECASE
)


def _polling(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    facts = TurnFacts(view)
    for polls in _runs(facts):
        vain = [two for one, two in pairwise(polls) if _is_no_news(one, two)]
        vain = [call for call in vain if call.result and call.result.number not in claimed]
        if len(vain) >= LEAST_IN_VAIN and (found := _sighting(facts, claimed, polls, vain)):
            yield found


def _runs(facts: TurnFacts) -> Iterator[list[Call]]:
    """Calls that ask the same, with hardly anything between them."""
    open_runs: dict[tuple[str, str], list[Call]] = {}
    for call in facts.view.calls:
        key = _question(call)
        if key is None:
            continue
        run = open_runs.get(key)
        if run and _is_waiting(facts, run[-1], call):
            run.append(call)
            continue
        if run:
            yield run
        open_runs[key] = [call]
    yield from open_runs.values()


def _question(call: Call) -> tuple[str, str] | None:
    """What a call asks, the same for each time; None for what is no question."""
    if call.result is None:
        return None
    if call.name in WAITING_TOOLS:
        return call.name, str(call.arguments.get(WAITING_TOOLS[call.name]))
    if call.command:
        asked = _SLEEP.sub("", call.command).strip()
        is_question = _ASKS.search(call.command) is not None or changes_nothing(call)
        return (call.name, asked) if asked and is_question else None
    if call.server and call.input_hash and _ASKING_TOOL.search(call.name):
        return call.name, str(call.input_hash)
    return None


def _is_waiting(facts: TurnFacts, before: Call, call: Call) -> bool:
    if facts.is_prompted(before.turn + 1, call.turn):
        return False
    between = facts.view.calls[before.number + 1 : call.number]
    others = [one for one in between if not (one.command and not _SLEEP.sub("", one.command))]
    return len(others) <= MOST_OTHER_CALLS and all(map(changes_nothing, others))


def _is_no_news(before: Call, call: Call) -> bool:
    """Whether the second answer says what the first said, numbers (of seconds) aside."""
    if before.result is None or call.result is None or call.is_error != before.is_error:
        return False
    if call.result_hash and call.result_hash == before.result_hash:
        return True
    one, two = (Counter(_NUMBER.sub("#", c.text).split()) for c in (before.result, call.result))
    return (one & two).total() >= LIKENESS * (one | two).total()


def _sighting(
    facts: TurnFacts, claimed: set[int], polls: list[Call], vain: list[Call]
) -> Sighting | None:
    view = facts.view
    total = Charge()
    for call in vain:
        if call.use is not None and call.use.number not in claimed:
            total = total.plus(written(view, call))
            claimed.add(call.use.number)
        if call.result is not None:
            total = total.plus(carried(call.result))
            claimed.add(call.result.number)
    for turn in sorted({call.turn for call in vain}):
        if _is_only_for(facts.calls(turn), vain):
            total = total.plus(facts.resent(turn, claimed))
    if total.sent_tokens <= 0:
        return None
    subject = polls[0].label or polls[0].name
    detail = f"asked {len(polls)} times in a row, {len(vain)} answers told nothing new"
    times = owned_calls(view, vain)
    return charged(view, POLLING.id, subject, vain[0], times, total, DOUBT, detail)


def _is_only_for(calls: list[Call], vain: list[Call]) -> bool:
    """Whether an answer called nothing but these, and perhaps slept."""
    numbers = {call.number for call in vain}
    others = (call for call in calls if call.number not in numbers)
    return not any(_SLEEP.sub("", call.command or "-") for call in others)


POLLING = Drain(
    id="polling",
    title="Waiting by asking again and again",
    rule=(
        "The same command that asks or looks (gh run view, kubectl get, curl, cat; a sleep before"
        " it aside), or the same look at a background task or by an MCP tool, with at most"
        f" {MOST_OTHER_CALLS} other call in between that only reads and without a prompt in"
        f" between, of which at least {LEAST_IN_VAIN} answers say what the one before them said"
        f" ({LIKENESS:.0%} of their words, numbers aside). Charged: the calls and results that told"
        " nothing new, and what else the requests that were made for nothing else sent again, as it"
        f" was read from the cache. Error: the count's own, and {DOUBT:.0%}."
    ),
    alternative="one command that returns when it is done, or a notice when the task ends",
    tip=(
        "Wait in one command: `gh pr checks --watch`, `until …; do sleep 30; done`, or a background"
        " task that reports its end by itself."
    ),
    fix="Tell the agent in the memory file to wait for `{subject}` in one command, not to poll it",
    detect=_polling,
)
