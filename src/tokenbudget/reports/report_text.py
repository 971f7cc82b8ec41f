"""A report as lines of text: for a terminal, a mail, a file."""

from __future__ import annotations

from tokenbudget.model.figures import (
    bar,
    cut,
    dollars,
    padded,
    short_count,
    text_width,
    wrapped,
)
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.report_charts import (
    WEEKDAYS,
    bars_of,
    has_money,
    heat_grid,
    heat_words,
)
from tokenbudget.reports.report_cleanups import cleanups_table
from tokenbudget.reports.report_cost_tables import (
    comparison_table,
    dear_sessions_table,
    kinds_table,
    strategies_table,
)
from tokenbudget.reports.report_tables import (
    Said,
    actions_table,
    alerts_table,
    prompts_table,
    sessions_table,
    weeks_table,
)
from tokenbudget.reports.report_text_findings import findings_lines, said
from tokenbudget.reports.report_use_tables import consumer_tables, split_tables, tools_table
from tokenbudget.reports.report_words import (
    NO_WORDS,
    NOTHING_USED,
    PICO_PER_USD,
    SECTIONS,
    capital,
    figures,
    made_words,
    percent,
    points_words,
    told_parts,
    unattributed_words,
)
from tokenbudget.reports.table import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.analysis.profile import Node
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.model.figures import Style
    from tokenbudget.reports.report_tables import Table
    from tokenbudget.reports.table import Cell

WIDEST = 100
"""Longer lines are hard to read, and break in mails."""
_BAR_CELLS = 28
_TREE_CELLS = 16
_TREE_LEVELS = 3
_LEAST_SHARE = 0.01
_MOST_BARS = 31
"""Lines of the timeline: a month of days, seven of weeks."""
_MOST_SESSIONS = 20
_TEXT_CONSUMERS = ("consumers-file", "consumers-command", "consumers-mcp_server")
_SHADES = (" ·", "░░", "░░", "▒▒", "▒▒", "▓▓", "██")


def report_lines(data: ReportData, style: Style) -> list[str]:
    """All of it; under 80 columns lines lose their ends."""
    fitting = style._replace(width=min(style.width, WIDEST))
    lines = [*_head(data, fitting)]
    for key, heading, _ in SECTIONS:
        body = _PARTS[key](data, fitting)
        lines += ["", "", fitting.bold(heading), fitting.faint("─" * fitting.width), *body]
    lines += ["", made_words(data)]
    return [_fitted(line.rstrip(), fitting) for line in lines]


def _fitted(line: str, style: Style) -> str:
    """A line that is too wide for a narrow terminal loses its end; styled ones never are."""
    return line if "\x1b" in line else cut(line, style.width, keeps_start=True)


def _head(data: ReportData, style: Style) -> list[str]:
    lines = [style.bold(cut(f"{one_line(data.title)}   {one_line(data.period)}", style.width))]
    lines += [style.faint("━" * style.width), *said(data.verdict, style), ""]
    for one in figures(data):
        head = f"  {one.label:<16}{one.value:>10}   "
        lines += wrapped_after(head, one.note, style.width)
    return lines


def wrapped_after(head: str, text: str, width: int) -> list[str]:
    """A text behind a label, its later lines under its first."""
    room = max(20, width - text_width(head))
    first, *more = wrapped(one_line(text), room)
    return [head + first, *(" " * text_width(head) + line for line in more)]


def table_lines(
    table: Table, style: Style, most: int | None = None, title: bool = True
) -> list[str]:
    """A table under its title; what is left out is said."""
    head = ["", style.bold(table.title)] if title else []
    if not table.rows:
        return [*head, *said(table.empty, style)] if table.empty else []
    shown = table.rows[:most]
    left = table.left_out + len(table.rows) - len(shown)
    lines = render(table.columns, [[_plain(cell) for cell in row] for row in shown], None, style)
    more = [style.faint(f"and {left:,} more; tokens report json has them all")] if left else []
    return [*head, *lines, *more]


def _plain(cell: Cell | Said) -> Cell:
    return cell.text if isinstance(cell, Said) else cell


def _timeline(data: ReportData, style: Style) -> list[str]:
    in_money = has_money(data.days)
    unit, bars = bars_of(data.days, in_money, _MOST_BARS)
    top = max((sum(one.values) for one in bars), default=0)
    if not top:
        return ["No day has any use."]
    what = "USD" if in_money else "tokens"
    lines = [f"{what} a {unit}"]
    for one in bars:
        value = sum(one.values)
        worth = _dollars(value) if in_money else short_count(value)
        drawn = bar(value / top, _BAR_CELLS).replace("░", " ")
        label = f"{WEEKDAYS[one.first.weekday()]} {one.label}" if unit == "day" else one.label
        lines.append(f"  {padded(label, 15)}{drawn}  {worth:>9}")
    return [*lines, *(table_lines(weeks_table(data), style) if data.profile.weeks else [])]


