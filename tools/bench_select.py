"""Measure `tokens select` on issues with known fixes: how many of the lines to change are shown.

`python tools/bench_select.py [--set FOLDER] [--budgets 25,15] [--least-chars 8000] [--json FILE]
[--embed FOLDER]`; the last ranks by meaning too, with the sentence model in FOLDER.
A task is an issue's text and the files that its fix edits; the lines that the fix replaces or
inserts after are only for scoring. Line recall is the share of them that is shown verbatim, the
mean over tasks. Every token that is shown counts (o200k_base). What was shown is read out of the
printed text, not out of what the program says of itself. The baseline is BM25 over functions with
greedy filling, budgeted in tokens of the code alone. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import ast
import collections
import json
import math
import re
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tokenbudget.app.embedding_model import embedding_ranker
from tokenbudget.compression.marks import opening_for
from tokenbudget.compression.selection import select, share_of
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.model.protocols import Ranker, TokenCounter

FOLDER = Path("../shared/bench/smart-context")
PATTERN = "smart_context*.json*"
GOALS = {25: 0.75, 15: 0.60}

Shown = Mapping[str, set[int]]


class Score(NamedTuple):
    """One task at one budget."""

    task: str
    repo: str
    budget: int
    recall: float
    baseline: float
    reach: float
    share: float
    """Of the budget that the text takes; more than 1 breaks the rule."""
    is_verbatim: bool
    seconds: float


def tasks_of(folder: Path, least_chars: int) -> list[dict[str, Any]]:
    """The tasks of a folder whose files are long enough."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob(PATTERN)):
        data = path.read_bytes()
        if path.suffix == ".zst":
            import zstandard

            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 30)
        found.extend(json.loads(data))
    return [one for one in found if sum(len(text) for text in one["files"].values()) >= least_chars]


class Printed(NamedTuple):
    """What stands in a printed selection, by file: lines shown, and lines that are reached."""

    shown: Shown
    reached: Shown
    is_verbatim: bool


def printed(text: str, files: Mapping[str, str]) -> Printed:
    """Read a selection as an agent would: by its markers alone."""
    opening = re.escape(opening_for(list(files.values())))
    header = re.compile(opening + r" (.*), (\d+) lines\]$")
    hidden = re.compile(opening + r" (\d+)(?:-(\d+))?(?: .*)?\]$")
    shown: dict[str, set[int]] = collections.defaultdict(set)
    reached: dict[str, set[int]] = collections.defaultdict(set)
    path, at, is_verbatim, lines = "", 0, True, [""]
    for line in text.removesuffix("\n").split("\n"):
        if (found := header.match(line)) and found[1] in files:
            path, at, lines = found[1], 0, files[found[1]].split("\n")
        elif found := hidden.match(line):
            first, last = int(found[1]), int(found[2] or found[1])
            is_verbatim = is_verbatim and first == at + 1
            reached[path] |= set(range(first, last + 1))
            at = last
        else:
            at += 1
            is_verbatim = is_verbatim and at <= len(lines) and lines[at - 1] == line
            shown[path].add(at)
            reached[path].add(at)
    return Printed(shown, reached, is_verbatim)


def score(
    task: Mapping[str, Any], budget: int, counter: TokenCounter, ranker: Ranker | None = None
) -> Score:
    """One task at one budget, ours and the baseline."""
    files = task["files"]
    tokens = share_of(files, budget, counter)
    began = time.perf_counter()
    selection = select(task["task"], files, tokens, counter, ranker)
    seconds = time.perf_counter() - began
    read = printed(selection.text, files)
    return Score(
        task["id"],
        task["repo"],
        budget,
        recall(task, read.shown),
        recall(task, baseline(task, tokens, counter)),
        reach(files, read.reached),
        counter.count(selection.text) / tokens,
        read.is_verbatim,
        seconds,
    )


def recall(task: Mapping[str, Any], shown: Shown) -> float:
    """Share of the lines to change that are shown."""
    gold = [(path, line) for path, lines in task["gold_lines"].items() for line in lines]
    return sum(line in shown.get(path, ()) for path, line in gold) / len(gold)


def reach(files: Mapping[str, str], reached: Shown) -> float:
    """Share of all lines that are shown or lie in the range of an outline line."""
    every = {path: len(text.removesuffix("\n").split("\n")) for path, text in files.items()}
    held = sum(
        len(reached.get(path, set()) & set(range(1, count + 1))) for path, count in every.items()
    )
    return held / sum(every.values())


