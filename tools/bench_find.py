"""Measure `find_tools` and `describe_tools`: is the right tool found, and what do they cost?

`python tools/bench_find.py [--set FOLDER] [--embed FOLDER] [--misses] [--json FILE]`.
Recall: LiveMCPBench's development tasks, and tasks of our own, against all of its tools, as
`find_recall` counts it. Cost: o200k tokens of the API form, of one line (`brief`) and of the
signature (`describe_tools`), for every tool of the catalogues. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from find_recall import (
    Task,
    own_lines,
    print_misses,
    print_recall,
    recall_lines,
    searched_directory,
    tasks_of,
)
from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.directory import Directory
from tokenbudget.gateway.mcp.finding import Finder
from tokenbudget.gateway.mcp.finding_text import told
from tokenbudget.gateway.mcp.signatures import brief, signature
from tokenbudget.gateway.mcp.values import Catalogue, Tool
from tokenbudget.metering.tokenizer import BytePairCounter

FOLDER = Path("../shared/bench/mcp-catalogues")
GOALS = {5: 0.85, 10: 0.93}
CORE = ("gitlab-zereight", "google-workspace", "atlassian", "notion", "sentry")


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
    own = own_lines(directory)
    print(f"{len(tasks)} tasks, {len(directory.tools)} tools\n")
    print_recall([*lines, *own])
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
            "recall": [line._asdict() for line in (*lines, *own)],
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
