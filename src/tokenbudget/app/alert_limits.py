"""Limits and how fast they burn, as the alerts see them: from the agent's own reports alone."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts.burn_rate import (
    BurnReading,
    burn_observation,
    burn_of,
    tier_met,
)
from tokenbudget.alerts.rules import BURN, FIVE_HOUR, SEVEN_DAY, Observation, limit_window_id
from tokenbudget.analysis.window_budget import LIMITS, SAME_RESET_MS, limit_state
from tokenbudget.app.statusline import limit_reports
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.app import Workbench
    from tokenbudget.budget.limits import LimitForecast, LimitSample

ACCOUNT = "account"
"""Whose limits they are: an agent reports those of the account that it is signed in to."""

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SCOPES = {"five_hour": FIVE_HOUR, "seven_day": SEVEN_DAY}

STALE_MS = {FIVE_HOUR: 15 * 60_000, SEVEN_DAY: 2 * HOUR_MS}
"""An older report says nothing about now: other devices spend from the same limit."""

LATELY_MS = {FIVE_HOUR: 15 * 60_000, SEVEN_DAY: 6 * HOUR_MS}
"""Over so long the present rate is taken."""

LIKELY, EVEN, UNLIKELY = 0.9, 0.5, 0.1
"""What a forecast's quantiles say at least about the chance that a limit is spent before its
reset: its P90, its median, neither of them."""

LEARN_WEEKS, LEAST_WEEKS = 4, 2
LEAST_HOURS, ALL_HOURS = 10, 168
"""Active hours of a week: not so few that a single evening counts as a week's pace."""


class LimitNow(NamedTuple):
    """One limit in its open window."""

    scope: str
    window_ms: int
    samples: Sequence[LimitSample]
    """Of the open window, oldest first; never empty."""
    forecast: LimitForecast

    @property
    def resets_at_ms(self) -> int:
        """As it was reported first: later reports of one window waver."""
        return self.samples[0].resets_at_ms

    @property
    def used_share(self) -> float:
        """Nothing is given back within a window: a lower report is a late one."""
        return max(sample.used_share for sample in self.samples)

    @property
    def at_ms(self) -> int:
        """When it was reported last."""
        return self.samples[-1].at_ms

    def is_stale(self, now_ms: int) -> bool:
        """Whether nobody has reported anything for long."""
        return now_ms - self.at_ms > STALE_MS[self.scope]

    def share_at(self, at_ms: int) -> float | None:
        """What had been used then; None before the first report, unless the window is younger."""
        known = [sample.used_share for sample in self.samples if sample.at_ms <= at_ms]
        if known:
            return max(known)
        return 0.0 if self.resets_at_ms - self.window_ms >= at_ms else None


def limit_observations(bench: Workbench, scopes: set[str], now_ms: int) -> list[Observation]:
    """The limits that rules of these scopes watch, and their burn."""
    if not scopes & {FIVE_HOUR, SEVEN_DAY, BURN}:
        return []
    reports = limit_reports(bench)
    found: list[Observation] = []
    for name, title, window_ms in LIMITS:
        samples, scope = reports.get(name, []), SCOPES[name]
        if not samples or not scopes & {scope, BURN}:
            continue
        last = samples[-1]
        seen = [s for s in samples if abs(s.resets_at_ms - last.resets_at_ms) <= SAME_RESET_MS]
        state = limit_state(name, title, window_ms, samples, now_ms)
        limit = LimitNow(scope, window_ms, seen, state.forecast)
        if scope in scopes:
            found.append(share_observation(limit, now_ms))
        if BURN in scopes:
            hours = _active_hours(bench, now_ms) if scope == SEVEN_DAY else None
            found.append(burn_seen(limit, hours, now_ms))
    return found


