"""What is wrong with a skill, a command or an agent as a file, and where its links lead.

A fault is a sentence for a person; none of them keeps the rest from being told. References are
followed inside a skill's own folder alone, each file once, so a circle ends where it began.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from tokenbudget.resources.definitions import DESCRIPTION_CHARACTERS, MOST_BYTES, SKILL_NAME
from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.kind import counted, shown
from tokenbudget.resources.looking import is_inside, names_in, real, text_at
from tokenbudget.resources.skill_links import links_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tokenbudget.resources.definitions import Definition

MOST_FILES = 500
"""Of one skill's folder; a collection of assets is not counted to its end."""
MOST_FOLLOWED = 100
CLIENTS_MOST_BYTES = 1_000_000
"""Of a SKILL.md that the client reads: it was seen to take 990,000, and not 1,010,000."""
MOST_TOLD = 3
_MOST_DEPTH = 6
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Attached(NamedTuple):
    """The files that lie beside a SKILL.md: they are read only where the skill says so."""

    paths: tuple[str, ...] = ()
    size_bytes: int = 0
    is_cut: bool = False
    """There are more than were counted."""


class References(NamedTuple):
    """Where the links of a skill lead, file by file."""

    missing: tuple[str, ...] = ()
    """Links to a file that is not there, as `file: link`."""
    outside: tuple[str, ...] = ()
    """Links out of the folder that the skills lie in; one to another skill there is none."""
    circles: tuple[tuple[str, ...], ...] = ()
    """Files that lead to each other, each circle once."""


def faults_in(one: Definition, text: str) -> list[str]:
    """What is wrong with its words."""
    matter = front_matter(text)
    found: list[str] = []
    if _CONTROL.search(text):
        found.append("it holds control characters")
    if not matter.body_at:
        opened = text.removeprefix("\ufeff").startswith("---")
        if opened or one.kind != "command":  # a command needs none
            found.append("its front matter has no end" if opened else "it has no front matter")
    elif not matter.words("description") and one.kind != "command":
        found.append("it has no description")
    has_body = bool(text[matter.body_at :].strip())
    if has_body and not matter.words("description") and one.kind == "skill":
        found.append("the agent is told its first line instead")
    found += _doubled(text[: matter.body_at])
    if not has_body:
        found.append("it has no instructions below the front matter")
    said = " - ".join(filter(None, (matter.words("description"), matter.words("when_to_use"))))
    if one.kind != "agent" and len(said) > DESCRIPTION_CHARACTERS:
        cut = len(said) - DESCRIPTION_CHARACTERS
        found.append(f"the last {counted(cut, 'character')} of its description are cut off")
    return found


