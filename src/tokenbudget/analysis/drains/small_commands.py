"""Chains of small shell commands, each in a request of its own, that one command would do."""

from __future__ import annotations

import re

from tokenbudget.analysis.drains.charges import Charge, charged
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.shell_steps import QUOTED, heads, is_check, is_small_step, named
from tokenbudget.analysis.drains.split_reads import MOST_GAP_LINES, split_reads, split_words
from tokenbudget.analysis.drains.turn_facts import TurnFacts
from tokenbudget.analysis.study import PICO_USD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, ThreadView, Turn

LEAST_REQUESTS = 3
"""The first of two may have been looked at before the second was made."""
MOST_RESULT_TOKENS = 200
"""A longer result was perhaps read before the next command was written."""
MOST_CHECK_TOKENS = 60
"""Of a linter or a build: whoever has more to say has found something."""
MOST_SAID_TOKENS = 20
"""'Now the status:' decides nothing; a remark on what was found does."""
MOST_SUBJECTS = 4
_GLUE = frozenset(("cd", "echo", "printf", "true"))
DOUBT, READ_DOUBT = 0.1, 0.3
"""How much the combined command would have written and read itself, and whether the first lines of
a file were to be looked at before the next."""
_WENT_WRONG = re.compile(
    r"\b(?:fatal|error|rejected|usage):|No such file|not found$", re.IGNORECASE
)
"""In a result without an error: it was perhaps why the next command was written."""
_COMMIT_OR_PUSH = re.compile(r"\bgit\b[^&;|\n]*?\s(?:commit|push)\b[^&;|\n]*")
_SHOWS_CHANGES = frozenset(("git diff", "git status", "git show"))
_KEEPS_CHANGES = frozenset(("git commit", "git push"))
_WORD = re.compile(r"[\w.-]{3,}")
_COMMON = named("main master head origin the and for not dev null src test tests")
"""Words that a command has without having read them in the result before it."""


def _small_commands(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    facts = TurnFacts(view)
    for run in _runs(facts, claimed):
        calls = [call for turn in run for call in facts.calls(turn.number)]
        yield from _sighting(facts, claimed, run, _words(calls, len(run)), DOUBT)
    for run in split_reads(facts, claimed, MOST_SAID_TOKENS):
        yield from _sighting(facts, claimed, run, split_words(facts, run), READ_DOUBT)


def _sighting(
    facts: TurnFacts, claimed: set[int], run: list[Turn], words: tuple[str, str], doubt: float
) -> Iterator[Sighting]:
    """What all requests of a run but the first sent again; nothing where that is nothing."""
    total = Charge()
    for turn in run[1:]:
        total = total.plus(facts.resent(turn.number, claimed))
    if total.sent_tokens <= 0:
        return
    calls = [call for turn in run for call in facts.calls(turn.number)]
    claimed.update(call.use.number for call in calls if call.use is not None)
    subject, detail = words
    yield charged(facts.view, SMALL_COMMANDS.id, subject, calls[0], 1, total, 0.0, detail)._replace(
        error_tokens=round(total.sent_tokens * doubt),
        error_pico_usd=round(total.usd * doubt * PICO_USD),
    )


def _runs(facts: TurnFacts, claimed: set[int]) -> Iterator[list[Turn]]:
    """Longest runs of requests that each did nothing but a small command, told beforehand."""
    run: list[Turn] = []
    known: set[str] = set()
    learnt: set[str] = set()
    for turn in facts.view.turns:
        calls = facts.calls(turn.number)
        is_small = bool(calls) and turn.is_owned and all(_is_small(c, claimed) for c in calls)
        asked = _words_of(*(_chosen(call.command) for call in calls)) if is_small else set()
        goes_on = is_small and bool(run) and _goes_on(facts, turn)
        goes_on = goes_on and not _is_looked_at(facts, run[-1], turn)
        if not goes_on or asked & (learnt - known):
            if len(run) >= LEAST_REQUESTS:
                yield run
            run, known, learnt = [], set(), set()
        if is_small:
            run.append(turn)
            known |= asked
            learnt |= _words_of(*(call.result.text for call in calls if call.result))
    if len(run) >= LEAST_REQUESTS:
        yield run


def _is_small(call: Call, claimed: set[int]) -> bool:
    result = call.result
    if call.name != "Bash" or result is None or call.is_error:
        return False
    if call.use is None or call.use.number in claimed:
        return False
    if result.tokens > MOST_RESULT_TOKENS or call.arguments.get("run_in_background"):
        return False
    if _WENT_WRONG.search(result.text):
        return False
    is_clean = result.tokens <= MOST_CHECK_TOKENS
    return is_small_step(call.command) or (is_clean and is_check(call.command))


def _goes_on(facts: TurnFacts, turn: Turn) -> bool:
    """Whether nothing was decided between the request before and this one."""
    is_plain = not turn.cause and turn.number not in facts.prompts
    return is_plain and not turn.thinking_tokens and facts.said[turn.number] <= MOST_SAID_TOKENS


def _is_looked_at(facts: TurnFacts, before: Turn, turn: Turn) -> bool:
    """Whether a commit or a push may have waited for what the request before it showed."""
    shown = {name for call in facts.calls(before.number) for name in heads(call.command) or ()}
    done = {name for call in facts.calls(turn.number) for name in heads(call.command) or ()}
    return bool(shown & _SHOWS_CHANGES and done & _KEEPS_CHANGES)


def _chosen(command: str) -> str:
    """What of a command somebody had to choose: a message was written, a branch pushed, anyway."""
    return _COMMIT_OR_PUSH.sub(" ", QUOTED.sub(" ", command))


def _words_of(*texts: str) -> set[str]:
    return {word.lower() for text in texts for word in _WORD.findall(text)} - _COMMON


def _words(calls: list[Call], requests: int) -> tuple[str, str]:
    names = dict.fromkeys(name for call in calls for name in heads(call.command) or ())
    for name in _GLUE:
        names.pop(name, None)
    subject = ", ".join(list(names)[:MOST_SUBJECTS]) + (", …" if len(names) > MOST_SUBJECTS else "")
    detail = f"{requests} requests in a row for {len(calls)} small commands, where one would do"
    return subject, detail


SMALL_COMMANDS = Drain(
    id="small-commands",
    title="Chains of small commands that one would do",
    rule=(
        f"At least {LEAST_REQUESTS} requests in a row whose answers do nothing but small shell"
        " commands (ls, cat, head, wc, pwd, git status, git diff, git add, mkdir, gofmt and their"
        f" like) with results of at most {MOST_RESULT_TOKENS} tokens, or linters and builds with at"
        f" most {MOST_CHECK_TOKENS}, none of them an error; from the second request on without"
        f" thinking, with at most {MOST_SAID_TOKENS} tokens of text, without a prompt, and with no"
        " word in the command (messages and pushed branches aside) that only the results before it"
        " told. Charged: what every request"
        " but the first sent again, as it was read from the cache, without pieces that other drains"
        " have charged. What followed on an error is no chain, nor is a commit or a push after a"
        " look at what was changed. Or requests in a row that each did nothing but read a file"
        f" from where the one before had left off, {MOST_GAP_LINES} lines or fewer apart. Error:"
        f" {DOUBT:.0%}, for reads {READ_DOUBT:.0%}."
    ),
    alternative="one request with the commands joined by && or ;, or called side by side",
    tip="Ask for related facts at once: `git status && git diff --stat && ls`.",
    fix="Tell the agent in the memory file to join small commands ({subject}) into one call",
    detect=_small_commands,
)
