"""Which moved parts share a reference: those of one section, small neighbours, those that cite."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.resources.skill_choosing import KEPT
from tokenbudget.resources.skill_links import anchors_of, circle_in, links_in
from tokenbudget.resources.skill_parts import BLANK, HEADING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tokenbudget.resources.skill_parts import Part

SMALL_TOKENS, LARGE_TOKENS = 350, 1_500
"""What is smaller shares a file with its neighbour; a section that is larger is cut by its own."""
MOST_FILES = 12
_LONGEST_NAME = 28


class File(NamedTuple):
    """The parts of one reference, in order."""

    name: str
    parts: tuple[int, ...]


def grouped(parts: Sequence[Part], tokens: Sequence[int], state: Sequence[str]) -> list[list[int]]:
    """The parts that do not stay, in groups of one file each."""
    depth = _depth(parts)
    sections: dict[tuple[int, ...], list[int]] = {}
    for index, part in enumerate(parts):
        if state[index] != KEPT:
            sections.setdefault(_section(part, index, depth), []).append(index)
    groups: list[list[int]] = []
    for members in sections.values():
        groups += _cut(parts, tokens, members, depth)
    groups = [one for one in groups if any(parts[at].kind != BLANK for at in one)] or groups[:1]
    stray = [at for members in sections.values() for at in members]
    _add_stray(groups, stray)
    groups = _merged_small(tokens, groups)
    return _without_circles(parts, groups)


def _add_stray(groups: list[list[int]], moved: Sequence[int]) -> None:
    """Blank lines that no group has taken go with the group before them."""
    held = {at for one in groups for at in one}
    for at in moved:
        if at not in held:
            groups[0].append(at)
            groups[0].sort()


def _depth(parts: Sequence[Part]) -> int:
    """The level of headings of which there are several: the sections of the skill."""
    levels = [part.level for part in parts if part.kind == HEADING]
    return next((one for one in range(1, 7) if levels.count(one) > 1), 2)


def _section(part: Part, index: int, depth: int) -> tuple[int, ...]:
    """The headings down to the section that a part stands in."""
    own = (*part.above, index) if part.kind == HEADING else part.above
    return own[:2] if depth > 1 else own[:1]


def _cut(
    parts: Sequence[Part], tokens: Sequence[int], members: list[int], depth: int
) -> list[list[int]]:
    """A section, or where it is large its own sections."""
    if sum(tokens[at] for at in members) <= LARGE_TOKENS:
        return [members]
    found: list[list[int]] = [[]]
    for at in members:
        is_begun = parts[at].kind == HEADING and parts[at].level == depth + 1
        if is_begun and sum(tokens[one] for one in found[-1]) >= SMALL_TOKENS:
            found.append([])
        found[-1].append(at)
    return found


def _merged_small(tokens: Sequence[int], groups: list[list[int]]) -> list[list[int]]:
    """Neighbours together until each is worth a fetch, and there are not too many."""
    groups, sizes = _filled(tokens, groups)
    while len(groups) > 1 and (min(sizes) < SMALL_TOKENS or len(groups) > MOST_FILES):
        least = min(range(len(groups)), key=sizes.__getitem__)
        sides = [at for at in (least - 1, least + 1) if 0 <= at < len(groups)]
        other = min(sides, key=sizes.__getitem__)
        first, second = sorted((least, other))
        groups[first] = sorted(groups[first] + groups.pop(second))
        sizes[first] += sizes.pop(second)
    return groups


def _filled(tokens: Sequence[int], groups: list[list[int]]) -> tuple[list[list[int]], list[int]]:
    """Very small neighbours together, in one pass however many there are; and the sizes."""
    found: list[list[int]] = []
    sizes: list[int] = []
    for group in groups:
        size = sum(tokens[at] for at in group)
        if sizes and sizes[-1] + size < SMALL_TOKENS:
            found[-1] = sorted(found[-1] + group)
            sizes[-1] += size
        else:
            found.append([*group])
            sizes.append(size)
    return found, sizes


def _without_circles(parts: Sequence[Part], groups: list[list[int]]) -> list[list[int]]:
    """Files that would cite each other become one: whoever reads is not sent back and forth."""
    cited = {at: _cited(part) for at, part in enumerate(parts) if "](#" in part.text}
    while cited and len(groups) > 1:
        homes = anchor_homes(parts, groups)
        leads = {
            str(number): [str(to) for to in _homes_of(one, cited, homes) if to not in (-1, number)]
            for number, one in enumerate(groups)
        }
        circle = circle_in(leads)
        if not circle:
            break
        first, second = sorted({int(circle[0]), int(circle[1])})
        groups[first] = sorted(groups[first] + groups.pop(second))
    return groups


def _cited(part: Part) -> list[str]:
    """The anchors of this very skill that a part's links lead to."""
    return [link.anchor for link in links_in(part.text) if not link.path]


def _homes_of(
    group: Sequence[int], cited: Mapping[int, Sequence[str]], homes: Mapping[str, int]
) -> set[int]:
    return {homes.get(anchor, -1) for at in group for anchor in cited.get(at, ())}


def anchor_homes(parts: Sequence[Part], groups: Sequence[Sequence[int]]) -> dict[str, int]:
    """The group in which the heading of each anchor stands; -1 for the core."""
    headings = [at for at, part in enumerate(parts) if part.kind == HEADING]
    anchors = anchors_of([parts[at].title for at in headings])
    where = {at: number for number, one in enumerate(groups) for at in one}
    return {anchor: where.get(at, -1) for at, anchor in zip(headings, anchors, strict=True)}


# ── names ────────────────────────────────────────────────────────────────────────────────────────


def named_files(
    parts: Sequence[Part], groups: Sequence[Sequence[int]], taken: Collection[str]
) -> list[File]:
    """Each group with the name of its file: after its first section, none that is taken."""
    used = {name.lower() for name in taken}
    found = []
    for group in groups:
        name = _free_name(_title(parts, group), used)
        used.add(name)
        found.append(File(name, tuple(group)))
    return found


def _title(parts: Sequence[Part], group: Sequence[int]) -> str:
    """Of the section that a group begins in, below the title of the skill."""
    for at in group:
        above = [*parts[at].above, *([at] if parts[at].kind == HEADING else [])]
        titles = [parts[one].title for one in above if parts[one].level > 1]
        if titles:
            return titles[0]
    return ""


def _free_name(title: str, used: Collection[str]) -> str:
    plain = title.lower().encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"^\d+[.)]\s*", "", plain)).strip("-")
    base = words[:_LONGEST_NAME].rsplit("-", 1)[0] if len(words) > _LONGEST_NAME else words
    base = base or "details"
    name, number = f"{base}.md", 1
    while name in used:
        number += 1
        name = f"{base}-{number}.md"
    return name
