"""From sightings to findings: grouped, priced per week with an error, and ranked by money.

Per week: the sum over the period divided by its weeks, which are at least one. Half of the
interval: the errors of the single sightings, added up, and the sampling error, for sessions
differ (90 % of the sum over sessions as a compound Poisson process: 1.64 x the root of the summed
squares). Of a few sessions it is larger than the amount: such an interval begins at nothing, for it
may not come again, and ends at `most_of`.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.drains.wording import COMMANDS, DOUBTS, shown_subject, title_of
from tokenbudget.analysis.findings import Evidence, Finding, Fix, Price
from tokenbudget.analysis.study import PICO_USD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tokenbudget.analysis.drains.drain import Drain
    from tokenbudget.analysis.findings import Confidence
    from tokenbudget.analysis.study import FileStudy, Sighting

Z_90 = 1.64
"""Standard errors on each side of an interval that holds nine of ten."""
DAYS_PER_WEEK = 7
MOST_EVIDENCE = 5
EXACT_SHARE = 0.005
ID_DIGITS, LONG_ID_DIGITS = 6, 16
ENOUGH_SESSIONS = 5
"""As for what is never used (`resources.evidence`): a working week has about as many."""
LEAST_USD = Decimal("0.01")
"""A week: whoever is told of less has to read more than it is worth."""
LEAST_TOKENS = 5_000
"""A week, where no drain says otherwise."""
MOST_ERRORS = 2.3
"""So many halves above the amount an interval ends that begins at nothing, at the most."""
GOOD_SHARE, POOR_SHARE = 0.3, 0.75
"""Of the amount, what its counting may be off for high confidence, and for any but low."""


class Days(NamedTuple):
    """A period of whole local days since 1970, both ends in it."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many days."""
        return max(0, self.last - self.first + 1)

    @property
    def weeks(self) -> float:
        """By which sums are divided: a week at least, for a day says nothing about a week."""
        return max(1.0, self.length / DAYS_PER_WEEK)

    def has(self, day: int) -> bool:
        """Whether a day is in it; the unknown day 0 never is."""
        return bool(day) and self.first <= day <= self.last


class _Seen(NamedTuple):
    """A sighting and where it was."""

    session: str
    path: str
    sighting: Sighting


def findings_from(
    files: Iterable[FileStudy], days: Days, drain_of: Callable[[str], Drain | None]
) -> list[Finding]:
    """What threads show, the dearest first; sightings of drains that are not known are passed over.

    Args:
        files: Of the projects that are meant.
        days: The observed period.
        drain_of: The catalogue.
    """
    groups: defaultdict[tuple[str, str, str], list[_Seen]] = defaultdict(list)
    for file in files:
        for thread in file.threads:
            for one in thread.sightings:
                if days.has(one.day):
                    key = (one.drain, file.project, one.subject)
                    groups[key].append(_Seen(file.session, file.path, one))
    ids = ids_of(groups)
    found = [
        _finding(ids[key], key, seen, days, drain)
        for key, seen in groups.items()
        if (drain := drain_of(key[0])) is not None
    ]
    return ranked(found)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """By money per week, then tokens, then id."""
    return sorted(
        findings,
        key=lambda one: (-(one.weekly.usd or Decimal(0)), -one.weekly.tokens, one.id),
    )


