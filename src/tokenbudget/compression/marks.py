"""Our markers: the only words of ours in a shortened text, and never words of the text itself.

A marker begins with an opening that the text does not hold and ends with the next `]`. So whoever
reads a shortened text (an agent, a person, the checker) can tell what is ours from what imitates
it: a text that holds `[~` gets markers that begin with `[~~`.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

OPENING = "[~"
CLOSING = "]"


MOST_TILDES = 12
_TILDES = re.compile(r"\[(~+)")
_NUMBERED = re.compile(r"\[~(\d{1,9})~")


def opening_for(texts: Sequence[str]) -> str:
    """An opening that none of these texts holds: the shortest of `[~`, `[~~` and so on.

    A text with more than `MOST_TILDES` in a row was made to be awkward: it gets `[~0~`, or the
    next number, so that no marker is long.
    """
    longest = max((len(run) for text in texts for run in _TILDES.findall(text)), default=0)
    if longest < MOST_TILDES:
        return OPENING + "~" * longest
    taken = {int(number) for text in texts for number in _NUMBERED.findall(text)}
    return f"{OPENING}{next(n for n in range(len(taken) + 1) if n not in taken)}~"


class Marks:
    """Writes the markers of one shortened text."""

    def __init__(self, *texts: str) -> None:
        """`texts`: all that the shortened text may take words from."""
        self.opening = opening_for(texts)

    def mark(self, words: str) -> str:
        """One marker; `words` are ours and stand on one line."""
        return f"{self.opening} {' '.join(words.split()).replace(CLOSING, ')')}{CLOSING}"


def split(text: str, opening: str) -> tuple[str, tuple[str, ...]]:
    """What of a shortened text is the original's, and the words of its markers, in order."""
    pattern = re.compile(re.escape(opening) + r" ([^\]\n]*)\]")
    return pattern.sub("", text), tuple(pattern.findall(text))
