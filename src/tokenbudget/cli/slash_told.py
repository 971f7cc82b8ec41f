"""What an action of `tokens slash` answers."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Told(NamedTuple):
    """An answer, and the command that comes next."""

    lines: Sequence[str]
    next_words: str = ""
