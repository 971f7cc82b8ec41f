"""Commands and calls that failed again in the same way, with nothing done in between."""

from __future__ import annotations

import re
from itertools import pairwise

from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls, written
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.file_copies import file_name
from tokenbudget.analysis.drains.shell_steps import heads, is_look, named
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.analysis.window_pieces import WRITING_TOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, ThreadView

MOST_MINUTES = 10
"""After a longer time the world may be another, though nothing was done in the thread."""
DOUBT = 0.05
LOOKING_TOOLS = named(
    "Read Grep Glob LS NotebookRead WebFetch WebSearch TodoWrite TodoRead TaskList TaskGet"
    " TaskUpdate TaskCreate ToolSearch"
)
"""The client's tools that change nothing that a command could depend on."""
_NEVER_RAN = re.compile(
    r"doesn't want to proceed|doesn't want to take this action|was rejected|interrupted by user"
    r"|Sibling tool call errored|Cancelled|aborted|permission|approval|hook"
    r"|temporarily unavailable",
    re.IGNORECASE,
)
"""A call that was refused or cancelled did not fail; whoever refused it may allow it now."""
_LESSONS = (
    re.compile(r"File has not been read yet"),
    re.compile(r"no read_page tree cached"),
    re.compile(r"InputValidationError|exceeds maximum allowed tokens|\bEISDIR\b"),
    re.compile(r"\bcd: (?:line \d+: )?\S{1,80}: No such file or directory"),
    re.compile(r"[^\s:]{1,40}: command not found|command not found: [^\s:]{1,40}"),
    re.compile(r"is not recognized as (?:the name of|an internal)"),
    re.compile(r"does not contain main module|cannot find main module|go\.mod file not found"),
    re.compile(r"not a git repository"),
    re.compile(r"Identifier '\w{1,40}' has already been declared"),
    re.compile(r"ModuleNotFoundError: No module named '[\w.]{1,60}'"),
    re.compile(r"Cannot find module '[^'\n]{1,80}'"),
    re.compile(r"[Uu]nknown (?:option|flag|command|argument):? [`'\"]?-{0,2}[\w-]{1,30}"),
    re.compile(r"following paths are ignored by one of your \.gitignore"),
)
"""What says how the next call has to be made: whoever meets it again has learnt nothing from it."""
_MISSING = re.compile(
    r"module(?: named)? '([^'\n]{2,80})'|\bcd: (?:line \d+: )?(\S{2,80}):"
    r"|([^\s:]{2,40}): command not found|command not found: ([^\s:]{2,40})"
)
_MENDS = re.compile(r"\b(?:install|add|mkdir|touch|tee|init|ln|cp|mv|export)\b|>")
"""In a shell command that may mend what was missing."""
_LESSON_CHARACTERS = 600
"""Of a failure, in which such words say why it failed."""
_WAITS = re.compile(r"\bsleep\b|--watch\b|\bwait\b")


def failure_of(call: Call) -> str:
    """What a failed call said, without its numbers; '' for one that ran well or never ran."""
    if not call.is_error or call.result is None or _NEVER_RAN.search(call.result.text[:400]):
        return ""
    return re.sub(r"\d+", "#", " ".join(call.result.text.split()))


def changes_nothing(call: Call) -> bool:
    """Whether a call surely leaves everything as it was; the shell's directory outlives a call."""
    if call.name != "Bash":
        return call.name in LOOKING_TOOLS
    return is_look(call.command) and "cd" not in (heads(call.command) or ())


