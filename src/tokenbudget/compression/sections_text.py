"""The sections of texts for people: Markdown by its headings, logs and prose by their lines."""

from __future__ import annotations

import re

from tokenbudget.compression.structure import (
    BLANK,
    CODE,
    FILE,
    HEAD,
    HEADING,
    Section,
    Structure,
    blocks_between,
    innermost,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.{1,200})")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,4}[.)])\s")
_RULE = re.compile(r" {0,3}(?:={3,}|-{3,})\s*$")


def markdown_structure(path: str, lines: Sequence[str]) -> Structure:
    """The structure of Markdown: headings outside of code; paragraphs, items, whole code blocks."""
    sections = [Section(FILE, "", 0, len(lines), -1)]
    open_sections: list[tuple[int, int]] = [(0, 0)]
    cuts: list[int] = []
    heads: set[int] = set()
    is_fenced, was_blank = False, True
    for at, line in enumerate(lines):
        begins_or_ends_code = _FENCE.match(line) is not None
        if begins_or_ends_code:
            is_fenced = not is_fenced
        level, title = (0, "") if is_fenced else _heading(lines, at)
        if level:
            _close(sections, open_sections, level, at)
            sections.append(Section(HEADING, title, at, len(lines), open_sections[-1][1]))
            open_sections.append((level, len(sections) - 1))
            heads.add(at)
        is_start = was_blank or (at - 1) in heads or _LIST_ITEM.match(line[:40]) is not None
        if line.strip() and (level or (is_start and (not is_fenced or begins_or_ends_code))):
            cuts.append(at)
        was_blank = not line.strip()
    owners = innermost(sections, len(lines))

    def kind_of(first: int, end: int) -> str:
        if first in heads:
            return HEAD
        return CODE if any(lines[at].strip() for at in range(first, end)) else BLANK

    blocks = blocks_between(cuts, len(lines), kind_of, owners.__getitem__)
    return Structure(path, lines, sections, blocks, is_code=False)


def plain_structure(path: str, lines: Sequence[str]) -> Structure:
    """The structure of logs and other text: every line for itself, a stack with its first line."""
    cuts = [
        at
        for at, line in enumerate(lines)
        if line.strip() and not (at and line[:1] in " \t" and lines[at - 1].strip())
    ]
    sections = [Section(FILE, "", 0, len(lines), -1)]

    def kind_of(first: int, end: int) -> str:
        return CODE if any(lines[at].strip() for at in range(first, end)) else BLANK

    blocks = blocks_between(cuts, len(lines), kind_of, lambda line: 0)
    return Structure(path, lines, sections, blocks, is_code=False)


def _heading(lines: Sequence[str], at: int) -> tuple[int, str]:
    """The level and title of a heading on this line; 0 where it is none."""
    found = _HEADING.match(lines[at])
    if found:
        return len(found[1]), found[2].strip().rstrip("#").strip()
    below = lines[at + 1] if at + 1 < len(lines) else ""
    is_text = lines[at].strip() and not lines[at].startswith((" ", "\t", "-", ">", "|", "="))
    is_lone = at == 0 or not lines[at - 1].strip()
    if is_text and is_lone and _RULE.match(below):
        return (1 if "=" in below else 2), lines[at].strip()[:200]
    return 0, ""


def _close(
    sections: list[Section], open_sections: list[tuple[int, int]], level: int, at: int
) -> None:
    """End the sections that a heading of this level ends."""
    while open_sections[-1][0] >= level:
        _, index = open_sections.pop()
        sections[index] = sections[index]._replace(end=at)
