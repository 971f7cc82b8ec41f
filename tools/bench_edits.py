"""Measure what recent edits are worth to `tokens select`, on recorded sessions of Claude Code.

`python tools/bench_edits.py FOLDER [--budgets 25,15] [--least-chars 8000] [--every N]`. A task is
one `Edit` of a file that its session had edited before: the file as it was then (the client records
it beside the result), the last prompt as the task, the lines that the edit replaces to be shown.
Each task is selected from twice, without and with the earlier edits of the file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench_select import printed
from tokenbudget.compression.ranking_recent import NOTHING_RECENT, Edit, Recent, edit_of
from tokenbudget.compression.selection import select, share_of
from tokenbudget.metering.tokenizer import BytePairCounter
from tokenbudget.model.protocols import TokenCounter

MOST_CHARS = 300_000
MOST_GOLD_LINES = 100
MOST_TASK_CHARS = 6_000


class Task(NamedTuple):
    """One edit of a recorded session, before it was made."""

    words: str
    path: str
    text: str
    gold: Sequence[int]
    """The lines that it replaces, from 1."""
    earlier: Sequence[Edit]
    """The newest first."""


def tasks_of(lines: Sequence[str], least_chars: int) -> Iterator[Task]:
    """The tasks of one transcript."""
    prompt = ""
    calls: dict[str, tuple[dict[str, Any], str]] = {}
    earlier: list[Edit] = []
    for line, blocks in _messages(lines):
        prompt = _prompt(line, blocks) or prompt
        for block in blocks:
            if block.get("type") == "tool_use" and block.get("name") == "Edit":
                calls[str(block.get("id"))] = block.get("input") or {}, prompt
            if block.get("type") != "tool_result" or block.get("is_error"):
                continue
            given, asked = calls.pop(str(block.get("tool_use_id")), ({}, ""))
            path, old, new = (given.get(one) for one in ("file_path", "old_string", "new_string"))
            if not (isinstance(path, str) and isinstance(old, str) and isinstance(new, str)):
                continue
            before = [one for one in reversed(earlier) if one.path == path]
            task = _task(asked, path, _original(line), old, new)
            if task and before and len(task.text) >= least_chars:
                yield task._replace(earlier=before)
            earlier.append(edit_of(path, old, new))


def _messages(lines: Sequence[str]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    for text in lines:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        message = line.get("message") if isinstance(line, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        if isinstance(content, list):
            yield line, [block for block in content if isinstance(block, dict)]


def _prompt(line: dict[str, Any], blocks: Sequence[dict[str, Any]]) -> str:
    if line.get("type") != "user" or line.get("isMeta"):
        return ""
    return "\n".join(str(one.get("text")) for one in blocks if one.get("type") == "text").strip()


def _original(line: dict[str, Any]) -> str:
    result = line.get("toolUseResult")
    text = result.get("originalFile") if isinstance(result, dict) else None
    return text if isinstance(text, str) else ""


def _task(words: str, path: str, text: str, old: str, new: str) -> Task | None:
    at = text.find(old)
    if not words or not old or at < 0 or len(text) > MOST_CHARS:
        return None
    first = text.count("\n", 0, at) + 1
    replaced = edit_of(path, new, old)  # the other way round: what of the old text goes
    gold = list(range(first + replaced.first, first + replaced.end)) or [
        max(1, first + replaced.first - 1)
    ]
    if len(gold) > MOST_GOLD_LINES:
        return None
    return Task(words[:MOST_TASK_CHARS], path, text, gold, ())


def recall(task: Task, percent: int, recent: Recent, counter: TokenCounter) -> float:
    """Share of the lines to be replaced that are shown."""
    files = {task.path: task.text}
    budget = share_of(files, percent, counter)
    selection = select(task.words, files, budget, counter, recent=recent)
    shown = printed(selection.text, files).shown.get(task.path, set())
    return sum(line in shown for line in task.gold) / len(task.gold)


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--budgets", default="25,15")
    options.add_argument("--least-chars", type=int, default=8000)
    options.add_argument("--every", type=int, default=1, help="only each N-th task")
    given = options.parse_args()
    tasks: list[Task] = []
    sessions = 0
    for path in sorted(given.folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as file:
            found = list(tasks_of(file.readlines(), given.least_chars))
        sessions += bool(found)
        tasks.extend(found)
    tasks = tasks[:: given.every]
    if not tasks:
        print(f"no edits of files that were edited before below {given.folder}", file=sys.stderr)
        return 1
    print(f"{len(tasks)} edits, {sessions} transcripts\n")
    print("| budget | without | with recent edits |\n|---|---:|---:|")
    counter = BytePairCounter()
    for percent in map(int, given.budgets.split(",")):
        without = [recall(one, percent, NOTHING_RECENT, counter) for one in tasks]
        with_edits = [recall(one, percent, Recent(one.earlier), counter) for one in tasks]
        means = (sum(without) / len(tasks), sum(with_edits) / len(tasks))
        print(f"| {percent} % | {means[0]:.1%} | {means[1]:.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