def _failing_commands(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    if any(call.is_error for call in view.calls):
        facts = TurnFacts(view)
        yield from _same_again(facts, claimed)
        yield from _lessons(facts, claimed)


def _lessons(facts: TurnFacts, claimed: set[int]) -> Iterator[Sighting]:
    """Failures that told how to call, and happened again."""
    met: dict[tuple[str, str], list[Call]] = {}
    for call in facts.view.calls:
        if failure_of(call) and (lesson := _lesson_of(call)):
            met.setdefault((call.name, lesson), []).append(call)
    for (name, lesson), calls in met.items():
        later = [
            call
            for before, call in pairwise(calls)
            if call.turn > calls[0].turn and not _is_mended(facts, before, call)
        ]
        later = [call for call in later if call.result and call.result.number not in claimed]
        if later:
            detail = f"failed {len(calls)} times with '{lesson.replace('#', '…')}'"
            subject = name if not calls[0].command else calls[0].label or name
            subject = "cd" if lesson.startswith("cd:") else subject
            if found := _charged(facts, claimed, subject, later, detail):
                yield found


def _is_mended(facts: TurnFacts, before: Call, call: Call) -> bool:
    """Whether something was tried against the cause, if in vain.

    A file that the message names was written, or a shell command makes what it says is missing.
    """
    words = before.result.text[:_LESSON_CHARACTERS] if before.result is not None else ""
    names = {name for found in _MISSING.findall(words) for name in found if name}
    for other in facts.view.calls[before.number + 1 : call.number]:
        if other.name in WRITING_TOOLS and file_name(other.target) in words:
            return True
        is_step = other.command and not other.is_error and not changes_nothing(other)
        if is_step and _MENDS.search(other.command) and any(n in other.command for n in names):
            return True
    return False


def _lesson_of(call: Call) -> str:
    """The words of a failure that tell how to do better; '' where it has none."""
    words = call.result.text[:_LESSON_CHARACTERS] if call.result is not None else ""
    found = next(filter(None, (lesson.search(words) for lesson in _LESSONS)), None)
    return re.sub(r"\d+", "#", found[0]) if found else ""


def _same_again(facts: TurnFacts, claimed: set[int]) -> Iterator[Sighting]:
    """The same call with the same failure, and nothing done in between."""
    view = facts.view
    last: dict[tuple[str, int], Call] = {}
    first: dict[tuple[str, int], Call] = {}
    again: dict[int, list[Call]] = {}
    for call in view.calls:
        key = (call.name, call.input_hash)
        failure = failure_of(call)
        before = last.pop(key, None)
        if not failure or not call.input_hash or _WAITS.search(call.command):
            continue
        last[key] = call
        if before is None or not _is_in_vain(facts, before, call, failure):
            first[key] = call
        elif call.result is not None and call.result.number not in claimed:
            again.setdefault(first[key].number, []).append(call)
    for number, calls in again.items():
        if found := _sighting(facts, claimed, view.calls[number], calls):
            yield found


def _is_in_vain(facts: TurnFacts, before: Call, call: Call, failure: str) -> bool:
    """Whether nothing between two calls that failed alike could have helped the second."""
    if failure != failure_of(before) or call.turn <= before.turn:
        return False
    if call.called_at_ms - before.called_at_ms > MOST_MINUTES * 60_000:
        return False
    if facts.is_prompted(before.turn + 1, call.turn):
        return False
    between = facts.view.calls[before.number + 1 : call.number]
    return all(map(changes_nothing, between))


def _sighting(
    facts: TurnFacts, claimed: set[int], first: Call, calls: list[Call]
) -> Sighting | None:
    detail = f"failed {len(calls) + 1} times alike, with nothing changed in between"
    return _charged(facts, claimed, first.label or first.name, calls, detail)


def _charged(
    facts: TurnFacts, claimed: set[int], subject: str, calls: list[Call], detail: str
) -> Sighting | None:
    view, total = facts.view, Charge()
    for call in calls:
        if call.use is not None and call.use.number not in claimed:
            total = total.plus(written(view, call))
            claimed.add(call.use.number)
        if call.result is not None and call.result.number not in claimed:
            total = total.plus(carried(call.result))
            claimed.add(call.result.number)
    numbers = {call.number for call in calls}
    for turn in sorted({call.turn for call in calls}):
        if all(call.number in numbers for call in facts.calls(turn)):
            total = total.plus(facts.resent(turn, claimed))
    if total.sent_tokens <= 0:
        return None
    times = owned_calls(view, calls)
    return charged(view, FAILING_COMMAND.id, subject, calls[0], times, total, DOUBT, detail)


FAILING_COMMAND = Drain(
    id="failing-command",
    title="Commands that fail again in the same way",
    rule=(
        "The same call, word for word, fails with the same words (numbers aside) as before, within"
        f" {MOST_MINUTES} minutes, and in between nobody said anything and nothing ran but calls"
        " that only read. A test that fails again after an edit does not count, nor does a call"
        " that was refused or cancelled, nor a command that waits. Or another call of the same"
        " tool fails in the same thread with the same words that tell how to call: a file not read"
        " before its edit, a folder, command, module or option that is not there, the wrong folder."
        " No failure counts before which a file that the message names was written, or what was"
        " missing was installed or made. Charged: calls and results"
        " from the second failure on, and what the requests that were made for nothing else sent"
        f" again, as it was read from the cache. Error: the count's own, and {DOUBT:.0%}."
    ),
    alternative="the first failure, read to its end",
    tip="Ask for the cause after the first failure; a command that did not change fails again.",
    fix=(
        "Tell the agent in the memory file to change something, or to ask, before it runs"
        " `{subject}` again after a failure"
    ),
    detect=_failing_commands,
)
