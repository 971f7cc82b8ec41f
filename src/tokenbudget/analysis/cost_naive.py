"""The bill by kind of token, and the bill of the same sessions done naively.

The naive way loads every schema, reads files whole, inlines all skills and lets outputs be as long
as they come. Each of these is a strategy that says how it is known; one that is not measured adds
nothing. `docs/profile.md` has the formulas.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokenbudget.analysis.cost_analysis import (
    Comparison,
    CostAnalysis,
    KindCost,
    SessionCost,
    Strategy,
)
from tokenbudget.analysis.naive_extra import (
    KEYS,
    Schema,
    ThreadExtra,
    schema_size,
    thread_extras,
)
from tokenbudget.analysis.profile_bill import total_of
from tokenbudget.analysis.study import PICO_USD
from tokenbudget.analysis.usage import priced_row
from tokenbudget.model.figures import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tokenbudget.analysis.amounts import Amount
    from tokenbudget.analysis.profile import SessionRow
    from tokenbudget.analysis.profile_bill import BillRow
    from tokenbudget.analysis.profile_sums import Days
    from tokenbudget.analysis.study import FileStudy
    from tokenbudget.analysis.usage import Names
    from tokenbudget.ledger.queries import UsageRow
    from tokenbudget.metering.rates import PriceBook

DEFAULT_BUDGET_USD = Decimal(100)
"""That sessions per budget are told of, where nobody named another."""
LINE_ERROR = 0.25
"""P90 of what a file's unread lines may be off in tokens from those that were read."""

_KINDS = (
    ("input", "Input", "input_tokens"),
    ("cache_write_5m", "Cache write, 5 min", "cache_write_5m_tokens"),
    ("cache_write_1h", "Cache write, 1 h", "cache_write_1h_tokens"),
    ("cache_read", "Cache read", "cache_read_tokens"),
    ("output", "Output", "output_tokens"),
)
WEB_SEARCH = "web_search"
_TITLES = {
    "tool_schemas": "All tool schemas inline",
    "whole_files": "Files read whole",
    "skills": "All skills loaded",
    "verbose": "Verbose answers and outputs",
}
_NOT_MEASURED = {
    "skills": "the bodies of the skills that were offered are not known here",
    "verbose": "nothing is known of how long the answers would have been",
}


def kind_costs(
    rows: Iterable[UsageRow], names: Names, book: PriceBook
) -> tuple[tuple[KindCost, ...], Decimal]:
    """The bill by kind of token, and all of it; the kinds add up to it exactly.

    A kind of its own are web searches, whose `tokens` are 0.
    """
    tokens = dict.fromkeys((key for key, _, _ in _KINDS), 0)
    money = dict.fromkeys(tokens, Decimal(0))
    total = Decimal(0)
    for row in rows:
        model = names.models[row.model_id]
        whole = priced_row(row, model, book).cost_usd
        total += whole
        for key, _, field in _KINDS:
            count = getattr(row, field)
            if count:
                tokens[key] += count
                money[key] += priced_row(_only(row, field, count), model, book).cost_usd
    titles = {key: title for key, title, _ in _KINDS}
    searches = total - sum(money.values(), Decimal(0))
    if searches:
        tokens[WEB_SEARCH], money[WEB_SEARCH] = 0, searches
        titles[WEB_SEARCH] = "Web searches"
    costs = (
        KindCost(key, titles[key], tokens[key], usd, float(usd / total) if total else 0.0)
        for key, usd in money.items()
    )
    return tuple(costs), total


def _only(row: UsageRow, field: str, count: int) -> UsageRow:
    """The row with one kind of token alone."""
    return row._replace(
        **{  # type: ignore[arg-type]
            **{name: 0 for _, _, name in _KINDS},
            "web_search_requests": 0,
            field: count,
        }
    )


class CostScene(NamedTuple):
    """What a cost analysis is made of; `bill` and `sessions` are those of the profile."""

    bill: Sequence[BillRow]
    sessions: Sequence[SessionRow]
    kinds: tuple[KindCost, ...]
    total_usd: Decimal
    days: Days
    budget_usd: Decimal = DEFAULT_BUDGET_USD
    skill_tokens: Mapping[str, int] | None = None
    """The bodies of all offered skills together, by project; None: not known."""
    windows: Mapping[str, int] = {}
    """Window sizes that the person set, by model."""


def costs_of(
    files: Sequence[FileStudy], scene: CostScene, schemas_of: Sequence[FileStudy] | None = None
) -> CostAnalysis:
    """What it cost, and what the naive way would have cost.

    `schemas_of` are the studies that the size of a tool's schema is learnt from; None: `files`.
    """
    schema = schema_size(files if schemas_of is None else schemas_of)
    extras = thread_extras(files, scene.days, schema, scene.skill_tokens, scene.windows)
    count = len({row.session for row in scene.bill})
    strategies = tuple(_strategy(key, extras, schema, count, scene) for key in KEYS)
    return CostAnalysis(
        kinds=scene.kinds,
        total_usd=scene.total_usd,
        unpriced_tokens=total_of(scene.bill).unpriced_tokens,
        strategies=strategies,
        comparison=_comparison(scene, strategies, extras, count),
        sessions=_session_costs(scene, extras),
    )


