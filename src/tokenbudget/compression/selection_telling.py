"""How far a selection has come, told to whoever waits for it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Teller(NamedTuple):
    """Takes the share that is done of one part of the work, from 0 to 1, and passes it on."""

    told: Callable[[float], None] = lambda share: None
    first: float = 0.0
    last: float = 1.0

    def __call__(self, share: float) -> None:
        """Tell how much of this part is done."""
        self.told(self.first + (self.last - self.first) * share)

    def part(self, first: float, last: float) -> Teller:
        """A teller for what lies between two shares of this part."""
        return Teller(self.__call__, first, last)


UNTOLD = Teller()
