"""Skills, commands and custom agents as they are defined in files, and the lines that tell of them.

Measured with Claude Code 2.1.329. A skill is the folder that holds `SKILL.md` and is called by its
name; one for certain `paths`, or with `disable-model-invocation`, has no line in a request. A
command is a file below `commands`, called by its way there (`sub:ship`), and has a line too. An
agent is called by its `name`, and of several with one name a single one has a line. A line is
`- name: description`, of skills shortened to `skillListingMaxDescChars`, of agents with the tools.
"""

from __future__ import annotations

import os
import re
from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.resources.clutter_names import folder_copy_of, named
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.looking import facts_of, names_in, text_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.resources.kind import Place

DefinitionKind: TypeAlias = Literal["skill", "command", "agent"]

SKILL_NAME = "SKILL.md"
DESCRIPTION_CHARACTERS = 1_536
"""The client's own `skillListingMaxDescChars`."""
MOST_DEFINITIONS = 1_000
MOST_BYTES = 262_144
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]*")
"""A title that the client tells beside a skill's name: any other is not in the line."""
_MOST_DEPTH = 6


class Definition(NamedTuple):
    """Something that the model or a person can call."""

    name: str
    """What settings know it by."""
    path: str
    line: str
    """What every request says of it; '' for nothing."""
    is_users: bool
    """It stands in the agent's own folder, for every project."""
    is_typed: bool
    """A person can call it."""
    size_bytes: int
    changed_ms: int
    leftover_of: str
    """What it is a copy of by its place; '' for none."""
    other_names: tuple[str, ...] = ()
    """What it may be told as in the ledger beside its name."""
    kind: DefinitionKind = "skill"
    about: str = ""
    """Its description, and when it is to be used, as far as a line would tell them."""


def skills_in(place: Place, description_characters: int) -> list[Definition]:
    """The skills and commands of the person and of the project.

    A person's own hides the project's of the same name, and a skill a command; measured with
    2.1.270 and 2.1.329. (2.0.76 tells of them all.)
    """
    return list({one.name: one for one in skill_files(place, description_characters)}.values())


def skill_files(place: Place, description_characters: int) -> Iterator[Definition]:
    """Every skill and command there is, those that are hidden by a later one of the name too."""
    for top, tops, is_users in _project_first(place, "commands"):
        yield from commands_below(top, tops, is_users, description_characters)
    for top, tops, is_users in _project_first(place, "skills"):
        yield from skills_below(top, tops, is_users, description_characters)


def skills_below(
    top: str, tops: Sequence[str], is_users: bool, description_characters: int
) -> Iterator[Definition]:
    """The skills of one folder; `tops` are where its files may lie."""
    names = names_in(top)
    for name in names[:MOST_DEFINITIONS]:
        path = os.path.join(top, name, SKILL_NAME)
        text = text_at(path, tops, MOST_BYTES)
        if text is not None:
            copy_of = folder_copy_of(name, frozenset(names))
            one = _skill(name, path, text, description_characters, is_users, copy_of)
            yield _without_title_of_others(one, names)


def commands_below(
    top: str, tops: Sequence[str], is_users: bool, description_characters: int
) -> Iterator[Definition]:
    """The commands of one folder."""
    for path, beside in _markdown_below(top):
        text = text_at(path, tops, MOST_BYTES)
        if text is not None:
            name = os.path.relpath(path, top).removesuffix(".md").replace(os.sep, ":")
            leftover = named(os.path.basename(path), beside)
            copy_of = leftover.original if leftover and leftover.original in beside else ""
            one = _skill(name, path, text, description_characters, is_users, copy_of)
            yield one._replace(kind="command")


def agents_in(place: Place) -> list[Definition]:
    """The custom agents, by name.

    A project's own hides a person's, and of several files in one folder the first is told.
    """
    found: dict[str, Definition] = {}
    for top, tops, is_users in _folders(place, "agents"):
        own: dict[str, Definition] = {}
        for agent in agents_below(top, tops, is_users):
            if agent.name not in own or own[agent.name].leftover_of:
                own[agent.name] = agent
        found |= own
    return list(found.values())


