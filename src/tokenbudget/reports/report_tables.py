"""The tables of a report, once for text, HTML and PDF: headings, cells, and what an empty one says.

A cell is a word, an amount, or an amount in words of its own (`Said`) that can still be sorted.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.model.figures import short_count
from tokenbudget.reports.report_words import (
    NO_WORDS,
    capital,
    cost_cell,
    last_part,
    percent,
    points_words,
    short_id,
    signed_percent,
    stamp,
    told_parts,
    zone_of,
)
from tokenbudget.reports.table import Column, Marked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.table import Cell as PlainCell

    Cell: TypeAlias = "PlainCell | Said"

MOST_SESSIONS = 500
"""Of the latest; more make a page that no browser scrolls well. JSON has them all."""
MOST_EVENTS = 100
MOST_WEEKS = 13
"""A quarter."""


class Said(NamedTuple):
    """An amount in words, and what it is sorted by."""

    text: str
    value: float


class Table(NamedTuple):
    """Rows under headings."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    """What stands there without rows."""
    left_out: int = 0
    """Rows that are not shown."""


def words(title: str, **more: object) -> Column:
    """A column of words."""
    return Column(title, is_text=True, **more)  # type: ignore[arg-type]


def share_of(part: float, whole: float) -> Said:
    """A share of a whole, in percent."""
    return Said(percent(part / whole) if whole else NO_WORDS, part / whole if whole else 0.0)


def kept(rows: Iterable[tuple[Cell, ...]], most: int) -> tuple[tuple[tuple[Cell, ...], ...], int]:
    """As many rows as are shown, and how many are left out."""
    everything = tuple(rows)
    return everything[:most], max(0, len(everything) - most)


def days_table(data: ReportData) -> Table:
    """The timeline, a line a day."""
    rows = tuple(
        (
            day.day,
            day.sessions,
            day.requests,
            day.amount.input_tokens,
            day.amount.cache_write_5m_tokens + day.amount.cache_write_1h_tokens,
            day.amount.cache_read_tokens,
            day.amount.output_tokens,
            day.amount.total_tokens,
            cost_cell(day.amount),
        )
        for day in data.days
    )
    columns = (
        words("Day", may_cut=False),
        Column("Sessions", drop_rank=3),
        Column("Requests", drop_rank=2),
        Column("Input", drop_rank=5),
        Column("Cache write", drop_rank=4),
        Column("Cache read", drop_rank=4),
        Column("Output", drop_rank=5),
        Column("Total tokens"),
        Column("Cost"),
    )
    return Table("days", "Day by day", columns, rows, "No day has any use.")


def weeks_table(data: ReportData) -> Table:
    """Week by week, the latest of them."""
    rows = tuple(
        (
            one.begins if one.is_whole else f"{one.begins} (part)",
            one.sessions,
            one.requests,
            one.amount.total_tokens,
            cost_cell(one.amount),
            NO_WORDS if one.change is None else Said(signed_percent(one.change), one.change),
            one.top or NO_WORDS,
        )
        for one in data.profile.weeks[-MOST_WEEKS:]
    )
    left = max(0, len(data.profile.weeks) - MOST_WEEKS)
    columns = (
        words("Week of", may_cut=False),
        Column("Sessions", drop_rank=3),
        Column("Requests", drop_rank=4),
        Column("Tokens", drop_rank=1),
        Column("Cost"),
        Column("Change"),
        words("Largest", drop_rank=2),
    )
    return Table("weeks", "Week by week", columns, rows, "No week has any use.", left)


def sessions_table(data: ReportData) -> Table:
    """The sessions, the latest first."""
    zone = zone_of(data)
    found = (
        (
            short_id(one.session),
            Said(stamp(one.last_ms, zone), one.last_ms),
            last_part(one.project) or NO_WORDS,
            one.title or one.branch or NO_WORDS,
            one.model or NO_WORDS,
            one.requests,
            _peak(one.peak_tokens, one.window_tokens),
            one.amount.total_tokens,
            cost_cell(one.amount),
        )
        for one in data.profile.sessions
    )
    rows, left = kept(found, MOST_SESSIONS)
    columns = (
        words("Session", may_cut=False),
        words("Last used", may_cut=False),
        words("Project", drop_rank=1, enough=10),
        words("Title or branch", keeps_start=True, enough=12),
        words("Model", drop_rank=5),
        Column("Requests", drop_rank=3),
        Column("Fullest", drop_rank=2),
        Column("Tokens", drop_rank=1),
        Column("Cost"),
    )
    return Table("sessions", "Sessions", columns, rows, "No session yet.", left)


def _peak(peak_tokens: int, window_tokens: int) -> Cell:
    """How full its window was at most; the tokens where the window's size is unknown."""
    if not peak_tokens:
        return NO_WORDS
    if not window_tokens:
        return Said(short_count(peak_tokens), peak_tokens / 10**9)
    return Said(percent(peak_tokens / window_tokens), peak_tokens / window_tokens)


