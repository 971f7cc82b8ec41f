"""Measure `find_tools` and `describe_tools`: is the right tool found, and what do they cost?

`python tools/bench_find.py [--set FOLDER] [--embed FOLDER] [--misses] [--json FILE]`.
Recall: LiveMCPBench's development tasks against all of its tools. Recall@k is the mean over tasks
of (annotated tools whose name is among the first k results) / (annotated tools). The number of
calls of `find_tools` is stated; where it is several, a tool counts that is among the first k of any
of them. The table of unsaid steps (`finding_needs`) was written by somebody who had read these
tasks. So each task is also searched without every step that no other task calls for ("left out"):
what the finder is worth on tasks that nobody had read lies between the two rows.
Cost: o200k tokens of the API form, of one line (`brief`) and of the signature (`describe_tools`),
for every tool of the catalogues. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tokenbudget.gateway.mcp import finding, finding_query, finding_search
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder
from tokenbudget.gateway.mcp.finding_concepts import NEEDS, joined, spoken
from tokenbudget.gateway.mcp.finding_query import plan_of
from tokenbudget.gateway.mcp.finding_text import told
from tokenbudget.gateway.mcp.signatures import brief, signature
from tokenbudget.gateway.mcp.values import Catalogue, Tool
from tokenbudget.metering.tokenizer import BytePairCounter

FOLDER = Path("../shared/bench/mcp-catalogues")
DEPTHS = (5, 10, 20)
GOALS = {5: 0.85, 10: 0.93}
CORE = ("gitlab-zereight", "google-workspace", "atlassian", "notion", "sentry")

Calls = Sequence[Sequence[str]]
"""What one task is searched with: a list of texts for each call."""


class Task(NamedTuple):
    """A task and the names of the tools that its annotators used."""

    text: str
    names: tuple[str, ...]


class Line(NamedTuple):
    """One row of the recall table."""

    said: str
    calls: float
    recall: Mapping[int, float]


def tasks_of(folder: Path) -> list[Task]:
    """The tasks with at least one annotated tool that the catalogue has."""
    kept = json.loads((folder / "livemcp_tasks_dev.json").read_text())["tasks"]
    tasks = [Task(one["task"], tuple(tool["name"] for tool in one["tools"])) for one in kept]
    return [task for task in tasks if task.names]


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
    total = dict.fromkeys(DEPTHS, 0.0)
    calls = 0
    for task in tasks:
        several = calls_of(task)
        calls += len(several)
        found = [[row.tool.name for row in finder.find(one, max(DEPTHS)).rows] for one in several]
        for depth in DEPTHS:
            seen = {name for names in found for name in names[:depth]}
            total[depth] += sum(name in seen for name in task.names) / len(task.names)
    recall = {depth: total[depth] / len(tasks) for depth in DEPTHS}
    return Line(said, calls / len(tasks), recall)


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


def called_for(text: str) -> set[str]:
    """The triggers of the table that a text holds."""
    tokens = spoken(text)
    return {
        phrase
        for size in (1, 2, 3, 4)
        for at in range(len(tokens) - size + 1)
        if (phrase := joined(tokens[at : at + size])) in NEEDS
    }


def left_out(
    said: str, tasks: Sequence[Task], finder: Finder, calls_of: Callable[[Task], Calls]
) -> Line:
    """The same, for every task without the steps of the table that no other task calls for."""
    wanted = [{need for one in called_for(task.text) for need in NEEDS[one]} for task in tasks]
    total, calls = dict.fromkeys(DEPTHS, 0.0), 0.0
    for number, task in enumerate(tasks):
        others = {need for at, needs in enumerate(wanted) if at != number for need in needs}
        own = wanted[number] - others
        table = {one: tuple(n for n in needs if n not in own) for one, needs in NEEDS.items()}
        with changed(finding_query, NEEDS=table):
            line = measured("", [task], finder, calls_of)
        calls += line.calls
        for depth in DEPTHS:
            total[depth] += line.recall[depth]
    recall = {depth: total[depth] / len(tasks) for depth in DEPTHS}
    return Line(f"{said}, left out", calls / len(tasks), recall)


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
        lines.append(left_out(said, tasks, finder, calls_of))
    without: list[tuple[str, ModuleType, dict[str, Any]]] = [
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


def print_recall(lines: Sequence[Line], tasks: Sequence[Task], directory: Directory) -> None:
    """The recall table in Markdown."""
    print(f"{len(tasks)} tasks, {len(directory.tools)} tools\n")
    print("| asked with | calls | " + " | ".join(f"@{depth}" for depth in DEPTHS) + " |")
    print("|---|---|" + "---|" * len(DEPTHS))
    for line in lines:
        cells = " | ".join(f"{line.recall[depth]:.3f}" for depth in DEPTHS)
        print(f"| {line.said} | {line.calls:.1f} | {cells} |")


def print_misses(tasks: Sequence[Task], directory: Directory) -> None:
    """What one call with the text does not show among ten."""
    finder = Finder(directory, {})
    for task in tasks:
        names = [row.tool.name for row in finder.find([task.text], 10).rows]
        missed = [name for name in task.names if name not in names]
        if missed:
            print(f"\n{task.text}\n  missed: {', '.join(missed)}\n  found: {', '.join(names)}")


# ── cost ──────────────────────────────────────────────────────────────────────────────────────────


class Cost(NamedTuple):
    """Tokens of one catalogue's tools in three forms."""

    server: str
    full: list[int]
    signatures: list[int]
    briefs: list[int]


