"""When it was used: the days of a report, its hours by weekday, and the period before."""

from __future__ import annotations

from datetime import date, timedelta

from tokenbudget.analysis.amounts import NOTHING
from tokenbudget.analysis.periods import Zone, day_label, day_of
from tokenbudget.analysis.profile_bill import bill_of, pico_usd, total_of
from tokenbudget.analysis.report_data import DayRow, HeatCell
from tokenbudget.analysis.usage import priced_row
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tokenbudget.analysis.usage import Names
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.metering.rates import PriceBook

_KINDS = (
    "input_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cache_read_tokens",
    "output_tokens",
)
"""In the order of `Amount`."""
_NO_TOKENS = {**dict.fromkeys(_KINDS, 0), "web_search_requests": 0}


def day_rows(
    rows: Sequence[UsageRow],
    names: Names,
    book: PriceBook,
    first: int | None = None,
    last: int | None = None,
) -> tuple[DayRow, ...]:
    """Every local day from the first to the last, also those without use; the undated are left out.

    Args:
        rows: Usage by local day and session.
        names: What the rows' numbers stand for.
        book: The prices.
        first: The number of the first day; None is the first with use, as
        last: is the last.
    """
    by_day: dict[int, list[UsageRow]] = {}
    for row in rows:
        if row.period:
            by_day.setdefault(row.period, []).append(row)
    if not by_day:
        return ()
    begin = min(by_day) if first is None else first
    end = max(by_day) if last is None else last
    return tuple(
        _day(number, by_day.get(number, ()), names, book) for number in range(begin, end + 1)
    )


def _day(number: int, rows: Sequence[UsageRow], names: Names, book: PriceBook) -> DayRow:
    if not rows:
        return DayRow(day_label(number), NOTHING, 0, 0, (0,) * len(_KINDS))
    return DayRow(
        day_label(number),
        total_of(bill_of(rows, names, book)),
        sum(row.requests for row in rows),
        len({row.session for row in rows}),
        tuple(_kind_pico_usd(kind, rows, names, book) for kind in _KINDS),
    )


def _kind_pico_usd(kind: str, rows: Iterable[UsageRow], names: Names, book: PriceBook) -> int:
    total = 0
    for row in rows:
        count = getattr(row, kind)
        if count:
            alone = row._replace(**{**_NO_TOKENS, kind: count})
            total += pico_usd(priced_row(alone, names.models[row.model_id], book).cost_usd)
    return total


def heat_cells(
    rows: Iterable[UsageRow], names: Names, book: PriceBook, zone: Zone
) -> tuple[HeatCell, ...]:
    """Use by weekday and hour of the zone; `rows` are by UTC hour. Hours without use are left out.

    In a zone off the whole hour an hour stands where it begins.
    """
    sums: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        if not row.period:
            continue
        when = zone.local(row.period * MILLISECONDS_PER_HOUR)
        cell = sums.setdefault((when.weekday(), when.hour), [0, 0, 0])
        cell[0] += sum(getattr(row, kind) for kind in _KINDS)
        cell[1] += row.requests
        cell[2] += pico_usd(priced_row(row, names.models[row.model_id], book).cost_usd)
    return tuple(HeatCell(*place, *values) for place, values in sorted(sums.items()))


def days_before(first: int, last: int) -> tuple[int, int]:
    """As many days just before these."""
    return first - (last - first + 1), first - 1


def period_words(first: int, last: int) -> str:
    """2026-10-22 to 2026-11-20."""
    begin, end = day_of(first), day_of(last)
    return begin.isoformat() if begin == end else f"{begin.isoformat()} to {end.isoformat()}"


def usual_first(today: date, days: int) -> date:
    """The first of so many days that end today."""
    return today - timedelta(days=days - 1)
