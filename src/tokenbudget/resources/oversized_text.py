"""Move the longest sections of a memory file into files that are read when they are needed."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from tokenbudget.resources.moved_links import Leaving, MovedLinks
from tokenbudget.resources.text_blocks import Block, blocks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

LARGEST_TOKENS = 5_000
"""What the standard plan of a 200,000-token window allots to a project's words about itself
(`budget.allocation`, `symbols`). The vendor's advice of 200 lines for a memory file is about as
much. It is the same in a larger window, for it is paid in every request."""
SMALLEST_SECTION_TOKENS = 200
"""What is moved leaves a heading and a line of about 30 tokens behind."""
MOST_SECTIONS = 12


class Moved(NamedTuple):
    """A section in a file of its own."""

    name: str
    text: str
    title: str


class Slimmed(NamedTuple):
    """A memory file without its longest sections."""

    after: str
    moved: tuple[Moved, ...]


def slimmed(
    text: str,
    place: str,
    folder: str,
    taken: Collection[str],
    tokens_of: Callable[[str], int],
) -> Slimmed | None:
    """The text with its longest sections moved to `folder`; their links lead where they led.

    Sections go until the rest is small enough. None where it is small enough, or nothing can go.

    Args:
        text: The memory file's.
        place: Where it is, as the project knows it, such as `docs/CLAUDE.md`.
        folder: Likewise.
        taken: Names in that folder.
        tokens_of: Tokens of a text.
    """
    left = tokens_of(text) - LARGEST_TOKENS
    if left <= 0:
        return None
    sized = [(tokens_of(text[b.start : b.end]), b) for b in _movable(text)]
    chosen: list[Block] = []
    for tokens, block in sorted(sized, key=lambda pair: (-pair[0], pair[1].start)):
        if left <= 0 or tokens < SMALLEST_SECTION_TOKENS or len(chosen) >= MOST_SECTIONS:
            break
        chosen.append(block)
        left -= tokens
    if not chosen:
        return None
    return _moved(text, sorted(chosen, key=lambda block: block.start), place, folder, taken)


def _movable(text: str) -> list[Block]:
    """The sections of the highest level of which there are several."""
    sections = [block for block in blocks_of(text) if block.level]
    for level in range(1, 7):
        found = [block for block in sections if block.level == level]
        if len(found) > 1:
            return [block for block in found if block.is_loose]
    return []


def _moved(
    text: str, blocks: list[Block], place: str, folder: str, taken: Collection[str]
) -> Slimmed:
    leaving = _named(blocks, posixpath.splitext(posixpath.basename(place))[0], taken)
    links = MovedLinks(text, place, folder, leaving)
    parts: list[str] = []
    moved: list[Moved] = []
    at = 0
    line_end = "\r\n" if "\r\n" in text else "\n"
    for number, (block, one) in enumerate(zip(blocks, leaving, strict=True)):
        section = text[block.start : block.end]
        words = links.defined(links.own(section, number), number)
        moved.append(Moved(one.name, words, block.title))
        heading = section.splitlines()[0]
        line = f"Read `{folder}/{one.name}` before you work on this."
        parts += [links.own(text[at : block.start]), heading, line_end * 2, line, line_end]
        if block.end < len(text):
            parts.append(line_end)
        at = block.end
    after = links.defined("".join(parts) + links.own(text[at:]))
    return Slimmed(after, tuple(moved))


def _named(blocks: list[Block], stem: str, taken: Collection[str]) -> list[Leaving]:
    used, leaving = set(taken), []
    for block in blocks:
        name = _free_name(stem, block.title, used)
        used.add(name)
        leaving.append(Leaving(block.start, block.end, name))
    return leaving


def _free_name(stem: str, title: str, used: Collection[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", f"{stem}-{title}".lower().encode("ascii", "ignore").decode())
    base = words.strip("-")[:60].strip("-") or "section"
    name, number = f"{base}.md", 1
    while name in used:
        number += 1
        name = f"{base}-{number}.md"
    return name