def ids_of(keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """A short id for each (drain, project, subject); where two agree, both are longer."""
    wanted = list(keys)
    short = defaultdict(list)
    for key in wanted:
        short[_id(key, ID_DIGITS)].append(key)
    return {
        key: identity if len(several) == 1 else _id(key, LONG_ID_DIGITS)
        for identity, several in short.items()
        for key in several
    }


def _id(key: tuple[str, str, str], digits: int) -> str:
    text = "\0".join(key).encode("utf-8", "surrogatepass")
    return f"{key[0]}/{hashlib.sha256(text).hexdigest()[:digits]}"


def total_of(findings: Sequence[Finding]) -> Price:
    """All of them together: each piece is charged by one drain alone, so they add up."""
    return price_sum([one.weekly for one in findings])


def price_sum(prices: Sequence[Price]) -> Price:
    """The sum; errors in quadrature; money of those that have a price."""
    priced = [one for one in prices if one.usd is not None]
    return Price(
        sum(one.tokens for one in prices),
        round(math.hypot(*(one.error_tokens for one in prices))),
        sum((one.usd or Decimal(0) for one in priced), Decimal(0)) if priced else None,
        _rounded(math.hypot(*(float(one.error_usd or 0) for one in priced))) if priced else None,
    )


def _rounded(usd: float) -> Decimal:
    return Decimal(round(usd * PICO_USD)) / PICO_USD


def is_small(finding: Finding, drain: Drain | None) -> bool:
    """Whether it is too little to be told one by one: by its money; without a price, by tokens."""
    if finding.weekly.usd is not None:
        return finding.weekly.usd < LEAST_USD
    least = LEAST_TOKENS if drain is None else drain.least_tokens_per_week
    return finding.weekly.tokens < max(1, least)


def most_of(amount: float, error: float) -> float | None:
    """Where an interval ends that begins at nothing; None where it begins above.

    What was seen so seldom may not come again, or several times as often: the upper end of the
    Poisson interval that holds nine of ten, of as many events of one size as have this error
    (Wilson and Hilferty: 4.7 where one was seen).
    """
    if amount <= 0 or error < amount:
        return None
    events = (Z_90 * amount / error) ** 2
    above = events + 1
    upper = above * (1 - 1 / (9 * above) + Z_90 / (3 * math.sqrt(above))) ** 3
    return min(amount * upper / events, amount + MOST_ERRORS * error)


def interval(amount: float, error: float) -> tuple[float, float]:
    """Both ends of an interval that holds nine of ten."""
    most = most_of(amount, error)
    return (max(0.0, amount - error), amount + error) if most is None else (0.0, most)


def _finding(
    identity: str, key: tuple[str, str, str], seen: Sequence[_Seen], days: Days, drain: Drain
) -> Finding:
    _, project, subject = key
    own = [one for one in seen if one.sighting.times > 0] or list(seen)
    times = max(1, sum(one.sighting.times for one in own))
    sessions = len({one.session for one in own})
    confidence, reason = _confidence(drain.id, seen, sessions, times)
    return Finding(
        id=identity,
        drain=drain.id,
        title=title_of(drain.id, subject, project, times),
        subject=subject,
        project=project,
        times=times,
        sessions=sessions,
        evidence=_evidence(own),
        window_tokens=round(sum(one.sighting.window_tokens for one in seen) / len(seen)),
        weekly=_weekly(seen, days.weeks),
        alternative=drain.alternative,
        tip=drain.tip,
        confidence=confidence,
        confidence_reason=reason,
        fix=advice_of(drain, subject, project),
        spent=_spent(seen),
    )


def advice_of(drain: Drain, subject: str, project: str) -> Fix:
    """The fix as far as a person or the agent has to do it."""
    named = shown_subject(subject, project) or "it"
    command = COMMANDS.get(drain.id, "")
    kind = "command" if command else "advice"
    return Fix(kind, drain.fix.replace("{subject}", named), command, "", "")  # type: ignore[arg-type]


def _weekly(seen: Sequence[_Seen], weeks: float) -> Price:
    tokens = sum(one.sighting.sent_tokens for one in seen)
    pico = sum(one.sighting.cost_pico_usd for one in seen)
    token_error = _error(seen, "sent_tokens", "error_tokens")
    pico_error = _error(seen, "cost_pico_usd", "error_pico_usd")
    return Price(
        round(tokens / weeks),
        round(token_error / weeks),
        _usd(pico / weeks) if pico else None,
        _usd(pico_error / weeks) if pico else None,
    )


def _spent(seen: Sequence[_Seen]) -> Price:
    """The sum over the period; that sessions differ is no doubt about what was."""
    pico = sum(one.sighting.cost_pico_usd for one in seen)
    return Price(
        sum(one.sighting.sent_tokens for one in seen),
        round(_counting(seen, "error_tokens")),
        _usd(pico) if pico else None,
        _usd(_counting(seen, "error_pico_usd")) if pico else None,
    )


def _counting(seen: Sequence[_Seen], error: str) -> float:
    """What counting may be off: one counter and one rule are off the same way everywhere."""
    return float(sum(getattr(one.sighting, error) for one in seen))


def _usd(pico: float) -> Decimal:
    return Decimal(round(pico)) / PICO_USD


def _error(seen: Sequence[_Seen], value: str, error: str) -> float:
    by_session: defaultdict[str, int] = defaultdict(int)
    for one in seen:
        by_session[one.session] += getattr(one.sighting, value)
    return math.hypot(_counting(seen, error), Z_90 * math.hypot(*by_session.values()))


def _evidence(seen: Sequence[_Seen]) -> tuple[Evidence, ...]:
    dearest = sorted(
        seen,
        key=lambda one: (
            -one.sighting.cost_pico_usd,
            -one.sighting.sent_tokens,
            one.path,
            one.sighting.line,
        ),
    )
    return tuple(
        Evidence(one.session, one.path, one.sighting.line, one.sighting.at_ms, one.sighting.detail)
        for one in dearest[:MOST_EVIDENCE]
    )


def _confidence(
    drain: str, seen: Sequence[_Seen], sessions: int, times: int
) -> tuple[Confidence, str]:
    """How sure it is that this is a loss of about this size, and why."""
    amount = sum(one.sighting.cost_pico_usd for one in seen)
    counting = _counting(seen, "error_pico_usd")
    if not amount:
        amount = sum(one.sighting.sent_tokens for one in seen)
        counting = _counting(seen, "error_tokens")
    share = counting / amount if amount else 1.0
    where = f"{sessions:,} session{'' if sessions == 1 else 's'}"
    known = f"known to ±{share:.0%}" if share >= EXACT_SHARE else "as it was reported"
    reason = f"seen {times:,}x in {where}; what it came to there is {known}"
    if share > POOR_SHARE or (sessions == 1 and times < ENOUGH_SESSIONS):
        return "low", reason
    if drain in DOUBTS:
        return "medium", f"{reason}; {DOUBTS[drain]}"
    is_high = share <= GOOD_SHARE and sessions >= ENOUGH_SESSIONS
    return ("high" if is_high else "medium"), reason
