"""A window against its plan, as text and as JSON."""

from __future__ import annotations

from tokenbudget.budget import health
from tokenbudget.model.figures import bar, cut, wrapped
from tokenbudget.model.plain_text import one_line
from tokenbudget.reports.json import document
from tokenbudget.reports.window import (
    WIDTH,
    counted_tokens,
    fields_of,
    headed,
    heading,
    note_lines,
    percent,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenbudget.analysis.periods import Zone
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import BudgetRow, LimitState, WindowBudget
    from tokenbudget.budget.burn import Burn
    from tokenbudget.budget.forecast import Crossing, Spread
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.figures import Style

BAR_CELLS = 24
_NAME_WIDTH = 20
_LABEL_WIDTH = 18
_WIDE_FROM = 80
"""From this width on there is room for everything beside each other."""


def budget_lines(
    window: SessionWindow, budget: WindowBudget, facts: SessionRow, style: Style, zone: Zone
) -> list[str]:
    """The status screen."""
    width = min(style.width, WIDTH)
    lines = [
        style.bold(headed("📊 Token Budget Status", heading(facts, window), width)),
        style.faint("━" * width),
        *_total_lines(window, width),
        "",
        *_breakdown_lines(window, budget, width, style),
        "",
        style.bold(_status_line(window, budget)),
        *_forecast_lines(window, budget, width, zone),
    ]
    lines += ["", *note_lines(window, width)] if window.notes else []
    if budget.advice:
        lines += ["", style.bold("Recommended:")]
        for number, text in enumerate(budget.advice, start=1):
            lines += wrapped(f"{number}. {one_line(text)}", width, "   ")
    return [line.rstrip() for line in lines]


def _total_lines(window: SessionWindow, width: int) -> list[str]:
    size, total = window.size.tokens, window.total_tokens
    figure_width = max(len(f"{tokens:,}") for tokens in (size or 0, total or 0))

    def line(label: str, text: str) -> str:
        return cut(f"{label:<{_LABEL_WIDTH}}{text}", width, keeps_start=True)

    def amount(tokens: int | None) -> str:
        return "unknown" if tokens is None else f"{tokens:>{figure_width},} tokens"

    lines = [line("Total Budget:", amount(size))]
    until = ""
    used, free = amount(total), amount(window.free_tokens)
    if size and total is not None and window.free_tokens is not None:
        used += f" ({percent(total, size)})   {bar(total / size, BAR_CELLS)}"
        free += f" ({percent(window.free_tokens, size)})"
        until = f"until auto-compaction: {window.until_compaction_tokens:,}"
        if width >= _WIDE_FROM:
            free += f"   {until}"
    elif window.changed_since and window.prompt_tokens is not None:
        used += f" (before that: {window.prompt_tokens + window.answer_tokens:,})"
    lines += [line("Current Usage:", used), line("Available:", free)]
    return lines if width >= _WIDE_FROM or not until else [*lines, line("", until)]


def _breakdown_lines(
    window: SessionWindow, budget: WindowBudget, width: int, style: Style
) -> list[str]:
    is_planned = any(row.allotted_tokens is not None for row in budget.rows)
    head = f"{'Breakdown:':<{_NAME_WIDTH + 24}}{'allotted' if is_planned else '':>12}"
    lines = [style.bold(head.rstrip())]
    for number, row in enumerate(budget.rows, start=1):
        branch = "└─" if number == len(budget.rows) else "├─"
        text = _row_line(branch, row, window.size.tokens, width)
        lines.append(cut(text, width, keeps_start=True))
    return lines


def _row_line(branch: str, row: BudgetRow, whole: int | None, width: int) -> str:
    name = f"{branch} {row.name}:"
    used = "unknown"
    if row.tokens is not None:
        share = f" ({percent(row.tokens, whole)})" if whole else ""
        used = f"{counted_tokens(row.tokens, row.is_exact)} tokens{share}"
    allotted = "" if row.allotted_tokens is None else f"{row.allotted_tokens:,}"
    mark = " !" if row.is_over else "  "
    note = f"  {one_line(row.note)}" if row.note and width >= _WIDE_FROM else ""
    return f"{name:<{_NAME_WIDTH}}{used:<24}{allotted:>12}{mark}{note}"


def _status_line(window: SessionWindow, budget: WindowBudget) -> str:
    if budget.level is None:
        return "Status: ? unknown"
    level = budget.level
    share = f", {budget.share:.0%} of the window" if budget.share is not None else ""
    return f"Status: {health.EMOJI[level]} {level.capitalize()} (health level{share})"


def _forecast_lines(
    window: SessionWindow, budget: WindowBudget, width: int, zone: Zone
) -> list[str]:
    lines = [_burn_line(budget.burns)] if window.samples else []
    lines += _limit_lines(budget.limits, zone)
    reasons = {crossing.reason for crossing in window.crossings if crossing.requests is None}
    ahead = [
        crossing
        for crossing in window.crossings
        if crossing.requests is not None and crossing.requests.p90 != 0
    ]
    if ahead:
        title = "Runs out, if the session goes on"
        is_wide = width >= _WIDE_FROM
        quantiles = "P10 / P50 / P90"
        lines += ["", f"{title:<34}{'requests':>23}{'minutes of work' if is_wide else '':>23}"]
        lines.append(f"{quantiles:>57}{quantiles if is_wide else '':>23}")
        lines += [_crossing_line(crossing, is_wide) for crossing in ahead]
    if window.changed_since and window.samples:
        lines.append("Forecast: unknown until the next request")
    lines += [f"Forecast: unknown ({reason})" for reason in sorted(reasons)]
    return [cut(line.rstrip(), width, keeps_start=True) for line in lines]


def _limit_lines(limits: list[LimitState], zone: Zone) -> list[str]:
    """What the agent reported of its limits; nothing is guessed."""
    known = [limit for limit in limits if limit.forecast.used_share is not None]
    if not known:
        return ["Limits: 5-hour and 7-day use unknown (the agent has not reported them)"]
    return [_limit_line(limit, zone) for limit in known]


def _limit_line(limit: LimitState, zone: Zone) -> str:
    forecast = limit.forecast
    text = f"{limit.title} limit: {forecast.used_share:.0%} used"
    if forecast.resets_at_ms is not None:
        text += f", resets {zone.local(forecast.resets_at_ms).strftime('%a %H:%M')}"
    end = forecast.share_at_reset
    if end is not None and None not in end:
        text += f"; then {end.p10:.0%} / {end.p50:.0%} / {end.p90:.0%} (P10 / P50 / P90)"
    return text


def _limit_fields(limit: LimitState, zone: Zone) -> dict[str, object] | None:
    forecast = limit.forecast
    if forecast.used_share is None:
        return None

    def stamp(at_ms: float | None) -> str | None:
        return None if at_ms is None else zone.stamp(int(at_ms))

    end, spent = forecast.share_at_reset, forecast.exhausted_at_ms
    return {
        "used_share": forecast.used_share,
        "resets_at": stamp(forecast.resets_at_ms),
        "share_at_reset": None if end is None else end._asdict(),
        "exhausted_at": None
        if spent is None
        else {name: stamp(at_ms) for name, at_ms in spent._asdict().items()},
        "reason": forecast.reason or None,
    }


def _burn_line(burns: list[Burn]) -> str:
    known = [burn for burn in burns if burn.tokens_per_minute is not None]
    if not known:
        return "Burn: none in the last hour"
    parts = [f"{burn.tokens_per_minute:,.0f}/min over {burn.span_minutes} min" for burn in known]
    last = known[-1]
    each = f", {last.tokens_per_request:,.0f} per request" if last.tokens_per_request else ""
    return f"Burn: {' · '.join(parts)}{each}"


def _crossing_line(crossing: Crossing, is_wide: bool) -> str:
    name = f"  {crossing.name} at {crossing.threshold_tokens:,}"
    minutes = _spread(crossing.active_minutes) if is_wide else ""
    return f"{name:<34}{_spread(crossing.requests):>23}{minutes:>23}"


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "?"
    return " / ".join("far" if value is None else f"{value:,.0f}" for value in spread)


def budget_document(
    window: SessionWindow, budget: WindowBudget, facts: SessionRow, zone: Zone
) -> str:
    """The same as `tokenbudget/budget/1`."""
    fields: dict[str, object] = {
        **fields_of(window, facts),
        "used_share": budget.share,
        "health_level": budget.level,
        "traffic_light": budget.light,
        "rows": [
            {
                "part": row.name,
                "tokens": row.tokens,
                "provenance": _provenance(row),
                "allotted_tokens": row.allotted_tokens,
                "is_over_allotted": row.is_over,
            }
            for row in budget.rows
        ],
        "totals": {"tokens": window.total_tokens},
        "burn": [burn._asdict() for burn in budget.burns],
        "forecast": [_crossing_fields(crossing) for crossing in window.crossings],
        "limits": {limit.name: _limit_fields(limit, zone) for limit in budget.limits},
        "recommendations": budget.advice,
        "notes": list(window.notes),
    }
    return document("budget", 1, fields)


def _crossing_fields(crossing: Crossing) -> dict[str, object]:
    def spread(found: Spread | None) -> dict[str, float | None] | None:
        return None if found is None else found._asdict()

    return {
        "threshold": crossing.name,
        "threshold_tokens": crossing.threshold_tokens,
        "requests": spread(crossing.requests),
        "active_minutes": spread(crossing.active_minutes),
        "sent_tokens": spread(crossing.sent_tokens),
        "reason": crossing.reason or None,
    }


def _provenance(row: BudgetRow) -> str:
    if row.tokens is None:
        return "unknown"
    return "exact" if row.is_exact else "calibrated"
