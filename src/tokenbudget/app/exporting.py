"""The tables of an export, each with where its rows come from."""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.analysis.periods import day_label
from tokenbudget.analysis.usage import Sums, priced_row
from tokenbudget.app.exporting_rows import (
    Source,
    Words,
    moments,
    request_batches,
    tool_call_batches,
)
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.metering.cost import format_usd
from tokenbudget.reports.exporters.tables import COLUMNS, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from tokenbudget.reports.exporters.prometheus_text import Totals
    from tokenbudget.reports.exporters.tables import Batch, Spelling

BATCH_ROWS = 2_000


def tables_of(source: Source, wanted: Sequence[str]) -> list[Table]:
    """The wanted tables; nothing is read before their rows are asked for."""

    def table(name: str, batches: Callable[[Source, Spelling], Iterator[Batch]]) -> Table:
        return Table(name, COLUMNS[name], lambda spelling: batches(source, spelling))

    return [table(name, _BATCHES[name]) for name in wanted]


def totals_of(source: Source) -> dict[tuple[str, str, str], Totals]:
    """Sums by agent, project and model, with names as they are told; for counters."""
    from tokenbudget.model.spelled import spelled
    from tokenbudget.reports.exporters.tables import Spelling

    words = Words(Spelling(spelled), source.redactor)
    models, projects = source.ledger.names("model"), source.ledger.names("project")
    sums: dict[tuple[str, str, str], Sums] = {}
    for row in source.ledger.usage(_query(source)._replace(by_agent=True, by_project=True)):
        model = models[row.model_id]
        project = words.path[projects.get(row.project_id or 0, "")]
        labels = (row.agent or "", project, words.word[model])
        sums.setdefault(labels, Sums()).add(row, priced_row(row, model, source.book))
    return dict(sorted(sums.items()))


def _query(source: Source) -> UsageQuery:
    since, until, projects, session = source.limits
    return UsageQuery(since_ms=since, until_ms=until, project_ids=projects, session=session)


def _session_batches(source: Source, spelling: Spelling) -> Iterator[Batch]:
    """One session after the other: grouping all of them at once takes memory for every request."""
    words, stamps = Words(spelling, source.redactor), moments(spelling, source.zone)
    query, models = _query(source), source.ledger.names("model")

    def rows() -> Iterator[tuple[Any, ...]]:
        for facts in reversed(source.ledger.sessions()):
            if query.session not in (None, facts.session):
                continue
            sums = Sums()
            used = source.ledger.usage(query._replace(session=facts.session))
            for row in used:
                sums.add(row, priced_row(row, models[row.model_id], source.book))
            if used:
                yield (
                    words.session[facts.session],
                    words.title[facts.title],
                    words.path[facts.project],
                    facts.agent,
                    words.branch[facts.git_branch],
                    words.word[facts.version],
                    words.path[facts.cwd],
                    *stamps((_moment_ms(facts.first_at), _moment_ms(facts.last_at))),
                    *_figures(sums),
                )

    return _batched(rows(), source)


def _daily_batches(source: Source, spelling: Spelling) -> Iterator[Batch]:
    words = Words(spelling, source.redactor)
    models, projects = source.ledger.names("model"), source.ledger.names("project")
    query = _query(source)._replace(period="day", by_project=True, zone=source.zone.spans())
    groups: dict[tuple[int, str, str], Sums] = {}
    for row in source.ledger.usage(query):
        model = models[row.model_id]
        key = (row.period or 0, projects.get(row.project_id or 0, ""), model)
        groups.setdefault(key, Sums()).add(row, priced_row(row, model, source.book))
    rows = (
        (
            day_label(day) if day else spelling.unknown,
            words.path[project],
            words.word[model],
            *_figures(sums),
        )
        for (day, project, model), sums in sorted(groups.items())
    )
    return _batched(rows, source)


def _figures(sums: Sums) -> tuple[Any, ...]:
    return (
        sums.requests,
        sums.unknown_requests,
        sums.input_tokens,
        sums.output_tokens,
        sums.cache_write_5m_tokens,
        sums.cache_write_1h_tokens,
        sums.cache_read_tokens,
        sums.total_tokens,
        format_usd(sums.cost_usd),
        sums.unpriced_tokens,
        sums.web_search_requests,
    )


def _batched(rows: Iterator[tuple[Any, ...]], source: Source) -> Iterator[Batch]:
    batch: Batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            source.progress(len(batch))
            yield batch
            batch = []
    source.progress(len(batch))
    yield batch


def _moment_ms(text: str) -> int:
    """What the agent wrote as a time; 0 where it is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return 0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1000)


_BATCHES: Mapping[str, Callable[[Source, Spelling], Iterator[Batch]]] = {
    "requests": request_batches,
    "tool_calls": tool_call_batches,
    "sessions": _session_batches,
    "daily": _daily_batches,
}
