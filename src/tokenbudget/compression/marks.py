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


def opening_for(texts: Sequence[str]) -> str:
    """The shortest opening that none of these texts holds."""
    opening = OPENING
    while any(opening in text for text in texts):
        opening += "~"
    return opening


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
