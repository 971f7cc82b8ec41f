"""Copies that stand where the agent reads everything, so that every request pays for them."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis import window_pieces
from tokenbudget.model.actions import UNKNOWN_WEIGHT
from tokenbudget.resources.definitions import (
    DESCRIPTION_CHARACTERS,
    SKILL_NAME,
    agents_in,
    skills_in,
)
from tokenbudget.resources.looking import Walk, facts_of, is_plainly_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.model.actions import Effect, Weight
    from tokenbudget.resources.kind import Place
    from tokenbudget.resources.looking import FileFacts
    from tokenbudget.resources.memory_loading import MemoryFile
    from tokenbudget.resources.weights import Weights

MOST_FILES = 200
"""Of a skill's folder that is a copy; a larger one is left to the person."""


class SentCopy(NamedTuple):
    """A copy that is sent, and the files that it is made of."""

    path: str
    original: str
    """What it is a copy of, as a person calls it."""
    files: tuple[FileFacts, ...]
    """Empty where it may not be taken away."""
    weight: Weight
    effect: Effect
    """Measured: a memory file is read again at a compaction, skills and agents at the start."""


def sent_copies(place: Place, memory: Sequence[MemoryFile], weights: Weights) -> Iterator[SentCopy]:
    """The copies in the project by their names: memory files, skills, agents."""
    for file in memory:
        if file.leftover_of and file.scope in ("project", "local"):
            weight = (
                UNKNOWN_WEIGHT
                if file.is_conditional
                else weights.of_memory_file(file.path, file.sent)
            )
            original = place.name_of(file.leftover_of)
            # Whoever imports a copy by its name wants it: then the import is what is to go.
            files = () if file.imported_by else _single(place, file.path)
            yield SentCopy(file.path, original, files, weight, "next compaction")
    for skill in skills_in(place, DESCRIPTION_CHARACTERS):
        if skill.leftover_of and skill.line and not skill.is_users:
            folder, name = os.path.split(skill.path)
            is_folder = name == SKILL_NAME  # a command is a single file among others
            path = folder if is_folder else skill.path
            files = _all_in(place, folder) if is_folder else _single(place, skill.path)
            weight = weights.of_line(window_pieces.SKILLS, skill.line)
            yield SentCopy(path, skill.leftover_of, files, weight, "next start")
    for agent in agents_in(place):
        if agent.leftover_of and not agent.is_users:
            weight = weights.of_line(window_pieces.AGENTS, agent.line)
            files = _single(place, agent.path)
            yield SentCopy(agent.path, agent.leftover_of, files, weight, "next start")


def _single(place: Place, path: str) -> tuple[FileFacts, ...]:
    facts = facts_of(path)
    is_ours = facts is not None and facts.is_ours and is_plainly_inside(path, place.project)
    return (facts,) if facts is not None and is_ours else ()


def _all_in(place: Place, folder: str) -> tuple[FileFacts, ...]:
    """Every file of a folder; none where something in it is not plainly this person's."""
    if not is_plainly_inside(folder, place.project):
        return ()
    found: list[FileFacts] = []
    walk = Walk(folder, place.clock, most_entries=MOST_FILES, skipped=frozenset())
    for below in walk.folders():
        for name in below.files:
            facts = facts_of(os.path.join(below.path, name))
            if facts is None or not facts.is_ours:
                return ()
            found.append(facts)
    return () if walk.cut else tuple(found)
