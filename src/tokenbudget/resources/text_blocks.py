"""A memory file's Markdown, cut into the sections and paragraphs that a person would point at."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.resources.front_matter import front_matter
from tokenbudget.resources.memory_loading import imports_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
MOST_LINES = 50_000


class Block(NamedTuple):
    """A stretch of a text, whole lines with the blank ones behind them."""

    start: int
    end: int
    level: int
    """Of a section, its heading's; 0 for a paragraph."""
    title: str
    key: str
    """Its words, whatever white space is between them."""
    under: tuple[str, ...]
    """The headings that it stands below, without the title of the whole file: the same words below
    another heading may mean another thing."""
    is_loose: bool
    """Nothing else depends on it: no import, no comment, no tag that belongs together."""


class _Line(NamedTuple):
    start: int
    end: int
    level: int
    title: str
    is_blank: bool
    is_code: bool


def blocks_of(text: str) -> list[Block]:
    """Sections and paragraphs in the order of the text, a section before what is in it."""
    lines = _lines(text)
    tops = sum(line.level == 1 for line in lines)
    found = [*_sections(text, lines), *_paragraphs(text, lines)]
    if tops == 1:
        found = [_below_title(block) for block in found]
    return sorted(found, key=lambda block: (block.start, -block.end, -block.level))


def words_of(text: str) -> str:
    """The words of a text with single spaces between them: equal words, equal text."""
    return " ".join(text.split())


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    at, fence = front_matter(text).body_at, ""
    while at < len(text) and len(lines) < MOST_LINES:
        end = text.find("\n", at) + 1 or len(text)
        line = text[at:end].rstrip("\r\n")
        mark = _FENCE.match(line)
        is_code = bool(fence or mark)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
        heading = None if is_code else _HEADING.match(line[:500])
        level, title = (len(heading[1]), heading[2] or "") if heading else (0, "")
        lines.append(_Line(at, end, level, title, not line.strip(), is_code))
        at = end
    return lines


def _sections(text: str, lines: Sequence[_Line]) -> Iterator[Block]:
    """Every heading with what belongs to it."""
    open_ones: list[_Line] = []

    def closed(end: int) -> Block:
        heading = open_ones.pop()
        return _block(text, heading.start, end, heading, open_ones)

    for line in lines:
        while line.level and open_ones and open_ones[-1].level >= line.level:
            yield closed(line.start)
        if line.level:
            open_ones.append(line)
    while open_ones:
        yield closed(lines[-1].end)


def _paragraphs(text: str, lines: Sequence[_Line]) -> Iterator[Block]:
    above: list[_Line] = []
    start, end, is_open = -1, -1, False
    for line in lines:
        is_words = not line.level and (line.is_code or not line.is_blank)
        if start >= 0 and (line.level or (is_words and not is_open)):
            yield _block(text, start, end, None, above)
            start = -1
        if line.level:
            above = [one for one in above if one.level < line.level] + [line]
        elif is_words and start < 0:
            start = line.start
        end, is_open = line.end, is_words
    if start >= 0:
        yield _block(text, start, end, None, above)


def _below_title(block: Block) -> Block:
    """The block without the file's title above it."""
    under = tuple(one for one in block.under if not one.startswith("1 "))
    return block._replace(under=under)


def _block(text: str, start: int, end: int, heading: _Line | None, above: Sequence[_Line]) -> Block:
    words = text[start:end]
    is_tagged = any(line.lstrip().startswith("<") for line in words.splitlines())
    is_torn = "<!--" in words or "-->" in words or _has_open_fence(words)
    is_loose = not is_tagged and not is_torn and not imports_of(words)
    level, title = (0, "") if heading is None else (heading.level, heading.title)
    under = tuple(f"{one.level} {one.title}" for one in above)
    return Block(start, end, level, title, words_of(words), under, is_loose)


def _has_open_fence(words: str) -> bool:
    fence = ""
    for line in words.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
    return bool(fence)