def _strategy(
    key: str, extras: Sequence[ThreadExtra], schema: Schema, sessions: int, scene: CostScene
) -> Strategy:
    if key in _NOT_MEASURED and (key != "skills" or scene.skill_tokens is None):
        said = f"Not measured yet: {_NOT_MEASURED[key]}; nothing is added for it."
        return Strategy(key, _TITLES[key], "not measured", None, None, None, None, said)
    known = [extra for extra in extras if extra.key == key]
    sent = sum(extra.sent_tokens for extra in known)
    roomy = sum(extra.window_tokens for extra in known) // sessions if sessions else 0
    usd = sum((extra.usd for extra in known), Decimal(0))
    share = schema.error_share if key == "tool_schemas" else LINE_ERROR
    basis, said = _said(key, extras, schema)
    return Strategy(key, _TITLES[key], basis, roomy, sent, round(sent * share), usd, said)  # type: ignore[arg-type]


def _said(key: str, extras: Sequence[ThreadExtra], schema: Schema) -> tuple[str, str]:
    if key == "tool_schemas":
        most = max((extra.times for extra in extras if extra.key == key), default=0)
        if not most:
            return "measured", "No tool was offered by name only: every schema was inline already."
        text = f"Up to {most} tools were offered by name only; {schema.said}"
        return ("measured" if schema.is_measured else "estimated"), text
    if key == "skills":
        return (
            "estimated",
            "The bodies of the skills on this disk, at four bytes a token, in every request.",
        )
    unsized = sum(extra.times for extra in extras if extra.key == key)
    text = (
        "The lines that reads of a range left out, each file once and no more than one read gives"
        " (2,000 lines, 25,000 tokens), in every request that carried the range, as far as the"
        " window had room"
    )
    if unsized:
        text += f"; not counted: {counted(unsized, 'read')} of a file of unknown length"
    return "measured", f"{text}."


def _comparison(
    scene: CostScene,
    strategies: Sequence[Strategy],
    extras: Sequence[ThreadExtra],
    sessions: int,
) -> Comparison | None:
    """None where there is no session, or no strategy that is known."""
    known = [one for one in strategies if one.extra_tokens is not None]
    if not sessions or not known:
        return None
    tokens = total_of(scene.bill).total_tokens
    naive_tokens = tokens + sum(one.extra_tokens or 0 for one in known)
    naive_usd = scene.total_usd + sum((one.extra_usd or Decimal(0) for one in known), Decimal(0))
    remaining, naive_remaining = _remaining(scene.sessions, extras)
    return Comparison(
        sessions=sessions,
        tokens_per_session=tokens // sessions,
        usd_per_session=scene.total_usd / sessions,
        naive_tokens_per_session=naive_tokens // sessions,
        naive_usd_per_session=naive_usd / sessions,
        budget_usd=scene.budget_usd,
        sessions_per_budget=_per_budget(scene.budget_usd, scene.total_usd / sessions),
        naive_sessions_per_budget=_per_budget(scene.budget_usd, naive_usd / sessions),
        remaining_tokens=remaining,
        naive_remaining_tokens=naive_remaining,
    )


def _per_budget(budget: Decimal, usd_per_session: Decimal) -> float:
    return float(budget / usd_per_session) if usd_per_session else 0.0


def _remaining(
    sessions: Sequence[SessionRow], extras: Sequence[ThreadExtra]
) -> tuple[int | None, int | None]:
    """What is left of the window at a session's largest request, on average."""
    known = [row for row in sessions if row.window_tokens and row.peak_tokens]
    if not known:
        return None, None
    more: dict[str, int] = {}
    for extra in extras:
        if extra.is_main:
            more[extra.session] = more.get(extra.session, 0) + extra.window_tokens
    left = [max(0, row.window_tokens - row.peak_tokens) for row in known]
    naive = [
        max(0, row.window_tokens - row.peak_tokens - more.get(row.session, 0)) for row in known
    ]
    return sum(left) // len(known), sum(naive) // len(known)


def _session_costs(scene: CostScene, extras: Sequence[ThreadExtra]) -> tuple[SessionCost, ...]:
    amounts: dict[str, list[BillRow]] = {}
    for row in scene.bill:
        amounts.setdefault(row.session, []).append(row)
    titles = {row.session: row.title for row in scene.sessions}
    tokens: dict[str, int] = {}
    money: dict[str, Decimal] = {}
    for extra in extras:
        tokens[extra.session] = tokens.get(extra.session, 0) + extra.sent_tokens
        money[extra.session] = money.get(extra.session, Decimal(0)) + extra.usd
    found = [
        _session_cost(name, titles.get(name, ""), total_of(rows), tokens, money)
        for name, rows in amounts.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.amount.cost_pico_usd, one.session)))


def _session_cost(
    name: str,
    title: str,
    amount: Amount,
    tokens: Mapping[str, int],
    money: Mapping[str, Decimal],
) -> SessionCost:
    naive_usd = Decimal(amount.cost_pico_usd) / PICO_USD + money.get(name, Decimal(0))
    return SessionCost(name, title, amount, amount.total_tokens + tokens.get(name, 0), naive_usd)
