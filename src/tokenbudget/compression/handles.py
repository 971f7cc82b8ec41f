"""The name under which the original of a shortened text can be had back."""

from __future__ import annotations

import hashlib

DIGITS = 12
"""Three digits are one token in o200k: a handle costs four, and a million of them collide with a
chance of one in two; the spill tells such a pair apart by length (`archive.spill`)."""


def handle_of(content: bytes, digits: int = DIGITS) -> str:
    """A number of so many digits that depends on the content alone."""
    return handle_of_digest(hashlib.sha256(content).digest(), digits)


def handle_of_digest(sha256: bytes, digits: int = DIGITS) -> str:
    """The same of a content whose hash is known."""
    number = int.from_bytes(sha256[:16], "big")
    return str(number % 10**digits).zfill(digits)
