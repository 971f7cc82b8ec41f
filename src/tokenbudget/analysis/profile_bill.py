"""The bill of a period as `tokens usage` has it, split by project, branch, model, week, session."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from tokenbudget.analysis.amounts import NOTHING, Amount
from tokenbudget.analysis.periods import UNDATED, day_label
from tokenbudget.analysis.profile import SplitRow, WeekRow
from tokenbudget.analysis.profile_consumers import by_size
from tokenbudget.analysis.profile_sums import monday_of
from tokenbudget.analysis.study import PICO_USD
from tokenbudget.analysis.usage import UNKNOWN_PROJECT, priced_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tokenbudget.analysis.profile_sums import Days
    from tokenbudget.analysis.usage import Names
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.metering.rates import PriceBook

NO_BRANCH = "(no branch)"
WEEK_DAYS = 7


class BillRow(NamedTuple):
    """What was billed for the requests of one day, model, project and session."""

    day: int
    model: str
    project: str
    session: str
    requests: int
    unknown_requests: int
    amount: Amount


def bill_of(rows: Iterable[UsageRow], names: Names, book: PriceBook) -> list[BillRow]:
    """Priced rows of the ledger; `rows` are by local day, project and session."""
    return [
        BillRow(
            row.period or 0,
            names.models[row.model_id],
            names.projects.get(row.project_id or 0, ""),
            row.session or "",
            row.requests,
            row.unknown_requests,
            _amount(row, names.models[row.model_id], book),
        )
        for row in rows
    ]


def _amount(row: UsageRow, model: str, book: PriceBook) -> Amount:
    priced = priced_row(row, model, book)
    return Amount(
        row.input_tokens,
        row.cache_write_5m_tokens,
        row.cache_write_1h_tokens,
        row.cache_read_tokens,
        row.output_tokens,
        pico_usd(priced.cost_usd),
        priced.unpriced_tokens,
    )


def pico_usd(usd: Decimal) -> int:
    """Money in pico-dollars; no published price needs more digits."""
    return int((usd * PICO_USD).to_integral_value(ROUND_HALF_EVEN))


def total_of(bill: Iterable[BillRow]) -> Amount:
    """The whole bill."""
    sums = [0] * len(NOTHING)
    for row in bill:
        for place, value in enumerate(row.amount):
            sums[place] += value
    return Amount(*sums)


def splits_of(
    bill: Iterable[BillRow], name_of: Callable[[BillRow], tuple[str, str]]
) -> tuple[SplitRow, ...]:
    """The bill by (name, project) of its rows, the dearest first."""
    rows: dict[tuple[str, str], list[BillRow]] = {}
    for row in bill:
        rows.setdefault(name_of(row), []).append(row)
    found = [
        SplitRow(
            name,
            len({row.session for row in some}),
            sum(row.requests for row in some),
            total_of(some),
            project,
        )
        for (name, project), some in rows.items()
    ]
    return tuple(sorted(found, key=lambda split: (*by_size(split.amount), split.name)))


def project_name(row: BillRow) -> str:
    """Its project as `tokens usage` calls it."""
    return row.project or UNKNOWN_PROJECT


def weeks_of(
    bill: Sequence[BillRow], days: Days, today: int, tops: Mapping[int, str]
) -> tuple[WeekRow, ...]:
    """Every week from the first to the last with use, the oldest first; empty ones are in it.

    A week is whole if the period holds all of it and it is over. The first week of all may lack
    its beginning (transcripts are deleted), so it is whole only if it was used from its Monday on.
    """
    by_week: dict[int, list[BillRow]] = {}
    for row in bill:
        if row.day:
            by_week.setdefault(monday_of(row.day), []).append(row)
    if not by_week:
        return ()
    first_used = min(row.day for row in bill if row.day)
    found: list[WeekRow] = []
    before: WeekRow | None = None
    for monday in range(min(by_week), max(by_week) + 1, WEEK_DAYS):
        some = by_week.get(monday, [])
        is_begun = max(days.first, first_used) <= monday
        is_over = monday + WEEK_DAYS <= min(days.last + 1, today)
        week = WeekRow(
            begins=day_label(monday) if monday > 0 else UNDATED,
            is_whole=is_begun and is_over,
            sessions=len({row.session for row in some}),
            requests=sum(row.requests for row in some),
            amount=total_of(some),
            change=None,
            top=tops.get(monday, ""),
        )
        week = week._replace(change=_change(before, week))
        found.append(week)
        before = week
    return tuple(found)


def _change(before: WeekRow | None, week: WeekRow) -> float | None:
    """Of the money; of the tokens, where one of the two weeks has no or not all prices."""
    if before is None or not (before.is_whole and week.is_whole):
        return None
    pair = before.amount, week.amount
    has_prices = all(amount.cost_pico_usd and not amount.unpriced_tokens for amount in pair)
    then, now = (amount.cost_pico_usd if has_prices else amount.total_tokens for amount in pair)
    return (now - then) / then if then else None


def moment_ms(stamp: str) -> int:
    """A moment as agents write it, in ms since 1970; 0 for none."""
    try:
        return round(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else 0
    except ValueError:
        return 0
