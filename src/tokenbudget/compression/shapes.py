"""The shape of a line: what it has in common with lines that differ in their numbers alone.

A word that holds a digit is a variable part; everything else is the template. So `served /a in 12
ms` and `served /a in 7 ms` have one shape, and nothing that a template says is ever guessed.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = re.compile(r"\b[^\W\d]*+\d\w*+")
"""A word with a digit in it. Possessive, and from a word's beginning: linear on any text."""
_INSIDE_NUMBERS = (".", ",")
_APART = re.compile(f"({VARIABLE.pattern})")


def shape_of(line: str) -> str:
    """The line with each variable part written `0`."""
    return VARIABLE.sub("0", line)


class Parts(NamedTuple):
    """A line of a shape, taken apart."""

    fixed: Sequence[str]
    """One more than the values; the same for all lines of a shape."""
    values: Sequence[str]


def parts_of(line: str) -> Parts:
    """The fixed and the variable parts, in their order."""
    pieces = _APART.split(line)
    return Parts(pieces[0::2], pieces[1::2])


def differing(lines: Sequence[str]) -> tuple[str, ...]:
    """Of lines of one shape, what is not the same in all: a row for each line.

    Values that stand beside each other in the line keep what stands between them (`12:00:05`);
    others are apart by a space. What is one number (`10.0.0.7`) stays one. Empty rows where the
    lines are equal.
    """
    rows = [parts_of(line) for line in lines]
    columns = [
        column
        for column, values in enumerate(zip(*(row.values for row in rows), strict=True))
        if values.count(values[0]) != len(values)
    ]
    if not columns:
        return ("",) * len(rows)
    whole = _whole_numbers(rows[0].fixed, columns)
    return tuple(_row(row, whole) for row in rows)


def _whole_numbers(fixed: Sequence[str], columns: Sequence[int]) -> list[int]:
    """The columns with those that they make one number with: a part of an address is another."""
    wanted = set(columns)
    for column in columns:
        first = last = column
        while first > 0 and fixed[first] in _INSIDE_NUMBERS:
            first -= 1
        while last + 2 < len(fixed) and fixed[last + 1] in _INSIDE_NUMBERS:
            last += 1
        wanted.update(range(first, last + 1))
    return sorted(wanted)


def _row(row: Parts, columns: Sequence[int]) -> str:
    pieces = [row.values[columns[0]]]
    for before, column in pairwise(columns):
        between = row.fixed[column] if column == before + 1 else " "
        pieces.append(between if len(between) == 1 else " ")
        pieces.append(row.values[column])
    return "".join(pieces)
