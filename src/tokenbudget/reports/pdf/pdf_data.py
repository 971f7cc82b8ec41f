"""What the typst template lays out: plain lists and strings, every string one harmless line."""

from __future__ import annotations

from datetime import UTC, datetime

from tokenbudget.model.figures import cut
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.pdf.pdf_words import plain
from tokenbudget.reports.report_charts import (
    WEEKDAYS,
    heat_grid,
    heat_words,
    icicle,
    timeline,
)
from tokenbudget.reports.report_cleanups import cleanups_table
from tokenbudget.reports.report_cost_tables import (
    comparison_table,
    dear_sessions_table,
    kinds_table,
    strategies_table,
)
from tokenbudget.reports.report_findings import (
    MOST_IN_FULL,
    headline,
    observed_words,
    smaller_table,
    smaller_words,
)
from tokenbudget.reports.report_tables import (
    Said,
    actions_table,
    alerts_table,
    parts_table,
    prompts_table,
    sessions_table,
    weeks_table,
)
from tokenbudget.reports.report_use_tables import consumer_tables, split_tables, tools_table
from tokenbudget.reports.report_words import (
    CONSUMER_WORDS,
    ICICLE_WORDS,
    KINDS,
    NOTHING_USED,
    SECTIONS,
    applied_words,
    capital,
    figures,
    finding_words,
    made_words,
    price_words,
    told_parts,
    unattributed_words,
)
from tokenbudget.reports.table import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from tokenbudget.analysis.findings import Finding
    from tokenbudget.analysis.report_data import ReportData
    from tokenbudget.reports.report_charts import Box, Tick
    from tokenbudget.reports.report_tables import Cell, Table
    from tokenbudget.reports.table import Column

    Block = dict[str, Any]

MOST_ROWS = 40
"""Of a printed table; JSON has them all."""
SHORT_WORDS = 10
"""A column that is content with so few letters gets no more than"""
LONGEST_WORDS = 22
"""these."""
LONGEST_NAME = 44
"""In a table of half a page's width."""
_PAPERS = {"a4": "a4", "letter": "us-letter"}


def pdf_data(data: ReportData, paper: str) -> dict[str, Any]:
    """The whole report for the template."""
    made = datetime.fromtimestamp(data.made_at_ms / 1000, UTC)
    return {
        "paper": _PAPERS[paper],
        "title": plain(data.title),
        "period": plain(data.period),
        "verdict": plain(data.verdict),
        "made": plain(made_words(data)),
        "date": {"year": made.year, "month": made.month, "day": made.day},
        "figures": [
            {"label": plain(one.label), "value": plain(one.value), "note": plain(one.note)}
            for one in figures(data)
        ],
        "has-contents": bool(data.profile.totals.total_tokens),
        "sections": [
            {"title": heading, "blocks": _PARTS[key](data)} for key, heading, _ in SECTIONS
        ],
    }


def table_block(
    table: Table, has_title: bool = True, without: tuple[str, ...] = (), is_short: bool = False
) -> list[Block]:
    """A table; what is left out of it is said. `is_short` is for half a page's width."""
    if not table.rows:
        return [_text(table.empty)] if table.empty else []
    kept = [i for i, column in enumerate(table.columns) if column.title not in without]
    columns = [table.columns[i] for i in kept]
    left = table.left_out + max(0, len(table.rows) - MOST_ROWS)
    return [
        {
            "kind": "table",
            "title": table.title if has_title else "",
            "columns": [
                {
                    "title": column.title,
                    "is-number": not column.is_text,
                    "grows": _grows(column),
                }
                for column in columns
            ],
            "rows": [
                [cell_text(row[i], table.columns[i], is_short) for i in kept]
                for row in table.rows[:MOST_ROWS]
            ],
            "more": f"and {left:,} more; the JSON report has them all" if left else "",
        }
    ]


def _grows(column: Column) -> int:
    """Parts of the room that is left: prose takes twice what a name does, short words none."""
    if not column.is_text or not column.may_cut or column.enough <= SHORT_WORDS:
        return 0
    return 2 if column.keeps_start else 1


def cell_text(cell: Cell, column: Column, is_short: bool) -> str:
    """A cell as it is printed."""
    text = cell.text if isinstance(cell, Said) else shown(cell, is_short)
    if column.enough <= SHORT_WORDS:
        return plain(cut(one_line(text), LONGEST_WORDS))
    return plain(cut(one_line(text), LONGEST_NAME) if is_short else text)


def pair_block(tables: Iterable[Table]) -> list[Block]:
    """Small tables side by side, two a row."""
    items = [block for table in tables for block in table_block(table, is_short=True)]
    return [{"kind": "pair", "items": items}] if items else []


def _text(text: str) -> Block:
    return {"kind": "text", "text": plain(text)}


