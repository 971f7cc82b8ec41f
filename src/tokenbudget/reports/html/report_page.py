"""A report as one HTML file: works offline, in both themes, on paper, and read aloud."""

from __future__ import annotations

from tokenbudget.model.html_text import escaped, script_json
from tokenbudget.reports.html.assets import policy, scripts, styles
from tokenbudget.reports.html.charts import heat_html, icicle_html, timeline_data, timeline_html
from tokenbudget.reports.html.parts import (
    figures_html,
    findings_html,
    folded,
    paragraph,
    table_html,
)
from tokenbudget.reports.report_cleanups import cleanups_table
from tokenbudget.reports.report_cost_tables import (
    comparison_table,
    dear_sessions_table,
    kinds_table,
    strategies_table,
)
from tokenbudget.reports.report_tables import (
    actions_table,
    alerts_table,
    days_table,
    parts_table,
    prompts_table,
    sessions_table,
    weeks_table,
)
from tokenbudget.reports.report_use_tables import consumer_tables, split_tables, tools_table
from tokenbudget.reports.report_words import (
    CONSUMER_WORDS,
    ICICLE_WORDS,
    NOTHING_USED,
    SECTIONS,
    made_words,
    told_parts,
    unattributed_words,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.report_tables import Table

_STYLES = ("vendor/uPlot.min.css", "../profile_icicle_map.css", "report.css")
_SCRIPTS = ("vendor/uPlot.iife.min.js", "report.js", "../profile_icicle.js")
_PLAIN_SCRIPTS = _SCRIPTS[:2]
"""Where there is no icicle."""


def report_html(data: ReportData) -> str:
    """The whole page."""
    sections = "".join(
        f'<section aria-labelledby="{key}"><h2 id="{key}">{escaped(heading)}</h2>\n'
        f"{_PARTS[key](data)}</section>\n"
        for key, heading, _ in SECTIONS
    )
    return (
        "<!doctype html>\n"
        f'<html lang="en">\n<head>\n{_head(data)}</head>\n<body>\n'
        '<a class="skip" href="#content">Skip to the report</a>\n'
        f'{_header(data)}{_navigation()}<main id="content">\n{sections}</main>\n'
        f"<footer>{escaped(made_words(data))}. One file, nothing is loaded from elsewhere."
        "</footer>\n"
        f'<script type="application/json" id="report-data">{_script_data(data)}</script>\n'
        f"{scripts(*_scripts(data))}</body>\n</html>\n"
    )


def _head(data: ReportData) -> str:
    return (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(_STYLES, _scripts(data))}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escaped(data.title)}, {escaped(data.period)}</title>\n{styles(*_STYLES)}"
    )


def _header(data: ReportData) -> str:
    return (
        '<header>\n<div class="top"><div>'
        f'<h1>{escaped(data.title)}</h1>\n<p class="period">{escaped(data.period)}</p></div>\n'
        '<div class="tools" data-needs-script hidden>'
        '<button type="button" class="page" id="print">Print</button>'
        '<button type="button" class="page" id="theme-switch">Dark theme</button></div></div>\n'
        f"{paragraph(data.verdict, 'verdict')}{figures_html(data)}</header>\n"
    )


def _navigation() -> str:
    items = "".join(f'<li><a href="#{key}">{escaped(name)}</a></li>' for key, _, name in SECTIONS)
    return f'<nav aria-label="Sections"><ul>{items}</ul></nav>\n'


def _scripts(data: ReportData) -> tuple[str, ...]:
    return _SCRIPTS if data.profile.totals.total_tokens else _PLAIN_SCRIPTS


def _script_data(data: ReportData) -> str:
    return script_json({"days": timeline_data(data)})


def _timeline(data: ReportData) -> str:
    days = folded("Day by day, as a table", table_html(days_table(data), has_title=False))
    weeks = table_html(weeks_table(data)) if data.profile.weeks else ""
    return timeline_html(data) + (days if data.days else "") + weeks


def _where(data: ReportData) -> str:
    if not data.profile.totals.total_tokens:
        return paragraph(NOTHING_USED)
    tables = _side_by_side(consumer_tables(data))
    return (
        paragraph(f"{ICICLE_WORDS} {unattributed_words(data)}")
        + icicle_html(data)
        + paragraph(CONSUMER_WORDS, "muted")
        + tables
    )


def _side_by_side(tables: Iterable[Table]) -> str:
    items = [f"<div>{table_html(table, is_short=True)}</div>\n" for table in tables]
    return f'<div class="pair">{"".join(items)}</div>\n' if items else ""


def _costs(data: ReportData) -> str:
    if not data.profile.totals.total_tokens:
        return paragraph(NOTHING_USED)
    kinds = table_html(kinds_table(data))
    compared = table_html(comparison_table(data))
    both = f'<div class="pair"><div>{kinds}</div><div>{compared}</div></div>\n'
    dear = table_html(dear_sessions_table(data)) if data.costs.sessions else ""
    return both + table_html(strategies_table(data)) + dear


def _efficiency(data: ReportData) -> str:
    past = ", ".join(f"{one.begins}: {one.score}" for one in data.efficiency.past)
    parts = table_html(parts_table(data)) if told_parts(data) else ""
    weeks = paragraph(f"Your own past weeks: {past}." if past else "", "muted")
    return paragraph(data.efficiency.sentence) + parts + weeks


def _patterns(data: ReportData) -> str:
    tools = table_html(tools_table(data)) if data.profile.tools else ""
    return heat_html(data) + tools + _side_by_side(split_tables(data))


def _sessions(data: ReportData) -> str:
    table = table_html(sessions_table(data), has_title=False)
    if not data.profile.sessions:
        return table
    search = (
        '<div class="tools" data-needs-script hidden>'
        '<label for="session-filter">Filter sessions</label>'
        '<input type="search" id="session-filter" autocomplete="off">'
        '<span class="muted" id="session-count" role="status"></span></div>\n'
    )
    prompts = table_html(prompts_table(data)) if data.has_content else ""
    return search + table + prompts


def _method(data: ReportData) -> str:
    items = "".join(
        f"<li>{escaped(one)}</li>\n" for one in (*data.method, *data.profile.notes)
    )  # fmt: skip
    return f'<ul class="method">\n{items}</ul>\n'


def _actions(data: ReportData) -> str:
    cleanups = table_html(cleanups_table(data)) if data.cleanups else ""
    return table_html(actions_table(data), has_title=False) + cleanups


_PARTS: dict[str, Callable[[ReportData], str]] = {
    "timeline": _timeline,
    "where": _where,
    "drains": findings_html,
    "costs": _costs,
    "efficiency": _efficiency,
    "patterns": _patterns,
    "sessions": _sessions,
    "alerts": lambda data: table_html(alerts_table(data), has_title=False),
    "actions": _actions,
    "method": _method,
}