def _dollars(pico_usd: int) -> str:
    from decimal import Decimal

    return dollars(Decimal(pico_usd) / PICO_PER_USD) if pico_usd else NO_WORDS


def _where(data: ReportData, style: Style) -> list[str]:
    tree = data.profile.tree
    if not tree.amount.total_tokens:
        return [NOTHING_USED]
    lines = [f"{'Share of the cost' if tree.amount.cost_pico_usd else 'Share of the tokens'}"]
    lines += _branches(tree, tree, 0, style)
    lines += said(unattributed_words(data), style, "  ")
    for table in consumer_tables(data):
        if table.key in _TEXT_CONSUMERS:
            lines += table_lines(table, style)
    return lines


def _branches(node: Node, root: Node, level: int, style: Style) -> list[str]:
    in_money = root.amount.cost_pico_usd > 0

    def weight(one: Node) -> int:
        return one.amount.cost_pico_usd if in_money else one.amount.total_tokens

    lines = []
    label_width = style.width - _TREE_CELLS - 20
    for child in sorted(node.children, key=lambda one: -weight(one)):
        share = weight(child) / weight(root)
        if share < _LEAST_SHARE:
            continue
        label = padded("  " * (level + 1) + one_line(child.name), label_width)
        worth = _dollars(weight(child)) if in_money else short_count(weight(child))
        lines.append(f"{label}  {bar(share, _TREE_CELLS)} {percent(share):>5}  {worth:>9}")
        if level + 1 < _TREE_LEVELS:
            lines += _branches(child, root, level + 1, style)
    return lines


def _costs(data: ReportData, style: Style) -> list[str]:
    if not data.profile.totals.total_tokens:
        return [NOTHING_USED]
    lines = table_lines(kinds_table(data), style, title=False)
    lines += table_lines(comparison_table(data), style)
    lines += table_lines(strategies_table(data), style)
    lines += [
        line
        for one in data.costs.strategies
        for line in said(f"{one.title}: {one.basis}; {one.said}", style, "  ")
    ]
    return lines + (table_lines(dear_sessions_table(data), style) if data.costs.sessions else [])


def _efficiency(data: ReportData, style: Style) -> list[str]:
    lines = said(data.efficiency.sentence, style)
    parts = told_parts(data)
    lines += [""] if parts else []
    widest = max((text_width(one_line(part.title)) for part in parts), default=0)
    for part in parts:
        head = f"  {padded(one_line(part.title), widest)}  {points_words(part):>10}   "
        lines += wrapped_after(
            head, f"{capital(part.said)}. {capital(part.advice)}".rstrip(), style.width
        )
    past = data.efficiency.past
    if past:
        weeks = ", ".join(f"{one.begins} {one.score}" for one in past)
        lines += ["", *said(f"Your own past weeks: {weeks}.", style, "  ")]
    return lines


def _patterns(data: ReportData, style: Style) -> list[str]:
    lines = _heat(data, style)
    if data.profile.tools:
        lines += table_lines(tools_table(data), style)
    for table in split_tables(data):
        lines += table_lines(table, style)
    return lines


def _heat(data: ReportData, style: Style) -> list[str]:
    lines = said(heat_words(data.heat), style)
    if not data.heat:
        return lines
    hours = "".join(f"{hour:<6}" for hour in range(0, 24, 3))
    lines += ["", f"       {hours}"]
    for weekday, row in zip(WEEKDAYS, heat_grid(data.heat), strict=True):
        lines.append(f"  {weekday}  {''.join(_SHADES[shade] for shade, _ in row)}")
    return lines


def _sessions(data: ReportData, style: Style) -> list[str]:
    lines = table_lines(sessions_table(data), style, _MOST_SESSIONS, title=False)
    return lines + (table_lines(prompts_table(data), style) if data.has_content else [])


def _alerts(data: ReportData, style: Style) -> list[str]:
    return table_lines(alerts_table(data), style, _MOST_SESSIONS, title=False)


def _actions(data: ReportData, style: Style) -> list[str]:
    lines = table_lines(actions_table(data), style, _MOST_SESSIONS, title=False)
    cleanups = cleanups_table(data)
    return lines + (table_lines(cleanups, style, _MOST_SESSIONS) if cleanups.rows else [])


def _method(data: ReportData, style: Style) -> list[str]:
    everything = (*data.method, *data.profile.notes)
    return [line for one in everything for line in said(f"- {one}", style, "  ")]


_PARTS: dict[str, Callable[[ReportData, Style], list[str]]] = {
    "timeline": _timeline,
    "where": _where,
    "drains": findings_lines,
    "costs": _costs,
    "efficiency": _efficiency,
    "patterns": _patterns,
    "sessions": _sessions,
    "alerts": _alerts,
    "actions": _actions,
    "method": _method,
}
