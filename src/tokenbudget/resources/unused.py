"""Whether something is unused, said with the evidence and without more than it bears."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.resources.evidence import DAY_MS, FEWEST_SESSIONS
from tokenbudget.resources.kind import counted, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.resources.evidence import Evidence, Use

FRESH_DAYS = 14
"""What was made or changed since is not judged: it may be waiting for its first use."""


class Verdict(NamedTuple):
    """That something is unused, and whether that is seen often enough to act on it."""

    is_sure: bool
    reason: str

    def beside(self, mention: str) -> Verdict:
        """The verdict about something that is named at this place; '' is none."""
        if not mention:
            return self
        return Verdict(False, f"{self.reason}, but {shown(mention)} names it")


def unused(evidence: Evidence, use: Use | None, changed_ms: int) -> Verdict | None:
    """The verdict about something that sessions were offered since it was changed; None: no."""
    if (use is not None and use.calls) or evidence.until_ms - changed_ms < FRESH_DAYS * DAY_MS:
        return None
    sessions = evidence.sessions_since(max(evidence.since_ms, changed_ms))
    period = f"in the last {evidence.days} days"
    if sessions < FEWEST_SESSIONS:
        return Verdict(
            False,
            f"not used {period}, but only {counted(sessions, 'session')} of this project can say"
            f" so ({FEWEST_SESSIONS} are wanted)",
        )
    return Verdict(True, f"not used in {counted(sessions, 'session')} of this project {period}")
