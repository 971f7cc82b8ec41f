"""Thresholds met, and past their grace: from shares of the window to the level acted on."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.budget.health import (
    LEVELS,
    MARGIN_SHARE,
    Thresholds,
    advance,
    thresholds,
)
from tokenbudget.optimizer.policy import GRACE_REQUESTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from tokenbudget.model.control import Signals, Wishes
    from tokenbudget.optimizer.state import State

    Since: TypeAlias = tuple[int | None, int | None, int | None]


class Met(NamedTuple):
    """A threshold that is met."""

    level: str
    held: int
    """Requests since it was first met."""

    @property
    def needed(self) -> int:
        """Requests for which it must be held before anything is done."""
        return GRACE_REQUESTS[self.level]


def limits_of(wishes: Wishes) -> Thresholds:
    """The thresholds as wished. Raises BadConfig where they cannot be meant."""
    return thresholds(wishes.warning_share, wishes.critical_share, wishes.emergency_share)


def observed(state: State, seen: Signals, limits: Thresholds) -> State:
    """The state with what a look showed; a level changes only with a new completed request.

    The look has no `signals.fault`.
    """
    if seen.request_key == state.request_key:
        return state
    health, _ = advance(state.health, seen.share or 0.0, seen.request_at_ms, limits)
    said = state.said if health.level == state.health.level else ()
    met = _first_met(state.met, health.level, seen.requests)
    return state._replace(health=health, met=met, said=said)


def thresholds_met(state: State, seen: Signals, limits: Thresholds) -> list[Met]:
    """The thresholds that are met, worst first; `state` has this look in it.

    A level that was left for less than the margin is still met; one whose recovery has begun is
    not, though the level of health is believed to have changed only later.
    """
    share = seen.share or 0.0
    found = []
    for number in (3, 2, 1):
        first = state.met[number - 1]
        if first is not None and share >= limits[number - 1] - MARGIN_SHARE:
            found.append(Met(LEVELS[number], state.requests - first))
    return found


def past_grace(met: Sequence[Met]) -> list[Met]:
    """Those that were held for long enough, worst first."""
    return [one for one in met if one.held >= one.needed]


def _first_met(met: Since, level: str, requests: int) -> Since:
    reached = LEVELS.index(level)
    first = [requests if since is None else min(since, requests) for since in met]
    warning, critical, emergency = (
        since if reached > number else None for number, since in enumerate(first)
    )
    return warning, critical, emergency
