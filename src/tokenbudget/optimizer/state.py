"""What the controller remembers of one session: a plain value, stored and taken up again."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.health import HealthState
from tokenbudget.model.control import HISTORY, RESERVE, SERVERS, TERSENESS, TRIMMING, Receipt

LENT = (HISTORY, RESERVE, TRIMMING, TERSENESS)
"""Levers whose change is only for the time being: it is put back in every case."""
FOR_THE_SESSION = (SERVERS,)
"""Levers whose change holds for as long as the session: a later one begins with all of its tools,
for one that never sees them cannot ask for them."""

MOST_PULLED = 32
"""Actions that are remembered; older ones that nothing waits for are forgotten."""
MOST_PINNED = 256
MOST_PARTS = 16


class Mark(NamedTuple):
    """An action that was chosen, and is done when it costs nothing or pays for itself."""

    lever: str
    items: tuple[str, ...]
    at_ms: int


class Pulled(NamedTuple):
    """An action that was carried out, and where the session stood then."""

    receipt: Receipt
    since_ms: int
    """When, by the clock as it goes now: moved along where the clock was set back."""
    compactions: int
    """Boundaries that the transcript had."""
    part_tokens: int | None
    """What the lever's part of the window weighed; for the reserve, the usable window."""
    missed_requests: int = 0
    """Requests made since without the boundary that was to come first (history)."""
    back: str = ""
    """Why it was put back, as the code of the `RESTORE`; '' while it is in force."""

    @property
    def is_open(self) -> bool:
        """Whether what it did has not been seen yet."""
        return not self.receipt.outcome


class State(NamedTuple):
    """Everything that one tick leaves to the next; `fresh` makes the first."""

    session: str
    now_ms: int = 0
    """The clock at the last tick; 0 before the first."""
    health: HealthState = HealthState()
    request_key: str = ""
    """Of the last completed request that was seen, with what was seen of it below."""
    request_at_ms: int = 0
    requests: int = 0
    used_tokens: int = 0
    usable_tokens: int = 0
    parts: tuple[tuple[str, int], ...] = ()
    """Tokens by component of the window, at the last look."""
    compactions: int = 0
    boundary_key: str | None = None
    """The last request before the latest boundary that was seen to come; None: none did."""
    met: tuple[int | None, int | None, int | None] = (None, None, None)
    """For warning, critical, emergency: how many requests there were when it was first met."""
    marks: tuple[Mark, ...] = ()
    tried: tuple[tuple[str, int], ...] = ()
    """By lever: when it was decided last to pull it, whether or not that went well."""
    edited_key: str = ""
    """The request on which something was last decided to be done."""
    said: tuple[str, ...] = ()
    """Levers that were advised at this level already."""
    pulled: tuple[Pulled, ...] = ()
    """Oldest first."""
    pinned: tuple[str, ...] = ()
    """Ids that were loaded again after they had been taken out."""
    poor_passes: int = 0
    """Passes in a row that freed next to nothing."""
    restore_after_ms: int = 0
    """Putting back failed; it is not tried again before."""

    def is_open(self, lever: str) -> bool:
        """Whether an action of this lever has not shown what it did yet."""
        return any(one.is_open and one.receipt.lever == lever for one in self.pulled)

    def is_in_force(self, lever: str) -> bool:
        """Whether an action of this lever holds: it was carried out, and not put back."""
        return any(
            one.receipt.lever == lever and not one.back and one.receipt.outcome != "failed"
            for one in self.pulled
        )

    def tried_at_ms(self, lever: str) -> int | None:
        """When it was decided last to pull the lever; None: not yet."""
        return dict(self.tried).get(lever)


def fresh(session: str) -> State:
    """The state before the first look at a session."""
    return State(session)
