"""What a change really freed: the first request of the next session beside the last ones before.

A session's first request carries what every request carries and little else; the API reported its
size. So it tells what a change of a project's files did, a prompt's length more or less.
"""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.ledger.project_work import FirstRequest

COMPARED = 3
"""So many sessions before a change say how large a first request was."""


class Event(NamedTuple):
    """A moment at which something was done, or taken back."""

    at_ms: int
    freed_tokens: int | None
    """As predicted; less than 0 where it was taken back; None is not known."""


class Proof(NamedTuple):
    """What was measured, beside what was predicted. Sizes are those that the API reported."""

    model: str
    before_tokens: int
    """The middle one of the last sessions before."""
    before_spread_tokens: int
    """By how much these differ at most: prompts are of different lengths."""
    before_sessions: int
    after_tokens: int
    after_session: str
    after_at_ms: int
    predicted_tokens: int | None

    @property
    def freed_tokens(self) -> int:
        """Measured; less than 0 where requests became larger."""
        return self.before_tokens - self.after_tokens


def proof_of(at_ms: int, events: Sequence[Event], firsts: Sequence[FirstRequest]) -> Proof | None:
    """The proof of what was done at `at_ms`; None until a comparable session has begun since.

    Events with no session between them can only be measured together: their predictions add up.
    Sessions are comparable under one model alone, whose way of counting is its own.

    Args:
        at_ms: The moment of one of the events.
        events: All that was done to the project, in any order.
        firsts: The first requests of its sessions, in any order.
    """
    together = _together(at_ms, sorted(events, key=lambda event: event.at_ms), firsts)
    if not together:
        return None
    begin_ms, end_ms = together[0].at_ms, together[-1].at_ms
    next_ms = min((e.at_ms for e in events if e.at_ms > end_ms), default=None)
    before = sorted((one for one in firsts if one.at_ms < begin_ms), key=lambda one: -one.at_ms)
    after = sorted(
        (one for one in firsts if one.at_ms > end_ms and (next_ms is None or one.at_ms < next_ms)),
        key=lambda one: one.at_ms,
    )
    for one in after:
        compared = [first.prompt_tokens for first in before if first.model == one.model][:COMPARED]
        if compared:
            return _proof(one, sorted(compared), _sum(together))
    return None


def _together(at_ms: int, events: Sequence[Event], firsts: Sequence[FirstRequest]) -> list[Event]:
    """The event at that moment with those around it from which no session parts it."""
    if not any(event.at_ms == at_ms for event in events):
        return []
    earlier = max((one.at_ms for one in firsts if one.at_ms < at_ms), default=-1)
    later = min((one.at_ms for one in firsts if one.at_ms > at_ms), default=None)
    return [e for e in events if earlier < e.at_ms and (later is None or e.at_ms < later)]


def _proof(after: FirstRequest, before: Sequence[int], predicted: int | None) -> Proof:
    return Proof(
        model=after.model,
        before_tokens=before[(len(before) - 1) // 2],
        before_spread_tokens=before[-1] - before[0],
        before_sessions=len(before),
        after_tokens=after.prompt_tokens,
        after_session=after.session,
        after_at_ms=after.at_ms,
        predicted_tokens=predicted,
    )


def _sum(events: Sequence[Event]) -> int | None:
    known = [event.freed_tokens for event in events if event.freed_tokens is not None]
    return sum(known) if known else None
