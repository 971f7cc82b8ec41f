"""The sections of source and data without a parser: by indentation and by how definitions begin.

Right for well-indented text, which formatted source, YAML and pretty-printed JSON are; for anything
else it finds fewer sections, and the lines are still all there.
"""

from __future__ import annotations

import re

from tokenbudget.compression.structure import (
    BLANK,
    CLASS,
    CODE,
    COMMENT,
    FILE,
    FUNCTION,
    HEAD,
    IMPORT,
    KEY,
    Section,
    Structure,
    blocks_between,
    innermost,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAB_COLUMNS = 4
LOOK_CHARS = 400
"""A definition shows itself by this much of its line."""
LEAST_KEY_LINES = 3
"""A key of JSON or YAML with fewer lines below it is no section."""
MOST_DEPTH = 12

_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|inline"
    r"|virtual|override|unsafe|extern|pub(?:\([^)]{0,40}\))?|const|sealed|partial|open|suspend"
    r"|declare)\s{1,4})*"
)
_CLASS = re.compile(
    rf"\s*{_MODIFIERS}(?:class|interface|struct|enum|trait|impl|module|namespace|object|record"
    r"|protocol|extension|union|mod|type)\b\s*(?:<[^>]{0,80}>\s*)?([A-Za-z_$](?:[\w$.]|:(?=:)|(?<=:):)*)"
)
_FUNCTION = re.compile(
    rf"\s*{_MODIFIERS}(?:def|function\*?|func|fn|fun|sub|proc|macro_rules!)\s+"
    r"(?:\([^)]{0,120}\)\s*)?([A-Za-z_$][\w$.]*[?!]?)"
)
_ARROW = re.compile(
    rf"\s*{_MODIFIERS}(?:let|var)?\s*([A-Za-z_$][\w$]*)\s*(?::[^=]{{0,120}})?=\s*"
    r"(?:async\s*)?(?:function\b|\([^)]{0,200}\)\s*(?::[^=]{0,80})?=>|[A-Za-z_$][\w$]*\s*=>)"
)
_METHOD = re.compile(
    rf"\s*{_MODIFIERS}(?:get\s+|set\s+)?(?:[\w<>\[\],.*&:?]+\s+){{0,3}}([A-Za-z_$~][\w$]*)\s*"
    r"\([^;]*\)?[^;=]*\{\s*$"
)
_KEYWORDS = (
    "if for while switch catch return else do try with match when unless until case new throw "
    "elif elsif foreach synchronized using lock sizeof typeof await yield"
)
_NOT_NAMES = frozenset(_KEYWORDS.split())
_KEY = re.compile(
    r"\s*(?:-\s+)?(?:\"([^\"\\]{1,80})\"|'([^'\\]{1,80})'|([\w./$-]{1,80}))\s*:(?:\s|$)"
)
_IMPORT = re.compile(
    r"\s*(?:import\b|from\s+\S+\s+import\b|#\s*include\b|using\s+[\w.:]+\s*;|use\s+[\w:]+|require\b"
    r"|package\s+\w|(?:const|let|var)\b[^=]{1,120}=\s*require\()"
)
_COMMENT = re.compile(
    r"\s*(?://|#(?!\s*(?:include|define|if|endif|else|pragma)|\[|!\[)|/\*|\*/|\*\s|\*$|--\s|;;|%%|<!--)"
)
_CLOSER = re.compile(r"\s*(?:[\])}]+[;,)]*|end)\s*$")


def indented_structure(path: str, lines: Sequence[str]) -> Structure:
    """The structure of source code by its indentation."""
    depths = [_depth(line) for line in lines]
    sections = [Section(FILE, "", 0, len(lines), -1)]
    ends = _ends(lines, depths)
    heads: set[int] = set()
    open_sections = [0]
    for at, line in enumerate(lines):
        while at >= sections[open_sections[-1]].end:
            open_sections.pop()
        found = _definition(line) if depths[at] >= 0 else None
        if found is None or ends[at] - at < 2:
            continue
        kind, name = found
        sections.append(Section(kind, name, at, ends[at], open_sections[-1]))
        open_sections.append(len(sections) - 1)
        heads.add(at)
    return _structure(path, lines, sections, dict.fromkeys(heads, HEAD), is_code=True)


