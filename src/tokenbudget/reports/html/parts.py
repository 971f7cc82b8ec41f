"""Pieces of the page: figures, tables, findings. Every text goes through `escaped`."""

from __future__ import annotations

from decimal import Decimal

from tokenbudget.model.figures import cut
from tokenbudget.model.html_text import escaped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.report_findings import (
    MOST_IN_FULL,
    headline,
    observed_words,
    smaller_table,
    smaller_words,
)
from tokenbudget.reports.report_tables import Said
from tokenbudget.reports.report_words import (
    CONFIDENCE_WORDS,
    applied_words,
    capital,
    figures,
    finding_words,
    price_words,
    stamp,
    zone_of,
)
from tokenbudget.reports.table import Marked, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.report_tables import Cell, Table
    from tokenbudget.reports.table import Column

MOST_FLAT_ROWS = 24
"""A longer table scrolls within itself."""
LONGEST_NAME = 44
"""In half a page's width; pointing tells all of it."""
BARRED = ("Of tokens", "Of the cost")
"""Headings under which a share is drawn as well."""
_BACKQUOTE = "&#96;"
"""As `escaped` writes it: what is between two of them is escaped already."""
_SEVERITIES = {"warning": "▲", "critical": "◆", "emergency": "✖"}


def figures_html(data: ReportData) -> str:
    """The four figures."""
    items = "".join(
        f'<div><dt>{escaped(one.label)}</dt><dd><span class="value">{escaped(one.value)}</span>'
        f'<br><span class="note">{escaped(one.note)}</span></dd></div>'
        for one in figures(data)
    )
    return f'<dl class="figures">{items}</dl>\n'


def paragraph(text: str, kind: str = "") -> str:
    """A sentence; '' is none."""
    name = f' class="{kind}"' if kind else ""
    return f"<p{name}>{escaped(text)}</p>\n" if text else ""


def prose(text: str) -> str:
    """A sentence in which what stands between backquotes is code."""
    parts = escaped(text).split(_BACKQUOTE)
    if len(parts) % 2 == 0:  # one of them has no other
        return _BACKQUOTE.join(parts)
    return "".join(f"<code>{one}</code>" if i % 2 else one for i, one in enumerate(parts))


def table_html(table: Table, has_title: bool = True, is_short: bool = False) -> str:
    """A table that can be sorted, scrolled within itself, and read aloud.

    `is_short` writes counts with three digits, for half a page's width; pointing tells them all.
    """
    title = f"<h3>{escaped(table.title)}</h3>\n" if has_title else ""
    if not table.rows:
        return title + paragraph(table.empty, "muted") if table.empty else ""
    kinds = [_kind(column) for column in table.columns]
    head = "".join(
        f'<th scope="col"{_class(kind)}>{escaped(column.title)}</th>'
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    body = "".join(f"<tr>{_row(table, row, kinds, is_short)}</tr>\n" for row in table.rows)
    left = f"{table.left_out:,} more are in the JSON report." if table.left_out else ""
    tall = " tall" if len(table.rows) > MOST_FLAT_ROWS else ""
    return (
        f'{title}<div class="scroll{tall}" role="region" tabindex="0"'
        f' aria-label="Table: {escaped(table.title)}">'
        f'<table class="sortable" id="table-{table.key}"><caption class="unseen">'
        f"{escaped(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody></table></div>\n{paragraph(left, 'muted')}"
    )


def _kind(column: Column) -> str:
    if not column.is_text:
        return "num"
    return "text" if column.may_cut else "short"


def _class(kind: str) -> str:
    return f' class="{kind}"'


def _row(table: Table, row: Iterable[Cell], kinds: list[str], is_short: bool) -> str:
    return "".join(
        _cell(cell, kind, column.title, is_short)
        for cell, kind, column in zip(row, kinds, table.columns, strict=True)
    )


def _cell(cell: Cell, kind: str, heading: str, is_short: bool) -> str:
    value = _value(cell)
    text = escaped(cell.text if isinstance(cell, Said) else shown(cell, is_short))
    exact = f' title="{cell:,}"' if is_short and isinstance(cell, int) else ""
    if is_short and isinstance(cell, str) and len(cell) > LONGEST_NAME:
        exact, text = f' title="{escaped(cell)}"', escaped(cut(one_line(cell), LONGEST_NAME))
    if heading == "Severity" and isinstance(cell, str) and cell in _SEVERITIES:
        text = f'<span class="sev-{cell}">{_SEVERITIES[cell]} {text}</span>'
    if heading in BARRED and isinstance(cell, Said):
        text = f'{share_svg(cell.value)}<span class="percent">{text}</span>'
    sorted_by = "" if value is None else f' data-v="{value}"'
    return f"<td{_class(kind)}{sorted_by}{exact}>{text}</td>"


def _value(cell: Cell) -> str | None:
    """What a cell is sorted by; None for words."""
    if isinstance(cell, Said):
        return f"{cell.value:.9g}"
    if isinstance(cell, Marked):
        return f"{cell.amount:f}" if isinstance(cell.amount, Decimal) else str(cell.amount)
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return str(cell) if isinstance(cell, int) else None


def share_svg(share: float) -> str:
    """A bar for a share of the whole, beside its number."""
    width = round(56 * min(1.0, max(0.0, share)), 2)
    return (
        '<svg class="share" viewBox="0 0 56 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width}" height="8"/></svg>'
    )


def folded(summary: str, inside: str) -> str:
    """Something that is there for whoever asks."""
    return f"<details><summary>{escaped(summary)}</summary>\n{inside}</details>\n"


def findings_html(data: ReportData) -> str:
    """What to change, ranked."""
    if not data.findings:
        return paragraph("No drain worth a change was found.")
    zone = zone_of(data)
    items = "".join(_finding(one, zone) for one in data.findings[:MOST_IN_FULL])
    rest = smaller_words(data)
    smaller = folded(rest, table_html(smaller_table(data), has_title=False)) if rest else ""
    observed = paragraph(observed_words(data), "muted")
    return f'{observed}<ol class="findings">\n{items}</ol>\n{smaller}'


def _finding(one: Finding, zone: Zone) -> str:
    command = ""
    if one.fix.command:
        undo = f' <span class="muted">undo: <code>{escaped(one.fix.undo)}</code></span>'
        command = f"<p><code>{escaped(one.fix.command)}</code>{undo if one.fix.undo else ''}</p>\n"
    done = applied_words(one)
    return (
        f"<li><h3><span>{prose(headline(one))}</span>"
        f'<span class="price">{escaped(price_words(one.weekly))}</span></h3>\n'
        f'<p class="why">{escaped(finding_words(one))}</p>\n'
        f"<p><b>Instead:</b> {prose(capital(one.alternative))}</p>\n"
        f"<p><b>Do:</b> {prose(one.fix.text)}</p>\n{command}"
        f"{paragraph(capital(done))}"
        f"{_evidence(one, zone)}</li>\n"
    )


def _evidence(one: Finding, zone: Zone) -> str:
    sure = f"{CONFIDENCE_WORDS[one.confidence].capitalize()}: {one.confidence_reason}."
    tip = f"<p>{prose(one.tip)}</p>\n{paragraph(sure)}"
    items = "".join(
        f"<li>{stamp(seen.at_ms, zone)}, {escaped(seen.detail)}:"
        f" <code>{escaped(seen.path)}{f':{seen.line}' if seen.line else ''}</code></li>\n"
        for seen in one.evidence
    )
    inside = f"{tip}{f'<ul>{items}</ul>' if items else ''}\n"
    return folded("Evidence and how to keep it out", inside)
