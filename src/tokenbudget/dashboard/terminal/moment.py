"""What every panel is handed: the last frame, how old it is, and whether it may be believed."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget import health
from tokenbudget.dashboard import words
from tokenbudget.model.plain_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.dashboard.view_model import Frame, SessionView

STALE_INTERVALS = 2
"""An older frame is no data; so is one after which the source failed."""
LONGEST_FAULT = 2_000
"""Characters of one fault that are shown."""


class Moment(NamedTuple):
    """The present, as far as it is known."""

    frame: Frame | None
    """The last one that came; None before the first."""
    now_ms: int
    """The frame's time and what has gone by since."""
    interval_seconds: float
    is_paused: bool = False
    is_asking: bool = False
    fault: str = ""
    """Why the source failed the last time it was asked; '' where it did not."""

    @property
    def view(self) -> SessionView | None:
        """The chosen session."""
        return self.frame.chosen if self.frame else None

    @property
    def age_ms(self) -> int:
        """How old the frame is."""
        return self.now_ms - self.frame.made_at_ms if self.frame else 0

    @property
    def is_stale(self) -> bool:
        """Whether what is shown is not known to be so any more."""
        if self.frame is None:
            return bool(self.fault)
        return bool(self.fault) or self.age_ms > STALE_INTERVALS * self.interval_seconds * 1000

    @property
    def level(self) -> str | None:
        """The health level, where one is known and to be believed."""
        return None if self.view is None or self.is_stale else self.view.level

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that went wrong, a sentence each."""
        own = (self.fault,) if self.fault else ()
        found = own + (self.frame.faults if self.frame else ())
        return tuple(one_line(fault[:LONGEST_FAULT]) for fault in found)


def stale_words(moment: Moment) -> str:
    """`no data since 14:02:31`; for a moment that is stale."""
    since = f" since {words.clock(moment.frame)}" if moment.frame else " yet"
    return f"no data{since}"


def level_role(level: str | None) -> str:
    """The role of a level is its name; what is unknown has no colour."""
    return level if level in health.LEVELS else "faint"
