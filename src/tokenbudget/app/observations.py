"""What the alerts get to see: windows, limits and costs as they stand, and nothing that is guessed.

What is not known is said to be so; what has ended is said to have ended.
"""

from __future__ import annotations

import os

from tokenbudget.alerts.rules import (
    CONTEXT,
    DAY_COST,
    MARGIN_SHARE,
    SESSION_COST,
    WEEK_COST,
    Item,
    Observation,
)
from tokenbudget.alerts.state import CALM
from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.usage import Sums, priced_row
from tokenbudget.analysis.window_budget import WORTH_TOKENS, unused_servers
from tokenbudget.app.alert_limits import limit_observations
from tokenbudget.app.live import SILENT
from tokenbudget.app.watched import AHEAD_MS, LIVE_MS, session_lines
from tokenbudget.app.windows import window_in_ledger
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.model.spans import shown_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenbudget.alerts.rules import Rule
    from tokenbudget.alerts.state import Alert
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Workbench
    from tokenbudget.dashboard.view_model import SessionLine

MOST_ITEMS = 6
TOOL_RESULTS = "tool results"
"""How `analysis.composition` names them among the messages."""
EVERYTHING = "all projects"
_PER_MINUTE_MS = 60_000


def observations(
    bench: Workbench,
    rules: Sequence[Rule],
    windows: Mapping[str, SessionWindow],
    alerts: Sequence[Alert],
    now_ms: int,
) -> list[Observation]:
    """Everything that these rules watch, now.

    Args:
        bench: The ledger, brought up to date.
        rules: Nothing is looked at that no rule asks for.
        windows: By session, those that are taken apart already.
        alerts: That are known: what they are about is looked for even if it has ended.
        now_ms: The present.
    """
    scopes = {rule.scope for rule in rules}
    found = limit_observations(bench, scopes, now_ms)
    if scopes & {CONTEXT, SESSION_COST}:
        lines = session_lines(bench, now_ms)
        if CONTEXT in scopes:
            lowest = min(float(rule.steps[0].at) for rule in rules if rule.scope == CONTEXT)
            found += [_context(bench, line, windows, lowest, now_ms) for line in lines]
        if SESSION_COST in scopes:
            found += [_session_cost(bench, line, now_ms) for line in lines]
        found += _gone(bench, {line.session for line in lines}, alerts, now_ms)
    if DAY_COST in scopes:
        found.append(_period_cost(bench, DAY_COST, now_ms))
    if WEEK_COST in scopes:
        found.append(_period_cost(bench, WEEK_COST, now_ms))
    return found


# ── windows ──────────────────────────────────────────────────────────────────────────────────────


def _context(
    bench: Workbench,
    line: SessionLine,
    windows: Mapping[str, SessionWindow],
    lowest_share: float,
    now_ms: int,
) -> Observation:
    """A live session's window; taken apart only where an alert may have something to say of it."""
    window = windows.get(line.session)
    share = line.share
    if window is None and (share is None or share >= lowest_share - MARGIN_SHARE):
        window = _taken_apart(bench, line.session)
    if window is not None:
        return context_observation(line, window, now_ms)
    at_ms = min(line.at_ms, now_ms)
    return Observation(
        CONTEXT,
        line.session,
        "",
        share or 0.0,
        at_ms,
        is_known=share is not None,
        where=_where(line),
    )


def context_observation(line: SessionLine, window: SessionWindow, now_ms: int) -> Observation:
    """A window that was taken apart, with what would free most of it."""
    used, size = window.total_tokens, window.size.tokens
    is_known = used is not None and bool(size)
    return Observation(
        CONTEXT,
        line.session,
        "",
        used / size if used is not None and size else 0.0,
        min(window.at_ms or line.at_ms, now_ms),
        is_known=is_known,
        where=_where(line),
        outlook=_outlook(window),
        items=freeing_items(window, line.project),
    )


