"""A task as several searches: its steps, what its files need, what its words call for unsaid."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_concepts import (
    ADDING_PICTURE,
    FILE_KINDS,
    NEEDS,
    PICTURES,
    RUNNING,
    joined,
    spoken,
)
from tokenbudget.gateway.mcp.finding_words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenbudget.gateway.mcp.finding_concepts import FileKind, Need

MOST_CHARS = 4_000
MOST_STEPS, MOST_UNSAID = 16, 40
WHOLE = 0.8
"""The weight of the whole text beside its steps."""

_STEP = re.compile(
    r"(?<=[.!?;])\s+|[\n\u3002\uff01\uff1f\uff1b\uff0c]+"
    r"|,?\s+(?:and then|then|and also|also|finally|after that|afterwards)\s+"
    r"|,\s+(?:and\s+)?(?=[a-z]+)|\s+and\s+(?=[a-z]{3,}\s)",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?<![\w@:/])(?:[~.]?/|[A-Za-z]:\\)?(?:[\w.@-]{1,80}[/\\]){0,20}[\w@-]{1,80}\.([A-Za-z0-9]{1,8})\b(?!\()"
)
_FOLDER = re.compile(r"(?<![\w:/])[~.]?/[\w.@-]{1,80}(?:/[\w.@-]{0,80}){0,20}")
_VERBS = tuple(
    re.compile(rf"\b(?:{verbs})\w*|{chinese}", re.IGNORECASE)
    for verbs, chinese in (
        (
            "sav|writ|creat|mak|generat|draft|export|put|stor|produc|output|download|report|tutorial",
            "保存|写入|生成|创建",
        ),
        (
            "read|open|load|from|analy|under|given|look|check|import|pars|convert|summari|translat"
            "|extract|view|show|tell|based|process",
            "读取|打开",
        ),
        (
            "edit|add|append|insert|embed|modif|updat|replac|fix|chang|remov|delet|renam",
            "修改|编辑|添加",
        ),
        ("run|execut|launch|start", "运行|执行"),
    )
)
"""To write a file, to read it, to change it, to run it."""
_INTO = re.compile(r"\b(?:to|into|as)\s+(?:a\s+|the\s+)?(?:file\s+)?['\"`]?$", re.IGNORECASE)
_LONGEST_TRIGGER = 4
_ANY_FILE = frozenset({"write file", "read file"})
"""Steps that are better known where the task names its files."""


class Plan(NamedTuple):
    """What to search for, for one text."""

    said: tuple[tuple[str, float], ...]
    """Its steps and the whole, with their weights; one alone where it has one step."""
    unsaid: tuple[Need, ...]


def plan_of(task: str) -> Plan:
    """The searches that a task calls for."""
    text = task[:MOST_CHARS]
    steps = [step for step in _STEP.split(text) if step and step.strip()][:MOST_STEPS]
    said = {spoken: 1.0 for step in steps if words(spoken := _without_paths(step))}
    if len(said) != 1:
        said.setdefault(_without_paths(text), WHOLE)
    unsaid: dict[str, Need] = {}
    of_files = tuple(_of_files(steps))
    of_words = (need for need in _of_words(text) if not of_files or need.text not in _ANY_FILE)
    for need in (*of_files, *of_words):
        known = unsaid.get(need.text)
        if known is None or known.weight < need.weight:
            unsaid[need.text] = need
    return Plan(tuple(said.items()), tuple(unsaid.values())[:MOST_UNSAID])


def _without_paths(text: str) -> str:
    """The text with what a path is instead of how it is named: folders say nothing of tools."""
    text = _FILE.sub(
        lambda found: f" {found[1]} file " if found[1].lower() in FILE_KINDS else found[0], text
    )
    return " ".join(_FOLDER.sub(" folder ", text).split())


def _of_files(steps: list[str]) -> Iterator[Need]:
    """What the files that a task names need, by what is to be done with them."""
    for step in steps:
        for match in _FILE.finditer(step):
            kind = FILE_KINDS.get(match[1].lower())
            if kind is not None:
                yield from _of_file(kind, match[1].lower(), step[: match.start()])


def _of_file(kind: FileKind, ending: str, before: str) -> Iterator[Need]:
    """What one file needs, by the last verb before it, or by `to` and `as` right before it."""
    written, read, edited, run = (_last(verbs, before) for verbs in _VERBS)
    if run > max(written, read, edited):
        yield from RUNNING
    elif edited > max(written, read):
        yield from (ADDING_PICTURE,) if ending in PICTURES else (*kind.reading, *kind.writing)
    elif _INTO.search(before):
        yield from kind.writing
    else:
        yield from kind.reading if read > written else kind.writing


def _last(verbs: re.Pattern[str], before: str) -> int:
    """Where the last of some verbs begins; -1 where there is none."""
    return max((found.start() for found in verbs.finditer(before)), default=-1)


def _of_words(text: str) -> Iterator[Need]:
    """What the words of a task call for; of a phrase and a word in it both."""
    tokens = spoken(text)
    for size in range(_LONGEST_TRIGGER, 0, -1):
        for at in range(len(tokens) - size + 1):
            yield from NEEDS.get(joined(tokens[at : at + size]), ())