def catalogues_of(folder: Path) -> list[Catalogue]:
    """The catalogues of real servers."""
    found = []
    for path in sorted(folder.glob("*.json")):
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and isinstance(kept.get("server"), str):
            found.append(catalogue_of(path.stem, {}, kept["tools"]))
    return found


def api_form(tool: Tool) -> str:
    """A tool as it is sent to a model."""
    form = {
        "name": f"mcp__{tool.server}__{tool.name}",
        "description": tool.description,
        "input_schema": tool.input_schema,
    }
    return json.dumps(form, separators=(",", ":"), ensure_ascii=False)


def costs_of(catalogues: Sequence[Catalogue], count: Callable[[str], int]) -> list[Cost]:
    """What the tools of each catalogue cost."""
    found = []
    for one in catalogues:
        directory = Directory([one])
        pairs = [(tool, directory.alias_of(tool)) for tool in one.tools]
        found.append(
            Cost(
                one.server,
                [count(api_form(tool)) for tool, _ in pairs],
                [count(signature(tool, alias)) for tool, alias in pairs],
                [count(brief(tool, alias)) for tool, alias in pairs],
            )
        )
    return found


def print_costs(costs: Sequence[Cost]) -> None:
    """The cost table in Markdown."""
    print("\n| server | tools | API form | median | signatures | median | share | lines | median |")
    print("|---|---|---|---|---|---|---|---|---|")
    groups = (("core five", [one for one in costs if one.server in CORE]), ("all", list(costs)))
    joint = [
        Cost(
            said,
            [cost for one in among for cost in one.full],
            [cost for one in among for cost in one.signatures],
            [cost for one in among for cost in one.briefs],
        )
        for said, among in groups
    ]
    for one in (*costs, *joint):
        if one.full:
            cells = [
                f"{sum(one.full):,}", f"{statistics.median(one.full):.0f}",
                f"{sum(one.signatures):,}", f"{statistics.median(one.signatures):.0f}",
                f"{sum(one.signatures) / sum(one.full):.2f}",
                f"{sum(one.briefs):,}", f"{statistics.median(one.briefs):.0f}",
            ]  # fmt: skip
            print(f"| {one.server} | {len(one.full)} | {' | '.join(cells)} |")


def print_answers(tasks: Sequence[Task], directory: Directory, count: Callable[[str], int]) -> None:
    """What an answer of ten lines costs, and how long it takes."""
    finder = Finder(directory, {})
    tokens, seconds = [], []
    for task in tasks:
        begun = time.perf_counter()
        text = told(finder.find([task.text], 10), directory)
        seconds.append(time.perf_counter() - begun)
        tokens.append(count(text))
    print(
        f"\nfind_tools, ten of {len(directory.tools)} tools: {statistics.median(tokens):.0f} tokens"
        f" (most {max(tokens)}), {1000 * statistics.median(seconds):.1f} ms"
        f" (most {1000 * max(seconds):.1f})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--set", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument(
        "--embed", default="", metavar="FOLDER", help="a sentence model, or 'installed'"
    )
    parser.add_argument("--misses", action="store_true", help="show what was not found")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    tasks, directory = tasks_of(options.set), searched_directory(options.set)
    lines = recall_lines(tasks, directory, options.embed)
    print_recall(lines, tasks, directory)
    if options.misses:
        print_misses(tasks, directory)
    count = BytePairCounter().count
    catalogues = catalogues_of(options.set)
    costs = costs_of(catalogues, count)
    print_costs(costs)
    print_answers(tasks, directory, count)
    print_answers(tasks, Directory(one for one in catalogues if one.server in CORE), count)
    if options.json:
        found = {
            "recall": [line._asdict() for line in lines],
            "cost": [one._asdict() for one in costs],
        }
        options.json.write_text(json.dumps(found, indent=1))
    missed = [depth for depth, goal in GOALS.items() if lines[0].recall[depth] < goal]
    for depth in missed:
        print(
            f"goal missed: @{depth} {lines[0].recall[depth]:.3f} < {GOALS[depth]}", file=sys.stderr
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
