"""The line numbers that an agent's file reader puts before each line.

`     1→text` or `1\\ttext`: they belong to the place and not to the text, so two copies of a file,
or two parts of it, are compared without them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = re.compile(r" {0,9}(\d{1,9})(?:→|\t)")


class Numbered(NamedTuple):
    """The lines of a text and the numbers that they carry."""

    bodies: list[str]
    numbers: list[int]
    """0 where a line carries none; that line's body is the whole line."""


def without_numbers(lines: Sequence[str], first_line: int = 0) -> Numbered:
    """Lines apart from their numbers, as long as each number is one more than the last.

    What does not go on counting (a reminder after the file, a table that happens to begin with a
    number) stays whole. `first_line` numbers the lines of a text that carries no numbers itself.
    """
    bodies: list[str] = []
    numbers: list[int] = []
    expected = 0
    for line in lines:
        found = _NUMBER.match(line)
        number = int(found[1]) if found else 0
        if found and number and number == (expected or number) and (expected or not bodies):
            bodies.append(line[found.end() :])
            numbers.append(number)
            expected = number + 1
        else:
            bodies.append(line)
            numbers.append(0)
    if first_line and not any(numbers):
        numbers = list(range(first_line, first_line + len(lines)))
    return Numbered(bodies, numbers)