def agent_files(place: Place) -> Iterator[Definition]:
    """Every custom agent there is, those that are hidden by another of the name too."""
    for top, tops, is_users in _folders(place, "agents"):
        yield from agents_below(top, tops, is_users)


def agents_below(top: str, tops: Sequence[str], is_users: bool) -> Iterator[Definition]:
    """The custom agents of one folder."""
    for path, beside in _markdown_below(top):
        text = text_at(path, tops, MOST_BYTES)
        agent = None if text is None else _agent(path, text, is_users, beside)
        if agent is not None:
            yield agent


def _folders(place: Place, kind: str) -> list[tuple[str, tuple[str, ...], bool]]:
    """(folder, where its files may lie, whether it is the person's), the project's last."""
    found = [
        (os.path.join(folder, kind), (folder, place.home or folder), True)
        for folder in reversed(place.claude_dirs)
    ]
    return [*found, (os.path.join(place.agent_folder, kind), (place.project,), False)]


def _project_first(place: Place, kind: str) -> list[tuple[str, tuple[str, ...], bool]]:
    *own, projects = _folders(place, kind)
    return [projects, *own]


def _skill(
    name: str, path: str, text: str, most_characters: int, is_users: bool, copy_of: str
) -> Definition:
    matter = front_matter(text)
    title = matter.words("name")
    told = matter.words("description") or _first_line(text[matter.body_at :])
    when = matter.words("when_to_use")
    words = " - ".join(filter(None, (told, when)))[:most_characters]
    has_title = title != name and _SLUG.fullmatch(title) is not None
    called = f"{name} ({title})" if has_title else name
    is_silent = matter.is_on("disable-model-invocation") or bool(matter.items("paths"))
    size_bytes, changed_ms = _size_and_change(path)
    return Definition(
        name,
        path,
        "" if is_silent else f"- {called}: {words}\n",
        is_users,
        not matter.is_off("user-invocable"),
        size_bytes,
        changed_ms,
        copy_of,
        (title,) if title and title != name else (),
        about=words,
    )


def _without_title_of_others(skill: Definition, names: Sequence[str]) -> Definition:
    """The client tells no title that is the name of another skill."""
    if not set(skill.other_names) & set(names):
        return skill
    return skill._replace(line=skill.line.replace(f" ({skill.other_names[0]})", "", 1))


def _agent(path: str, text: str, is_users: bool, beside: frozenset[str]) -> Definition | None:
    matter = front_matter(text)
    name, told = matter.words("name"), matter.words("description")
    if not name or not told:
        return None  # the client takes it for no agent
    tools = ", ".join(matter.items("tools")) or "All tools"
    leftover = named(os.path.basename(path), beside)
    size_bytes, changed_ms = _size_and_change(path)
    return Definition(
        name,
        path,
        f"- {name}: {told} (Tools: {tools})\n",
        is_users,
        False,
        size_bytes,
        changed_ms,
        leftover.original if leftover and leftover.original in beside else "",
        kind="agent",
        about=told,
    )


def _size_and_change(path: str) -> tuple[int, int]:
    """Size and time of the last change; of a link, those of the moment: it is not judged."""
    facts = facts_of(os.path.realpath(path))
    return (0, 0) if facts is None else (facts.size_bytes, facts.mtime_ns // 1_000_000)


def _first_line(body: str) -> str:
    return next((line.strip("# ").strip() for line in body.splitlines() if line.strip()), "")


def _markdown_below(top: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Every `.md` with the names beside it; links to folders are not followed."""
    left = MOST_DEFINITIONS
    for folder, below, names in os.walk(top):
        below.sort()
        if folder.count("/") - top.count("/") >= _MOST_DEPTH:
            below.clear()
        beside = frozenset(names)
        for name in sorted(names):
            if name.endswith(".md") and left > 0:
                left -= 1
                yield os.path.join(folder, name), beside


def lines_of(definitions: Sequence[Definition]) -> str:
    """All their lines."""
    return "".join(one.line for one in definitions)
