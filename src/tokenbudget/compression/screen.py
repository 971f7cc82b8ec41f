"""What a terminal would show of a text: without colour codes and overwritten progress bars."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.compression.trouble import is_trouble
from tokenbudget.compression.weaving import Cut, ranges_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CODE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>]")
"""Control sequences: colours and cursor moves (CSI), titles and links (OSC), single ones."""


class Screen(NamedTuple):
    """The lines as they are shown, one for each line of the text."""

    lines: Sequence[str]
    cuts: tuple[Cut, ...]
    """What the lines no longer hold: `codes`, `rewrites`; nothing for a plain text."""


def shown(lines: Sequence[str], text: str) -> Screen:
    """The lines of the text as a terminal shows them.

    A line that was overwritten (`10%\\r20%\\r100%`) is what was written last, unless something
    that went wrong was overwritten with it.
    """
    if "\x1b" not in text and "\r" not in text:
        return Screen(lines, ())
    plain: list[str] = []
    coded: list[int] = []
    rewritten: list[int] = []
    codes = rewrites = 0
    for number, line in enumerate(lines):
        clean, found = CODE.subn("", line) if "\x1b" in line else (line, 0)
        last, overwritten = _last_written(clean) if "\r" in clean else (clean, 0)
        plain.append(last)
        if found:
            coded.append(number)
            codes += found
        if overwritten:
            rewritten.append(number)
            rewrites += overwritten
    cuts = []
    if codes:
        cuts.append(Cut("codes", ranges_of(coded), f"{codes:,} terminal codes", codes))
    if rewrites:
        cuts.append(Cut("rewrites", ranges_of(rewritten), f"{rewrites:,} overwritten", rewrites))
    return Screen(plain, tuple(cuts))


def _last_written(line: str) -> tuple[str, int]:
    """What stands in the line at the end, and how many writings it took the place of."""
    body = line.rstrip("\r")
    if "\r" not in body:
        return line, 0
    writings = [one for one in body.split("\r") if one]
    if len(writings) < 2 or any(is_trouble(one) for one in writings[:-1]):
        return line, 0
    return writings[-1] + line[len(body) :], len(writings) - 1
