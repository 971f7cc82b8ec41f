"""How full a window is, in words: a level that reacts at once to worse and slowly to better.

Two scales exist and must not be mixed up in one picture. The health level has four steps and a
memory; the monitor's traffic light has three colours and none. Whatever shows a colour says which.

Worse takes effect with the request that shows it, as the kubelet's hard eviction threshold does.
Better is believed once it has held, as the kubelet's pressure transition period of 5 minutes does:
without it a window that hovers at a boundary would change its level with every request.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.errors import BadConfig

HEALTHY, WARNING, CRITICAL, EMERGENCY = "healthy", "warning", "critical", "emergency"

LEVELS = (HEALTHY, WARNING, CRITICAL, EMERGENCY)
"""From best to worst."""

SYMBOLS = {HEALTHY: "●", WARNING: "▲", CRITICAL: "◆", EMERGENCY: "✖"}
EMOJI = {HEALTHY: "🟢", WARNING: "🟡", CRITICAL: "🟠", EMERGENCY: "🔴"}

GREEN, YELLOW, RED = "green", "yellow", "red"

HEALTH_LEVEL, TRAFFIC_LIGHT = "health level", "traffic light"
"""What to call the two scales beside a colour."""

YELLOW_SHARE, RED_SHARE = 0.50, 0.80

WORSE, RECOVERY = "worse", "recovery"
"""Values of `Transition.kind`."""

MARGIN_SHARE = 0.03
"""How far below a boundary the share must fall before better is believed."""

CALM_REQUESTS = 3
"""Consecutive requests below the margin after which a level is left, or ..."""

CALM_MS = 5 * 60_000
"""... the time that this has held, whichever comes first."""


class Thresholds(NamedTuple):
    """Shares of the window at which the levels begin; build it with `thresholds`."""

    warning_share: float = 0.50
    critical_share: float = 0.75
    emergency_share: float = 0.90


STANDARD = Thresholds()


class Transition(NamedTuple):
    """One change of level."""

    from_level: str
    to_level: str
    at_ms: int
    kind: str


class HealthState(NamedTuple):
    """A level and the memory it needs; a plain value, to be stored and taken up again."""

    level: str = HEALTHY
    calm_requests: int = 0
    """Consecutive requests, so far, below the level's boundary minus the margin."""
    calm_since_ms: int = 0
    """When the first of them was; 0 when there is none."""


def thresholds(
    warning_share: float = 0.50, critical_share: float = 0.75, emergency_share: float = 0.90
) -> Thresholds:
    """Thresholds that can be meant.

    Raises:
        BadConfig: they do not ascend, or one is not in (0, 1].
    """
    if not 0 < warning_share < critical_share < emergency_share <= 1:
        raise BadConfig(
            f"thresholds of {warning_share:g}, {critical_share:g} and {emergency_share:g} do not"
            " ascend between 0 and 1; write shares such as 0.5, 0.75 and 0.9"
        )
    return Thresholds(warning_share, critical_share, emergency_share)


def level_of(share: float, limits: Thresholds = STANDARD) -> str:
    """The level of this share alone; more than the whole window is an emergency.

    Raises:
        ValueError: the share is negative or not a number.
    """
    _refuse_impossible(share)
    return LEVELS[sum(share >= limit for limit in limits)]


def advance(
    state: HealthState, share: float, at_ms: int, limits: Thresholds = STANDARD
) -> tuple[HealthState, Transition | None]:
    """The state after one more completed request, and the change of level if there is one.

    Worse levels are taken at once, any number of steps. A better one is taken one step at a time,
    when the share has been below the present level's boundary minus 3 points for 3 consecutive
    requests or for 5 minutes, whichever comes first; the next step down has to wait anew.

    Call it once per completed request: the share cannot change in between.

    Raises:
        ValueError: the share is negative or not a number.
    """
    current, seen = LEVELS.index(state.level), LEVELS.index(level_of(share, limits))
    if seen > current:
        return _entered(state.level, LEVELS[seen], at_ms, WORSE)
    if current == 0 or share >= limits[current - 1] - MARGIN_SHARE:
        return HealthState(state.level), None
    since_ms = state.calm_since_ms if state.calm_requests else at_ms
    calm = HealthState(state.level, state.calm_requests + 1, since_ms)
    if calm.calm_requests < CALM_REQUESTS and at_ms - since_ms < CALM_MS:
        return calm, None
    return _entered(state.level, LEVELS[current - 1], at_ms, RECOVERY)


def traffic_light(share: float) -> str:
    """The monitor's light: green below 50 %, yellow below 80 %, else red. It has no memory.

    Raises:
        ValueError: the share is negative or not a number.
    """
    _refuse_impossible(share)
    if share < YELLOW_SHARE:
        return GREEN
    return YELLOW if share < RED_SHARE else RED


def _entered(
    from_level: str, to_level: str, at_ms: int, kind: str
) -> tuple[HealthState, Transition]:
    return HealthState(to_level), Transition(from_level, to_level, at_ms, kind)


def _refuse_impossible(share: float) -> None:
    if not share >= 0:  # NaN compares false with everything
        raise ValueError(f"a share of {share} cannot be; use 0 or more, 1 being the whole window")
