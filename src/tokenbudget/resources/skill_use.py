"""How often a skill, command or agent was used, and how warm that makes it.

The tiers, by what sessions of the project did in the last 30 days:

- hot: used here in the last seven days, or in a fifth of the sessions or more;
- warm: used here less, or in any other project; or it cannot be said yet, because it was changed
  within 14 days or because fewer than five sessions have been offered it since;
- cold: five sessions or more were offered it, here, and nobody has used it, here or elsewhere.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from tokenbudget.resources.evidence import DAY_MS, FEWEST_SESSIONS, PERIOD_DAYS, is_below
from tokenbudget.resources.kind import counted
from tokenbudget.resources.unused import FRESH_DAYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from tokenbudget.ledger.named_uses import NamedUse
    from tokenbudget.resources.evidence import Evidence

Tier: TypeAlias = Literal["hot", "warm", "cold"]
HOT_DAYS = 7
"""A working week: what was used in it is part of the work at hand."""
HOT_SHARE = 0.2
"""Of the project's sessions: what every fifth one needs is needed, whenever it was last."""


class Used(NamedTuple):
    """The uses of one thing."""

    here: int = 0
    """In the project, in the last 30 days."""
    sessions_here: int = 0
    last_here_ms: int = 0
    elsewhere: int = 0
    """In other projects, in the last 30 days."""
    ever: int = 0
    """As far as the ledger reaches, anywhere."""
    last_ms: int = 0
    """0: never, or no line tells."""


class Tiered(NamedTuple):
    """How warm something is, and why, in a few words."""

    tier: Tier
    reason: str


class Uses:
    """The ledger's uses, by name."""

    def __init__(
        self, rows: Iterable[NamedUse], folders: Sequence[str], since_ms: int, until_ms: int
    ) -> None:
        """`folders` are spellings of the project's folder, the period that of the evidence."""
        self._rows: dict[str, list[NamedUse]] = {}
        self._folders = folders
        self._since_ms = since_ms
        self._until_ms = until_ms
        for row in rows:
            self._rows.setdefault(row.name, []).append(row)

    @property
    def names(self) -> Collection[str]:
        """Every name that was used."""
        return self._rows.keys()

    def of(self, names: Collection[str]) -> Used:
        """The uses under any of these names."""
        rows = [row for name in names for row in self._rows.get(name, ())]
        period = [row for row in rows if self._since_ms <= row.last_ms <= self._until_ms]
        here = [row for row in period if self._is_here(row.cwd)]
        return Used(
            sum(row.uses for row in here),
            len({row.session for row in here}),
            max((row.last_ms for row in here), default=0),
            sum(row.uses for row in period if not self._is_here(row.cwd)),
            sum(row.uses for row in rows),
            max((row.last_ms for row in rows), default=0),
        )

    def counts(self) -> dict[str, int]:
        """How often each name was used, here counting twice: what a task here means is likelier."""
        found = {name: self.of((name,)) for name in self._rows}
        return {name: used.ever + used.here for name, used in found.items()}

    def _is_here(self, cwd: str) -> bool:
        return any(is_below(cwd, folder) for folder in self._folders)


def tiered(used: Used, evidence: Evidence, changed_ms: int, mention: str = "") -> Tiered:
    """How warm something is that was changed at that moment; `mention` is where a text names it."""
    days = (evidence.until_ms - used.last_here_ms) / DAY_MS
    if used.here and days <= HOT_DAYS:
        return Tiered("hot", f"used here {_ago(days)}")
    share = used.sessions_here / max(1, evidence.sessions)
    if used.here and share >= HOT_SHARE:
        of = f"{used.sessions_here} of {counted(evidence.sessions, 'session')} here"
        return Tiered("hot", f"used in {of}")
    if used.here:
        return Tiered("warm", f"used here {_ago(days)}")
    if used.elsewhere:
        return Tiered("warm", "used in other projects")
    if evidence.until_ms - changed_ms < FRESH_DAYS * DAY_MS:
        return Tiered("warm", f"new or changed within {FRESH_DAYS} days")
    sessions = evidence.sessions_since(max(evidence.since_ms, changed_ms))
    if sessions < FEWEST_SESSIONS:
        return Tiered("warm", f"only {counted(sessions, 'session')} here to judge by")
    named = f", but {mention} names it" if mention else ""
    return Tiered("cold", f"unused in {counted(sessions, 'session')} of {PERIOD_DAYS} days{named}")


def _ago(days: float) -> str:
    whole = int(days)
    return "today" if whole < 1 else "yesterday" if whole == 1 else f"{whole} days ago"
