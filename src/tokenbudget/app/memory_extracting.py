"""`tokens skills extract`: which sections of a memory file could be skills, and making them so."""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.compacting_place import spellings
from tokenbudget.app.skill_splitting import own_text
from tokenbudget.config.layers import project_dir
from tokenbudget.model.actions import EditText
from tokenbudget.model.errors import Refused
from tokenbudget.resources.definitions import SKILL_NAME
from tokenbudget.resources.kind import AGENT_FOLDER
from tokenbudget.resources.looking import names_in
from tokenbudget.resources.memory_extracting import Unproven, extracted, sections_of
from tokenbudget.system.regular_file import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import TokenCounter
    from tokenbudget.resources.memory_extracting import Extracted, Section

CAUSE = "tokens skills extract"
SKILLS = "skills"
MEMORY_NAMES = ("CLAUDE.md", "CLAUDE.local.md", "AGENTS.md")
MOST_CALLS = 200_000
DAYS = 60
_DAY_MS = 86_400_000


class Candidates(NamedTuple):
    """The sections of a memory file that could go."""

    path: str
    text: str
    skills: str
    """The folder of skills that they would go to."""
    sections: tuple[Section, ...]
    sessions: int
    """Of the project in the last `DAYS` days: what the evidence is of."""


def candidates(bench: Workbench, named: str, counter: TokenCounter) -> Candidates:
    """What could be moved out of a memory file.

    Raises:
        SourceUnreadable, Refused: it cannot be read, or must not be changed.
    """
    path = os.path.abspath(named)
    text = own_text(path)
    skills, project = _skills_folder(bench.settings, path)
    since_ms = bench.clock.now_ms() - DAYS * _DAY_MS
    folders = spellings(project) if project else ()
    touched = bench.ledger.work.touched(folders, since_ms, MOST_CALLS) if folders else []
    sections = sections_of(text, counter.count, touched)
    return Candidates(path, text, skills, tuple(sections), len({one for one, _ in touched}))


def _skills_folder(settings: Settings, path: str) -> tuple[str, str]:
    """(the folder of skills beside a memory file, its project)."""
    folder, name = os.path.split(path)
    real = os.path.realpath(folder)
    for agent_folder in settings.claude_dirs:
        if real == os.path.realpath(agent_folder) and name in MEMORY_NAMES:
            return os.path.join(folder, SKILLS), ""
    project = project_dir(settings.working_dir, settings.home_dir)
    tops = [os.path.realpath(project)] if project else []
    if name not in MEMORY_NAMES or real not in (*tops, *(f"{one}/{AGENT_FOLDER}" for one in tops)):
        raise Refused(
            f"{quoted(path)} is no memory file of this project or of yours that every request"
            " brings along; name one, such as CLAUDE.md, from inside its project"
        )
    is_inner = os.path.basename(folder) == AGENT_FOLDER
    return os.path.join(folder, *(() if is_inner else (AGENT_FOLDER,)), SKILLS), project


def made(
    found: Candidates, chosen: Sequence[Section], counter: TokenCounter
) -> tuple[Extracted, tuple[EditText, ...]]:
    """The texts of the chosen sections as skills, and the steps that write them.

    Raises:
        Refused: a line would be lost.
    """
    way = os.path.relpath(found.skills, os.path.dirname(found.path))
    try:
        done = extracted(found.text, chosen, names_in(found.skills), way, counter.count)
    except Unproven as wrong:
        raise Refused(f"{quoted(found.path)} is left as it is: {wrong}") from wrong
    steps = [
        EditText(os.path.join(found.skills, one.name, SKILL_NAME), None, one.skill)
        for one in done.extracts
    ]
    return done, (*steps, EditText(found.path, found.text, done.after))
