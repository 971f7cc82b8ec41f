"""A usage table as lines of text, with what a person should know beneath it."""

from __future__ import annotations

import os

from tokenbudget.model.figures import counted, short_count, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.table import Column, Marked, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.usage import Sums, UsageTable
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.table import Cell

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
_TO_THE_MINUTE = len("2026-11-20T09:00")
_SESSION_ENOUGH = 12
"""Characters of a session's id that tell it apart and can be typed."""
SHOWN_UNPRICED = 5
NOTE_WIDTH = 100
"""Longer lines are hard to read."""


def usage_lines(table: UsageTable, style: Style, home: str) -> list[str]:
    """The table and its notes; nothing where there are no rows."""
    if not table.rows:
        return []
    columns = [_label_column(name) for name in table.by]
    rows = [[*shown_labels(table.by, labels, home), *_figures(sums)] for labels, sums in table.rows]
    totals: list[Cell] = ["Total", *[""] * (len(table.by) - 1), *_figures(table.totals)]
    table_lines = render([*columns, *_FIGURES], rows, totals, style)
    noted = note_lines(table.totals, table.unpriced_models, style.width)
    return [*table_lines, *([""] if noted else []), *noted]


def nothing_lines(places: Sequence[str], is_limited: bool, home: str) -> list[str]:
    """What to do where there is nothing to show: `places` were looked in."""
    if is_limited:
        return ["No usage within these limits.", "Try: tokens usage --by month, without them."]
    where = " or ".join(one_line(tilde(place, home)) for place in places)
    return [
        f"No sessions under {where} yet.",
        "Try: tokens usage --from PATH, with a session file or a folder of sessions.",
    ]


def tilde(path: str, home: str) -> str:
    """A path with ~ for the home folder."""
    return "~" + path[len(home) :] if home and path.startswith(os.path.join(home, "")) else path


def _label_column(name: str) -> Column:
    if name == "session":
        return Column("Session", is_text=True, keeps_start=True, enough=_SESSION_ENOUGH)
    return Column(_HEADINGS[name], is_text=True, may_cut=name not in _PERIODS)


def shown_labels(by: tuple[str, ...], labels: tuple[str, ...], home: str) -> list[str]:
    """Labels for people: paths under the home folder begin with ~, times are bare."""
    shown = []
    for name, label in zip(by, labels, strict=True):
        if name == "project":
            label = tilde(label, home)
        shown.append(label[:_TO_THE_MINUTE].replace("T", " ") if name == "block" else label)
    return shown


def _figures(sums: Sums) -> list[Cell]:
    return [
        sums.input_tokens,
        Marked(sums.output_tokens) if sums.low_confidence_tokens else sums.output_tokens,
        sums.cache_write_5m_tokens + sums.cache_write_1h_tokens,
        sums.cache_read_tokens,
        sums.total_tokens,
        sums.requests,
        cost_cell(sums),
    ]


def cost_cell(sums: Sums) -> Cell:
    """A cost as far as it is known: whole, in part (`$1.20?`), not at all (`?`)."""
    if not sums.unpriced_tokens and not sums.unpriced_web_searches:
        return sums.cost_usd
    return Marked(sums.cost_usd) if sums.cost_usd else "?"


def note_lines(totals: Sums, unpriced_models: Sequence[str], width: int) -> list[str]:
    """What the figures above leave open, a hanging paragraph each."""
    return [
        line
        for note in _notes(totals, unpriced_models)
        for line in wrapped(note, min(width, NOTE_WIDTH), "  ")
    ]


def unpriced_note(totals: Sums, unpriced_models: Sequence[str]) -> str:
    """Which models have no price, and where to give one."""
    models = ", ".join(one_line(name) for name in unpriced_models[:SHOWN_UNPRICED])
    more = len(unpriced_models) - SHOWN_UNPRICED
    models += f" and {more} more" if more > 0 else ""
    return (
        f"? {short_count(totals.unpriced_tokens)} tokens have no price and are not in the cost:"
        f" {models}. Give prices in config.toml (docs/prices.md; tokens config says where it is)."
    )


def _notes(totals: Sums, unpriced_models: Sequence[str]) -> list[str]:
    lines = []
    if totals.unpriced_tokens:
        lines.append(unpriced_note(totals, unpriced_models))
    if totals.unpriced_web_searches:
        searches = counted(totals.unpriced_web_searches, "web search request")
        lines.append(f"? {searches} without a price, not in the cost.")
    if totals.unknown_requests:
        lines.append(
            f"? {counted(totals.unknown_requests, 'response')} reported no usage:"
            " unknown, and not counted."
        )
    if totals.low_confidence_tokens:
        lines.append(
            f"~ {short_count(totals.low_confidence_tokens)} output tokens come from responses whose"
            " final count never arrived; the true output is higher (tokens doctor)."
        )
    return lines
