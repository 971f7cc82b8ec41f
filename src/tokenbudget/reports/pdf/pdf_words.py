"""Words for the typst template: harmless, bounded, and such that a line can break in them."""

from __future__ import annotations

from tokenbudget.model.plain_text import one_line

LONGEST_CELL = 300
_UNBROKEN = 12
"""Letters of a word before a line may break in it; and it may after what ends a part of a path."""
_ZERO_WIDTH_SPACE = "\u200b"


def plain(text: str) -> str:
    """One line of a bounded length, in which long words can be broken."""
    words = one_line(text)[:LONGEST_CELL].split(" ")
    return " ".join(word if len(word) <= _UNBROKEN else _breakable(word) for word in words)


def _breakable(word: str) -> str:
    pieces, run = [], 0
    for letter in word:
        pieces.append(letter)
        run += 1
        if letter in "/_.-:\\" or run >= _UNBROKEN:
            pieces.append(_ZERO_WIDTH_SPACE)
            run = 0
    return "".join(pieces)