def parts_table(data: ReportData) -> Table:
    """What the score is made of."""
    rows = tuple(
        (
            part.title,
            capital(part.said),
            Said(points_words(part), part.points),
            capital(part.advice) or NO_WORDS,
        )
        for part in told_parts(data)
    )
    columns = (
        words("Ingredient", may_cut=False),
        words("As it was", keeps_start=True),
        Column("Points"),
        words("How to raise it", keeps_start=True, drop_rank=1),
    )
    return Table("parts", "What the score is made of", columns, rows, data.efficiency.sentence)


def _cells(*words: str) -> tuple[Cell, ...]:
    return words


_EVENTS = {
    "fire": "fired",
    "escalate": "got worse",
    "repeat": "still so",
    "resolve": "over",
    "digest": "summary",
    "failed": "not delivered",
}


def alerts_table(data: ReportData) -> Table:
    """What alerts did, the latest first; their severity where it is known of any."""
    zone = zone_of(data)
    has_severity = any(one.severity for one in data.alerts)
    found = (
        (
            Said(stamp(one.at_ms, zone), one.at_ms),
            one.rule or NO_WORDS,
            *(_cells(one.severity) if has_severity else ()),
            _EVENTS.get(one.event, one.event),
            one.detail or NO_WORDS,
        )
        for one in data.alerts
    )
    rows, left = kept(found, MOST_EVENTS)
    severity = (words("Severity", drop_rank=1, enough=10),) if has_severity else ()
    columns = (
        words("When", may_cut=False),
        words("Rule", enough=10),
        *severity,
        words("What", enough=10),
        words("Detail", keeps_start=True),
    )
    empty = "No alert in this period. Set one: tokens alert 80"
    return Table("alerts", "Alerts", columns, rows, empty, left)


def actions_table(data: ReportData) -> Table:
    """What was changed, the latest first."""
    zone = zone_of(data)
    found = (
        (
            one.id,
            Said(stamp(one.at_ms, zone), one.at_ms),
            one.title,
            last_part(one.project) or NO_WORDS,
            estimate(one.predicted_tokens),
            _saved(one.saved_tokens_per_week, one.is_undone),
            "taken back" if one.is_undone else one.cause,
        )
        for one in data.actions
    )
    rows, left = kept(found, MOST_EVENTS)
    columns = (
        Column("ID"),
        words("When", may_cut=False, drop_rank=2),
        words("What", keeps_start=True),
        words("Project", drop_rank=3, enough=10),
        Column("Per request", drop_rank=1),
        Column("Saved a week"),
        words("By", drop_rank=2, enough=10),
    )
    empty = "Nothing was changed in this period. What could be: tokens optimize"
    return Table("actions", "Changes", columns, rows, empty, left)


def estimate(tokens: int | None) -> Cell:
    """Predicted, and so with a tilde."""
    if not tokens:
        return NO_WORDS
    return Marked(tokens)


def _saved(tokens: int | None, is_undone: bool) -> Cell:
    if tokens is not None:
        return tokens
    return NO_WORDS if is_undone else "not yet"


def prompts_table(data: ReportData) -> Table:
    """First prompts, only where they were asked for."""
    rows = tuple((short_id(session), prompt) for session, prompt in data.prompts)
    columns = (words("Session", may_cut=False), words("First prompt", keeps_start=True))
    return Table("prompts", "First prompts", columns, rows, "No prompt can be read any more.")
