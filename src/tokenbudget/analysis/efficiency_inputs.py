"""What the efficiency score is made of, as sums: of a period, of each session, of each week."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.profile_sums import Days, monday_of
from tokenbudget.analysis.study import PREFIX, UNATTRIBUTED
from tokenbudget.analysis.window_pieces import CONTEXT_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.study import FileStudy, ThreadStudy

RE_READS = frozenset(("re-read", "stale-copy"))
ERRORS = frozenset(("failing-command",))
"""Drains that have parts of their own in the score; the others lower the useful share."""

_NAMELESS = frozenset((PREFIX, UNATTRIBUTED))
"""No piece of these is known to have entered at a time."""


class Inputs(NamedTuple):
    """Sums, so that inputs of any two sets of sessions can be added."""

    requests: int = 0
    prompt_tokens: int = 0
    cache_read_tokens: int = 0
    total_tokens: int = 0
    cost_pico_usd: int = 0
    unpriced_tokens: int = 0
    added_tokens: int = 0
    """That are known to have entered windows, and"""
    carried_tokens: int = 0
    """the prompt tokens that carried them, over all requests."""
    file_sent_tokens: int = 0
    """Prompt tokens of files, over all requests that carried them."""
    again_sent_tokens: int = 0
    """Of them, second copies and copies out of date."""
    lost_tokens: int = 0
    """In other drains."""
    lost_pico_usd: int = 0
    calls: int = 0
    failed_calls: int = 0

    def plus(self, other: Inputs) -> Inputs:
        """The inputs of both."""
        return Inputs(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: Inputs) -> Inputs:
        """The inputs without the other's, which are among them."""
        return Inputs(*(a - b for a, b in zip(self, other, strict=True)))


class Daily(NamedTuple):
    """The inputs of one thread on one day."""

    session: str
    day: int
    inputs: Inputs


class Split(NamedTuple):
    """Inputs of a period by session, and of everything by week (its Monday's number)."""

    sessions: dict[str, Inputs]
    weeks: dict[int, Inputs]

    def whole(self) -> Inputs:
        """The period."""
        return added(self.sessions.values())


def added(some: Iterable[Inputs]) -> Inputs:
    """The sum of some inputs."""
    return Inputs(*map(sum, zip(*some, strict=True))) if (some := list(some)) else Inputs()


def daily_of(files: Iterable[FileStudy]) -> list[Daily]:
    """The inputs of every thread by day: the one pass over all spends."""
    return [
        Daily(file.session, day, inputs)
        for file in files
        for thread in file.threads
        for day, inputs in _by_day(thread).items()
    ]


def split_of(daily: Iterable[Daily], days: Days) -> Split:
    """The inputs of what lies in a period by session, and of all weeks."""
    sessions: dict[str, list[Inputs]] = {}
    weeks: dict[int, list[Inputs]] = {}
    for session, day, inputs in daily:
        if days.holds(day):
            sessions.setdefault(session, []).append(inputs)
        if day:
            weeks.setdefault(monday_of(day), []).append(inputs)
    return Split(
        {session: added(some) for session, some in sessions.items()},
        {week: added(some) for week, some in weeks.items()},
    )


def _by_day(thread: ThreadStudy) -> dict[int, Inputs]:
    """A thread's inputs by day; its requests are told where it spent, in proportion."""
    spent = _spent(thread)
    found = {day: Inputs(*sums) for day, sums in spent.items()}
    for row in thread.tools:
        found[row.day] = found.get(row.day, Inputs()).plus(
            Inputs(calls=row.calls, failed_calls=row.errors)
        )
    for seen in thread.sightings:
        found[seen.day] = found.get(seen.day, Inputs()).plus(
            Inputs(again_sent_tokens=seen.sent_tokens)
            if seen.drain in RE_READS
            else Inputs()
            if seen.drain in ERRORS
            else Inputs(lost_tokens=seen.sent_tokens, lost_pico_usd=seen.cost_pico_usd)
        )
    return found


def _spent(thread: ThreadStudy) -> dict[int, list[int]]:
    """The first nine inputs by day: a loop over all spends, by place, not by name."""
    found: dict[int, list[int]] = {}
    for spend in thread.spends:
        sums = found.get(spend[0])
        if sums is None:
            sums = found[spend[0]] = [0] * 9
        prompt = spend[8] + spend[9] + spend[10] + spend[11]
        sums[1] += prompt
        sums[2] += spend[11]
        sums[3] += prompt + spend[12]
        sums[4] += spend[13]
        sums[5] += spend[14]
        if spend[2] not in _NAMELESS:
            sums[6] += spend[7]
            sums[7] += prompt
        if spend[2] == CONTEXT_FILES:
            sums[8] += prompt
    total = sum(sums[3] for sums in found.values())
    left = thread.requests
    for place, sums in enumerate(reversed(found.values())):
        is_first = place == len(found) - 1
        sums[0] = left if is_first else round(thread.requests * sums[3] / total) if total else 0
        left -= sums[0]
    return found
