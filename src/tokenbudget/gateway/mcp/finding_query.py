"""A task as several searches: its steps, what its files need, what its words call for unsaid."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from tokenbudget.gateway.mcp.finding_concepts import (
    ADDING_PICTURE,
    FILE_KINDS,
    NEEDS,
    PICTURES,
    RUNNING,
    Need,
    joined,
    spoken,
)
from tokenbudget.gateway.mcp.finding_words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_CHARS = 4_000
MOST_STEPS, MOST_UNSAID = 16, 40
WHOLE = 0.8
"""The weight of the whole text beside its steps."""
VOTE = 0.5
"""How much of its weight each further word or phrase adds to a step that it calls for."""

_BLANKS = re.compile(r"\s{2,}")
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
            "sav|writ|creat|mak|generat|draft|export|put|stor|produc|output|download|report|tutorial"
            "|keep|leav|record|gather|collect|compil|nam|call",
            "保存|写入|生成|创建",
        ),
        (
            "read|open|load|from|analy|under|given|look|check|import|pars|convert|summari|translat"
            "|extract|view|show|tell|based|process|compar|find|search|count|use|using|tak|describ|see"
            r"|explain|contain|split|cut|(?:is|are|was|were|has|have|there)\b",
            "读取|打开",
        ),
        (
            "edit|add|append|insert|embed|modif|updat|replac|fix|chang|remov|delet|renam|swap|lock"
            "|protect|past|attach|appl|highlight|format|tidy|clean",
            "修改|编辑|添加",
        ),
        ("run|execut|launch|start", "运行|执行"),
    )
)
"""To write a file, to read it, to change it, to run it."""
_INTO = re.compile(r"\b(?:to|into|as)\s+(?:a\s+|the\s+)?(?:file\s+)?['\"`]?$", re.IGNORECASE)
_LONGEST_INTO = 40
"""Characters before a file in which `_INTO` stands, with room to spare."""
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
    text = _plainly_spaced(task[:MOST_CHARS])
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


def _plainly_spaced(text: str) -> str:
    """The text with one blank for several in a row, and one line end with a blank on either side.

    `_STEP` looks from each of them for what may follow the last: from a thousand, half a million
    times.
    """
    return _BLANKS.sub(_plain_blank, text)


def _plain_blank(found: re.Match[str]) -> str:
    blanks = found[0]
    if "\n" not in blanks:
        return " "
    before, after = ("" if end == "\n" else " " for end in (blanks[0], blanks[-1]))
    return f"{before}\n{after}"


def _without_paths(text: str) -> str:
    """The text with what a path is instead of how it is named: folders say nothing of tools."""
    text = _FILE.sub(
        lambda found: f" {found[1]} file " if found[1].lower() in FILE_KINDS else found[0], text
    )
    return " ".join(_FOLDER.sub(" folder ", text).split())


def _of_files(steps: list[str]) -> Iterator[Need]:
    """What the files that a task names need, by what is to be done with them."""
    for step in steps:
        files = [match for match in _FILE.finditer(step) if match[1].lower() in FILE_KINDS]
        if files:
            deeds = [[found.start() for found in verbs.finditer(step)] for verbs in _VERBS]
            for match in files:
                at = match.start()
                yield from _of_file(
                    match[1].lower(),
                    [_last(starts, at) for starts in deeds],
                    is_target=bool(_INTO.search(step[max(0, at - _LONGEST_INTO) : at])),
                )


def _of_file(ending: str, deeds: Sequence[int], *, is_target: bool) -> Iterator[Need]:
    """What one file needs, by the last verb before it, or by `to` and `as` right before it."""
    kind = FILE_KINDS[ending]
    written, read, edited, run = deeds
    if run > max(written, read, edited):
        yield from RUNNING
    elif edited > max(written, read):
        yield from (ADDING_PICTURE,) if ending in PICTURES else kind.editing
    elif is_target:
        yield from kind.writing
    else:
        yield from kind.reading if read > written else kind.writing


def _last(starts: Sequence[int], at: int) -> int:
    """The last of some verbs' places before `at`; -1 where there is none."""
    before = bisect_left(starts, at)
    return starts[before - 1] if before else -1


def _of_words(text: str) -> Iterator[Need]:
    """What the words of a task call for; of a phrase and a word in it both.

    A step that several words call for weighs more than one that a single word does.
    """
    tokens = spoken(text)
    callers: dict[str, dict[str, float]] = {}
    for size in range(_LONGEST_TRIGGER, 0, -1):
        for at in range(len(tokens) - size + 1):
            caller = joined(tokens[at : at + size])
            for need in NEEDS.get(caller, ()):
                weights = callers.setdefault(need.text, {})
                weights[caller] = max(weights.get(caller, 0.0), need.weight)
    for said, weights in callers.items():
        most = max(weights.values())
        yield Need(said, most + VOTE * (sum(weights.values()) - most))
