"""The clean-ups of the controller in a report: what was foretold of each, and what it freed."""

from __future__ import annotations

from tokenbudget.model.control_words import lever_name
from tokenbudget.reports.control import money
from tokenbudget.reports.control_history import saved_words
from tokenbudget.reports.report_tables import MOST_EVENTS, Said, Table, estimate, kept, words
from tokenbudget.reports.report_words import NO_WORDS, short_id, stamp, zone_of
from tokenbudget.reports.table import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.report_data import ReportData


def cleanups_table(data: ReportData) -> Table:
    """What the controller took out of windows, the latest first; what it freed is in the title."""
    zone = zone_of(data)
    found = (
        (
            Said(stamp(one.at_ms, zone), one.at_ms),
            short_id(one.session),
            one.level,
            f"{lever_name(one.lever)} ({one.items})" if one.items > 1 else lever_name(one.lever),
            estimate(one.predicted_tokens),
            one.outcome or "not yet" if one.measured_tokens is None else one.measured_tokens,
            NO_WORDS
            if one.measured_usd is None
            else Said(money(one.measured_usd), one.measured_usd),
        )
        for one in data.cleanups
    )
    rows, left = kept(found, MOST_EVENTS)
    columns: tuple[Column, ...] = (
        words("When", may_cut=False, drop_rank=2),
        words("Session", may_cut=False, drop_rank=3),
        words("Level", drop_rank=1),
        words("What left the window", keeps_start=True),
        Column("Foretold"),
        Column("Freed"),
        Column("Saved", drop_rank=4),
    )
    if all(one.measured_usd is None for one in data.cleanups):  # a model without a price
        columns, rows = columns[:-1], tuple(row[:-1] for row in rows)
    return Table("cleanups", _title(data), columns, rows, "", left)


def _title(data: ReportData) -> str:
    """What was measured, beside what was foretold of the same."""
    seen = [one for one in data.cleanups if one.measured_tokens is not None]
    if not seen:
        return "Clean-ups of the controller: nothing is measured yet"
    freed = sum(one.measured_tokens or 0 for one in seen)
    foretold = sum(one.predicted_tokens for one in seen)
    priced = [one.measured_usd for one in seen if one.measured_usd is not None]
    saved = f", {saved_words(sum(priced))}" if priced else ""
    return f"Clean-ups of the controller: {freed:,} tokens freed, {foretold:,} foretold{saved}"
