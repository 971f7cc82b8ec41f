"""Tables with drawn rules: without padding, which is lossless; of very long ones the middle."""

from __future__ import annotations

import re

from tokenbudget.compression.codec import Codec, Draft
from tokenbudget.compression.passage import COMPRESSED
from tokenbudget.compression.receipts import Removed
from tokenbudget.compression.ruled_table import (
    MOST_CHARS,
    Setting,
    bar_of,
    is_rule,
    padded,
    unpadded,
)
from tokenbudget.compression.trouble import is_trouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_LINES = 5
"""Below that the marker costs what it saves."""

MOST_LINES = 60
"""Of one table that `compressed` writes out."""

FIRST_LINES, LAST_LINES = 18, 6

_RULE_IN_HEAD = re.compile(
    r"(?m)^[ \t]{0,40}[|+│┃║┌├╔╠╭┏]?[ \t:]{0,9}[-=─━═]{2,}[ \t:]{0,9}[|+┬┼╦╬┳╋│]"
)


def detects(passage: Passage) -> bool:
    """Whether a rule is drawn somewhere at its beginning; not in a file that may be edited."""
    return not passage.origin.path and _RULE_IN_HEAD.search(passage.head[:8_000]) is not None


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """Every table without padding, every other line as it is."""
    lines = passage.lines
    texts: list[str] = []
    removed: list[Removed] = []
    at = 0
    for start, end, bar in _tables(lines):
        texts += lines[at:start]
        at = end
        if level == COMPRESSED and end - start > MOST_LINES:
            texts += _without_middle(lines, start, end, marks, removed)
            continue
        short = unpadded(lines[start:end], bar)
        setting = _setting_of(lines[start:end], short, bar)
        if setting is None:
            texts += lines[start:end]
            continue
        texts += [marks.mark(f"{end - start} {setting.value}"), *short]
        removed.append(Removed("table", end - start, ((start, end),)))
    if not removed:
        return None
    text = "\n".join([*texts, *lines[at:]])
    is_lossless = all(one.kind == "table" for one in removed)
    if is_lossless and decode(text, marks.opening) != passage.text:
        return None
    return Draft(text, tuple(removed), is_lossless)


def _tables(lines: list[str]) -> list[tuple[int, int, str]]:
    """Where tables stand, and what divides their cells: lines of one bar with a rule among them."""
    tables: list[tuple[int, int, str]] = []
    start, bar = 0, ""
    for number, line in enumerate([*lines, ""]):
        here = bar if bar and is_rule(line) else bar_of(line)
        if here and here == bar:
            continue
        free = tables[-1][1] if tables else 0
        first = start - 1 if start > free and is_rule(lines[start - 1]) else start
        if bar and number - first >= FEWEST_LINES and any(map(is_rule, lines[first:number])):
            tables.append((first, number, bar))
        start, bar = number, here
    return tables


def _setting_of(lines: list[str], short: list[str], bar: str) -> Setting | None:
    widest = max(map(len, lines))
    if widest * len(lines) > MOST_CHARS or widest * len(lines) > 4 * sum(map(len, lines)):
        return None
    return next((one for one in Setting if padded(short, bar, one) == lines), None)


def _without_middle(
    lines: list[str], start: int, end: int, marks: Marks, removed: list[Removed]
) -> list[str]:
    texts: list[str] = []
    gap: list[int] = []
    for number in range(start, end):
        is_edge = number < start + FIRST_LINES or number >= end - LAST_LINES
        if not is_edge and not is_trouble(lines[number]):
            gap.append(number)
            continue
        if gap:
            removed.append(Removed("lines", len(gap), ((gap[0], gap[-1] + 1),)))
            texts.append(marks.mark(f"{len(gap)} lines"))
            gap = []
        texts.append(lines[number])
    return texts


def decode(text: str, opening: str) -> str:
    """The original of a lossless shortened text; raises `ValueError` for anything else."""
    told = re.compile(re.escape(opening) + r" (\d+) (table lines[^\]]*)\]")
    lines, at, texts = text.split("\n"), 0, []
    while at < len(lines):
        found = told.fullmatch(lines[at])
        if not found:
            texts.append(lines[at])
            at += 1
            continue
        short = lines[at + 1 : at + 1 + int(found[1])]
        bar = next(bar_of(line) or _bare_bar(line) for line in short if not is_rule(line))
        texts += padded(short, bar, Setting(found[2]))
        at += 1 + len(short)
    return "\n".join(texts)


def _bare_bar(line: str) -> str:
    return "|" if "|" in line else ""


CODEC = Codec("table", detects, shorten)
