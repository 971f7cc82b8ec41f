"""How much of what a text proves is left in a shorter one, beside one that was cut off blindly."""

from __future__ import annotations

import re
from typing import NamedTuple

from tokenbudget.analysis.drains.identifiers import is_coined, words_of

_PATTERNS = (
    re.compile(r"[\w.@~+-]*(?:/[\w.@+-]+)+"),  # paths and addresses
    re.compile(r"\d+(?:\.\d+)*"),  # numbers, versions, line numbers, exit codes
    re.compile(r"\b[0-9a-f]{7,40}\b"),  # hashes
    re.compile(r"(?im)^.*\b(?:error|fail(?:ed|ure)?|fatal|panic|exception|denied)\b.*$"),
)


class Kept(NamedTuple):
    """Atoms of a text, and how many of them each shorter text still holds."""

    atoms: int = 0
    kept: int = 0
    by_head: int = 0
    """By the beginning of the text alone, cut to the same size."""
    by_ends: int = 0
    """By its beginning and its end, half of the size each."""

    def plus(self, other: Kept) -> Kept:
        """Both together."""
        return Kept._make(a + b for a, b in zip(self, other, strict=True))


def atoms_of(text: str) -> set[str]:
    """The different facts of a text that can be found again: paths, numbers, names, error lines."""
    found = {one.strip() for pattern in _PATTERNS for one in pattern.findall(text)}
    found |= {word for word in words_of(text) if is_coined(word)}
    found.discard("")
    return found


def kept(original: str, shortened: str, share: float, *, is_lossless: bool = False) -> Kept:
    """What the shortened text keeps; `share` is the part of the original's tokens that it has.

    What is written in other words without loss keeps everything. The blind cuts take the same share
    of the characters: within one text tokens are about as long everywhere.
    """
    atoms = atoms_of(original)
    size = round(len(original) * min(1.0, max(0.0, share)))
    half = size // 2
    ends = f"{original[:half]}\n{original[len(original) - half :]}" if half else ""
    return Kept(
        len(atoms),
        len(atoms) if is_lossless else len(atoms & atoms_of(shortened)),
        len(atoms & atoms_of(original[:size])),
        len(atoms & atoms_of(ends)),
    )
