"""A skill's Markdown as parts that stay or move whole: headings, paragraphs, items, code, tables.

Every line is in exactly one part, blank lines in the one before them; so the parts joined are the
text. `compression.sections_text` cuts for being searched and `text_blocks` for being compared: they
cut code that holds fences, items that hold code, and tags that belong together.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEADING, PROSE, ITEM, CODE, TABLE = "heading", "prose", "item", "code", "table"
QUOTE, TAGGED, DEFINITION, BLANK = "quote", "tagged", "definition", "blank"

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}(?=[^`]*$)|~{3,})")
_ITEM = re.compile(r" {0,3}(?:[-*+]|(\d{1,9})[.)])(?:[ \t]+|$)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_TAG = re.compile(r"[ \t]*<([A-Za-z][\w-]{0,40})(?:\s[^<>]{0,200})?>[ \t]*$")
_DEFINITION = re.compile(r" {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)+\|?[ \t]*$")
LONGEST_LINE = 2_000
"""Of one line so much is looked at; what is longer is some paragraph."""
LONGEST_TITLE = 300


class Part(NamedTuple):
    """Neighbouring lines that stay together."""

    first: int
    end: int
    kind: str
    text: str
    """Without the blank lines behind it; ends of lines as `\\n`."""
    level: int = 0
    """Of a heading."""
    title: str = ""
    above: tuple[int, ...] = ()
    """The headings that it stands below, as their indexes among the parts."""
    is_numbered: bool = False


def lines_with_ends(text: str) -> list[str]:
    """The lines of a text, each with its end; joined they are the text."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def parts_of(lines: Sequence[str]) -> list[Part]:
    """The parts of these lines (each with its end), in order."""
    plain = [line.rstrip("\r\n")[:LONGEST_LINE] for line in lines]
    found: list[Part] = []
    open_headings: list[tuple[int, int]] = []
    unclosed: set[str] = set()
    at = 0
    while at < len(plain):
        kind, stop, level, title = _begun(plain, at, unclosed)
        end = stop
        while end < len(plain) and not plain[end].strip():
            end += 1
        while level and open_headings and open_headings[-1][0] >= level:
            open_headings.pop()
        text = "".join(lines[at:stop]).replace("\r\n", "\n").rstrip()
        above = tuple(index for _, index in open_headings)
        item = _ITEM.match(plain[at])
        is_numbered = kind == ITEM and item is not None and item[1] is not None
        found.append(Part(at, end, kind, text, level, title, above, is_numbered))
        if level:
            open_headings.append((level, len(found) - 1))
        at = end
    return found


def _begun(plain: Sequence[str], at: int, unclosed: set[str]) -> tuple[str, int, int, str]:
    """(kind, the line after it, level, title) of the part that begins here."""
    line = plain[at]
    heading = _HEADING.match(line[:LONGEST_TITLE])
    if heading:
        return HEADING, at + 1, len(heading[1]), (heading[2] or "").strip()
    for kind, end_of in _KINDS:
        end = end_of(plain, at)
        if end > at:
            return kind, end, 0, ""
    end = _after_tag(plain, at, unclosed)
    if end > at:
        return TAGGED, end, 0, ""
    end = _after_prose(plain, at)
    under = _UNDERLINE.match(plain[end]) if end < len(plain) else None
    if under and line.strip():
        return HEADING, end + 1, 1 if under[1][0] == "=" else 2, " ".join(plain[at:end]).strip()
    return PROSE, end, 0, ""


def _after_blank(plain: Sequence[str], at: int) -> int:
    return at if plain[at].strip() else at + 1


def after_fence(plain: Sequence[str], at: int) -> int:
    """The line after the code that a fence opens here; `at` where none does."""
    opened = _FENCE.match(plain[at])
    if not opened:
        return at
    fence = opened[1]
    for number in range(at + 1, len(plain)):
        bare = plain[number].strip()
        if bare.startswith(fence) and not bare.strip(fence[0]):
            return number + 1
    return len(plain)


def _after_tag(plain: Sequence[str], at: int, unclosed: set[str]) -> int:
    """After the tag that is closed by a later line of its own; comments as well.

    A name that was not closed once is not looked for again: a file of a hundred thousand of them
    is read in one pass.
    """
    if plain[at].lstrip().startswith("<!--"):
        name, end = "<!--", _line_with("-->", plain, at, unclosed)
    else:
        opened = _TAG.match(plain[at])
        if not opened:
            return at
        name = opened[1]
        end = None if name in unclosed else _line_closing(name, plain, at)
    if end is None:
        unclosed.add(name)
        return at + 1
    return end + 1


def _line_with(mark: str, plain: Sequence[str], at: int, unclosed: set[str]) -> int | None:
    if "<!--" in unclosed and mark not in plain[at]:
        return None
    return next((n for n in range(at, len(plain)) if mark in plain[n]), None)


def _line_closing(name: str, plain: Sequence[str], at: int) -> int | None:
    begin, close = re.compile(rf"[ \t]*<{name}[\s>]"), f"</{name}>"
    depth = 0
    for number in range(at, len(plain)):
        depth += begin.match(plain[number]) is not None
        depth -= close in plain[number]
        if depth <= 0:
            return number
    return None


def _after_table(plain: Sequence[str], at: int) -> int:
    is_table = plain[at].lstrip().startswith("|") or (
        "|" in plain[at] and at + 1 < len(plain) and _DELIMITER.match(plain[at + 1])
    )
    end = at
    while is_table and end < len(plain) and "|" in plain[end]:
        end += 1
    return end


def _after_item(plain: Sequence[str], at: int) -> int:
    """After an item with all that is indented below it, its code and its inner items."""
    if not _ITEM.match(plain[at]) or _RULE.match(plain[at]):
        return at
    end = at + 1
    while end < len(plain):
        line = plain[end]
        if not line.strip():
            below = _first_filled(plain, end)
            if below is None or not plain[below].startswith(("  ", "\t")):
                return end
            end = below
        elif line.startswith(("  ", "\t")):
            end = max(end + 1, after_fence(plain, end))
        elif not plain[end - 1].strip() or _ends_prose(plain, end):
            return end
        else:
            end += 1
    return end


def _first_filled(plain: Sequence[str], at: int) -> int | None:
    return next((n for n in range(at, len(plain)) if plain[n].strip()), None)


def _after_quote(plain: Sequence[str], at: int) -> int:
    end = at
    while end < len(plain) and plain[end].lstrip().startswith(">"):
        end += 1
    return end


def _after_definition(plain: Sequence[str], at: int) -> int:
    return at + 1 if _DEFINITION.match(plain[at]) else at


def _after_prose(plain: Sequence[str], at: int) -> int:
    end = at + 1
    while end < len(plain) and not _ends_prose(plain, end) and not _UNDERLINE.match(plain[end]):
        end += 1
    return end


def _ends_prose(plain: Sequence[str], at: int) -> bool:
    line = plain[at]
    if not line.strip():
        return True
    kinds = (_HEADING, _FENCE, _ITEM, _TAG)
    begun = line.lstrip()
    is_quote = begun.startswith("> ") or begun == ">"  # `>5%` goes on with a sentence
    return is_quote or begun.startswith(("|", "<!--")) or any(one.match(line) for one in kinds)


_KINDS: tuple[tuple[str, Callable[[Sequence[str], int], int]], ...] = (
    (BLANK, _after_blank),
    (CODE, after_fence),
    (TABLE, _after_table),
    (ITEM, _after_item),
    (QUOTE, _after_quote),
    (DEFINITION, _after_definition),
)
