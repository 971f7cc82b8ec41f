"""What a kind is given by whoever only looks: it changes nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from tokenbudget.model.actions import Outcome, Step


class NoHands:
    """Fails if anything is done with it after all."""

    def apply(self, step: Step) -> NoReturn:
        """Always a fault of the caller."""
        raise AssertionError("nothing may be applied where one only looks")

    def verify(self, step: Step, outcome: Outcome) -> NoReturn:
        """Always a fault of the caller."""
        raise AssertionError("nothing was applied where one only looks")

    def revert(self, step: Step, outcome: Outcome) -> NoReturn:
        """Always a fault of the caller."""
        raise AssertionError("nothing can be taken back where one only looks")
