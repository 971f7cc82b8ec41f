from __future__ import annotations

import pytest
from tests.alerts.builders import HOUR, MINUTE, NOON_MS, Engine

from tokenbudget.alerts.burn_rate import (
    FIVE_HOUR_TIERS,
    SEVEN_DAY_TIERS,
    BurnReading,
    burn_observation,
    burn_of,
    rho,
    tier_met,
)
from tokenbudget.alerts.rules import burn_rule

READING = BurnReading("five-hour", 0.5, 9, NOON_MS + 3 * HOUR, NOON_MS, NOON_MS + HOUR, 0.9)
FAST = 0.5 / HOUR  # per millisecond: three times what would last


@pytest.mark.parametrize(
    ("tier", "share", "window_hours"),
    [(FIVE_HOUR_TIERS[0], 0.15, 5), (FIVE_HOUR_TIERS[1], 0.30, 5),
     (SEVEN_DAY_TIERS[0], 0.15, 168), (SEVEN_DAY_TIERS[1], 0.25, 168),
     (SEVEN_DAY_TIERS[2], 0.5, 168)],
)  # fmt: skip
def test_each_factor_is_the_share_it_stands_for(
    tier: object, share: float, window_hours: int
) -> None:
    burn = burn_of(share, tier.long_ms, window_hours * HOUR)  # type: ignore[attr-defined]
    assert burn == pytest.approx(tier.burn, abs=0.005)  # type: ignore[attr-defined]


def test_rho_is_one_when_it_just_lasts() -> None:
    assert rho(READING, 0.5 / (3 * HOUR)) == pytest.approx(1)
    assert rho(READING._replace(used_share=1.0), FAST) == float("inf")
    assert rho(READING._replace(resets_at_ms=NOON_MS), FAST) == 0


def met(burns: dict[int, float], reading: BurnReading = READING, rate: float = FAST) -> str | None:
    return tier_met(reading, lambda span: burns.get(span // MINUTE), rate)


def test_both_windows_must_burn() -> None:
    mild = READING._replace(probability=0.1)
    assert met({15: 3.5, 2: 3.5, 60: 2, 5: 2}, mild) == "critical"
    assert met({15: 3.5, 2: 0.0, 60: 2, 5: 2}, mild) == "warning"
    assert met({15: 3.5, 60: 2}, mild) is None
    assert met({}, mild) is None
    assert met({}) == "info", "likely to be spent, and a fifth is used"


@pytest.mark.parametrize(
    "reading",
    [
        READING._replace(samples=2),
        READING._replace(exhausted_at_ms=None),
        READING._replace(exhausted_at_ms=READING.resets_at_ms - 9 * MINUTE),
    ],
)
def test_few_samples_or_a_late_exhaustion_are_no_alarm(reading: BurnReading) -> None:
    assert met({15: 9, 2: 9, 60: 9, 5: 9}, reading) is None


def test_a_rate_that_lasts_is_no_alarm() -> None:
    assert met({15: 9, 2: 9, 60: 9, 5: 9}, rate=0.1 / (3 * HOUR)) is None


def test_a_burn_is_told_and_rises() -> None:
    engine = Engine([burn_rule(["slack"])])
    engine.sees(burn_observation(READING, "warning"))
    [fire] = engine.sees(burn_observation(READING, "warning"), after=MINUTE)
    assert fire.title == "burn rate at very fast: 5-hour limit, 50% used"
    assert "spent in about 1h, 2h before the reset (estimated)" in fire.body
    [risen] = engine.sees(burn_observation(READING, "critical"), after=MINUTE)
    assert (risen.kind, risen.level) == ("escalate", "critical")
    assert engine.sees(burn_observation(READING._replace(samples=1), None), after=HOUR) == []
    assert engine.state.alerts[0].status == "firing"
