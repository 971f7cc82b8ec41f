"""Whether a limit burns so fast that it will not last: judged over two windows at once.

Multi-window burn rates of site reliability engineering, with factors for windows of 5 hours and 7
days (the well-known 14.4, 6 and 1 belong to a budget of 30 days). The long window shows that it
matters, the short one that it still goes on.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts.rules import (
    BURN,
    CRITICAL,
    INFO,
    LEVELS,
    WARNING,
    Observation,
    limit_window_id,
)
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000

EARLIER_THAN_RESET_MS = 10 * _MINUTE_MS
"""A limit that is spent this shortly before its reset costs nobody anything."""

LEAST_SAMPLES = 3
"""Reports are whole percents and late; fewer say nothing about a rate."""

LEAST_SHARE, LEAST_PROBABILITY = 0.20, 0.80
"""For the mildest level: so much used, and so likely to be spent before the reset."""


class Tier(NamedTuple):
    """One pair of windows and the burn that both must exceed."""

    level: str
    long_ms: int
    short_ms: int
    burn: float
    """How many times faster than what would just last until the reset."""


FIVE_HOUR_TIERS = (
    Tier(CRITICAL, 15 * _MINUTE_MS, 2 * _MINUTE_MS, 3.0),  # 15 % of the limit in 15 minutes
    Tier(WARNING, 60 * _MINUTE_MS, 5 * _MINUTE_MS, 1.5),  # 30 % in an hour
)
# Of 168 hours a person works some 40, which alone is 4.2 times: measure in active hours.
SEVEN_DAY_TIERS = (
    Tier(CRITICAL, 6 * _HOUR_MS, 30 * _MINUTE_MS, 4.2),  # 15 % in 6 hours
    Tier(WARNING, 24 * _HOUR_MS, 2 * _HOUR_MS, 1.75),  # 25 % in a day
    Tier(INFO, 72 * _HOUR_MS, 6 * _HOUR_MS, 1.17),  # 50 % in 3 days
)
TIERS = {"five-hour": FIVE_HOUR_TIERS, "seven-day": SEVEN_DAY_TIERS}


class BurnReading(NamedTuple):
    """What is known of one limit now."""

    limit: str
    """`five-hour` or `seven-day`."""
    used_share: float
    samples: int
    resets_at_ms: int
    at_ms: int
    exhausted_at_ms: int | None
    """The forecast (its median); `None` is not before the reset."""
    probability: float | None = None
    """That it is spent before the reset; `None` is unknown."""


def burn_of(grown_share: float, span_ms: int, window_ms: int) -> float:
    """How many times faster than even use over the window this much in this span is."""
    return grown_share * window_ms / span_ms


def rho(reading: BurnReading, rate_per_ms: float) -> float:
    """The observed rate over the rate that would exactly last until the reset.

    Args:
        reading: The limit as it stands.
        rate_per_ms: Share used per millisecond, as observed lately.
    """
    left_ms, room = reading.resets_at_ms - reading.at_ms, 1 - reading.used_share
    if left_ms <= 0:
        return 0.0
    return float("inf") if room <= 0 else rate_per_ms * left_ms / room


def tier_met(
    reading: BurnReading, burn_over: Callable[[int], float | None], rate_per_ms: float
) -> str | None:
    """The level of this burn, or None.

    Args:
        reading: The limit as it stands.
        burn_over: The burn over the last so many milliseconds; `None` is unknown.
        rate_per_ms: For `rho`.
    """
    if reading.samples < LEAST_SAMPLES or not _is_too_early(reading):
        return None
    if not rho(reading, rate_per_ms) > 1:
        return None
    for tier in TIERS[reading.limit]:
        burns = burn_over(tier.long_ms), burn_over(tier.short_ms)
        if all(burn is not None and burn > tier.burn for burn in burns):
            return tier.level
    likely = (reading.probability or 0) >= LEAST_PROBABILITY
    return INFO if likely and reading.used_share >= LEAST_SHARE else None


def burn_observation(
    reading: BurnReading, level: str | None, account: str = "", where: str = ""
) -> Observation:
    """A burn as an observation: its value is the severity, 0 for none."""
    severity = LEVELS.index(level) + 1 if level else 0
    is_known = reading.samples >= LEAST_SAMPLES
    outlook = ""
    if reading.exhausted_at_ms is not None:
        lasts = shown_span(reading.exhausted_at_ms - reading.at_ms)
        early = shown_span(reading.resets_at_ms - reading.exhausted_at_ms)
        outlook = f"at this rate spent in about {lasts}, {early} before the reset (estimated)"
    return Observation(
        BURN,
        f"{account}/{reading.limit}" if account else reading.limit,
        limit_window_id(reading.resets_at_ms),
        float(severity),
        reading.at_ms,
        is_known=is_known,
        where=where or f"{_shown(reading.limit)} limit, {int(reading.used_share * 100)}% used",
        outlook=outlook,
    )


def _shown(limit: str) -> str:
    return {"five-hour": "5-hour", "seven-day": "7-day"}[limit]


def _is_too_early(reading: BurnReading) -> bool:
    spent = reading.exhausted_at_ms
    return spent is not None and spent < reading.resets_at_ms - EARLIER_THAN_RESET_MS
