"""What an applied fix really saved: the use of before against the use of after, request by request.

A week with twice the work shows twice the loss. So both sides are rates per request, and the
saving is their difference times the requests of a week since. Sessions that ran while the fix was
applied belong to neither side. The interval holds nine of ten: each rate is a ratio of sums over
sessions, and its standard error comes from how much the sessions differ from it.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.drains.ranking import Z_90
from tokenbudget.analysis.findings import AppliedFix, Price

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.analysis.first_requests import Proof
    from tokenbudget.analysis.study import FileStudy, Sighting

DAY_MS = 86_400_000
WEEK_DAYS = 7
ENOUGH_DAYS = 7.0
"""Working days and free ones: a shorter time says little about a week."""
FEWEST_SESSIONS = 3
"""Begun since, so that their differences can be seen at all."""
NONE_SEEN = 1.15
"""Events in half of the interval where none was seen: up to 2.3 (ln 10) are within nine of ten."""
MICRO = 1_000_000


class SessionUse(NamedTuple):
    """What one session spent on a drain."""

    first_ms: int
    requests: int
    tokens: int
    cost_pico_usd: int


class Foretold(NamedTuple):
    """What was written down when a fix was applied."""

    action: int
    drain: str
    subject: str
    """'' for all that the drain is about."""
    at_ms: int
    undone_at_ms: int | None
    predicted: Price
    period_days: int
    period_requests: int
    period_sent_tokens: int


def uses_of(
    files: Iterable[FileStudy],
    is_meant: Callable[[Sighting], bool],
    begin_ms: int,
    end_ms: int,
) -> list[SessionUse]:
    """The sessions that began and ended in `[begin_ms, end_ms)`, with what is meant of each."""
    sums: dict[str, list[int]] = {}
    for file in files:
        for thread in file.threads:
            if not thread.requests or not thread.first_ms:
                continue
            known = sums.setdefault(file.session, [thread.first_ms, thread.last_ms, 0, 0, 0])
            known[0] = min(known[0], thread.first_ms)
            known[1] = max(known[1], thread.last_ms)
            known[2] += thread.requests
            meant = [one for one in thread.sightings if is_meant(one)]
            known[3] += sum(one.sent_tokens for one in meant)
            known[4] += sum(one.cost_pico_usd for one in meant)
    found = [
        SessionUse(first, requests, tokens, pico)
        for first, last, requests, tokens, pico in sums.values()
        if begin_ms <= first and last < end_ms
    ]
    return sorted(found)


def outcome_by_rate(
    foretold: Foretold,
    before: Sequence[SessionUse],
    after: Sequence[SessionUse],
    now_ms: int,
    added_tokens: int = 0,
) -> AppliedFix:
    """What came of a fix whose drain shows in threads.

    Args:
        foretold: What was written down.
        before: The sessions of then; where their studies are gone, what was written down stands in.
        after: The sessions since.
        now_ms: The time.
        added_tokens: What the fix itself adds to every request, which is taken off.
    """
    days = _days(foretold, now_ms)
    if days < ENOUGH_DAYS or len(after) < FEWEST_SESSIONS:
        return _unmeasured(foretold, days)
    known = list(before)
    if not sum(one.requests for one in known):
        if not foretold.period_requests:
            return _unmeasured(foretold, days)
        known = [_remembered(foretold)]
    weekly_requests = sum(one.requests for one in after) / (days / WEEK_DAYS)
    was, now, error = _rates(known, after, "tokens")
    was_pico, now_pico, pico_error = _rates(known, after, "cost_pico_usd")
    added_pico = float(added_tokens * (_usd_per_token(foretold) or 0) * MICRO * MICRO)
    return AppliedFix(
        action=foretold.action,
        applied_at_ms=foretold.at_ms,
        predicted=foretold.predicted,
        days_since=days,
        before_tokens_per_week=round(was * weekly_requests),
        after_tokens_per_week=round(now * weekly_requests),
        saved=Price(
            round((was - now - added_tokens) * weekly_requests),
            round(error * weekly_requests),
            _usd((was_pico - now_pico - added_pico) * weekly_requests, foretold),
            _usd(pico_error * weekly_requests, foretold),
        ),
        is_undone=foretold.undone_at_ms is not None,
    )


def outcome_by_first_requests(
    foretold: Foretold,
    proof: Proof | None,
    share: float,
    after: Sequence[SessionUse],
    now_ms: int,
) -> AppliedFix:
    """What came of a fix that made every request smaller, by how sessions begin since.

    Args:
        foretold: What was written down.
        proof: Sizes of first requests before and after.
        share: Of what was freed, this fix's part (of those that were applied at one time).
        after: The sessions since, for the pace.
        now_ms: The time.
    """
    days = _days(foretold, now_ms)
    if days < ENOUGH_DAYS or proof is None or not after:
        return _unmeasured(foretold, days)
    weekly_requests = sum(one.requests for one in after) / (days / WEEK_DAYS)
    freed = proof.freed_tokens * share
    tokens = round(freed * weekly_requests)
    error = round(proof.before_spread_tokens * share * weekly_requests)
    per_token = _usd_per_token(foretold)
    return AppliedFix(
        action=foretold.action,
        applied_at_ms=foretold.at_ms,
        predicted=foretold.predicted,
        days_since=days,
        before_tokens_per_week=round(proof.before_tokens * weekly_requests),
        after_tokens_per_week=round(proof.after_tokens * weekly_requests),
        saved=Price(
            tokens,
            error,
            None if per_token is None else tokens * per_token,
            None if per_token is None else error * per_token,
        ),
        is_undone=foretold.undone_at_ms is not None,
    )


def _days(foretold: Foretold, now_ms: int) -> float:
    end_ms = now_ms if foretold.undone_at_ms is None else foretold.undone_at_ms
    return max(0.0, (end_ms - foretold.at_ms) / DAY_MS)


def _unmeasured(foretold: Foretold, days: float) -> AppliedFix:
    return AppliedFix(
        foretold.action,
        foretold.at_ms,
        foretold.predicted,
        days,
        None,
        None,
        None,
        foretold.undone_at_ms is not None,
    )


def _remembered(foretold: Foretold) -> SessionUse:
    per_token = _usd_per_token(foretold) or Decimal(0)
    pico = round(foretold.period_sent_tokens * per_token * MICRO * MICRO)
    return SessionUse(0, foretold.period_requests, foretold.period_sent_tokens, pico)


def _rates(
    before: Sequence[SessionUse], after: Sequence[SessionUse], field: str
) -> tuple[float, float, float]:
    """(rate before, rate after, half of the interval of their difference), per request.

    The sessions since are taken to differ at least as much as those before did: what was applied
    was chosen for being dear then, and the few sessions since may be cheap ones by chance. Without
    that, three of ten fixes without any effect would be said to have saved something.
    """
    was, was_error = _rate(before, field, before)
    now, now_error = _rate(after, field, before)
    requests = sum(one.requests for one in after)
    as_before = _spread(before, field) * math.sqrt(len(after)) / requests if requests else 0.0
    return was, now, Z_90 * math.hypot(was_error, max(now_error, as_before))


def _rate(
    uses: Sequence[SessionUse], field: str, pattern: Sequence[SessionUse]
) -> tuple[float, float]:
    """A ratio of sums over sessions, with its standard error.

    Where no session has any of it, as many may still have it as `NONE_SEEN` says, each as large as
    those of `pattern` that had: that it was not seen does not mean that it cannot be.
    """
    requests = sum(one.requests for one in uses)
    values = [getattr(one, field) for one in uses]
    if not requests:
        return 0.0, 0.0
    rate = sum(values) / requests
    if not any(values):
        typical = [getattr(one, field) for one in pattern if getattr(one, field)]
        size = sum(typical) / len(typical) if typical else 0.0
        return 0.0, NONE_SEEN / Z_90 * size / requests
    if len(uses) == 1:
        return rate, rate
    return rate, _spread(uses, field) * math.sqrt(len(uses)) / requests


def _spread(uses: Sequence[SessionUse], field: str) -> float:
    """By how much a session differs from its part at the rate of all: a standard deviation."""
    if len(uses) < 2:
        return 0.0
    rate = sum(getattr(one, field) for one in uses) / max(1, sum(one.requests for one in uses))
    squares = sum((getattr(one, field) - rate * one.requests) ** 2 for one in uses)
    return math.sqrt(squares / (len(uses) - 1))


def _usd(pico: float, foretold: Foretold) -> Decimal | None:
    if foretold.predicted.usd is None:
        return None
    return Decimal(round(pico)) / MICRO / MICRO


def _usd_per_token(foretold: Foretold) -> Decimal | None:
    predicted = foretold.predicted
    if predicted.usd is None or not predicted.tokens:
        return None
    return predicted.usd / predicted.tokens
