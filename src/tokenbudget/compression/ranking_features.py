"""What is known of each block of some files in view of a task, as numbers from 0 to 1."""

from __future__ import annotations

import math
from typing import NamedTuple

from tokenbudget.compression.ranking_recent import NOTHING_RECENT, recency_of
from tokenbudget.compression.ranking_units import UnitFacts, unit_facts
from tokenbudget.compression.ranking_words import terms
from tokenbudget.compression.selection_telling import UNTOLD
from tokenbudget.compression.structure import (
    BLANK,
    CLASS,
    COMMENT,
    DOC,
    FILE,
    HEAD,
    IMPORT,
    WHOLE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.compression.ranking_recent import Recent
    from tokenbudget.compression.ranking_task import Task
    from tokenbudget.compression.selection_telling import Teller
    from tokenbudget.compression.structure import Block, Structure

WINDOW_LINES = 5
"""A hit makes the lines around it likelier, less with every line, up to here."""
NEAR_LINES = 12
"""Line numbers of a task's tracebacks come from another version of the file."""


class Features(NamedTuple):
    """One block, as the model sees it."""

    unit_lexical: float
    """BM25 of the function (or the stretch between functions) around it."""
    unit_rank: float
    """The same as a rank among all: 1 for the best, then 1/2, 1/3, …"""
    unit_named: float
    """The task writes the function's name."""
    unit_parts: float
    """Share of the words in the function's name that the task has."""
    class_named: float
    """The task writes the name of the class around it."""
    framed: float
    """The function stands in a traceback: 1 for the last of a file, less for those above."""
    neighbour: float
    """How strongly the task points at a function that calls this one or is called by it."""
    extra: float
    """Its rank by a further ranker, as `unit_rank`; 0 without one."""
    window: float
    """Words of the task in the lines around."""
    window_rank: float
    own: float
    """Words of the task in the block itself."""
    mentions: float
    """The block uses a name that the task marks as code."""
    quoted: float
    """A line of it stands in the task."""
    near_line: float
    """A line number in the task points at it, or a few lines off."""
    short_unit: float
    """1 for a function of a few lines, towards 0 for a long one: of few lines each is likelier."""
    is_doc: float
    is_comment: float
    is_import: float
    is_head: float
    is_blank: float
    is_in_class: float
    """Stands directly in a class, between its methods."""
    is_in_file: float
    """Stands directly in the file, between its definitions."""
    is_last: float
    """The last block of its function: where lines are added."""
    hit_in_unit: float
    """Window and function agree: their product."""
    edited: float
    """How recently a line of the block was written; 0 where nothing is known of edits."""
    edited_file: float
    """The same of the file, beside the other files."""


def features_of(
    task: Task,
    structures: Sequence[Structure],
    extra: Sequence[float] = (),
    recent: Recent = NOTHING_RECENT,
    tell: Teller = UNTOLD,
) -> list[list[Features]]:
    """The features of every block of every file; `extra` has one figure for each unit."""
    facts, rarity = unit_facts(task, structures, extra)
    tell(0.4)
    weights = {term: weight * rarity.get(term, 0.0) for term, weight in task.weights.items()}
    own = [_own_hits(one, weights) for one in structures]
    windows = [_windows(one, hits) for one, hits in zip(structures, own, strict=True)]
    most_own, most_window = _most(own), _most(windows)
    ranks = _ranks(windows)
    recency = recency_of(recent, structures)
    tell(0.7)
    found: list[list[Features]] = []
    for number, structure in enumerate(structures):
        near = _near_lines(task, structure)
        rows = []
        for at, block in enumerate(structure.blocks):
            fact = facts[number][at]
            window = windows[number][at] / most_window
            edited = recency[number][at]
            rows.append(
                Features(
                    **fact.shared(),
                    window=window,
                    window_rank=ranks[number][at],
                    own=own[number][at] / most_own,
                    mentions=_mentions(task, structure, block),
                    quoted=_quoted(task, structure, block),
                    near_line=near.get(block.first, 0.0),
                    **_shape(structure, block, fact),
                    hit_in_unit=window * fact.unit_lexical,
                    edited=edited.block,
                    edited_file=edited.file,
                )
            )
        found.append(rows)
        tell(0.7 + 0.3 * len(found) / len(structures))
    return found


def _own_hits(structure: Structure, weights: Mapping[str, float]) -> list[float]:
    found = []
    for block in structure.blocks:
        words = set(terms(structure.text(block.first, block.end)))
        found.append(sum(sorted(weights[word] for word in words if word in weights)))
    return found


def _windows(structure: Structure, hits: Sequence[float]) -> list[float]:
    """The hits of each block and of those around it in the same function."""
    owners = [structure.unit_section(block.section) for block in structure.blocks]
    blocks = structure.blocks
    found = []
    for at, block in enumerate(blocks):
        total = hits[at]
        for step in (-1, 1):
            other = at + step
            while 0 <= other < len(blocks) and owners[other] == owners[at]:
                far = (
                    block.first - blocks[other].end + 1
                    if step < 0
                    else blocks[other].first - block.end + 1
                )
                if far > WINDOW_LINES:
                    break
                total += hits[other] * (1 - far / (WINDOW_LINES + 1))
                other += step
        found.append(total)
    return found


def _ranks(scores: Sequence[Sequence[float]]) -> list[list[float]]:
    """Each score as a rank over all files: 1 for the best, 1/2 for the 10th after it."""
    order = sorted(
        ((number, at) for number, row in enumerate(scores) for at in range(len(row))),
        key=lambda place: -scores[place[0]][place[1]],
    )
    found = [[0.0] * len(row) for row in scores]
    for rank, (number, at) in enumerate(order):
        if scores[number][at] > 0:
            found[number][at] = 10 / (10 + rank)
    return found


def _most(scores: Sequence[Sequence[float]]) -> float:
    return max((value for row in scores for value in row), default=0.0) or 1.0


def _mentions(task: Task, structure: Structure, block: Block) -> float:
    from tokenbudget.compression.ranking_words import IDENTIFIER

    text = structure.text(block.first, block.end)
    found = (task.names.get(name, 0.0) for name in IDENTIFIER.findall(text))
    return max(found, default=0.0)


def _quoted(task: Task, structure: Structure, block: Block) -> float:
    lines = structure.lines[block.first : block.end]
    return float(any(line.strip() in task.quoted for line in lines))


def _near_lines(task: Task, structure: Structure) -> dict[int, float]:
    """By the first line of a block: how near a line lies that the task points at."""
    name = structure.path.rsplit("/", 1)[-1]
    places = [one.line - 1 for one in task.frames if one.path.rsplit("/", 1)[-1] == name]
    found: dict[int, float] = {}
    for block in structure.blocks if places else ():
        far = min(max(block.first - place, place - block.end + 1, 0) for place in places)
        if far <= NEAR_LINES:
            found[block.first] = 1 - far / (NEAR_LINES + 1)
    return found


def _shape(structure: Structure, block: Block, fact: UnitFacts) -> dict[str, float]:
    section = structure.sections[block.section]
    return {
        "short_unit": 1 / (1 + math.log2(max(1, fact.lines)) / 2),
        "is_doc": float(block.kind == DOC),
        "is_comment": float(block.kind == COMMENT),
        "is_import": float(block.kind == IMPORT),
        "is_head": float(block.kind == HEAD),
        "is_blank": float(block.kind == BLANK),
        "is_in_class": float(section.kind == CLASS and block.kind != HEAD),
        "is_in_file": float(section.kind == FILE and block.kind not in (HEAD, IMPORT)),
        "is_last": float(block.section != WHOLE and block.end >= section.end),
    }
