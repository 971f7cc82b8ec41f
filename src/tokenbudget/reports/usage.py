"""A usage table as lines of text, with what a person should know beneath it."""

from __future__ import annotations

import os

from tokenbudget.reports.sanitize import one_line
from tokenbudget.reports.table import Column, render, short_count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.usage import Sums, UsageTable
    from tokenbudget.reports.table import Cell, Style

_HEADINGS = {
    "day": "Day",
    "week": "Week of",
    "month": "Month",
    "session": "Session",
    "model": "Model",
    "project": "Project",
    "agent": "Agent",
    "block": "5-hour block",
}
_FIGURES = (
    Column("Input", drop_rank=3),
    Column("Output", drop_rank=2),
    Column("Cache write", drop_rank=1),
    Column("Cache read", drop_rank=1),
    Column("Total tokens"),
    Column("Requests", drop_rank=4),
    Column("Cost"),
)
_PERIODS = ("day", "week", "month", "block")
SHOWN_UNPRICED = 5


def usage_lines(table: UsageTable, style: Style, home: str) -> list[str]:
    """The table and its notes; an empty one teaches."""
    if not table.rows:
        return [
            "No usage found here.",
            "Sessions are looked for under ~/.claude/projects; name others with --from PATH.",
        ]
    columns = [
        Column(_HEADINGS[name], is_text=True, may_cut=name not in _PERIODS) for name in table.by
    ]
    rows = [[*shown_labels(table.by, labels, home), *_figures(sums)] for labels, sums in table.rows]
    totals: list[Cell] = ["Total", *[""] * (len(table.by) - 1), *_figures(table.totals)]
    table_lines = render([*columns, *_FIGURES], rows, totals, style)
    wrapped = [line for note in notes(table) for line in hanging(note, style.width)]
    return [*table_lines, *([""] if wrapped else []), *wrapped]


def shown_labels(by: tuple[str, ...], labels: tuple[str, ...], home: str) -> list[str]:
    """Labels for people: paths under the home folder begin with ~, times lose their T."""
    shown = []
    for name, label in zip(by, labels, strict=True):
        if name == "project" and label.startswith(os.path.join(home, "")):
            label = "~" + label[len(home) :]
        shown.append(label.replace("T", " ") if name == "block" else label)
    return shown


def _figures(sums: Sums) -> list[Cell]:
    return [
        sums.input_tokens,
        sums.output_tokens,
        sums.cache_write_5m_tokens + sums.cache_write_1h_tokens,
        sums.cache_read_tokens,
        sums.total_tokens,
        sums.requests,
        "?" if sums.total_tokens and sums.unpriced_tokens == sums.total_tokens else sums.cost_usd,
    ]


def notes(table: UsageTable) -> list[str]:
    """What the figures above leave open."""
    totals = table.totals
    lines = []
    if totals.unpriced_tokens:
        models = ", ".join(one_line(name) for name in table.unpriced_models[:SHOWN_UNPRICED])
        more = len(table.unpriced_models) - SHOWN_UNPRICED
        models += f" and {more} more" if more > 0 else ""
        lines.append(
            f"? {short_count(totals.unpriced_tokens)} tokens have no price and are not in the cost:"
            f" {models}. Give prices in config.toml (docs/prices.md)."
        )
    if totals.unpriced_web_searches:
        lines.append(f"? {totals.unpriced_web_searches:,} web searches have no price.")
    if totals.unknown_requests:
        lines.append(
            f"? {totals.unknown_requests:,} responses reported no usage and are not counted."
        )
    if totals.low_confidence_tokens:
        lines.append(
            f"~ {short_count(totals.low_confidence_tokens)} output tokens come from responses whose"
            " final count never arrived; the true output is higher (tokens doctor)."
        )
    return lines


def hanging(note: str, width: int) -> list[str]:
    """A note broken into lines, the later ones indented beneath its mark."""
    import textwrap

    return textwrap.wrap(note, min(width, 100), subsequent_indent="  ")


def paragraph(text: str, width: int) -> list[str]:
    """A text broken into lines."""
    import textwrap

    return textwrap.wrap(one_line(text), min(width, 100))
