"""What a codec is."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.compression.marks import Marks
    from tokenbudget.compression.passage import Passage
    from tokenbudget.compression.receipts import Removed


class Draft(NamedTuple):
    """What a codec proposes; the pipeline counts it and may refuse it."""

    text: str
    removed: tuple[Removed, ...] = ()
    """One for each marker in the text, in their order."""
    is_lossless: bool = False


class Codec(NamedTuple):
    """One way to write a kind of text shorter."""

    name: str
    detects: Callable[[Passage], bool]
    """Whether the text is of its kind: cheap, looks at head and tail; never raises."""
    shorten: Callable[[Passage, Marks, str], Draft | None]
    """The shorter text at a level of `passage.LEVELS`; None where it knows none."""
