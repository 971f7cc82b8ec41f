"""How the controller stands with a session: what whoever shows it is handed, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.control import ACT, RESTORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.model.control import Decision, Mode, Receipt


class Marked(NamedTuple):
    """What was chosen, and is done when it costs nothing."""

    lever: str
    items: tuple[str, ...]
    at_ms: int


class LeverStanding(NamedTuple):
    """One lever: how far it may go, and how far its predictions are believed."""

    lever: str
    mode: Mode
    critical_mode: Mode
    """From critical on."""
    trust: float
    """0 to 1: what a prediction's tokens are multiplied by."""
    measured: int
    """Receipts whose effect was seen."""
    predicted_tokens: int
    """Of those."""
    measured_tokens: int

    @property
    def error_share(self) -> float | None:
        """By how much all of it together differed from what was foretold; None: nothing was."""
        if not self.measured or not self.predicted_tokens:
            return None
        return abs(self.measured_tokens - self.predicted_tokens) / self.predicted_tokens


class Standing(NamedTuple):
    """One session, as the record has it."""

    session: str
    project: str
    title: str
    at_ms: int
    """Now."""
    looked_at_ms: int
    """When the controller looked last; 0: never."""
    watcher: str
    """Who looks at it now, in words; '': nobody."""
    mode: str
    """`off`, `advise`, `auto`, or which levers act: `auto for skills, history`."""
    level: str | None
    """Of health, by the usable window; None: nobody has looked."""
    used_tokens: int | None
    usable_tokens: int | None
    window_tokens: int | None
    request_key: str = ""
    """Of the last request that was looked at."""
    decisions: tuple[Decision, ...] = ()
    """The latest first; what says the same as the one before it is written down once."""
    receipts: tuple[Receipt, ...] = ()
    """The latest first."""
    marks: tuple[Marked, ...] = ()
    pins: tuple[str, ...] = ()
    """By the person's word: ids, or beginnings that end with `*`."""
    reloaded: tuple[str, ...] = ()
    """Ids that are pinned because they were loaded again, or the person took their loss back."""
    undone: frozenset[int] = frozenset()
    """Actions of the journal, of these receipts, that were taken back."""
    levers: tuple[LeverStanding, ...] = ()

    @property
    def share(self) -> float | None:
        """Of the usable window; None is unknown."""
        if self.used_tokens is None or not self.usable_tokens:
            return None
        return self.used_tokens / self.usable_tokens

    @property
    def last(self) -> Decision | None:
        """What the last tick came to."""
        return self.decisions[0] if self.decisions else None

    @property
    def action(self) -> Decision | None:
        """The last decision by which something was changed."""
        return next((one for one in self.decisions if one.kind in (ACT, RESTORE)), None)

    @property
    def receipt(self) -> Receipt | None:
        """Of the last action."""
        return self.receipts[0] if self.receipts else None
