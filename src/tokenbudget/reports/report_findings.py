"""Findings in a report: the dearest in full, the others a line each."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.analysis.drains.ranking import total_of
from tokenbudget.reports.report_tables import Said, Table, words
from tokenbudget.reports.report_words import (
    NO_WORDS,
    capital,
    last_part,
    price_words,
)
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.findings import Finding, Price
    from tokenbudget.analysis.report_data import ReportData

MOST_IN_FULL = 12
"""What a person reads of a ranked list."""
_UNPRICED = 1e-9
"""Beside money, what a token is sorted by."""


def headline(one: Finding) -> str:
    """Its title as a heading; a name that it begins with keeps its letters."""
    begins_with_name = bool(one.subject) and one.title.startswith(one.subject)
    return one.title if begins_with_name else capital(one.title)


def observed_words(data: ReportData) -> str:
    """What the prices of findings mean; '' where nothing is known of their days."""
    if not data.findings_period:
        return ""
    return (
        f"Per week, by what was used from {data.findings_period}. Nine of ten times the amount lies"
        " within the \N{PLUS-MINUS SIGN}, or, where it may not come again, between the two in"
        " brackets."
    )


def smaller_words(data: ReportData) -> str:
    """What the findings that are not told in full come to."""
    rest = data.findings[MOST_IN_FULL:]
    return f"{len(rest):,} smaller, together {price_words(total_of(rest))}" if rest else ""


def smaller_table(data: ReportData) -> Table:
    """The findings that are not told in full."""
    rows = tuple(
        (
            rank,
            headline(one),
            last_part(one.project) or NO_WORDS,
            Said(price_words(one.weekly), _worth(one.weekly)),
        )
        for rank, one in enumerate(data.findings[MOST_IN_FULL:], MOST_IN_FULL + 1)
    )
    columns = (
        Column("Rank"),
        words("Finding", keeps_start=True),
        words("Project", drop_rank=1, enough=10),
        Column("Could be saved"),
    )
    return Table("smaller-findings", "Smaller findings", columns, rows, "")


def _worth(price: Price) -> float:
    return price.tokens * _UNPRICED if price.usd is None else float(Decimal(price.usd))
