"""The tables of a report about money: the bill by kind of token, and the naive one."""

from __future__ import annotations

from tokenbudget.model.figures import short_count
from tokenbudget.reports.report_tables import Said, Table, kept, words
from tokenbudget.reports.report_words import (
    NO_WORDS,
    cost_cell,
    percent,
    short_id,
)
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.report_tables import Cell

MOST_SESSIONS = 10


def kinds_table(data: ReportData) -> Table:
    """The bill by kind of token."""
    rows = tuple(
        (one.title, one.tokens, one.usd, Said(percent(one.share), one.share))
        for one in data.costs.kinds
    )
    columns = (
        words("Kind of token", may_cut=False),
        Column("Tokens"),
        Column("Cost"),
        Column("Of the cost"),
    )
    return Table("kinds", "By kind of token", columns, rows, "Nothing was billed.")


def strategies_table(data: ReportData) -> Table:
    """What the naive way would have added."""
    rows = tuple(
        (
            one.title,
            NO_WORDS if one.window_tokens is None else one.window_tokens,
            NO_WORDS
            if one.extra_tokens is None
            else Said(
                f"{short_count(one.extra_tokens)} \N{PLUS-MINUS SIGN}"
                f" {short_count(one.error_tokens or 0)}",
                one.extra_tokens,
            ),
            NO_WORDS if one.extra_usd is None else one.extra_usd,
            one.basis,
            one.said,
        )
        for one in data.costs.strategies
    )
    columns = (
        words("Done naively"),
        Column("In the window", drop_rank=2),
        Column("More tokens"),
        Column("More cost"),
        words("Basis", may_cut=False, drop_rank=1),
        words("How it is known", drop_rank=3, keeps_start=True),
    )
    empty = "What a naive way would have cost is not measured yet."
    return Table("strategies", "Against the naive baseline", columns, rows, empty)


def comparison_table(data: ReportData) -> Table:
    """As it was, beside the naive baseline."""
    columns = (
        words("Per session, on average", may_cut=False),
        Column("As it was"),
        Column("Naive"),
    )
    both = data.costs.comparison
    rows: tuple[tuple[Cell, ...], ...] = ()
    if both is not None:
        remaining, naive = both.remaining_tokens, both.naive_remaining_tokens
        rows = (
            ("Tokens", both.tokens_per_session, both.naive_tokens_per_session),
            ("Cost", both.usd_per_session, both.naive_usd_per_session),
            (
                f"Sessions for ${both.budget_usd:,f}",
                Said(f"{both.sessions_per_budget:,.1f}", both.sessions_per_budget),
                Said(f"{both.naive_sessions_per_budget:,.1f}", both.naive_sessions_per_budget),
            ),
            (
                "Window left at the end",
                NO_WORDS if remaining is None else remaining,
                NO_WORDS if naive is None else naive,
            ),
        )
    return Table("comparison", "A session as it was", columns, rows, "")


def dear_sessions_table(data: ReportData) -> Table:
    """The dearest sessions, beside what the naive way would have made of them."""
    found = (
        (
            short_id(one.session),
            one.title or NO_WORDS,
            one.amount.total_tokens,
            cost_cell(one.amount),
            one.naive_tokens,
            one.naive_usd,
        )
        for one in data.costs.sessions
    )
    rows, left = kept(found, MOST_SESSIONS)
    columns = (
        words("Session", may_cut=False),
        words("Title", keeps_start=True, enough=12),
        Column("Tokens", drop_rank=2),
        Column("Cost"),
        Column("Naive tokens", drop_rank=2),
        Column("Naive cost"),
    )
    return Table("dear", "The dearest sessions", columns, rows, "No session has a cost.", left)
