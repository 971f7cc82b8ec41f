"""Charts of the page: as SVG where no script runs and on paper, and the data of the live ones."""

from __future__ import annotations

from datetime import date

from tokenbudget.model.html_text import escaped, script_json
from tokenbudget.reports.profile_icicle import icicle_parts
from tokenbudget.reports.report_charts import (
    HEAT_STEPS,
    WEEKDAYS,
    has_money,
    heat_grid,
    heat_words,
    timeline,
)
from tokenbudget.reports.report_words import KINDS, PICO_PER_USD, by_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from tokenbudget.analysis.report_data import ReportData

    Json: TypeAlias = float | str | Sequence["Json"] | Mapping[str, "Json"] | None
    from tokenbudget.reports.report_charts import Box, Chart

_WIDTH, _HEIGHT = 1000, 300
_LEFT, _BOTTOM, _TOP = 64, 28, 8
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SECONDS_PER_DAY = 86_400
_ORDER = (3, 0, 1, 2)
"""Of the legend: as the stack lies, from its top."""


def timeline_html(data: ReportData) -> str:
    """The timeline, live and still, with its legend."""
    chart = timeline(data.days)
    if chart is None:
        return "<p>No day has any use.</p>\n"
    items = "".join(
        f'<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect width="12" height="12" rx="2"'
        f' class="kind-{kind}"/></svg>{KINDS[kind]} <b data-kind="{kind}"></b></li>'
        for kind in _ORDER
    )
    switch = ""
    if has_money(data.days):
        switch = (
            '<button type="button" data-measure="money" aria-pressed="true">Cost</button>'
            '<button type="button" data-measure="tokens" aria-pressed="false">Tokens</button>'
        )
    return (
        '<figure id="timeline-chart">\n'
        f'<div class="tools live-tools" data-needs-script hidden>{switch}<span class="gap"></span>'
        '<button type="button" data-last="7">Last 7 days</button>'
        '<button type="button" data-last="30">Last 30 days</button>'
        '<button type="button" data-last="0">All</button></div>\n'
        f'<div class="static">{timeline_svg(chart)}</div>\n'
        '<div class="live"><div class="plot" tabindex="0" role="img"'
        ' aria-label="Stacked bars of each day; the table below has the figures. Arrows move,'
        ' plus and minus zoom, Escape shows all."></div><div class="overview"></div></div>\n'
        f'<ul class="legend"><li id="timeline-day" data-needs-script hidden></li>{items}</ul>\n'
        f'<figcaption class="live">Drag across the bars or the strip below them to zoom; a'
        " double click shows all.</figcaption>\n"
        f"</figure>\n"
    )


def timeline_svg(chart: Chart) -> str:
    """The bars as they are without a script and on paper."""
    wide, high = _WIDTH - _LEFT, _HEIGHT - _BOTTOM - _TOP
    lines = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{_TOP + tick.at * high:.1f}"'
        f' y2="{_TOP + tick.at * high:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{_TOP + tick.at * high + 4:.1f}" text-anchor="end">'
        f"{escaped(tick.label)}</text>"
        for tick in chart.y_ticks
    )
    labels = "".join(
        f'<text x="{_LEFT + tick.at * wide:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{escaped(tick.label)}</text>"
        for tick in chart.x_ticks
    )
    boxes = "".join(_rect(box, wide, high) for box in chart.boxes)
    label = f"{escaped(chart.unit)}, stacked by kind of token"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{lines}{boxes}{labels}</svg>"
    )


def _rect(box: Box, wide: float, high: float) -> str:
    return (
        f'<rect class="{box.paint}" x="{_LEFT + box.x * wide:.2f}" y="{_TOP + box.y * high:.2f}"'
        f' width="{box.width * wide:.2f}" height="{box.height * high:.2f}"/>'
    )


def timeline_data(data: ReportData) -> Json:
    """What the live chart draws: seconds of each day's UTC midnight, and figures by kind."""
    days = [day for day in data.days if day.day[:1].isdecimal()]
    dates = [date.fromisoformat(day.day) for day in days]
    tokens = list(zip(*(by_kind(day.amount[:5]) for day in days), strict=True))
    money: Json = None
    if has_money(days):
        kinds = zip(*(by_kind(day.kind_pico_usd) for day in days), strict=True)
        money = [[usd / PICO_PER_USD for usd in kind] for kind in kinds]
    return {
        "x": [(day.toordinal() - _EPOCH_DAY) * _SECONDS_PER_DAY for day in dates],
        "labels": [f"{WEEKDAYS[day.weekday()]} {day.isoformat()}" for day in dates],
        "tokens": tokens,
        "money": money,
    }


def icicle_html(data: ReportData) -> str:
    """The icicle of `tokens profile`, with what its script asks for."""
    picture, facts = icicle_parts(data.profile)
    units = (
        '<button type="button" data-unit="cost" aria-pressed="true">By cost</button>'
        '<button type="button" data-unit="tokens" aria-pressed="false">By tokens</button>'
        if data.profile.totals.cost_pico_usd
        else ""
    )
    return (
        '<div class="tools" data-needs-script hidden><label for="search">Find</label>'
        '<input id="search" type="search" autocomplete="off">'
        '<output id="found" class="muted" for="search"></output><span class="gap"></span>'
        f'{units}<button type="button" id="whole">Show everything</button></div>\n'
        f'<p class="crumbs" id="crumbs"></p>\n{picture}\n'
        '<p class="detail muted live" id="detail" aria-live="polite">Click or press Enter on a box'
        " to zoom, Escape to go back.</p>\n"
        '<div class="tip" id="tip" hidden></div>\n'
        f'<script type="application/json" id="facts">{script_json(facts)}</script>\n'
    )


def heat_html(data: ReportData) -> str:
    """Hours and weekdays: a table that is its own chart."""
    if not data.heat:
        return "<p>No hour has any use.</p>\n"
    hours = "".join(
        f'<th scope="col">{hour}</th>'
        if hour % 3 == 0
        else f'<th scope="col"><span class="unseen">{hour}</span></th>'
        for hour in range(24)
    )
    rows = "".join(
        f'<tr><th scope="row">{name}</th>'
        + "".join(
            f'<td class="h{shade}" title="{name} {hour:02}:00, {tokens:,} tokens">'
            f'<span class="unseen">{tokens:,}</span></td>'
            for hour, (shade, tokens) in enumerate(row)
        )
        + "</tr>\n"
        for name, row in zip(WEEKDAYS, heat_grid(data.heat), strict=True)
    )
    ramp = "".join(f'<span class="h{shade}"></span>' for shade in range(HEAT_STEPS + 1))
    zone = "this machine's time" if data.zone_name == "local" else data.zone_name
    return (
        f"<p>{escaped(heat_words(data.heat))}</p>\n"
        '<table class="heat"><caption class="unseen">Tokens by weekday and hour</caption>\n'
        f"<thead><tr><td></td>{hours}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
        f'<p class="muted">Tokens, none<span class="ramp" aria-hidden="true">{ramp}</span>most;'
        f" hours in {escaped(zone)}</p>\n"
    )
