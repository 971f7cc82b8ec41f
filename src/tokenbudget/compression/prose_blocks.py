"""Markdown as blocks: which lines are prose that may be rewritten, and which are kept as they are.

Joined again without a change the blocks are the text, byte for byte.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT, PROSE, ROW, RULE = "kept", "prose", "row", "rule"

LONGEST_PROSE_CHARS = 20_000
"""What is longer is no paragraph: it is kept, and no rule searches it."""

FULL_LINE_CHARS = 50
"""A shorter line ends where its writer wanted it to end; it is not joined with the next."""
SHORT_LINE_CHARS = 30
"""So is a line of this length, except where a sentence stops in its middle."""

_FENCE = re.compile(r"^[ \t]*(?:[-*+] +|\d+[.)] +|> ?)*(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:\s|$)")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)\s*$")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_KEPT = re.compile(
    r"^\s*(?:<[A-Za-z/!?]"  # HTML
    r"|\[[^\]]+\]:\s"  # the target of a reference
    r"|@\S+\s*$"  # a file that the agent takes in
    r"|>"  # what is quoted is meant word by word
    r"|[^\n]*[─-╿])"  # drawings
)
_LEAD = re.compile(r"^(\s*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\] +)?)?)")
_MARKER = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s")


class Block(NamedTuple):
    """Some lines of the text."""

    kind: str
    original: str
    """All of it, without the newline after it."""
    lead: str = ""
    """Indentation and list marks of prose; they stay."""
    text: str = ""
    """Of prose: what follows the lead, with wrapped lines joined."""

    @property
    def wrapped(self) -> str:
        """Of prose: what follows the lead, as it was wrapped."""
        return self.original[len(self.lead) :]


def blocks_of(text: str) -> list[Block]:
    """The text in blocks; their originals joined by newlines are the text."""
    lines = text.split("\n")
    found: list[Block] = []
    at = 0
    is_listed = False
    while at < len(lines):
        may_be_code = not is_listed and not (found and found[-1].kind == PROSE)
        end = _end_of_kept(lines, at, may_be_code=may_be_code)
        block = Block(KEPT, "\n".join(lines[at:end])) if end > at else _block_at(lines, at)
        if found and found[-1].kind == ROW and _is_plain(block):
            block = Block(KEPT, block.original)  # a row without bars
        is_listed = _is_listed_after(block, is_listed)
        found.append(block)
        at += block.original.count("\n") + 1
    return found


def _is_plain(block: Block) -> bool:
    return block.kind == PROSE and not _MARKER.match(block.original)


def _is_listed_after(block: Block, is_listed: bool) -> bool:
    """Whether what is indented below the block would belong to an item of a list."""
    if block.kind == PROSE and not _is_plain(block):
        return True
    return is_listed and (not block.original.strip() or block.original.startswith((" ", "\t")))


def begins_a_block(text: str) -> bool:
    """Whether a line that begins like this is no paragraph: a heading, a list, a table, code."""
    kinds = (_FENCE, _HEADING, _MARKER, _ROW, _RULE, _UNDERLINE, _KEPT)
    return any(kind.match(text) for kind in kinds)


def _end_of_kept(lines: Sequence[str], at: int, *, may_be_code: bool) -> int:
    """Where the lines end that are kept together from here; `at` itself where none are."""
    line = lines[at]
    if at == 0 and line.rstrip() in ("---", "+++"):
        return _after(lines, 1, line.rstrip()) or 0
    fence = _FENCE.match(line)
    if fence:
        return _after_fence(lines, at + 1, fence[1])
    if "<!--" in line and "-->" not in line.split("<!--", 1)[1]:
        return next((n + 1 for n in range(at, len(lines)) if "-->" in lines[n]), len(lines))
    if may_be_code and line.startswith(("    ", "\t")):  # no code inside a list or a paragraph
        return next(
            (n for n in range(at, len(lines)) if not lines[n].startswith(("    ", "\t"))),
            len(lines),
        )
    return at


def _after(lines: Sequence[str], start: int, closing: str) -> int:
    return next((n + 1 for n in range(start, len(lines)) if lines[n].rstrip() == closing), 0)


def _after_fence(lines: Sequence[str], start: int, fence: str) -> int:
    for number in range(start, len(lines)):
        bare = lines[number].strip(" \t>")
        if bare.startswith(fence) and not bare.strip(fence[0]):
            return number + 1
    return len(lines)


def _block_at(lines: Sequence[str], at: int) -> Block:
    line = lines[at]
    if _is_kept(lines, at):
        return Block(KEPT, line)
    if _RULE.match(line):
        is_free = (at == 0 or not lines[at - 1].strip()) and not "".join(lines[at + 1 : at + 2])
        return Block(RULE if is_free else KEPT, line)
    if _ROW.match(line):
        return Block(ROW, line)
    end = _end_of_paragraph(lines, at)
    lead = _LEAD.match(line)
    first = lead[1] if lead else ""
    words = [line[len(first) :].rstrip(), *(one.strip() for one in lines[at + 1 : end])]
    # Two spaces at the end of a line break it, and a carriage return belongs to its end.
    last = lines[end - 1]
    tail = last[len(last.rstrip()) :]
    return Block(PROSE, "\n".join(lines[at:end]), first, " ".join(words) + tail)


def _is_kept(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    below = lines[at + 1] if at + 1 < len(lines) else ""
    return (
        not line.strip()
        or len(line) > LONGEST_PROSE_CHARS
        or bool(_HEADING.match(line) or _KEPT.match(line))
        or bool(_UNDERLINE.match(below) and not _RULE.match(line) and not _MARKER.match(line))
        or bool(_UNDERLINE.match(line) and at and lines[at - 1].strip() and "|" not in line)
    )


def _end_of_paragraph(lines: Sequence[str], at: int) -> int:
    """After the last line that is joined with this one: those that a full line was wrapped into."""
    end = at + 1
    size = len(lines[at])
    while end < len(lines) and size < LONGEST_PROSE_CHARS and _goes_on(lines, end):
        size += len(lines[end])
        end += 1
    return end


def _goes_on(lines: Sequence[str], at: int) -> bool:
    above, line = lines[at - 1], lines[at]
    if above.rstrip("\r").endswith(("  ", "\\")):
        return False
    if "|" in above or "|" in line:  # a table without outer bars
        return False
    is_amid = line.lstrip()[:1].islower() and above.rstrip()[-1:] not in (*".:!?;*|", "")
    if (
        len(above) < (SHORT_LINE_CHARS if is_amid else FULL_LINE_CHARS)
        or not line.strip()
        or _is_kept(lines, at)
    ):
        return False
    if any(one.match(line) for one in (_FENCE, _MARKER, _ROW, _RULE)):
        return False
    first_word = line.split(None, 1)[0]
    if first_word[0].islower():
        return True
    is_unfinished = above.rstrip()[-1] not in ".:!?*" and first_word[0] in '`("[<'
    return is_unfinished or len(above) + 1 + len(first_word) > _width(lines, at)


def _width(lines: Sequence[str], at: int) -> int:
    """How long the lines around this one grow before they are wrapped."""
    around = [*_until_blank(lines, at - 1, -1), *_until_blank(lines, at, 1)]
    return max(map(len, around))


def _until_blank(lines: Sequence[str], at: int, step: int) -> Iterator[str]:
    for _ in range(8):
        if not 0 <= at < len(lines) or not lines[at].strip():
            return
        yield lines[at]
        at += step