# ── the baseline: BM25 over functions, greedy ────────────────────────────────────────────────────


def baseline(task: Mapping[str, Any], tokens: int, counter: TokenCounter) -> Shown:
    """What plain BM25 over functions shows, without any marker or line number."""
    query = set(_words(task["task"]))
    pieces = [
        (path, first, last, "\n".join(text.split("\n")[first - 1 : last]))
        for path, text in task["files"].items()
        for first, last in _chunks(text)
    ]
    counts = [collections.Counter(_words(piece[3])) for piece in pieces]
    held = collections.Counter(word for count in counts for word in count)
    mean = sum(len(piece[3]) for piece in pieces) / len(pieces)

    def bm25(number: int) -> float:
        count, norm = counts[number], 0.25 + 0.75 * len(pieces[number][3]) / mean
        return sum(
            math.log(1 + (len(pieces) - held[word] + 0.5) / (held[word] + 0.5))
            * count[word]
            * 2.2
            / (count[word] + 1.2 * norm)
            for word in sorted(query & count.keys())
        )

    shown: dict[str, set[int]] = collections.defaultdict(set)
    used = 0
    for number in sorted(range(len(pieces)), key=lambda number: -bm25(number)):
        path, first, last, text = pieces[number]
        cost = counter.count(text + "\n")
        if used + cost <= tokens:
            used += cost
            shown[path] |= set(range(first, last + 1))
    return shown


def _words(text: str) -> Iterator[str]:
    for name in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text):
        for part in [name, *re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]:
            yield part.lower()


def _chunks(text: str) -> list[tuple[int, int]]:
    count = text.count("\n") + 1
    cuts = {1}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError:
        return [(at, min(at + 29, count)) for at in range(1, count + 1, 30)]
    waiting: list[ast.AST] = [tree]
    while waiting:
        for child in getattr(waiting.pop(), "body", []):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                cuts.add(min([child.lineno, *(one.lineno for one in child.decorator_list)]))
                cuts.add((child.end_lineno or child.lineno) + 1)
                if isinstance(child, ast.ClassDef):
                    waiting.append(child)
    starts = sorted(cut for cut in cuts if cut <= count)
    return [
        (first, starts[at + 1] - 1 if at + 1 < len(starts) else count)
        for at, first in enumerate(starts)
    ]


# ── the table ────────────────────────────────────────────────────────────────────────────────────


def table(scores: Sequence[Score], budget: int) -> list[str]:
    """Per repository and in all, at one budget."""
    rows = [one for one in scores if one.budget == budget]
    repos = sorted({one.repo for one in rows})
    lines = [
        f"| {budget} % | tasks | line recall | all lines | baseline | outline reach | of budget |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in [*repos, "**all**"]:
        some = [one for one in rows if one.repo == name] or rows
        count = len(some)
        lines.append(
            f"| {name} | {count} | {sum(one.recall for one in some) / count:.1%}"
            f" | {sum(one.recall == 1 for one in some) / count:.1%}"
            f" | {sum(one.baseline for one in some) / count:.1%}"
            f" | {min(one.reach for one in some):.1%} | {max(one.share for one in some):.1%} |"
        )
    return lines


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--set", type=Path, default=FOLDER, dest="folder")
    options.add_argument("--budgets", default="25,15")
    options.add_argument("--least-chars", type=int, default=8000)
    options.add_argument("--json", type=Path)
    options.add_argument("--embed", metavar="FOLDER", help="a sentence model, or: installed")
    given = options.parse_args()
    counter = BytePairCounter()
    ranker = embedding_ranker(given.embed) if given.embed else None
    tasks = tasks_of(given.folder, given.least_chars)
    budgets = [int(one) for one in given.budgets.split(",")]
    scores = [score(task, budget, counter, ranker) for budget in budgets for task in tasks]
    is_good = all(one.is_verbatim and one.reach == 1 and one.share <= 1 for one in scores)
    for budget in budgets:
        print("\n".join([*table(scores, budget), ""]))
        rows = [one.recall for one in scores if one.budget == budget]
        is_good = is_good and sum(rows) / len(rows) >= GOALS.get(budget, 0)
    times = sorted(one.seconds for one in scores)
    print(f"{len(times)} selections: median {times[len(times) // 2]:.3f} s, most {times[-1]:.3f} s")
    if given.json:
        given.json.write_text(json.dumps([one._asdict() for one in scores], indent=1) + "\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
