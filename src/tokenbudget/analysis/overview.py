"""How it stands: today, this week against the last one, and the latest session."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from tokenbudget.analysis.periods import Zone, day_of
from tokenbudget.analysis.usage import Names, Sums, priced_row, tabulate
from tokenbudget.ledger.queries import UsageQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from tokenbudget.analysis.usage import UsageTable
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.metering.rates import PriceBook

DAYS_SHOWN = 14


class Latest(NamedTuple):
    """The session with the last response."""

    session: str
    title: str
    project: str
    git_branch: str
    model: str
    context_tokens: int
    at_ms: int


class Worth(NamedTuple):
    """Something that is worth doing, as `tokens optimize` found it."""

    id: str
    title: str
    weekly_usd: str
    """As a decimal; '' without a price."""
    weekly_tokens: int


class Overview(NamedTuple):
    """Everything that the first screen shows."""

    today: Sums
    sessions_today: int
    week: Sums
    week_before: Sums
    """The same number of days of the week before, so that the two compare."""
    month: Sums
    everything: Sums
    unpriced_models: list[str]
    daily_tokens: list[int]
    """Total tokens of the last days, oldest first."""
    models: UsageTable
    projects: UsageTable
    latest: Latest | None
    worth: tuple[Worth, ...] = ()
    """The dearest first."""


def overview(ledger: Ledger, book: PriceBook, zone: Zone) -> Overview:
    """Sum up the ledger for the first screen."""
    names = Names(ledger.names("model"), ledger.names("project"))
    rows = ledger.usage(UsageQuery(period="day", by_project=True, zone=zone.spans()))
    today = zone.today()
    monday = today - timedelta(days=today.weekday())
    since_monday = today - monday

    def between(first: date, last: date) -> Sums:
        return _sums([row for row in rows if first <= day_of(row.period or 0) <= last], names, book)

    this_week = [row for row in rows if monday <= day_of(row.period or 0) <= today]
    recent = [
        between(day, day).total_tokens
        for day in (today - timedelta(days=n) for n in reversed(range(DAYS_SHOWN)))
    ]
    last_monday = monday - timedelta(weeks=1)
    shown = this_week or rows
    whole = tabulate(rows, [], names, book, zone)
    return Overview(
        today=between(today, today),
        sessions_today=_sessions_on(ledger, zone, today),
        week=between(monday, today),
        week_before=between(last_monday, last_monday + since_monday),
        month=between(today.replace(day=1), today),
        everything=whole.totals,
        unpriced_models=whole.unpriced_models,
        daily_tokens=recent,
        models=tabulate(shown, ["model"], names, book, zone),
        projects=tabulate(shown, ["project"], names, book, zone),
        latest=_latest(ledger),
    )


def _sums(rows: Sequence[UsageRow], names: Names, book: PriceBook) -> Sums:
    sums = Sums()
    for row in rows:
        sums.add(row, priced_row(row, names.models[row.model_id], book))
    return sums


def _sessions_on(ledger: Ledger, zone: Zone, day: date) -> int:
    since_ms, until_ms = zone.midnight_ms(day), zone.midnight_ms(day + timedelta(days=1))
    rows = ledger.usage(UsageQuery(by_session=True, since_ms=since_ms, until_ms=until_ms))
    return len({row.session for row in rows})


def _latest(ledger: Ledger) -> Latest | None:
    for row in ledger.sessions(limit=3):
        context = ledger.last_context(row.session)
        if context is not None:
            model, tokens, at_ms = context
            return Latest(row.session, row.title, row.project, row.git_branch, model, tokens, at_ms)
    return None
