"""How much `find_tools` finds: recall of annotated tools, with intervals, with entries left out.

Recall@k is the mean over tasks of (annotated tools whose name is among the first k results) /
(annotated tools), with a bootstrap interval of 90 % over tasks. Where several calls are made, a
tool counts that is among the first k of any of them.

The first tables of unsaid steps (`finding_needs`) were written by somebody who had read the
development tasks; those of everyday words (`finding_needs_daily`) by somebody who had not. So each
task is also searched without every step that the read tables know and no other task calls for
("left out"), and without every such step of any table ("all left out"), which is too strict.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tokenbudget.gateway.mcp import finding, finding_query, finding_search
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder
from tokenbudget.gateway.mcp.finding_concepts import NEEDS, Need, by_trigger, joined, spoken
from tokenbudget.gateway.mcp.finding_needs import TABLE
from tokenbudget.gateway.mcp.finding_needs_daily import DAILY
from tokenbudget.gateway.mcp.finding_query import plan_of

OWN = Path(__file__).with_name("find_tasks.json")
DEPTHS = (5, 10, 20)
RESAMPLES, SEED = 2_000, 7

Calls = Sequence[Sequence[str]]
"""What one task is searched with: a list of texts for each call."""
Needs = Mapping[str, tuple[Need, ...]]
"""Steps by the words that call for them."""

READ, UNREAD = by_trigger(TABLE), by_trigger(DAILY)
"""The steps whose writer had read the development tasks, and those whose writer had not."""


class Task(NamedTuple):
    """A task and the names of the tools that its annotators used."""

    text: str
    names: tuple[str, ...]


class Line(NamedTuple):
    """One row of the recall table."""

    said: str
    calls: float
    recall: Mapping[int, float]
    spans: Mapping[int, tuple[float, float]]
    """The bootstrap interval of 90 % of each recall."""


def tasks_of(folder: Path) -> list[Task]:
    """The tasks with at least one annotated tool that the catalogue has."""
    kept = json.loads((folder / "livemcp_tasks_dev.json").read_text())["tasks"]
    tasks = [Task(one["task"], tuple(tool["name"] for tool in one["tools"])) for one in kept]
    return [task for task in tasks if task.names]


def own_tasks(path: Path = OWN) -> tuple[list[Task], list[Task]]:
    """Tasks of our own: those whose failures were read, and those that were kept for the end."""
    kept = json.loads(path.read_text())
    read, unread = (
        [Task(one["task"], tuple(one["tools"])) for one in kept[half]]
        for half in ("read", "unread")
    )
    return read, unread


def searched_directory(folder: Path) -> Directory:
    """All tools of LiveMCPBench."""
    kept = json.loads((folder / "livemcp_tools.json").read_text())["servers"]
    return Directory(
        catalogue_of(one["server"], {"serverInfo": {"name": one["title"]}}, one["tools"])
        for one in kept
    )


# ── recall ────────────────────────────────────────────────────────────────────────────────────────


def whole(task: Task) -> Calls:
    """One call with the task's text."""
    return [[task.text]]


def steps(task: Task) -> list[str]:
    """The task's steps as an agent would name them: its own sentences, nothing added."""
    said = [text for text, weight in plan_of(task.text).said if weight == 1]
    return said or [task.text]


def each_step(task: Task) -> Calls:
    """One call for each step."""
    return [[step] for step in steps(task)]


def listed_steps(task: Task) -> Calls:
    """One call with all steps as a list."""
    return [steps(task)]


def text_and_steps(task: Task) -> Calls:
    """One call with the text, then one for each step."""
    return [*whole(task), *each_step(task)]


def measured(
    said: str, tasks: Sequence[Task], finder: Finder, calls_of: Callable[[Task], Calls]
) -> Line:
    """The recall of one way to ask."""
    found = [_found(task, finder, calls_of(task)) for task in tasks]
    return _line(said, found, sum(len(calls_of(task)) for task in tasks))


def _found(task: Task, finder: Finder, several: Calls) -> dict[int, float]:
    """The share of a task's tools that are among the first of any call, by depth."""
    lists = [[row.tool.name for row in finder.find(one, max(DEPTHS)).rows] for one in several]
    shares = {}
    for depth in DEPTHS:
        seen = {name for names in lists for name in names[:depth]}
        shares[depth] = sum(name in seen for name in task.names) / len(task.names)
    return shares


