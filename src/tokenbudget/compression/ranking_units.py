"""What a task says of whole functions: by their words, their names, tracebacks and calls."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from tokenbudget.compression.ranking_words import COMMON, IDENTIFIER, Lexicon, terms
from tokenbudget.compression.structure import CLASS, WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.compression.ranking_task import Task
    from tokenbudget.compression.structure import Block, Structure

MOST_SAME_NAME = 4
"""A name with more definitions than this (`__init__`, `get`) links nothing."""
EARLIER_FRAME = 0.6
"""A function further up in a traceback, beside 1 for the last one of its file."""
WEAK_NAME = 0.45
"""A plain word that happens to be a name counts as no mention of it below this."""


class UnitFacts(NamedTuple):
    """What is known of a function, or of a stretch between functions."""

    unit_lexical: float
    unit_rank: float
    unit_named: float
    unit_parts: float
    class_named: float
    framed: float
    neighbour: float
    extra: float
    lines: int

    def shared(self) -> dict[str, float]:
        """What its blocks take over as it is."""
        found = self._asdict()
        del found["lines"]
        return found


def unit_facts(
    task: Task, structures: Sequence[Structure], extra: Sequence[float]
) -> tuple[list[list[UnitFacts]], Mapping[str, float]]:
    """For every block of every file the facts of its unit; and how rare each term is."""
    units = [(one, unit) for one in structures for unit in one.units]
    words = [terms(one.text(unit.first, unit.end)) for one, unit in units]
    lexicon = Lexicon(words)
    lexical = _scaled(lexicon.scores(task.weights))
    named = [_named(task, one, unit) for one, unit in units]
    framed = _framed(task, structures)
    seeds = [
        min(1.0, 0.5 * lexical[at] + named[at] + framed[(id(one), unit.section)])
        for at, (one, unit) in enumerate(units)
    ]
    neighbours = _neighbours(units, seeds)
    ranks = _reciprocal_ranks(lexical)
    further = _reciprocal_ranks(extra) if len(extra) == len(units) else [0.0] * len(units)
    facts = [
        UnitFacts(
            lexical[at],
            ranks[at],
            named[at],
            _name_parts(task, one, unit, lexicon.rarity),
            _class_named(task, one, unit),
            framed[(id(one), unit.section)],
            neighbours[at],
            further[at],
            unit.end - unit.first,
        )
        for at, (one, unit) in enumerate(units)
    ]
    return _by_block(structures, facts), lexicon.rarity


def _by_block(structures: Sequence[Structure], facts: Sequence[UnitFacts]) -> list[list[UnitFacts]]:
    found: list[list[UnitFacts]] = []
    base = 0
    for one in structures:
        row, number = [], 0
        for block in one.blocks:
            while block.first >= one.units[number].end:
                number += 1
            row.append(facts[base + number])
        found.append(row)
        base += len(one.units)
    return found


def _scaled(scores: Sequence[float]) -> list[float]:
    most = max(scores, default=0.0)
    return [score / most if most > 0 else 0.0 for score in scores]


def _reciprocal_ranks(scores: Sequence[float]) -> list[float]:
    """1 for the best, then 1/2, 1/3, …; 0 for what scores nothing: alike on any scale."""
    found = [0.0] * len(scores)
    for rank, at in enumerate(sorted(range(len(scores)), key=lambda at: -scores[at])):
        if scores[at] > 0:
            found[at] = 1 / (1 + rank)
    return found


def _named(task: Task, structure: Structure, unit: Block) -> float:
    """Whether the task writes the name of the function."""
    name = structure.sections[unit.section].name
    if unit.section == WHOLE or structure.sections[unit.section].kind == CLASS:
        return 0.0
    strength = task.names.get(name, 0.0)
    return strength if strength >= WEAK_NAME else 0.0


def _class_named(task: Task, structure: Structure, unit: Block) -> float:
    at = unit.section
    while at > WHOLE:
        if structure.sections[at].kind == CLASS:
            return task.names.get(structure.sections[at].name, 0.0)
        at = structure.sections[at].parent
    return 0.0


def _name_parts(
    task: Task, structure: Structure, unit: Block, rarity: Mapping[str, float]
) -> float:
    """Share of the words in the function's name that the task has, the rare ones weighing more."""
    name = structure.sections[unit.section].name
    parts = {part for part in terms(name) if part != name.lower() and part not in COMMON}
    if not parts:
        return 0.0
    whole = sum(sorted(rarity.get(part, 0.0) for part in parts))
    held = sum(sorted(rarity.get(part, 0.0) for part in parts if part in task.weights))
    return held / whole if whole else 0.0


def _framed(task: Task, structures: Sequence[Structure]) -> defaultdict[tuple[int, int], float]:
    """Functions that stand in a traceback, by file and section."""
    found: defaultdict[tuple[int, int], float] = defaultdict(float)
    for one in structures:
        base = one.path.rsplit("/", 1)[-1]
        frames = [frame for frame in task.frames if frame.path.rsplit("/", 1)[-1] == base]
        for number, frame in enumerate(frames):
            strength = 1.0 if number == len(frames) - 1 else EARLIER_FRAME
            for index, section in enumerate(one.sections):
                if frame.name and section.name == frame.name:
                    key = (id(one), one.unit_section(index))
                    found[key] = max(found[key], strength)
    return found


def _neighbours(units: Sequence[tuple[Structure, Block]], seeds: Sequence[float]) -> list[float]:
    """For each function the strongest seed among those that it calls or that call it."""
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for at, (one, unit) in enumerate(units):
        if unit.section != WHOLE:
            by_name[one.sections[unit.section].name].append(at)
    found = [0.0] * len(units)
    for at, (one, unit) in enumerate(units):
        used = set(IDENTIFIER.findall(one.text(unit.first, unit.end)))
        for name in used & by_name.keys():
            others = by_name[name]
            if len(others) > MOST_SAME_NAME:
                continue
            for other in others:
                if other != at:
                    found[at] = max(found[at], seeds[other])
                    found[other] = max(found[other], seeds[at])
    return found
