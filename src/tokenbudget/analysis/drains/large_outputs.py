"""Tool results far larger than what the thread went on to use of them."""

from __future__ import annotations

import re

from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls, requests_with
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import READER, is_ranged
from tokenbudget.analysis.drains.identifiers import is_coined, words_of
from tokenbudget.analysis.drains.later_use import LaterUse, later_use
from tokenbudget.analysis.drains.verbose_logs import run_of
from tokenbudget.analysis.window_pieces import READING_TOOLS, WRITING_TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

LEAST_TOKENS = 3_000
"""Of a result that is large: 1.5 % of a window of 200,000."""
SENSIBLE_TOKENS = 500
"""What a cut result would have kept in any case."""
LEAST_REQUESTS = 10
"""That carried it: what comes late may still be used."""
LARGEST_USED_SHARE = 0.25
RARE_PARTS = 3
"""A word in more parts of the result than these does not tell which of them was used."""
LONGEST_PART = 200
"""Characters; longer lines are cut into parts of this size."""
DOUBT = 0.4
"""Reading can serve to rule something out, and leaves few traces."""
_FAILED = re.compile(r"\b(?:FAIL(?:ED|URES?)?|[Ee]rrors?|Exception|panic|Traceback)\b")
"""In the result of a test or a build: what it says of failures was needed."""
_NOT_OUTPUTS = READING_TOOLS | WRITING_TOOLS | {
    "Agent", "Task", "TaskOutput", "AgentOutputTool", "Workflow", "Skill", "SlashCommand",
    "ToolSearch", "AskUserQuestion", "ExitPlanMode", "EnterPlanMode", "TodoWrite", "SendMessage",
}  # fmt: skip
"""Files have detectors of their own, a subagent's report is its purpose, and the client's own tools
cannot be asked for less."""
_SAVED_OUTPUT = re.compile(r"[\\/]tool-results[\\/][^\\/]+$|\.output$")
_HEAD_CHARACTERS = 400
_READ_WHOLE = re.compile(
    r"^(?:git (?:diff|show)|gh (?:pr|issue) .*|cat|bat|sed|awk|head|tail|less|Get-Content|jq|curl)$"
)
"""Labels of commands whose results are there to be read from end to end, and leave few traces."""
_SEARCHES = re.compile(r"^(?:grep|egrep|rg|ag|ack|git grep|Select-String|findstr)$")
"""Labels of searches: what is used of one, is used by the names in its lines."""
_CHAINED = re.compile(r"&&|;|\n")
"""Between commands of which each adds to the result."""


def _large_outputs(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    large = [
        (call, result)
        for call in view.calls
        if (result := call.result) is not None and _is_large(view, call, result, claimed)
    ]
    if not large:
        return
    use = later_use(view)
    found: dict[str, list[tuple[Call, Charge, float]]] = {}
    for call, result in large:
        share = _used_share(result, use, is_search=_is_search(call))
        if share > LARGEST_USED_SHARE:
            continue
        kept = max(SENSIBLE_TOKENS / result.tokens, share)
        claimed.add(result.number)
        subject = call.label or call.name
        charge = carried(result).part(1 - kept)
        found.setdefault(subject, []).append((call, charge, result.tokens * share))
    for subject, outputs in found.items():
        yield _sighting(view, subject, outputs)


def _is_large(view: ThreadView, call: Call, result: Seen, claimed: set[int]) -> bool:
    if result.tokens < LEAST_TOKENS or result.number in claimed or call.is_error:
        return False
    if call.name in _NOT_OUTPUTS and not _is_saved_output(call):
        return False
    if _READ_WHOLE.match(call.label) or (run_of(call) and _FAILED.search(result.text)):
        return False
    return requests_with(view, result) >= LEAST_REQUESTS


def _is_saved_output(call: Call) -> bool:
    """Whether a read is of what the client had put into a file as too long, and no diff."""
    if call.name != READER or call.result is None or not _SAVED_OUTPUT.search(call.target):
        return False
    return not is_ranged(call) and "diff --git " not in call.result.text[:_HEAD_CHARACTERS]


def _is_search(call: Call) -> bool:
    is_alone = _CHAINED.search(call.command) is None
    return call.name == "Grep" or (is_alone and _SEARCHES.match(call.label) is not None)


def _used_share(result: Seen, use: LaterUse, *, is_search: bool) -> float:
    """The share of the result's parts that came back, one part on either side counted in."""
    after = result.number
    parts = _parts(result.text)
    used: set[int] = set()
    places: dict[str, list[int]] = {}
    for number, part in enumerate(parts):
        if use.has_line(part, after):
            used.add(number)
        for word in set(words_of(part)):
            if not is_search or is_coined(word):
                places.setdefault(word, []).append(number)
    for word, numbers in places.items():
        if len(numbers) <= RARE_PARTS and use.has_word(word, after):
            used.update(numbers)
    around = {near for number in used for near in (number - 1, number, number + 1)}
    return sum(0 <= number < len(parts) for number in around) / (len(parts) or 1)


def _parts(text: str) -> list[str]:
    return [
        line[at : at + LONGEST_PART]
        for line in text.split("\n")
        if line.strip()
        for at in range(0, len(line), LONGEST_PART)
    ]


def _sighting(
    view: ThreadView, subject: str, outputs: list[tuple[Call, Charge, float]]
) -> Sighting:
    total = Charge()
    for _, charge, _ in outputs:
        total = total.plus(charge)
    tokens = sum(call.result.tokens for call, _, _ in outputs if call.result is not None)
    used = round(sum(used for _, _, used in outputs))
    plural = "result" if len(outputs) == 1 else "results"
    detail = f"{len(outputs)} {plural} of {tokens:,} tokens, of which about {used:,} were used"
    times = owned_calls(view, (call for call, _, _ in outputs))
    return charged(view, LARGE_OUTPUT.id, subject, outputs[0][0], times, total, DOUBT, detail)


LARGE_OUTPUT = Drain(
    id="large-output",
    title="Oversized tool results",
    rule=(
        f"A result of {LEAST_TOKENS:,} tokens or more, no error, no failed test or build, and not"
        f" of a tool that reads or edits files or reports, was carried by {LEAST_REQUESTS} or more"
        " requests, and at most"
        f" {LARGEST_USED_SHARE:.0%} of its lines came back in what the model wrote: quoted, or by a"
        f" word (of a search: a name) that stands in {RARE_PARTS} of its lines or fewer,"
        " one line on either side counted in. What is there to be read from end to end does not"
        " count: diffs, issues, files. Charged: what is beyond"
        f" {SENSIBLE_TOKENS:,} tokens and beyond those lines. Error: that of the count, and"
        f" {DOUBT:.0%}."
    ),
    alternative="the same question with a filter: head, grep, jq, a limit, a field list",
    tip=(
        "Ask for what you want to know: Grep takes head_limit and can list files alone; write long"
        " output to a file and search there; set bashOutputMaxChars and MAX_MCP_OUTPUT_TOKENS"
        " lower."
    ),
    fix="Cut the output of `{subject}`: filter it, limit it, or send it to a file",
    detect=_large_outputs,
)
