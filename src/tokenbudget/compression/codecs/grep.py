"""Matches in files, grouped: `path:12:text` becomes the path once and `12:text` under it.

Without loss, at any level: linters and compilers that write `path:12:5: message` fit as well. The
path of a group stands on a line of its own, with a colon; what is no match stays where it is.
"""

from __future__ import annotations

import re
from itertools import groupby

from tokenbudget.compression.codec import Codec, Draft

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage

FEWEST_MATCHES = 4

_PATH = re.compile(
    r"(?:[A-Za-z]:(?=[\\/]))?"
    r"(?=[^:\s]{0,400}[A-Za-z])(?=[^:\s]{0,400}[/.\\])"  # no time of day, no IP address
    r"(?:[^:\s\0]{1,400}(?=:\d+[:, ])"  # path:12:
    r"|[^:\s\0(]{1,400}(?=\(\d+,\d+\): )"  # path(12,5):
    r"|[^:\s\0]{1,400}?(?=-\d+-))"  # path-12-, a line of context
)
_PLACE = re.compile(r":\d+[:, ]|-\d+-|\(\d+,\d+\): ")
"""What follows the path in a match."""

_UNDER_PATH = re.compile(r"\d+[:, -]|\(\d+,\d+\): ")
"""How a line begins that stands under its path."""


def detects(passage: Passage) -> bool:
    """Whether neighbouring lines at its beginning are matches in the same file."""
    return sum(len(numbers) - 1 for path, numbers in _groups(passage.head.split("\n")) if path) >= (
        FEWEST_MATCHES - 1
    )


def shorten(passage: Passage, marks: Marks, level: str) -> Draft | None:
    """The matches under their paths; None where the text could not be made of it again."""
    lines = passage.lines
    shown: list[str] = []
    for path, numbers in _groups(lines):
        last = numbers[-1] + 1
        is_misread = last < len(lines) and _UNDER_PATH.match(lines[last]) is not None
        if not path or len(numbers) == 1 or is_misread:
            shown.extend(lines[number] for number in numbers)
        else:
            shown.append(f"{path}:")
            shown.extend(_under(lines[number], path) for number in numbers)
    text = "\n".join(shown)
    if len(text) >= len(passage.text) or decode(text, marks.opening) != passage.text:
        return None
    return Draft(text, is_lossless=True)


def decode(text: str, opening: str) -> str:
    """The matches, each with its path again."""
    lines = text.split("\n")
    whole: list[str] = []
    path = ""
    for number, line in enumerate(lines):
        place = _UNDER_PATH.match(line)
        if path and place:
            whole.append(f"{path}{_between(place[0])}{line}")
            continue
        after = lines[number + 1] if number + 1 < len(lines) else ""
        is_heading = line[-1:] == ":" and not place and _UNDER_PATH.match(after) is not None
        path = line[:-1] if is_heading else ""
        if not is_heading:
            whole.append(line)
    return "\n".join(whole)


def _under(line: str, path: str) -> str:
    rest = line[len(path) :]
    return rest if rest.startswith("(") else rest[1:]


def _between(place: str) -> str:
    """What stood between the path and this place."""
    return "" if place.startswith("(") else "-" if place.endswith("-") else ":"


def _groups(lines: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Neighbouring lines by the path that they begin with; '' for what is no match."""
    previous = ""

    def path_of(number: int) -> str:
        nonlocal previous
        line = lines[number]
        if not (previous and line.startswith(previous) and _PLACE.match(line, len(previous))):
            found = _PATH.match(line)
            previous = found[0] if found else ""
        return previous

    for path, numbers in groupby(range(len(lines)), path_of):
        yield path, list(numbers)


CODEC = Codec("grep", detects, shorten)
