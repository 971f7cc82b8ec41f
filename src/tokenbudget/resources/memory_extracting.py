"""Sections of a memory file that are rarely needed, each as a skill of its own.

Pure. A memory file is paid in every request; a skill costs its line, and its text where it is
loaded. So what always holds stays (orders, style, security), and what is long and about one path,
tool or task can go. The skill's words are the section's own: its heading and its first sentence
say when it is meant.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import NamedTuple

from tokenbudget.model.plain_text import one_line
from tokenbudget.resources.skill_judging import is_loud, lead_of
from tokenbudget.resources.skill_links import (
    anchor_of,
    definitions_in,
    from_folder,
    labels_in,
    links_in,
    restored,
    rewritten,
)
from tokenbudget.resources.skill_parts import PROSE, lines_with_ends, parts_of
from tokenbudget.resources.text_blocks import blocks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tokenbudget.resources.text_blocks import Block

LEAST_TOKENS = 150
"""The line in the listing and the pointer are about 60 together."""
LEAST_SAVED_TOKENS = 60
RARE_SHARE, LEAST_SESSIONS = 0.25, 4
"""A section is rarely needed where fewer of at least so many sessions touched what it names."""
LONG_TOKENS = 300
"""Where nobody can tell how often it is needed, only a long one is recommended."""
LONGEST_DESCRIPTION, LONGEST_NAME = 240, 40
MOST_PATHS, LONGEST_PATHS = 3, 90
LONGEST_TITLE = 80
_FIRM = re.compile(
    r"\b(?:must|never|always|do not|don['\u2019]t|forbidden|required)\b", re.IGNORECASE
)
FIRM_EVERY_TOKENS = 80
"""A section with more orders than one in so many tokens is a list of rules: it stays."""
_ALWAYS = re.compile(
    r"\b(?:rules?|style|conventions?|security|secrets?|privacy|principles?|guidelines?|overview"
    r"|about|important|critical|always|never|communication|language|tone|workflow|structure"
    r"|commits?|architecture|bootstrap|after|before|prevention|documentation|commands|tests?|testing"
    r"|checklists?|quick ?start|getting started|definition of done|reviews?|pull requests?|git"
    r"|release notes|requirements?|preferences?|identity|role|memory|constraints?|invariants?"
    r"|practices|direction|key|where|context|current|general|notes?)\b"
)
_CODE = re.compile(r"`([^`\n]{2,120})`")
_PATH = re.compile(r"(?:\.{0,2}/)?[\w.@-]+(?:/[\w.@*-]+)+/?|[\w-]+\.[a-z][a-z0-9]{0,5}(?!\w)")


class Section(NamedTuple):
    """A section that could be a skill."""

    start: int
    end: int
    title: str
    tokens: int
    paths: tuple[str, ...]
    """Paths and files that it names: what it is about."""
    sessions: int | None
    """In how many sessions one of these was touched; None where that cannot be told."""
    is_recommended: bool


class Extract(NamedTuple):
    """A section as a skill."""

    section: Section
    name: str
    skill: str
    """The text of its SKILL.md."""
    pointer: str
    """The line that stays in the memory file."""
    cost_tokens: int
    """In every request: the pointer, and the line in the listing of skills."""

    @property
    def saved_tokens(self) -> int:
        """In every request that does not load it."""
        return self.section.tokens - self.cost_tokens


class Extracted(NamedTuple):
    """A memory file without some sections."""

    after: str
    extracts: tuple[Extract, ...]


class Unproven(Exception):
    """Our own fault: a line would be lost. Nothing is written."""


def sections_of(
    text: str, count: Callable[[str], int], touched: Sequence[tuple[str, str]]
) -> list[Section]:
    """The sections that could go, in order.

    Args:
        text: The memory file's.
        count: Tokens of a text.
        touched: (session, path or command's target) of the calls in the project.
    """
    sessions = {session for session, _ in touched}
    found: list[Section] = []
    ties, at = _ties_of(text), _by_part(touched)
    end = 0
    for block in blocks_of(text):
        if block.start < end or not _can_go(text, block, ties, count):
            continue
        end = block.end
        found.append(_section(text, block, count, at, len(sessions)))
    return found


def _can_go(text: str, block: Block, ties: _Ties, count: Callable[[str], int]) -> bool:
    words = text[block.start : block.end]
    titles = [block.title, *(one.partition(" ")[2] for one in block.under)]
    if block.level < 2 or not block.title or not block.is_loose:
        return False
    if any(_ALWAYS.search(title.lower()) for title in titles) or is_loud(words):
        return False
    tokens = count(words)
    if tokens < LEAST_TOKENS or len(_FIRM.findall(words)) * FIRM_EVERY_TOKENS > tokens:
        return False
    return not ties.hold(words)


class _Ties(NamedTuple):
    """What the links of a text hold together: read once, for there may be many sections."""

    anchors: Counter[str]
    labels: Counter[str]
    defined: frozenset[str]

    def hold(self, words: str) -> bool:
        """Whether links lead between these words of the text and its rest."""
        inner = _ties_of(words)
        own = {anchor_of(line.lstrip("# ")) for line in words.splitlines() if line[:1] == "#"}
        is_cited = any(self.anchors[one] > inner.anchors[one] for one in own)
        is_used = any(self.labels[one] > inner.labels[one] for one in inner.defined)
        uses = (self.defined - inner.defined) & set(inner.labels)
        return is_cited or is_used or bool(uses) or bool(set(inner.anchors) - own)


def _ties_of(text: str) -> _Ties:
    anchors = Counter(link.anchor for link in links_in(text) if not link.path)
    return _Ties(anchors, labels_in(text), frozenset(definitions_in(text)))


def _section(
    text: str,
    block: Block,
    count: Callable[[str], int],
    at: Mapping[str, Sequence[tuple[str, str]]],
    sessions: int,
) -> Section:
    words = text[block.start : block.end]
    tokens = count(words)
    paths = paths_in(words)
    used = None
    if paths and sessions >= LEAST_SESSIONS:
        used = len(set[str]().union(*(_sessions_at(path, at) for path in paths)))
    is_about_one = bool(paths) and tokens >= LONG_TOKENS
    rare = is_about_one if used is None else used < RARE_SHARE * sessions
    return Section(block.start, block.end, block.title, tokens, paths, used, rare)


def paths_in(words: str) -> tuple[str, ...]:
    """The paths and files that a section names in code."""
    spans = [span for span in _CODE.findall(words) if "//" not in span]
    kept = (_plain(path) for span in spans for path in _PATH.findall(span))
    return tuple(dict.fromkeys(path for path in kept if len(path) > 2))


def _plain(path: str) -> str:
    """A path from the project on; of a pattern the folders before it."""
    before, star, _ = path.removeprefix("./").removeprefix("/").partition("*")
    return (before.rpartition("/")[0] if star else before).rstrip("/")


def _sessions_at(path: str, at: Mapping[str, Sequence[tuple[str, str]]]) -> set[str]:
    """The sessions that touched a path, or something in it."""
    last = path.rpartition("/")[2]
    return {session for session, target in at.get(last, ()) if f"/{path}/" in f"/{target}/"}


def _by_part(touched: Sequence[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Who touched what, by each part of the way to it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in touched:
        for part in set(one[1].split("/")):
            found.setdefault(part, []).append(one)
    return found


# ── the texts ────────────────────────────────────────────────────────────────────────────────────


def extracted(
    text: str,
    chosen: Sequence[Section],
    taken: Collection[str],
    way: str,
    count: Callable[[str], int],
) -> Extracted:
    """The memory file without these sections, and each as a skill.

    Args:
        text: The memory file's.
        chosen: Of `sections_of`, in order.
        taken: Names of skills that there are.
        way: From the memory file's folder to the folder of skills.
        count: Tokens of a text.

    Raises:
        Unproven: a line would not be where it has to be.
    """
    used = {name.lower() for name in taken}
    line_end = "\r\n" if "\r\n" in text else "\n"
    extracts: list[Extract] = []
    parts: list[str] = []
    at = 0
    for section in chosen:
        name = _free_name(section.title, used)
        used.add(name)
        one = _extract(text, section, name, way, line_end, count)
        extracts.append(one)
        parts += [text[at : section.start], one.pointer, line_end]
        if section.end < len(text):
            parts.append(line_end)
        at = section.end
    return Extracted("".join((*parts, text[at:])), tuple(extracts))


def _extract(
    text: str, section: Section, name: str, way: str, line_end: str, count: Callable[[str], int]
) -> Extract:
    words = text[section.start : section.end]
    folder = posixpath.join(way, name)
    new = {link.target: from_folder(link.target, folder) for link in links_in(words) if link.path}
    moved, edits = rewritten(words, new)
    if restored(moved, edits) != words:
        raise Unproven(f"the links of '{section.title}' could not be had back")
    about = description_of(words, section.title)
    matter = [
        "---",
        f"name: {name}",
        f"description: '{about.replace(chr(39), chr(39) * 2)}'",
        "---",
    ]
    skill = line_end.join((*matter, "", moved))
    pointer = f"{section.title.strip()}: skill `{name}`."
    cost = count(pointer + "\n") + count(f"- {name}: {about}\n")
    return Extract(section, name, skill, pointer, cost)


def description_of(words: str, title: str) -> str:
    """What it is, and when it is meant, in the section's own words."""
    plain_title = re.sub(r"[`*_]", "", one_line(" ".join(title.split())))
    plain_title = plain_title[:LONGEST_TITLE].rstrip(":. ")
    parts = parts_of(lines_with_ends(words))
    first = next((part for part in parts if part.kind == PROSE), None)
    sentence = "" if first is None else " ".join((lead_of(first) or first.text).split())
    sentence = one_line(sentence) if len(sentence.split()) > 2 else ""
    sentence = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence).replace("*", "").rstrip(":")
    named = ", ".join(paths_in(words)[:MOST_PATHS])
    about = f"{plain_title} ({named})" if 0 < len(named) <= LONGEST_PATHS else plain_title
    when = f"Use for work on: {about}."
    room = LONGEST_DESCRIPTION - len(when) - len(plain_title) - 4
    if len(sentence) > room:
        sentence = f"{sentence[: max(0, room - 1)].rpartition(' ')[0].rstrip(',;:')}…"
    if len(sentence) < 3:
        return f"{plain_title}. {when}"
    end = "" if sentence[-1] in ".!?…" else "."
    return f"{plain_title}: {sentence}{end} {when}"


def _free_name(title: str, used: Collection[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower().encode("ascii", "ignore").decode()).strip("-")
    base = plain if len(plain) <= LONGEST_NAME else plain[:LONGEST_NAME].rsplit("-", 1)[0]
    base = base or "notes"
    name, number = base, 1
    while name in used:
        number += 1
        name = f"{base}-{number}"
    return name
