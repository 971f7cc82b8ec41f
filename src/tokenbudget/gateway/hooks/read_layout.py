"""How a shortened file is shown, so that no line carries a number that is not its own.

The client numbers the lines of a read file one after the other from the first. That is true up to
the first place where something is left out; so the response holds the file up to there and the
marker, and what comes behind is said beside it, each line with its own number.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.compression.receipts import Removed, Shortened

MOST_BESIDE_CHARS = 9_500
"""What a hook says beside a result is cut by the client from 10,000 characters on."""


class Layout(NamedTuple):
    """A shortened file in two parts."""

    content: str
    """For the response: numbered by the client, rightly."""
    beside: str
    """'' where nothing is left to say."""


def laid_out(original: str, shortened: Shortened, first_line: int, name: str) -> Layout | None:
    """The two parts; None where the second would not fit."""
    lines, shown = original.split("\n"), shortened.text.split("\n")
    opening = shortened.receipt.opening
    same = _equal_lines(lines, shown)
    if same == len(shown):
        return None  # nothing of it is ours: not what a codec makes
    if shown[same].startswith(opening):
        content, rest = [*shown[: same + 1]], shown[same + 1 :]
        numbered = _numbered(lines, shown, same, opening, shortened.receipt.removed, first_line)
    else:
        content, rest = [*shown[:same], _marker(opening, "goes on beside")], shown[same:]
        numbered = None
    if not rest:
        return Layout("\n".join(content), "")
    heading = _marker(opening, f"{name} goes on")
    beside = "\n".join([heading, *(rest if numbered is None else numbered)])
    return Layout("\n".join(content), beside) if len(beside) <= MOST_BESIDE_CHARS else None


def _marker(opening: str, words: str) -> str:
    return f"{opening} {words.replace(']', ')')}]"


def _equal_lines(lines: Sequence[str], shown: Sequence[str]) -> int:
    """How many lines both begin with."""
    same = 0
    for line, other in zip(lines, shown, strict=False):
        if line != other:
            break
        same += 1
    return same


def _numbered(
    lines: Sequence[str],
    shown: Sequence[str],
    begin: int,
    opening: str,
    removed: Sequence[Removed],
    first_line: int,
) -> list[str] | None:
    """The lines behind the first marker with their numbers; None where they cannot be told."""
    out: list[str] = []
    at = begin
    waiting = list(removed)
    for line in shown[begin:]:
        if line.startswith(opening):
            if waiting:
                ranges = waiting.pop(0).ranges
                if not ranges or ranges[0][0] != at:
                    return None
                at = ranges[-1][1]
            out.append(line)
        elif at < len(lines) and line == lines[at]:
            out.append(f"{first_line + at}\t{line}")
            at += 1
        else:
            return None
    return out[1:]
