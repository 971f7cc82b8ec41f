"""The sessions, each with its usage; and one session whole."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.analysis.usage import Names, Sums, priced_row, tabulate
from tokenbudget.ledger.inspection import SessionRow
from tokenbudget.ledger.queries import UsageQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.usage import UsageTable
    from tokenbudget.ledger.inspection import ToolRow
    from tokenbudget.ledger.store import Ledger
    from tokenbudget.metering.rates import PriceBook


class SessionUsage(NamedTuple):
    """A session and what it used."""

    facts: SessionRow
    sums: Sums


class SessionWhole(NamedTuple):
    """One session with everything that the ledger knows of it."""

    facts: SessionRow
    models: UsageTable
    days: UsageTable
    subagent_tokens: int
    tools: list[ToolRow]
    compactions: list[tuple[int, str, str, int | None]]
    last_context: tuple[str, int, int] | None


def session_list(ledger: Ledger, book: PriceBook, query: UsageQuery) -> list[SessionUsage]:
    """The sessions that have usage within the query's limits, the last used first."""
    models = ledger.names("model")
    sums: dict[str, Sums] = {}
    for row in ledger.usage(query._replace(by_session=True)):
        found = sums.setdefault(row.session or "", Sums())
        found.add(row, priced_row(row, models[row.model_id], book))
    return [
        SessionUsage(facts, sums[facts.session])
        for facts in ledger.sessions()
        if facts.session in sums
    ]


def session_whole(ledger: Ledger, book: PriceBook, zone: Zone, facts: SessionRow) -> SessionWhole:
    """Everything about one session."""
    names = Names(ledger.names("model"), ledger.names("project"))
    query = UsageQuery(period="day", zone=zone.spans(), session=facts.session)
    rows = ledger.usage(query)
    return SessionWhole(
        facts=facts,
        models=tabulate(rows, ["model"], names, book, zone),
        days=tabulate(rows, ["day"], names, book, zone),
        subagent_tokens=ledger.subagent_tokens(facts.session),
        tools=ledger.tools_of(facts.session),
        compactions=ledger.compactions_of(facts.session),
        last_context=ledger.last_context(facts.session),
    )
