"""Test, build, lint and install runs whose results are mostly lines of what went well."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.analysis.command_labels import command_label
from tokenbudget.analysis.drains.charges import Charge, carried, charged, owned_calls
from tokenbudget.analysis.drains.drain import Drain
from tokenbudget.analysis.drains.identifiers import words_of
from tokenbudget.analysis.drains.later_use import LaterUse, later_use
from tokenbudget.analysis.drains.log_lines import is_quiet_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.analysis.study import Sighting
    from tokenbudget.analysis.thread_view import Call, Seen, ThreadView

LEAST_DROPPED_TOKENS = 600
"""That a quiet run would not have had."""
LEAST_DROPPED_SHARE = 0.4
"""Of the result: it is mostly lines of what went well."""
LARGEST_USED_SHARE = 0.15
"""Of those lines: more of them in use, and they were wanted."""
RARE_LINES = 3
"""A word on more of them than these names a file or a suite, and no line."""
DOUBT = 0.15
"""A quiet run has a line or two of its own."""
_RUNS = re.compile(
    r"\b(?:pytest|unittest|tox|nox|jest|vitest|mocha|ava|playwright|cypress|karma|tsc|eslint"
    r"|webpack|gcc|g\+\+|cc|clang|clang\+\+|make|gmake|cmake|ninja|meson|bazel|gradle|gradlew"
    r"|mvn|mvnw|ctest|yarn"
    r"|(?:npm|yarn|pnpm|bun)(?: run)? (?:t|test|build|lint|check|ci|i|install|add)[\w:.-]*"
    r"|cargo (?:build|test|check|clippy|install|nextest|run|doc)"
    r"|go (?:test|build|get|mod|install|vet)|dotnet (?:build|test|restore)"
    r"|pip3? install|uv (?:sync|pip|add|lock)|poetry (?:install|add|update)"
    r"|(?:pdm|conda|brew|bundle|composer|apt|apt-get) install"
    r"|(?:docker|podman) (?:build|compose|pull|buildx))(?![\w-])"
)
"""Labels of commands (`analysis.command_labels`) that print how they get on."""
_TESTS = re.compile(r"test|jest|mocha|tox|nox|playwright|cypress|karma")
_SEPARATORS = re.compile(r"&&|\|\||[;|\n]")
_ASKS_FOR_PASSES = re.compile(r"(?:grep|rg|findstr|Select-String)\b[^|]*(?:PASS|---|===|\bok\b|✓)")
"""A filter for what went well: then it was wanted."""
_PICKS_TESTS = re.compile(
    r"\s(?:-run|-k|-t|-g|--grep|--filter|--tests|--testNamePattern)[\s=]|\.\w+::\w|-Dtest="
)
"""Tests picked by name: to see them pass was wanted."""


class _Log(NamedTuple):
    """A result that is mostly lines of what went well."""

    label: str
    call: Call
    result: Seen
    quiet_lines: tuple[str, ...]
    quiet_share: float
    """Of its characters."""


def _verbose_logs(view: ThreadView, claimed: set[int]) -> Iterator[Sighting]:
    logs = list(_logs(view, claimed))
    if not logs:
        return
    use = later_use(view)
    found: dict[str, list[_Log]] = {}
    for log in logs:
        if _used_share(log, use) <= LARGEST_USED_SHARE:
            claimed.add(log.result.number)
            found.setdefault(log.label, []).append(log)
    for label, same in found.items():
        yield _sighting(view, label, same)


def run_of(call: Call) -> str:
    """The label of the test, build, lint or install run in a command, tests first; '' for none."""
    if _RUNS.search(call.command) is None:
        return ""
    labels = map(command_label, _SEPARATORS.split(call.command))
    runs = [label for label in labels if _RUNS.search(label)]
    return next((label for label in runs if _TESTS.search(label)), runs[0] if runs else "")


def _logs(view: ThreadView, claimed: set[int]) -> Iterator[_Log]:
    for call in view.calls:
        result = call.result
        if result is None or result.number in claimed or not result.sent_tokens:
            continue
        if result.tokens < LEAST_DROPPED_TOKENS or not call.command:
            continue
        label = run_of(call)
        if not label or _is_wanted(label, call.command):
            continue
        log = _log(label, call, result)
        is_long = log.quiet_share * result.tokens >= LEAST_DROPPED_TOKENS
        if is_long and log.quiet_share >= LEAST_DROPPED_SHARE:
            yield log


def _is_wanted(label: str, command: str) -> bool:
    """Whether the command asks for the lines of what went well."""
    if _ASKS_FOR_PASSES.search(command):
        return True
    return _TESTS.search(label) is not None and _PICKS_TESTS.search(command) is not None


def _log(label: str, call: Call, result: Seen) -> _Log:
    """Its lines judged; the last one stays in any case, for a run has to say how it ended."""
    lines = result.text.rstrip().split("\n")
    quiet = tuple(line for line in lines[:-1] if is_quiet_line(line))
    characters = sum(len(line) + 1 for line in quiet)
    return _Log(label, call, result, quiet, min(1.0, characters / (len(result.text) + 1)))


def _used_share(log: _Log, use: LaterUse) -> float:
    """How many of the lines hold something that the model took up from them, and from few lines."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(log.quiet_lines):
        for word in set(words_of(line)):
            places.setdefault(word, []).append(number)
    rare = (word for word, numbers in places.items() if len(numbers) <= RARE_LINES)
    used = {n for word in use.learned(rare, log.result.number) for n in places[word]}
    return len(used) / len(log.quiet_lines)


def _sighting(view: ThreadView, label: str, logs: list[_Log]) -> Sighting:
    total = Charge()
    for log in logs:
        total = total.plus(carried(log.result).part(log.quiet_share))
    dropped = sum(len(log.quiet_lines) for log in logs)
    lines = sum(log.result.text.count("\n") + 1 for log in logs)
    runs = "run" if len(logs) == 1 else "runs"
    detail = (
        f"{dropped:,} of {lines:,} lines of {len(logs)} {runs} say that something went well or on"
    )
    times = owned_calls(view, (log.call for log in logs))
    return charged(view, VERBOSE_LOG.id, label, logs[0].call, times, total, DOUBT, detail)


VERBOSE_LOG = Drain(
    id="verbose-log",
    title="Verbose logs of tests, builds and installs",
    rule=(
        "The result of a test, build, lint or install run (by its label) consists, for"
        f" {LEAST_DROPPED_SHARE:.0%} or more of its characters and {LEAST_DROPPED_TOKENS} tokens or"
        " more, of lines that report passing tests, progress, downloads or compiled files; each"
        " line is judged by its own words, and failures, warnings, summaries and the last line are"
        " kept. Runs of tests picked by name do not count, nor do those that were filtered for what"
        " passed, nor those of which the model later named more than"
        f" {LARGEST_USED_SHARE:.0%} of those lines. Charged: those lines' share. Error: that of the"
        f" count, and {DOUBT:.0%}."
    ),
    alternative="the same run with its quiet flag: failures and the summary",
    tip=(
        "pytest -q, go test without -v and without its `ok` lines, cargo -q, npm --silent, jest"
        " --silent, gradle -q, mvn -q, make -s, pip -q, docker build -q."
    ),
    fix="Name the quiet form of `{subject}` in the memory file as the one to run",
    detect=_verbose_logs,
)
