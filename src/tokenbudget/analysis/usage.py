"""Usage by any grouping, priced: what `tokens usage` shows.

Rows come summed from the ledger, still apart in everything that decides a price; here they are
priced, labelled and added up. Money is exact (Decimal), tokens without a price stay visible.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.periods import UNDATED, Zone, day_label, month_label, week_label
from tokenbudget.ledger.queries import MILLISECONDS_PER_DAY, UsageQuery
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR
from tokenbudget.metering.cost import price

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.metering.cost import Priced
    from tokenbudget.metering.rates import PriceBook

GROUPINGS = ("day", "week", "month", "session", "model", "project", "agent", "block")

BLOCK_HOURS = 5
"""Length of a billing window of Anthropic's subscriptions."""

SPEEDS = ("standard", "fast", "other speed")
SERVICE_TIERS = ("standard", "batch", "other service tier")
UNKNOWN_PROJECT = "unknown"

_PERIOD_LABELS = {"day": day_label, "week": week_label, "month": month_label}
_EMPTY = Decimal(0)


class Sums:
    """Added-up usage of one group."""

    __slots__ = (
        "cache_read_tokens",
        "cache_write_1h_tokens",
        "cache_write_5m_tokens",
        "cost_usd",
        "input_tokens",
        "low_confidence_tokens",
        "output_tokens",
        "requests",
        "unknown_requests",
        "unpriced_tokens",
        "unpriced_web_searches",
        "web_search_requests",
    )

    def __init__(self) -> None:
        self.input_tokens = self.output_tokens = self.cache_read_tokens = 0
        self.cache_write_5m_tokens = self.cache_write_1h_tokens = 0
        self.requests = self.unknown_requests = self.low_confidence_tokens = 0
        self.web_search_requests = self.unpriced_tokens = self.unpriced_web_searches = 0
        self.cost_usd = _EMPTY

    @property
    def total_tokens(self) -> int:
        """Everything that was sent or received, cached or not."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_write_5m_tokens
            + self.cache_write_1h_tokens
            + self.cache_read_tokens
        )

    @property
    def prompt_tokens(self) -> int:
        """Everything that was sent."""
        return self.total_tokens - self.output_tokens

    def add(self, row: UsageRow, priced: Priced) -> None:
        """Add a row and what it costs."""
        self.input_tokens += row.input_tokens
        self.output_tokens += row.output_tokens
        self.cache_write_5m_tokens += row.cache_write_5m_tokens
        self.cache_write_1h_tokens += row.cache_write_1h_tokens
        self.cache_read_tokens += row.cache_read_tokens
        self.requests += row.requests
        self.unknown_requests += row.unknown_requests
        self.low_confidence_tokens += row.low_confidence_tokens
        self.web_search_requests += row.web_search_requests
        self.cost_usd += priced.cost_usd
        self.unpriced_tokens += priced.unpriced_tokens
        self.unpriced_web_searches += priced.unpriced_web_searches


class UsageTable(NamedTuple):
    """Rows in the order in which they are shown; a label per grouping."""

    by: tuple[str, ...]
    rows: list[tuple[tuple[str, ...], Sums]]
    totals: Sums
    unpriced_models: list[str]


class Names(NamedTuple):
    """What ids of the ledger stand for."""

    models: Mapping[int, str]
    projects: Mapping[int, str]


def query_for(by: Sequence[str], zone: Zone, **limits: object) -> UsageQuery:
    """The query whose rows `tabulate` needs for these groupings; `limits` are fields of it."""
    period = None
    if any(name in _PERIOD_LABELS for name in by):
        period = "day"
    elif "block" in by:
        period = "hour"
    return UsageQuery(
        period=period,
        by_project="project" in by,
        by_agent="agent" in by,
        by_session="session" in by,
        zone=zone.spans() if period == "day" else (),
        **limits,  # type: ignore[arg-type]
    )


def active_hours(ledger: Ledger, by: Sequence[str]) -> set[int]:
    """The UTC hours in which anything was used, if these groupings need them.

    No limit applies: a window begins with whatever was used first, shown or not.
    """
    if "block" not in by:
        return set()
    return {row.period or 0 for row in ledger.usage(UsageQuery(period="hour"))}


def tabulate(
    rows: Sequence[UsageRow],
    by: Sequence[str],
    names: Names,
    book: PriceBook,
    zone: Zone,
    hours: Iterable[int] = (),
) -> UsageTable:
    """Price the rows and add them up by their labels.

    Periods come oldest first; everything else by cost, dearest first. `hours` are the
    `active_hours`, without which nothing can be grouped by block.
    """
    labellers = [_labeller(name, names, hours, zone) for name in by]
    groups: dict[tuple[str, ...], Sums] = {}
    totals = Sums()
    unpriced: dict[str, int] = {}
    for row in rows:
        model = names.models[row.model_id]
        priced = priced_row(row, model, book)
        labels = tuple(label(row) for label in labellers)
        sums = groups.get(labels)
        if sums is None:
            sums = groups[labels] = Sums()
        sums.add(row, priced)
        totals.add(row, priced)
        if priced.unpriced_tokens:
            variant = _variant_name(row, model)
            unpriced[variant] = unpriced.get(variant, 0) + priced.unpriced_tokens
    by_size = sorted(unpriced, key=lambda name: (-unpriced[name], name))
    return UsageTable(tuple(by), _in_order(groups, by), totals, by_size)


def _variant_name(row: UsageRow, model: str) -> str:
    """The model, and what is special about the requests: their price is another one."""
    special = [
        names[value]
        for names, value in ((SPEEDS, row.speed), (SERVICE_TIERS, row.service_tier))
        if value
    ]
    return f"{model} ({', '.join(special)})" if special else model


def priced_row(row: UsageRow, model: str, book: PriceBook) -> Priced:
    """What a row's requests cost, at the price of their UTC day."""
    rate = book.rate(
        model,
        row.utc_day * MILLISECONDS_PER_DAY,
        speed=SPEEDS[row.speed],
        service_tier=SERVICE_TIERS[row.service_tier],
        bucket=row.prompt_bucket,
    )
    return price(
        rate,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cache_write_5m_tokens=row.cache_write_5m_tokens,
        cache_write_1h_tokens=row.cache_write_1h_tokens,
        cache_read_tokens=row.cache_read_tokens,
        web_search_requests=row.web_search_requests,
    )


