"""Findings as lines of text."""

from __future__ import annotations

from tokenbudget.model.figures import wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.report_findings import (
    MOST_IN_FULL,
    headline,
    observed_words,
    smaller_words,
)
from tokenbudget.reports.report_words import (
    applied_words,
    capital,
    finding_words,
    price_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.model.figures import Style


def said(text: str, style: Style, indent: str = "") -> list[str]:
    """A sentence in as many lines as it takes."""
    return wrapped(one_line(text), style.width, indent)


def findings_lines(data: ReportData, style: Style) -> list[str]:
    """The dearest in full, and what the others come to."""
    if not data.findings:
        return ["No drain worth a change was found."]
    lines = []
    for rank, one in enumerate(data.findings[:MOST_IN_FULL], 1):
        lines += _finding(rank, one, style)
    rest = smaller_words(data)
    more = ["", *said(f"And {rest}: tokens optimize", style)] if rest else []
    observed = observed_words(data)
    head = [*said(observed, style), ""] if observed else []
    return [*head, *lines[1:], *more]


def _finding(rank: int, one: Finding, style: Style) -> list[str]:
    head = f"{rank:>2}  "
    indent = " " * len(head)
    narrow = style._replace(width=style.width - len(head))

    def under(text: str) -> list[str]:
        return [indent + line for line in said(text, narrow)]

    title = wrapped(one_line(headline(one)), narrow.width)
    lines = ["", style.bold(head + title[0]), *(style.bold(indent + line) for line in title[1:])]
    lines += under(f"{price_words(one.weekly)}: {finding_words(one)}")
    lines += under(f"Instead: {capital(one.alternative)}")
    lines += under(f"Do: {one.fix.text}")
    if one.fix.command:
        undo = f"   (undo: {one.fix.undo})" if one.fix.undo else ""
        lines += under(f"$ {one.fix.command}{undo}")
    done = applied_words(one)
    return lines + (under(capital(done)) if done else [])