def _line(said: str, found: Sequence[Mapping[int, float]], calls: int) -> Line:
    """The mean over tasks, and how far it may be off."""
    by_depth = {depth: [shares[depth] for shares in found] for depth in DEPTHS}
    return Line(
        said,
        calls / len(found),
        {depth: statistics.fmean(values) for depth, values in by_depth.items()},
        {depth: interval(values) for depth, values in by_depth.items()},
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Between what 90 % of the means of resampled values lie."""
    draw = random.Random(SEED)
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[RESAMPLES // 20], means[-RESAMPLES // 20]


@contextmanager
def changed(module: ModuleType, **values: Any) -> Iterator[None]:
    """The module with other values."""
    kept = {name: getattr(module, name) for name in values}
    for name, value in values.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


def called_for(text: str, needs: Needs = NEEDS) -> set[str]:
    """The triggers of a table that a text holds."""
    tokens = spoken(text)
    return {
        phrase
        for size in (1, 2, 3, 4)
        for at in range(len(tokens) - size + 1)
        if (phrase := joined(tokens[at : at + size])) in needs
    }


def left_out(
    said: str,
    tasks: Sequence[Task],
    finder: Finder,
    calls_of: Callable[[Task], Calls],
    read: Needs = READ,
    unread: Needs = UNREAD,
) -> Line:
    """The same, for every task without the steps of `read` that no other task calls for."""
    wanted = [{need for one in called_for(task.text, read) for need in read[one]} for task in tasks]
    found, calls = [], 0
    for number, task in enumerate(tasks):
        others = {need for at, needs in enumerate(wanted) if at != number for need in needs}
        own = wanted[number] - others
        with changed(finding_query, NEEDS=_without(read, own, unread)):
            found.append(_found(task, finder, calls_of(task)))
            calls += len(calls_of(task))
    return _line(said, found, calls)


def _without(read: Needs, own: set[Need], unread: Needs) -> Needs:
    """Both tables as one, without some steps of the first."""
    kept = {one: tuple(need for need in needs if need not in own) for one, needs in read.items()}
    return {one: (*kept.get(one, ()), *unread.get(one, ())) for one in {**read, **unread}}


def recall_lines(tasks: Sequence[Task], directory: Directory, embed: str) -> list[Line]:
    """Every way to ask, and the finder without its parts."""
    finder = Finder(directory, {})
    ways: tuple[tuple[str, Callable[[Task], Calls]], ...] = (
        ("the task's text", whole),
        ("its steps as a list", listed_steps),
        ("a call for each step, found by any", each_step),
        ("the text, then a call for each step, by any", text_and_steps),
    )
    lines = []
    for said, calls_of in ways:
        lines.append(measured(said, tasks, finder, calls_of))
        lines.append(left_out(f"{said}, left out", tasks, finder, calls_of))
        lines.append(left_out(f"{said}, all left out", tasks, finder, calls_of, NEEDS, {}))
    without: list[tuple[str, ModuleType, dict[str, Any]]] = [
        ("without everyday words", finding_query, {"NEEDS": READ}),
        ("without unsaid steps", finding_query, {"NEEDS": {}, "FILE_KINDS": {}}),
        ("without words that mean the same", finding_search, {"ALIKE": {}}),
        ("without siblings", finding_search, {"LEAST_TO_SHARE": 2.0}),
        ("without turning to what is still wanted", finding, {"ANSWERED": 0.0}),
    ]
    for said, module, values in without:
        with changed(module, **values):
            lines.append(measured(f"the task's text, {said}", tasks, finder, whole))
    with (
        changed(finding_query, NEEDS={}, FILE_KINDS={}, MOST_STEPS=0),
        changed(finding_search, ALIKE={}, LEAST_TO_SHARE=2.0),
        changed(finding, ANSWERED=0.0),
    ):
        lines.append(measured("words alone, the text as one search", tasks, finder, whole))
    if embed:
        from tokenbudget.app.embedding_model import embedding_ranker

        with_meaning = Finder(directory, {}, embedding_ranker(embed))
        lines.append(measured("the task's text, with embeddings", tasks, with_meaning, whole))
    return lines


def own_lines(directory: Directory) -> list[Line]:
    """One call with the text of tasks of our own."""
    finder = Finder(directory, {})
    read, unread = own_tasks()
    lines = [
        measured("own tasks whose failures were read", read, finder, whole),
        measured("own tasks kept for the end", unread, finder, whole),
    ]
    with changed(finding_query, NEEDS=READ):
        lines.append(measured("the latter without everyday words", unread, finder, whole))
    return lines


def print_recall(lines: Sequence[Line]) -> None:
    """The recall table in Markdown, each figure with its interval."""
    print("| asked with | calls | " + " | ".join(f"@{depth}" for depth in DEPTHS) + " |")
    print("|---|--:|" + "--:|" * len(DEPTHS))
    for line in lines:
        cells = " | ".join(
            f"{line.recall[depth]:.3f} ({line.spans[depth][0]:.2f} to {line.spans[depth][1]:.2f})"
            for depth in DEPTHS
        )
        print(f"| {line.said} | {line.calls:.1f} | {cells} |")


def print_misses(tasks: Sequence[Task], directory: Directory) -> None:
    """What one call with the text does not show among ten."""
    finder = Finder(directory, {})
    for task in tasks:
        names = [row.tool.name for row in finder.find([task.text], 10).rows]
        missed = [name for name in task.names if name not in names]
        if missed:
            print(f"\n{task.text}\n  missed: {', '.join(missed)}\n  found: {', '.join(names)}")