def _labeller(
    name: str, names: Names, hours: Iterable[int], zone: Zone
) -> Callable[[UsageRow], str]:
    if name in _PERIOD_LABELS:
        return _remembered(_PERIOD_LABELS[name])
    if name == "block":
        blocks = block_labels(hours, zone)
        return lambda row: blocks[row.period or 0]
    if name == "model":
        return lambda row: names.models[row.model_id]
    if name == "project":
        return lambda row: names.projects.get(row.project_id or 0, UNKNOWN_PROJECT)
    if name == "agent":
        return lambda row: row.agent or ""
    return lambda row: row.session or ""


def _remembered(label: Callable[[int], str]) -> Callable[[UsageRow], str]:
    known: dict[int, str] = {}

    def labelled(row: UsageRow) -> str:
        number = row.period or 0
        found = known.get(number)
        if found is None:
            found = known[number] = label(number)
        return found

    return labelled


def block_labels(hours: Iterable[int], zone: Zone) -> dict[int, str]:
    """The 5-hour window of each active UTC hour, by its beginning: ISO 8601 in the zone.

    A window begins with the full hour of the first request after the window before it, and lasts
    five hours: the way in which subscription limits are counted.
    """
    labels: dict[int, str] = {}
    begin = None
    for hour in sorted(hours):
        if not hour:
            labels[hour] = UNDATED
            continue
        if begin is None or hour >= begin + BLOCK_HOURS:
            begin = hour
        labels[hour] = zone.stamp(begin * MILLISECONDS_PER_HOUR, "minutes") or UNDATED
    return labels


def _in_order(
    groups: Mapping[tuple[str, ...], Sums], by: Sequence[str]
) -> list[tuple[tuple[str, ...], Sums]]:
    """By period if there is one, within it (or without one) by cost."""
    periods = [i for i, name in enumerate(by) if name in _PERIOD_LABELS or name == "block"]

    def place(item: tuple[tuple[str, ...], Sums]) -> tuple[object, ...]:
        labels, sums = item
        return (*(labels[i] for i in periods), -sums.cost_usd, -sums.total_tokens, labels)

    return sorted(groups.items(), key=place)