def share_observation(limit: LimitNow, now_ms: int) -> Observation:
    """How much of a limit is used."""
    return Observation(
        limit.scope,
        ACCOUNT,
        limit_window_id(limit.resets_at_ms),
        limit.used_share,
        limit.at_ms,
        is_known=not limit.is_stale(now_ms),
        is_over=limit.resets_at_ms <= now_ms,
        where=ACCOUNT,
        outlook=_outlook(limit, now_ms),
    )


def burn_seen(limit: LimitNow, active_hours: set[int] | None, now_ms: int) -> Observation:
    """How fast a limit burns; `active_hours` are UTC hours of use, None counts every hour."""
    spent = limit.forecast.exhausted_at_ms
    likely = None
    if spent is not None:
        likely = LIKELY if spent.p90 is not None else EVEN if spent.p50 is not None else UNLIKELY
    reading = BurnReading(
        limit.scope,
        limit.used_share,
        len(limit.samples),
        limit.resets_at_ms,
        now_ms,
        None if spent is None or spent.p50 is None else int(spent.p50),
        likely,
    )

    def burn_over(span_ms: int) -> float | None:
        before = limit.share_at(now_ms - span_ms)
        if before is None:
            return None
        window_ms, active_ms = limit.window_ms, span_ms
        if active_hours is not None:
            window_ms = _active_week_ms(active_hours, now_ms)
            active_ms = _active_within_ms(active_hours, now_ms, span_ms)
        return burn_of(limit.used_share - before, active_ms, window_ms)

    level = tier_met(reading, burn_over, _rate(limit, now_ms))
    seen = burn_observation(reading, level, ACCOUNT)
    is_over = limit.resets_at_ms <= now_ms
    is_known = seen.is_known and not limit.is_stale(now_ms)
    return seen._replace(is_known=is_known, is_over=is_over, at_ms=limit.at_ms)


def _rate(limit: LimitNow, now_ms: int) -> float:
    """Share per millisecond lately, or since the first report."""
    lately_ms = LATELY_MS[limit.scope]
    before = limit.share_at(now_ms - lately_ms)
    if before is None:
        first = limit.samples[0]
        before, lately_ms = first.used_share, max(1, now_ms - first.at_ms)
    return (limit.used_share - before) / lately_ms


def _outlook(limit: LimitNow, now_ms: int) -> str:
    resets = f"resets in {shown_span(limit.resets_at_ms - now_ms)}"
    spent = limit.forecast.exhausted_at_ms
    if spent is None or spent.p50 is None:
        return resets
    if limit.used_share >= 1:
        return f"spent; {resets}"
    return f"spent in about {shown_span(int(spent.p50) - now_ms)} (estimated), {resets}"


# ── active hours ─────────────────────────────────────────────────────────────────────────────────


def _active_hours(bench: Workbench, now_ms: int) -> set[int] | None:
    """The UTC hours of the last weeks in which anything was used; None of too short a history."""
    begin_ms = (now_ms - LEARN_WEEKS * 7 * DAY_MS) // HOUR_MS * HOUR_MS
    rows = bench.ledger.usage(UsageQuery(period="hour", since_ms=begin_ms))
    hours = {row.period for row in rows if row.period}
    if not hours or now_ms - min(hours) * HOUR_MS < LEAST_WEEKS * 7 * DAY_MS:
        return None
    return hours


def _active_week_ms(hours: set[int], now_ms: int) -> int:
    weeks = min(LEARN_WEEKS, max(1.0, (now_ms - min(hours) * HOUR_MS) / (7 * DAY_MS)))
    return int(min(ALL_HOURS, max(LEAST_HOURS, len(hours) / weeks)) * HOUR_MS)


def _active_within_ms(hours: set[int], now_ms: int, span_ms: int) -> int:
    """How much of a span was active: whole hours, and never less than one."""
    touched = sum(
        now_ms - span_ms < (hour + 1) * HOUR_MS and hour * HOUR_MS <= now_ms for hour in hours
    )
    return min(span_ms, max(1, touched) * HOUR_MS)