def keyed_structure(path: str, lines: Sequence[str]) -> Structure:
    """The structure of JSON, YAML and TOML: each key with several lines below it is a section."""
    depths = [_depth(line) for line in lines]
    ends = _ends(lines, depths)
    sections = [Section(FILE, "", 0, len(lines), -1)]
    open_sections = [0]
    for at, line in enumerate(lines):
        while at >= sections[open_sections[-1]].end:
            open_sections.pop()
        name = _key(line)
        if name is None or ends[at] - at < LEAST_KEY_LINES or len(open_sections) > MOST_DEPTH:
            continue
        sections.append(Section(KEY, name, at, ends[at], open_sections[-1]))
        open_sections.append(len(sections) - 1)
    return _structure(path, lines, sections, {}, is_code=False)


def structure_with(path: str, lines: Sequence[str], sections: Sequence[Section]) -> Structure:
    """The structure of source code whose sections a grammar has found."""
    heads = {section.first: HEAD for section in sections[1:]}
    return _structure(path, lines, sections, heads, is_code=True)


def _structure(
    path: str,
    lines: Sequence[str],
    sections: Sequence[Section],
    heads: Mapping[int, str],
    is_code: bool,
) -> Structure:
    owners = innermost(sections, len(lines))

    def kind_of(first: int, end: int) -> str:
        line = next((lines[at] for at in range(first, end) if lines[at].strip()), "")
        if not line:
            return BLANK
        if first in heads:
            return HEAD
        if _COMMENT.match(line[:LOOK_CHARS]):
            return COMMENT
        return IMPORT if is_code and _IMPORT.match(line[:LOOK_CHARS]) else CODE

    cuts = [
        at for at, line in enumerate(lines) if line.strip() and not _CLOSER.match(line[:LOOK_CHARS])
    ]
    blocks = blocks_between(cuts, len(lines), kind_of, owners.__getitem__)
    return Structure(path, lines, sections, blocks, is_code)


def _definition(line: str) -> tuple[str, str] | None:
    """The kind and name of what a line begins to define, or None."""
    start = line[:LOOK_CHARS]
    for pattern, kind in ((_FUNCTION, FUNCTION), (_CLASS, CLASS), (_ARROW, FUNCTION)):
        found = pattern.match(start)
        if found:
            return kind, found[1]
    if "(" not in start or not start.rstrip().endswith("{"):
        return None
    found = _METHOD.match(start)
    return (FUNCTION, found[1]) if found and found[1] not in _NOT_NAMES else None


def _key(line: str) -> str | None:
    start = line[:LOOK_CHARS]
    table = start.strip()
    if table.startswith("[") and table.endswith("]") and len(table) > 2 and '"' not in table:
        return table.strip("[]")
    found = _KEY.match(start)
    return next((group for group in found.groups() if group), None) if found else None


def _depth(line: str) -> int:
    """The indentation in columns; -1 for a blank line."""
    stripped = line.lstrip(" \t")
    if not stripped.strip():
        return -1
    lead = line[: len(line) - len(stripped)]
    return len(lead) + lead.count("\t") * (TAB_COLUMNS - 1)


def _ends(lines: Sequence[str], depths: Sequence[int]) -> list[int]:
    """For each line, where what is indented below it ends, its closing brackets included."""
    count = len(lines)
    ends = [count] * count
    waiting: list[int] = []
    last_filled = 0
    for at in range(count):
        if depths[at] < 0:
            continue
        is_closing = _CLOSER.match(lines[at][:LOOK_CHARS]) is not None
        while waiting and depths[waiting[-1]] >= depths[at]:
            begun = waiting.pop()
            closes = is_closing and depths[begun] == depths[at]
            ends[begun] = at + 1 if closes else last_filled + 1
            is_closing = is_closing and not closes
        waiting.append(at)
        last_filled = at
    for begun in waiting:
        ends[begun] = last_filled + 1
    return ends
