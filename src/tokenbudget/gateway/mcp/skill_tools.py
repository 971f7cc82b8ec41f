"""Two more tools for agents that know no skills: find one by task, load it, or one file of it.

Only what lies in the folders of the skills that are handed in is ever read, no link out of them, no
more than so much of it. Everything told is the skills' own text.
"""

from __future__ import annotations

import difflib
import os
from typing import NamedTuple

from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.looking import names_in, real, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_SKILLS = 500
MOST_BYTES = 1_000_000
MOST_CHARACTERS = 60_000
"""Of one answer: about 15,000 tokens, more than any skill that is worth loading."""
MOST_FILES = 40
LONGEST_ABOUT = 160
LONGEST_NAME = 80
SKILL_NAME = "SKILL.md"
_READABLE = (".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".py", ".sh", ".js", ".ts", ".csv")

DEFINITIONS: tuple[dict[str, object], ...] = (
    {
        "name": "find_skills",
        "description": "Find written how-tos (skills) for a task.",
        "inputSchema": {
            "type": "object",
            "properties": {"task": {"type": "string"}},
            "required": ["task"],
        },
    },
    {
        "name": "load_skill",
        "description": "Read a skill, or a file that it names.",
        "inputSchema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "reference": {"type": "string"}},
            "required": ["name"],
        },
    },
)
"""As `tools/list` tells them."""


class SkillText(NamedTuple):
    """A skill that may be found and loaded."""

    name: str
    about: str
    """Its description, with when to use it."""
    body: str
    """Its text below the front matter."""
    folder: str
    """Its own folder, by its real path; what lies outside of it is not read."""


def skill_texts(folders: Sequence[str]) -> list[SkillText]:
    """The skills in these folders (`…/skills`); of one name the first folder's."""
    found: dict[str, SkillText] = {}
    for top in folders:
        for name in names_in(top)[:MOST_SKILLS]:
            folder = real(os.path.join(top, name))
            text = text_at(os.path.join(folder, SKILL_NAME), (real(top),), MOST_BYTES)
            if text is not None and len(found) < MOST_SKILLS:
                found.setdefault(name, _skill(name, text, folder))
    return list(found.values())


def _skill(name: str, text: str, folder: str) -> SkillText:
    matter = front_matter(text)
    about = " - ".join(filter(None, (matter.words("description"), matter.words("when_to_use"))))
    return SkillText(one_line(name), about, text[matter.body_at :].strip(), folder)


def find_skills(
    skills: Sequence[SkillText],
    task: str,
    limit: int = 5,
    uses: Mapping[str, int] | None = None,
) -> str:
    """The skills that a task calls for, one a line, the best first."""
    from tokenbudget.resources.skill_matching import Candidate, matched

    if not skills:
        return "There are no skills here."
    rows = matched(task, [Candidate(one.name, one.about) for one in skills], uses)
    fitting = [row for row in rows if row.words]
    if not fitting:
        return f"No skill fits; there are: {_listed([one.name for one in skills])}."
    abouts = {one.name: one.about for one in skills}
    lines = [
        f"{row.name[:LONGEST_NAME]} — {_cut(one_line(abouts[row.name]), LONGEST_ABOUT)}"
        for row in fitting[: max(1, limit)]
    ]
    more = len(fitting) - len(lines)
    return "\n".join([*lines, *([f"{more} more match."] if more else [])])


def load_skill(skills: Sequence[SkillText], name: str, reference: str | None = None) -> str:
    """The text of a skill, or of a file beside it that its text names."""
    skill = next((one for one in skills if one.name == name), None)
    if skill is None:
        near = difflib.get_close_matches(name[:LONGEST_NAME], [one.name for one in skills], 3, 0.4)
        hint = f" Near: {', '.join(near)}." if near else " find_skills(task) looks for one."
        return f"No skill is named {_quoted(name)}.{hint}"
    if reference is None:
        files = _files(skill.folder)
        told = f"\n\nFiles: {_listed(files)}" if files else ""
        return (
            _cut(skill.body, MOST_CHARACTERS, f"\n… cut at {MOST_CHARACTERS:,} characters") + told
        )
    return _reference(skill, reference)


def _reference(skill: SkillText, reference: str) -> str:
    parts = reference.replace("\\", "/").split("/")
    text = None
    if not os.path.isabs(reference) and ".." not in parts and "\0" not in reference:
        text = text_at(os.path.join(skill.folder, reference), (skill.folder,), MOST_BYTES)
    if text is None:
        files = _files(skill.folder)
        has = f"It has: {_listed(files)}." if files else "It has no other files."
        return f"{skill.name} has no text file {_quoted(reference)}. {has}"
    return _cut(text, MOST_CHARACTERS, f"\n… cut at {MOST_CHARACTERS:,} characters")


def _files(folder: str) -> list[str]:
    """Texts in a skill's folder, two folders deep; links are not followed."""
    found: list[str] = []
    for top, below, names in os.walk(folder):
        is_deep = os.path.relpath(top, folder).count("/") >= 1
        below[:] = [] if is_deep else sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(top, name)
            if name == SKILL_NAME and top == folder:
                continue
            if name.lower().endswith(_READABLE) and not os.path.islink(path):
                found.append(one_line(os.path.relpath(path, folder)))
        if len(found) > MOST_FILES:
            break
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_FILES} more" if len(names) > MOST_FILES else ""
    return ", ".join(name[:LONGEST_NAME] for name in names[:MOST_FILES]) + more


def _quoted(name: str) -> str:
    return f"'{_cut(one_line(name), LONGEST_NAME)}'"


def _cut(text: str, most: int, mark: str = "…") -> str:
    return text if len(text) <= most else text[:most].rstrip() + mark
