"""Differences as git prints them: headers said twice go, and what nobody reads line by line.

Of the context at the edges of a hunk the line beside a change stays, at `compressed` none; between
changes it always stays, so that what stands together did so. Changed lines are never cut, at no
level, but for those of generated, deleted and, at `compressed`, new files: of these the beginning
stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import BALANCED, COMPRESSED, VERBOSE
from tokenbudget.compression.screen import shown
from tokenbudget.compression.weaving import Cut, apart, cut_of, is_worth, woven

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

HEADERS, CONTEXT, LINES = "headers", "context", "lines"

SHOWN_OF_GENERATED = 6
"""Lines of a lock file's or a minified file's hunk that stay."""
SHOWN_OF_DELETED = 4
SHOWN_OF_NEW = 20
CONTEXT_LINES = {BALANCED: 1, COMPRESSED: 0}
FEWEST_CUT = 6

_GENERATED = re.compile(
    r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?"
    r"|Cargo\.lock|poetry\.lock|uv\.lock|Pipfile\.lock|pdm\.lock|composer\.lock|Gemfile\.lock"
    r"|go\.sum|flake\.lock|mix\.lock|packages\.lock\.json|Podfile\.lock)$"
    r"|\.min\.(?:js|css)$|\.(?:map|svg)$"
)
_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+\d+(?:,(\d+))? @@")
_OLD_COUNT = re.compile(r"@@ -\d+(?:,(\d+))? ")
_BOTH = re.compile(r"diff --git a/(.+) b/(.+)")


class File(NamedTuple):
    """The part of a difference that is about one file: lines by their numbers."""

    start: int
    hunks: tuple[tuple[int, int], ...]
    """Each with its `@@` line."""
    path: str
    is_deleted: bool
    is_new: bool


def detects(passage: Passage) -> bool:
    """Whether it begins with, or holds early, what `git diff` and `git show` print."""
    head = passage.head
    return "\n@@ -" in head and (head.startswith("diff --git ") or "\ndiff --git " in head)


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The difference with less around the changes, at any level but the lossless one."""
    if level == VERBOSE:
        return None
    screen = shown(passage.lines, passage.text)
    lines = screen.lines
    files = list(files_of(lines))
    taken = bytearray(len(lines))
    cuts = apart(_bodies(lines, files, level), taken)
    cuts += apart(_context(lines, files, taken, CONTEXT_LINES[level]), taken)
    cuts += apart(_headers(lines, files), taken)
    if not cuts:
        return None
    return woven(lines, cuts, marks, screen.cuts)


def files_of(lines: Sequence[str]) -> Iterator[File]:
    """The files of a difference; hunks are as long as their `@@` lines say."""
    number = 0
    while number < len(lines):
        if not lines[number].startswith("diff --git "):
            number += 1
            continue
        start = number
        number += 1
        while number < len(lines) and not lines[number].startswith(("diff --git ", "@@ -")):
            number += 1
        header = lines[start:number]
        hunks = []
        while number < len(lines) and lines[number].startswith("@@ -"):
            end = _hunk_end(lines, number)
            hunks.append((number, end))
            number = end
        modes = {line.split(" mode ")[0] for line in header if " mode " in line}
        yield File(start, tuple(hunks), _path(header), "deleted file" in modes, "new file" in modes)


def _hunk_end(lines: Sequence[str], start: int) -> int:
    found, old = _HUNK.match(lines[start]), _OLD_COUNT.match(lines[start])
    if not found or not old:
        return start + 1
    olds, news = int(old[1] or 1), int(found[1] or 1)
    number = start + 1
    while number < len(lines) and (olds > 0 or news > 0 or lines[number].startswith("\\")):
        sign = lines[number][:1]
        if sign not in ("", " ", "+", "-", "\\"):
            break
        olds -= sign in ("", " ", "-")
        news -= sign in ("", " ", "+")
        number += 1
    return number


def _path(header: Sequence[str]) -> str:
    found = _BOTH.fullmatch(header[0])
    return found[2] if found else ""


def _bodies(lines: Sequence[str], files: Sequence[File], level: str) -> Iterator[Cut]:
    """What comes after the first lines of a hunk of which nobody reads more."""
    for file in files:
        shown_lines = _shown_of(file, level)
        if shown_lines is None:
            continue
        for start, end in file.hunks:
            first = start + 1 + shown_lines
            if end - first >= FEWEST_CUT:
                yield Cut(LINES, ((first, end),), f"{end - first:,} lines", end - first)


def _shown_of(file: File, level: str) -> int | None:
    """How many lines of each hunk stay; None is all."""
    if _GENERATED.search(file.path):
        return SHOWN_OF_GENERATED
    if file.is_deleted:
        return SHOWN_OF_DELETED
    return SHOWN_OF_NEW if file.is_new and level == COMPRESSED else None


def _headers(lines: Sequence[str], files: Sequence[File]) -> Iterator[Cut]:
    """What `--- a/path` and `+++ b/path` say again, and the hashes of the two versions."""
    numbers = []
    for file in files:
        end = file.hunks[0][0] if file.hunks else file.start
        header = lines[file.start : end]
        if [line[:6] for line in header[-2:]] != ["--- a/", "+++ b/"]:
            continue
        numbers.append(file.start)
        numbers += [file.start + at for at, line in enumerate(header) if line.startswith("index ")]
    if numbers:
        cut = cut_of(HEADERS, numbers, "header lines")
        if is_worth(cut, lines):
            yield cut


def _context(
    lines: Sequence[str], files: Sequence[File], taken: bytearray, distance: int
) -> Iterator[Cut]:
    """Context lines at the edges of hunks, further than so many from a change; one marker."""
    numbers: list[int] = []
    for file in files:
        for start, end in file.hunks:
            changes = [n for n in range(start + 1, end) if lines[n][:1] in ("+", "-")]
            if not changes or any(taken[start:end]):
                continue
            numbers += range(start + 1, changes[0] - distance)
            numbers += range(changes[-1] + distance + 1, end)
    if numbers:
        cut = cut_of(CONTEXT, numbers, "context lines at hunk edges")
        if is_worth(cut, lines):
            yield cut


CODEC = Codec("diffs", detects, shorten)
