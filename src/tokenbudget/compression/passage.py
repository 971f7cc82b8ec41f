"""The text that is to be shortened, and what is known of where it comes from."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

VERBOSE, BALANCED, COMPRESSED = "verbose", "balanced", "compressed"
LEVELS = (VERBOSE, BALANCED, COMPRESSED)
"""How hard to shorten: without loss; what is dispensable; whatever recall can give back."""

LOOK_CHARS = 32_768
"""A codec recognises its texts by this much of their beginning and their end."""


class Origin(NamedTuple):
    """Where a text comes from; '' and None are not known."""

    tool: str = ""
    command: str = ""
    """Of a shell."""
    path: str = ""
    """Of a file that was read."""
    has_failed: bool | None = None
    first_line: int = 0
    """Of a file that was read in part: the number of the text's first line; 0 is not known."""


UNKNOWN = Origin()


class Earlier(NamedTuple):
    """A text that stands in the same window already."""

    label: str
    """How the agent finds it again: `Read src/cart.py, 12 calls ago`; ours, on one line."""
    text: str
    path: str = ""
    """Of the file that it is the content of."""
    first_line: int = 0
    """As `Origin.first_line`."""


class Passage:
    """One text with its lines, split once for all codecs."""

    def __init__(
        self, text: str, origin: Origin = UNKNOWN, earlier: Sequence[Earlier] = ()
    ) -> None:
        self.text = text
        self.origin = origin
        self.earlier = earlier

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; joined by newlines they are the text."""
        return self.text.split("\n")

    @cached_property
    def head(self) -> str:
        """What detection looks at first."""
        return self.text[:LOOK_CHARS]

    @cached_property
    def tail(self) -> str:
        """And last."""
        return self.text[-LOOK_CHARS:]
