"""`tokens skills split`: read a skill, split it, and write the core and its references together.

The references are written first and SKILL.md last, and only when all of them stand: whatever stops
it, the skill says all it said.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app.acting import acting_bench
from tokenbudget.app.journal import carry_out
from tokenbudget.config.layers import project_dir
from tokenbudget.model.actions import EditText, Outcome, Proposal, Weight
from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.resources.definitions import SKILL_NAME
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.looking import is_inside
from tokenbudget.resources.skill_checks import references_of
from tokenbudget.resources.skill_splitting import FOLDER, NothingToSplit, Unproven, split_of
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.regular_file import quoted
from tokenbudget.system.rooted import Rooted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.config.settings import Settings
    from tokenbudget.model.actions import ActionRecord, Step
    from tokenbudget.model.protocols import Clock, TokenCounter
    from tokenbudget.resources.skill_splitting import Split

CAUSE = "tokens skills split"
MOST_BYTES = 1_000_000
RESOURCE = "skills"
_UPDATED = ("cache", "marketplaces", "repos")
"""Folders in the agent's `plugins`; what an update fetches lies there."""


class Planned(NamedTuple):
    """What splitting a skill means."""

    path: str
    """The SKILL.md."""
    split: Split | NothingToSplit
    steps: tuple[EditText, ...]
    """References first; () where there is nothing to split."""
    notes: tuple[str, ...]
    """Broken links that the skill already has, a sentence each."""


class InOrder(Workshop):
    """Does no step after one that failed: what stands in the others is still in the last file."""

    _has_failed = False

    def prepare(self, step: Step) -> Outcome:
        """As its parent; refused once a step has failed, which it may do here already."""
        if self._has_failed:
            return Outcome("failed", "not done, for a file that belongs to it was not written")
        return self._noted(super().prepare(step))

    def apply(self, step: Step) -> Outcome:
        """As its parent."""
        return self._noted(super().apply(step))

    def _noted(self, outcome: Outcome) -> Outcome:
        self._has_failed = self._has_failed or outcome.state == "failed"
        return outcome


def planned(settings: Settings, named: str, counter: TokenCounter) -> Planned:
    """What splitting the SKILL.md means that is named (or whose folder is).

    Raises:
        SourceUnreadable: it is not there, or cannot be read.
        Refused: it is no file of this person's own, belongs to a plugin, is no skill, or its
            references lead in a circle.
    """
    path = os.path.abspath(named)
    if os.path.isdir(path):
        path = os.path.join(path, SKILL_NAME)
    _refuse_a_plugins(settings, path)
    text = own_text(path)
    _refuse_what_is_no_skill(path, text)
    folder = os.path.dirname(path)
    links = references_of(folder, text)
    circles = [one for one in links.circles if SKILL_NAME not in one]
    if circles:
        way = " → ".join((*circles[0], circles[0][0]))
        raise Refused(
            f"references of {quoted(path)} lead in a circle ({quoted(way)}); cut it first"
        )
    notes = tuple(f"leads nowhere: {one}" for one in (*links.missing, *links.outside))
    taken = _names_in(os.path.join(folder, FOLDER))
    try:
        split = split_of(text, taken, counter.count)
    except Unproven as wrong:
        raise Refused(f"{quoted(path)} is left as it is: {wrong}") from wrong
    if isinstance(split, NothingToSplit):
        return Planned(path, split, (), notes)
    steps = [
        EditText(os.path.join(folder, FOLDER, one.name), None, one.text) for one in split.references
    ]
    return Planned(path, split, (*steps, EditText(path, text, split.core)), notes)


def own_text(path: str) -> str:
    """The text of a file that may be changed; its ends of lines and its BOM as they are.

    Raises:
        SourceUnreadable: it is not there.
        Refused: a link, another's file, no UTF-8, or too large.
    """
    folder = os.path.dirname(path)
    if os.path.islink(folder) or os.path.islink(path):
        raise Refused(f"{quoted(path)} is a link; name the file that it leads to")
    found = Rooted([folder]).read(path)
    if found is None:
        raise SourceUnreadable(f"there is no {quoted(path)}")
    if len(found.content) > MOST_BYTES:
        raise Refused(f"{quoted(path)} has more than {MOST_BYTES:,} bytes; it is left as it is")
    try:
        return found.content.decode()
    except UnicodeDecodeError as wrong:
        raise Refused(f"{quoted(path)} is no UTF-8 text; it is left as it is") from wrong


def carried_out(
    settings: Settings,
    clock: Clock,
    steps: Sequence[EditText],
    *,
    cause: str,
    title: str,
    freed_tokens: int,
) -> ActionRecord:
    """Write the files through the journal, the last one only when the others stand.

    Raises:
        LedgerUnusable, Refused: nothing was changed.
    """
    from tokenbudget.system.kept import Kept
    from tokenbudget.system.trash import Trash

    project = place_of(settings, steps)
    data_dir = settings.data_dir
    workshop = InOrder(Trash(data_dir, clock), Kept(data_dir), [project], clock, cause=cause)
    freed = Weight(freed_tokens, 0, "estimated")
    proposal = Proposal(cause, RESOURCE, title, "", freed, 0, "next start", True, tuple(steps))
    with acting_bench(settings, clock) as bench:
        return carry_out(bench, workshop, cause, project, [proposal])


def place_of(settings: Settings, steps: Sequence[EditText]) -> str:
    """The project that all the files lie in, or the folder that holds them all."""
    paths = [step.path for step in steps]
    project = project_dir(settings.working_dir, settings.home_dir)
    if project and all(is_inside(path, (project,)) for path in paths):
        return project
    return os.path.commonpath([os.path.dirname(path) for path in paths])


def _refuse_a_plugins(settings: Settings, path: str) -> None:
    real = os.path.realpath(path)
    for folder in settings.claude_dirs:
        tops = [os.path.realpath(os.path.join(folder, "plugins", name)) for name in _UPDATED]
        if is_inside(real, tops):
            raise Refused(
                f"{quoted(path)} is a plugin's; its next update would undo a split. Copy the skill"
                " into .claude/skills, and split the copy"
            )


def _refuse_what_is_no_skill(path: str, text: str) -> None:
    matter = front_matter(text)
    if os.path.basename(path) != SKILL_NAME:
        raise Refused(f"{quoted(path)} is no {SKILL_NAME}; name a skill's, or its folder")
    if not matter.body_at:
        is_open = text.removeprefix("\ufeff").startswith("---")
        what = "its front matter has no end" if is_open else "it has no front matter"
        raise Refused(f"{quoted(path)}: {what}; the agent could not tell what it is for")


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as wrong:
        raise SourceUnreadable(f"cannot read {quoted(folder)}: {wrong.strerror}") from wrong