def freeing_items(window: SessionWindow, project: str = "") -> tuple[Item, ...]:
    """What would free most if it left, largest first: by name, with its tokens.

    Copies of a file that a later read or edit has overtaken come as such, and the file itself with
    what is left of it. A file of the project is named as it is from there.
    """
    inside = f"{project.rstrip('/')}/" if project else ""
    found: list[Item] = []
    for component in window.components:
        for item in component.items:
            if component.key == window_pieces.CONTEXT_FILES:
                path = item.name.removeprefix(inside)
                found.append(Item(f"old copies of {path}", item.stale_tokens))
                found.append(Item(path, item.tokens - item.stale_tokens))
            elif component.key == window_pieces.MESSAGES and item.name == TOOL_RESULTS:
                tools = item.children or (item,)
                found += [Item(f"results of {tool.name}", tool.tokens) for tool in tools]
    found += [
        Item(f"MCP server {item.name}, never called", item.tokens)
        for item in unused_servers(window.components, window.called_servers)
    ]
    worth = [item for item in found if (item.tokens or 0) >= WORTH_TOKENS]
    return tuple(sorted(worth, key=lambda item: (-(item.tokens or 0), item.name))[:MOST_ITEMS])


def _taken_apart(bench: Workbench, session: str) -> SessionWindow | None:
    """The window of a session; None where it cannot be had: its size is known all the same."""
    try:
        return window_in_ledger(bench, session, "", SILENT)
    except (TokenBudgetError, OSError):
        return None


def _outlook(window: SessionWindow) -> str:
    """When the next threshold is reached, in time of work."""
    if window.changed_since:
        return ""
    said = []
    for crossing in window.crossings:
        minutes = crossing.active_minutes
        if minutes is None or minutes.p50 is None or minutes.p90 == 0:
            continue
        said.append(f"{crossing.name} in about {shown_span(int(minutes.p50 * _PER_MINUTE_MS))}")
    return f"{', '.join(said[:2])} of work (estimated)" if said else ""


def _where(line: SessionLine) -> str:
    project = os.path.basename(line.project.rstrip("/"))
    return " · ".join(part for part in (project, line.title) if part) or line.session[:8]


def _gone(
    bench: Workbench, live: set[str], alerts: Sequence[Alert], now_ms: int
) -> list[Observation]:
    """Sessions of which alerts are open, and which are not among those that are live."""
    open_ones = {
        (alert.scope, alert.scope_id): alert
        for alert in alerts
        if alert.status != CALM and alert.scope in (CONTEXT, SESSION_COST)
    }
    return [
        _ending(bench, alert, now_ms)
        for (_, session), alert in sorted(open_ones.items())
        if session not in live
    ]


def _ending(bench: Workbench, alert: Alert, now_ms: int) -> Observation:
    """Over when nothing has happened for long; unknown when the ledger knows no such session."""
    last = bench.ledger.last_context(alert.scope_id)
    is_over = last is not None and now_ms - last[2] > LIVE_MS
    is_ahead = last is not None and last[2] > now_ms + AHEAD_MS
    return Observation(
        alert.scope,
        alert.scope_id,
        alert.window_id,
        0.0,
        now_ms,
        is_known=False,
        is_over=is_over and not is_ahead,
        where=alert.where,
    )


# ── costs ────────────────────────────────────────────────────────────────────────────────────────


def _session_cost(bench: Workbench, line: SessionLine, now_ms: int) -> Observation:
    sums = _sums(bench, UsageQuery(session=line.session))
    return _cost(SESSION_COST, line.session, "", sums, _where(line), now_ms)


def _period_cost(bench: Workbench, scope: str, now_ms: int) -> Observation:
    """The cost of this day, or of the week since Monday, where the person is."""
    from datetime import timedelta

    zone = Zone(bench.settings.timezone, now_ms)  # that of the bench knows its own day for ever
    day = zone.today()
    begin = day if scope == DAY_COST else day - timedelta(days=day.weekday())
    sums = _sums(bench, UsageQuery(since_ms=zone.midnight_ms(begin)))
    return _cost(scope, "", begin.isoformat(), sums, EVERYTHING, now_ms)


def _cost(
    scope: str, scope_id: str, window_id: str, sums: Sums, where: str, now_ms: int
) -> Observation:
    """Money so far; with tokens that have no price it is a lower bound, and says so."""
    outlook = ""
    if sums.unpriced_tokens:
        outlook = f"it is more than that: {sums.unpriced_tokens:,} tokens have no price"
    return Observation(
        scope, scope_id, window_id, sums.cost_usd, now_ms, where=where, outlook=outlook
    )


def _sums(bench: Workbench, query: UsageQuery) -> Sums:
    models = bench.ledger.names("model")
    sums = Sums()
    for row in bench.ledger.usage(query):
        sums.add(row, priced_row(row, models[row.model_id], bench.book))
    return sums
