"""What one decision rests on, in one hand."""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Mode, Signals, Wishes
    from tokenbudget.optimizer.lever_facts import Fact
    from tokenbudget.optimizer.state import State
    from tokenbudget.optimizer.trust import Trust


class Known(Protocol):
    """What is known of a lever; `lever_facts.fact` is one."""

    def __call__(
        self, client: str, model: str, has_tool_search: bool | None, lever: str, /
    ) -> Fact | None:
        """Its row of the table; None where nobody measured it."""


class Ground(NamedTuple):
    """A look that may be acted on, the state that has it in it, and what else decides."""

    state: State
    seen: Signals
    wishes: Wishes
    trust: Trust
    known: Known
    level: str
    """The worst that is past its grace; the level of health may be a worse one."""
    now_ms: int

    def mode_of(self, lever: str) -> Mode:
        """How far the lever may go at this level."""
        return self.wishes.mode_of(lever, self.level)

    def fact(self, lever: str) -> Fact | None:
        """What is known of the lever here."""
        seen = self.seen
        return self.known(seen.client, seen.model, seen.has_tool_search, lever)

    @property
    def used_tokens(self) -> int:
        """Of the window."""
        return int(self.seen.used_tokens or 0)

    @property
    def spare_tokens(self) -> int:
        """How many may be used before the warning begins."""
        return int(self.wishes.warning_share * (self.seen.usable_tokens or 0))