def _note(text: str) -> Block:
    return {"kind": "note", "text": plain(text)}


def _box(box: Box) -> Block:
    return {**box._asdict(), "label": plain(box.label), "title": plain(box.title)}


def _tick(tick: Tick) -> Block:
    return {"at": tick.at, "label": plain(tick.label)}


def _timeline(data: ReportData) -> list[Block]:
    chart = timeline(data.days)
    if chart is None:
        return [_text("No day has any use.")]
    kinds = (2, 1, 0, 3)
    return [
        _note(f"{chart.unit}, by kind of token"),
        {
            "kind": "timeline",
            "alt": f"{chart.unit}, stacked by kind of token",
            "boxes": [_box(box) for box in chart.boxes],
            "x-ticks": [_tick(tick) for tick in chart.x_ticks],
            "y-ticks": [_tick(tick) for tick in chart.y_ticks],
        },
        {
            "kind": "legend",
            "items": [{"paint": f"kind-{kind}", "label": KINDS[kind]} for kind in kinds],
        },
        *(table_block(weeks_table(data)) if data.profile.weeks else []),
    ]


def _where(data: ReportData) -> list[Block]:
    boxes = icicle(data.profile)
    if not boxes:
        return [_text(NOTHING_USED)]
    chart = {
        "kind": "icicle",
        "alt": "Shares of the bill: parts of the window, below them tools, then files",
        "boxes": [_box(box) for box in boxes],
    }
    words = _text(f"{ICICLE_WORDS} {unattributed_words(data)}")
    return [words, chart, _note(CONSUMER_WORDS), *pair_block(consumer_tables(data))]


def _drains(data: ReportData) -> list[Block]:
    if not data.findings:
        return [_text("No drain worth a change was found.")]
    items = [_finding(rank, one) for rank, one in enumerate(data.findings[:MOST_IN_FULL], 1)]
    rest = smaller_words(data)
    smaller = [_note(f"{rest}:"), *table_block(smaller_table(data), has_title=False)]
    observed = [_note(one) for one in (observed_words(data),) if one]
    return [*observed, {"kind": "findings", "items": items}, *(smaller if rest else [])]


def _finding(rank: int, one: Finding) -> Block:
    done = applied_words(one)
    return {
        "rank": rank,
        "title": plain(headline(one)),
        "price": plain(price_words(one.weekly)),
        "facts": plain(finding_words(one)),
        "alternative": plain(capital(one.alternative)),
        "fix": plain(one.fix.text),
        "command": plain(one.fix.command),
        "undo": plain(one.fix.undo),
        "done": plain(capital(done)),
    }


def _costs(data: ReportData) -> list[Block]:
    if not data.profile.totals.total_tokens:
        return [_text(NOTHING_USED)]
    return [
        *pair_block(one for one in (kinds_table(data), comparison_table(data)) if one.rows),
        *table_block(strategies_table(data)),
        *(table_block(dear_sessions_table(data)) if data.costs.sessions else []),
    ]


def _efficiency(data: ReportData) -> list[Block]:
    past = ", ".join(f"{one.begins}: {one.score}" for one in data.efficiency.past)
    return [
        _text(data.efficiency.sentence),
        *(table_block(parts_table(data)) if told_parts(data) else []),
        *([_note(f"Your own past weeks: {past}.")] if past else []),
    ]


def _patterns(data: ReportData) -> list[Block]:
    blocks = [_text(heat_words(data.heat))]
    if data.heat:
        grid = heat_grid(data.heat)
        heat = {
            "kind": "heat",
            "alt": "Tokens by weekday and hour",
            "days": list(WEEKDAYS),
            "rows": [[shade for shade, _ in row] for row in grid],
        }
        blocks.append(heat)
    blocks += table_block(tools_table(data)) if data.profile.tools else []
    return blocks + [block for table in split_tables(data) for block in table_block(table)]


def _sessions(data: ReportData) -> list[Block]:
    prompts = table_block(prompts_table(data)) if data.has_content else []
    return [*table_block(sessions_table(data), has_title=False, without=("Model",)), *prompts]


def _method(data: ReportData) -> list[Block]:
    said = (*data.method, *data.profile.notes)
    return [{"kind": "items", "items": [plain(one) for one in said]}]


def _actions(data: ReportData) -> list[Block]:
    cleanups = table_block(cleanups_table(data)) if data.cleanups else []
    return [*table_block(actions_table(data), has_title=False), *cleanups]


_PARTS: dict[str, Callable[[ReportData], list[Block]]] = {
    "timeline": _timeline,
    "where": _where,
    "drains": _drains,
    "costs": _costs,
    "efficiency": _efficiency,
    "patterns": _patterns,
    "sessions": _sessions,
    "alerts": lambda data: table_block(alerts_table(data), has_title=False),
    "actions": _actions,
    "method": _method,
}
