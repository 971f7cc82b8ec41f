"""The name under which the original of a shortened text can be had back."""

from __future__ import annotations

import hashlib

DIGITS = 12
"""Three digits are one token in o200k: a handle costs four, and a million of them collide with a
chance of one in two; the spill tells such a pair apart by length (`archive.spill`)."""


def handle_of(content: bytes, digits: int = DIGITS) -> str:
    """A number of so many digits that depends on the content alone."""
    number = int.from_bytes(hashlib.sha256(content).digest()[:16], "big")
    return str(number % 10**digits).zfill(digits)
