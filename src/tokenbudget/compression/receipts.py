"""What was done to a text: how much smaller it is, and what it no longer holds."""

from __future__ import annotations

from typing import NamedTuple


class Removed(NamedTuple):
    """What one marker stands for, so that anybody can count it again in the original."""

    kind: str
    """What is left out, as `docs/compression.md` lists it: lines, passed, similar, repeated, …"""
    count: int  # type: ignore[assignment]  # the word of the docs; nobody asks for tuple.count here
    """The number that the marker tells."""
    ranges: tuple[tuple[int, int], ...] = ()
    """The lines of the original that it stands for, from 0, each end excluded."""


class Receipt(NamedTuple):
    """The account of one shortened text."""

    codec: str
    before_bytes: int
    after_bytes: int
    before_tokens: int
    after_tokens: int
    """Of the whole that goes on, markers and the way to the original included."""
    is_lossless: bool
    """Whether the original can be made from the shortened text alone, byte for byte."""
    opening: str
    """What the markers of this text begin with."""
    removed: tuple[Removed, ...]

    @property
    def saved_tokens(self) -> int:
        """What was saved; always more than 0."""
        return self.before_tokens - self.after_tokens


class Shortened(NamedTuple):
    """A text that takes the place of a longer one."""

    text: str
    receipt: Receipt