def _doubled(matter: str) -> list[str]:
    keys = re.findall(r"^([A-Za-z_][\w-]*)[ \t]*:", matter, re.MULTILINE)
    twice = [key for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return [f"{shown(key)} stands in its front matter twice" for key in twice[:MOST_TOLD]]


class NotRead(NamedTuple):
    """A folder among the skills of which nothing is told."""

    path: str
    why: str
    is_clients: bool
    """The client reads it all the same: only here it is not looked at."""


def unread_skills(top: str, tops: Sequence[str], names: Sequence[str]) -> Iterator[NotRead]:
    """The folders of skills that the client passes over, or that are not looked at here.

    Measured with Claude Code 2.1.270 and 2.1.329: it follows links out of the project, and takes
    a skill that is no UTF-8.
    """
    for name in names:
        folder = os.path.join(top, name)
        path = os.path.join(folder, SKILL_NAME)
        if name.startswith(".") or not os.path.isdir(folder):
            continue
        if text_at(path, tops, MOST_BYTES) is None:
            yield NotRead(path, *_why_unread(path, folder, tops))


def _why_unread(path: str, folder: str, tops: Sequence[str]) -> tuple[str, bool]:
    """Why, and whether the client reads it all the same."""
    place = real(path)
    if not os.path.lexists(path):
        near = [name for name in names_in(folder) if name.lower() == SKILL_NAME.lower()]
        why = f"it is named {shown(near[0])}, not {SKILL_NAME}" if near else f"no {SKILL_NAME}"
        return why, False
    if not os.path.isfile(place):
        return "no file", False
    if not is_inside(place, [real(one) for one in tops]):
        return "a link leads out of here: it is not looked at, though the client reads it", True
    try:
        size_bytes = os.path.getsize(place)
    except OSError:
        return "it cannot be read", False
    if size_bytes > MOST_BYTES:
        is_clients = size_bytes <= CLIENTS_MOST_BYTES
        return f"{size_bytes:,} bytes are too many to be looked at", is_clients
    return "it is no UTF-8: it is not looked at, though the client reads it", True


def attached_to(folder: str) -> Attached:
    """The files beside and below a SKILL.md; links are not followed."""
    paths: list[str] = []
    size_bytes = 0
    for where, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name not in (".git", "__pycache__"))
        if where.count("/") - folder.count("/") >= _MOST_DEPTH:
            below.clear()
        for name in sorted(names):
            path = os.path.join(where, name)
            if (where == folder and name == SKILL_NAME) or os.path.islink(path):
                continue
            if len(paths) >= MOST_FILES:
                return Attached(tuple(paths), size_bytes, True)
            try:
                size_bytes += os.path.getsize(path)
            except OSError:
                continue
            paths.append(path)
    return Attached(tuple(paths), size_bytes)


def references_of(folder: str, text: str) -> References:
    """Where the links of a SKILL.md, and of the files that they lead to, lead."""
    top = real(folder)
    links: dict[str, list[str]] = {}
    missing: list[str] = []
    outside: list[str] = []
    waiting = [(SKILL_NAME, text)]
    while waiting and len(links) < MOST_FOLLOWED:
        name, words = waiting.pop(0)
        links[name] = []
        for link in _links_in(words):
            path = real(os.path.join(top, os.path.dirname(name), link))
            if not path or not is_inside(path, (os.path.dirname(top),)):
                outside.append(f"{name}: {shown(link)}")
            elif not os.path.exists(path):
                missing.append(f"{name}: {shown(link)}")
            elif path.endswith(".md") and is_inside(path, (top,)):
                target = os.path.relpath(path, top)
                links[name].append(target)
                if target not in links and target not in dict(waiting):
                    waiting.append((target, text_at(path, (top,), MOST_BYTES) or ""))
    return References(
        tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(outside)), tuple(_circles(links))
    )


def _links_in(text: str) -> list[str]:
    return list(dict.fromkeys(link.path for link in links_in(text) if link.path))


def _circles(links: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Each circle that a walk from the top closes, told once whichever way it is met."""
    told: set[frozenset[str]] = set()
    done: set[str] = set()
    way: list[str] = []
    # (name, links still to follow): a stack of our own, for a chain may be long
    stack: list[tuple[str, list[str]]] = []

    def enter(name: str) -> None:
        way.append(name)
        stack.append((name, [*links.get(name, ())]))

    if SKILL_NAME in links:
        enter(SKILL_NAME)
    while stack:
        name, left = stack[-1]
        if not left:
            stack.pop()
            way.pop()
            done.add(name)
            continue
        target = left.pop(0)
        if target in way:
            circle = way[way.index(target) :]
            if len(circle) > 1 and frozenset(circle) not in told:
                told.add(frozenset(circle))
                yield tuple(circle)
        elif target not in done:
            enter(target)


def reference_faults(found: References) -> list[str]:
    """What is to be said of the links."""
    said: list[str] = []
    for words, links in (("leads nowhere", found.missing), ("leads out of it", found.outside)):
        said += [f"a link {words} ({link})" for link in links[:MOST_TOLD]]
        if len(links) > MOST_TOLD:
            said.append(f"{len(links) - MOST_TOLD:,} more links: {words}")
    said += [
        f"{shown(' and '.join(circle))} refer to each other" for circle in found.circles[:MOST_TOLD]
    ]
    return said
