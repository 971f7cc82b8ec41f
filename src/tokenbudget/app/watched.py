"""What of the ledger a live view shows: the watched session, its money and cache, all others."""

from __future__ import annotations

from tokenbudget.analysis.cache_state import cache_state
from tokenbudget.analysis.usage import Sums, priced_row
from tokenbudget.analysis.window_budget import window_budget
from tokenbudget.analysis.window_size import window_size
from tokenbudget.app.statusline import limit_reports
from tokenbudget.app.windows import limits_of, shares_of
from tokenbudget.budget import health
from tokenbudget.dashboard.view_model import SessionLine, SessionView, Spend, session_view
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.model.errors import BadRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import WindowBudget
    from tokenbudget.app import Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.live import ActiveSession

LIVE_MS = 3_600_000
"""A session that was used within the hour may still be: no cache lives longer."""
AHEAD_MS = 300_000
"""Other clocks may be so far ahead of ours."""
MOST_SESSIONS = 50
CACHE_REQUESTS = 20
CACHE_LOOK_MS = 86_400_000
"""Requests are looked for so long before the last one."""
HOUR_MS = 3_600_000
LEAST_PACE_MS = 600_000
"""So much of an hour must have gone by before it makes a pace."""


def session_to_watch(bench: Workbench, chosen: str, *, is_everywhere: bool) -> SessionRow | None:
    """The session that is named, else the last of this directory, else the last of all.

    Raises:
        BadRequest: none is named so, or several are.
    """
    if chosen:
        found = bench.ledger.sessions_beginning(chosen, 2)
        exact = [row for row in found if row.session == chosen]
        if len(exact or found) == 1:
            return (exact or found)[0]
        what = "no session begins" if not found else "several sessions begin"
        raise BadRequest(f"{what} with '{chosen}'; tokens sessions lists them")
    here = [] if is_everywhere else bench.ledger.last_sessions(bench.settings.working_dir)
    # The latter also knows sessions in files that do not bear their name.
    found = here or bench.ledger.last_sessions("") or bench.ledger.sessions(1)
    return found[0] if found else None


def budget_of(bench: Workbench, window: SessionWindow, now_ms: int) -> WindowBudget:
    """A window against the person's plan and thresholds."""
    shares, limits = shares_of(bench.settings), limits_of(bench.settings)
    return window_budget(window, shares, limits, now_ms, limit_reports(bench))


def view_of(
    bench: Workbench, facts: SessionRow, window: SessionWindow, budget: WindowBudget, now_ms: int
) -> SessionView:
    """The chosen session with its money and its cache."""
    requests = bench.ledger.last_requests(
        facts.session, window.at_ms - CACHE_LOOK_MS, CACHE_REQUESTS
    )
    told = {(sample.at_ms, sample.model) for sample in window.samples}
    # What another model answered, by a command that named it, has a cache of its own.
    requests = [one for one in requests if (one.started_at_ms, one.model) in told] or requests
    limits = limits_of(bench.settings)
    return session_view(
        facts,
        window,
        budget,
        (limits[0], limits[1], limits[2]),
        spend_of(bench, facts, now_ms),
        now_ms,
        cache_state(requests, now_ms),
    )


def spend_of(bench: Workbench, facts: SessionRow, now_ms: int) -> Spend:
    """What a session cost, subagents included: so far, and an hour at the pace of the last one.

    Of a younger session its own time is taken; too little of it makes no pace.
    """
    begin_ms = _milliseconds(facts.first_at)
    whole = _sums(bench, UsageQuery(session=facts.session, since_ms=begin_ms))
    if not whole.requests:
        return Spend(None, None, 0)
    since_ms = max(begin_ms or 0, now_ms - HOUR_MS)
    span_ms = now_ms - since_ms
    if span_ms < LEAST_PACE_MS:
        return Spend(whole.cost_usd, None, whole.unpriced_tokens)
    recent = _sums(bench, UsageQuery(session=facts.session, since_ms=since_ms))
    return Spend(whole.cost_usd, recent.cost_usd * HOUR_MS / span_ms, whole.unpriced_tokens)


def _sums(bench: Workbench, query: UsageQuery) -> Sums:
    models = bench.ledger.names("model")
    sums = Sums()
    for row in bench.ledger.usage(query):
        sums.add(row, priced_row(row, models[row.model_id], bench.book))
    return sums


def session_lines(bench: Workbench, now_ms: int) -> list[SessionLine]:
    """Every session that is live, in all projects, the last used first."""
    found = bench.ledger.active_sessions(now_ms - LIVE_MS, now_ms + AHEAD_MS, MOST_SESSIONS)
    limits = limits_of(bench.settings)
    return [_line(bench.settings, one, limits) for one in found]


def _line(settings: Settings, one: ActiveSession, limits: health.Thresholds) -> SessionLine:
    size = window_size(
        one.model,
        settings.windows,
        settings.autocompact_reserve_tokens,
        one.window_tokens,
        (),
        one.told_window_tokens,
    )
    share = one.window_tokens / size.tokens if size.tokens else None
    return SessionLine(
        session=one.session,
        project=one.project or one.cwd,
        title=one.title,
        model=one.model,
        total_tokens=one.window_tokens,
        window_tokens=size.tokens,
        level=None if share is None else health.level_of(share, limits),
        at_ms=one.at_ms,
    )


def with_chosen(lines: Sequence[SessionLine], view: SessionView) -> list[SessionLine]:
    """The lines, that of the chosen session with the figures of its view."""
    own = SessionLine(
        session=view.session,
        project=view.project,
        title=view.title,
        model=view.model,
        total_tokens=view.total_tokens,
        window_tokens=view.window_tokens,
        level=view.level,
        at_ms=view.at_ms,
    )
    return [own, *(line for line in lines if line.session != view.session)]


def _milliseconds(stamp: str) -> int | None:
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
