"""Lines, and blocks of lines, that stand there again right after themselves."""

from __future__ import annotations

import re

from tokenbudget.compression.weaving import Cut, is_worth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_BLOCK = 60
"""Lines. A longer block that repeats is rare, and a limit keeps the search linear."""

REPEATED = "repeated"


def repeated_cuts(lines: Sequence[str], taken: bytearray) -> list[Cut]:
    """A cut for each repetition of the lines directly above it; what it takes is marked in `taken`.

    The block above is marked too: it must stand there verbatim, or the marker would be false.
    """
    cuts: list[Cut] = []
    last_at: dict[str, int] = {}
    at = 0
    while at < len(lines):
        above = last_at.get(lines[at])
        period = at - above if above is not None else 0
        last_at[lines[at]] = at
        times = _times(lines, taken, at, period) if 0 < period <= LONGEST_BLOCK else 0
        if not times:
            at += 1
            continue
        end = at + times * period
        of = "line" if period == 1 else f"{period} lines"
        cut = Cut(REPEATED, ((at, end),), f"{of} above {times:,} more times", times)
        if is_worth(cut, lines):
            cuts.append(cut)
            taken[at - period : end] = b"\1" * (end - at + period)
            at = end
        else:
            at += 1
    return cuts


def _times(lines: Sequence[str], taken: bytearray, start: int, period: int) -> int:
    """How many more times the lines before `start` stand there, untouched by other cuts."""
    if any(taken[start - period : start]):
        return 0
    end = start
    while end < len(lines) and not taken[end] and lines[end] == lines[end - period]:
        end += 1
    return (end - start) // period


def unrepeated(text: str, opening: str) -> str:
    """The text in which each repetition stands again in the place of its marker."""
    marker = re.compile(re.escape(opening) + r" (?:line|(\d+) lines) above ([\d,]+) more times\]")
    lines: list[str] = []
    for line in text.split("\n"):
        found = marker.fullmatch(line)
        if found:
            block = lines[-int(found[1] or 1) :]
            lines += block * int(found[2].replace(",", ""))
        else:
            lines.append(line)
    return "\n".join(lines)
