"""What a live view is fed with: the ledger kept open, brought up to date once a tick, one frame.

A tick in which nothing was written costs a look at every transcript's size, and no more.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.analysis.cache_state import cache_state
from tokenbudget.analysis.usage import Sums, priced_row
from tokenbudget.analysis.window_budget import window_budget
from tokenbudget.analysis.window_size import window_size
from tokenbudget.app import Terminal, Workbench, bring_up_to_date, open_workbench
from tokenbudget.app.statusline import limit_reports, take_reports
from tokenbudget.app.windows import limits_of, shares_of, window_of
from tokenbudget.budget import health
from tokenbudget.collector.ingest import Want
from tokenbudget.dashboard.view_model import (
    Frame,
    SessionLine,
    SessionView,
    Spend,
    chosen_first,
    session_view,
)
from tokenbudget.ledger.queries import UsageQuery
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import (
    BadConfig,
    BadRequest,
    LedgerDamaged,
    LedgerUnusable,
    TokenBudgetError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import LimitState, WindowBudget
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.ledger.live import ActiveSession
    from tokenbudget.model.protocols import Clock

LIVE_MS = 3_600_000
"""A session that was used within the hour may still be: no cache lives longer."""
AHEAD_MS = 300_000
"""Other clocks may be so far ahead of ours."""
MOST_SESSIONS = 50
CACHE_REQUESTS = 20
CACHE_LOOK_MS = 86_400_000
"""Requests are looked for so long before the last one."""
HOUR_MS = 3_600_000
SILENT = Terminal(warn=lambda text: None, progress=lambda done, total: None)


class Tick(NamedTuple):
    """A frame, and what it was made of."""

    frame: Frame
    facts: SessionRow | None
    window: SessionWindow | None
    """Of the chosen session."""


class LiveSource:
    """Makes frames, one at a time, in the thread in which it was made.

    Args:
        settings_of: Reads the settings, and tells what last good values had to bridge; asked every
            tick, so that a change takes effect.
        interval_seconds: Of the ticks, as it is shown.
        from_paths: Read these instead of the ledger.
        zone_name: Whose times are shown.
        clock: Tells the time.
        steps: What else happens with each tick, in this order; each returns the frame as it then
            is. One that fails is told in the frame, and the others still happen.
    """

    def __init__(
        self,
        settings_of: Callable[[Callable[[str], None]], Settings],
        interval_seconds: float,
        *,
        from_paths: Sequence[str] = (),
        zone_name: str | None = None,
        clock: Clock | None = None,
        steps: Sequence[Callable[[Workbench, Tick], Frame]] = (),
    ) -> None:
        self._settings_of = settings_of
        self._interval_seconds = interval_seconds
        self._from_paths = from_paths
        self._zone_name = zone_name
        self._clock = clock
        self._steps = steps
        self._bench: Workbench | None = None
        self._warnings: list[str] = []

    def next_frame(self, chosen: str = "") -> Frame:
        """The present moment; `chosen` is a session's id or its beginning, '' the one used last.

        Raises:
            TokenBudgetError: there is nothing to read from; the next call tries again.
        """
        try:
            bench = self._fresh_bench()
            try:
                return self._stepped(bench, self._tick(bench, chosen))
            finally:
                bench.ledger.let_go()
                self._leave_copy(bench)
        except (LedgerUnusable, LedgerDamaged):
            self.close()
            raise

    def close(self) -> None:
        """Close the ledger; harmless when it is closed."""
        if self._bench is not None:
            self._bench.ledger.close()
            self._bench = None

    def _leave_copy(self, bench: Workbench) -> None:
        """Where the ledger was busy for a moment this tick went on in a copy; the next need not."""
        if bench.ledger.path == TEMPORARY and not self._from_paths:
            self.close()

    def _fresh_bench(self) -> Workbench:
        """The workbench, with everything that was written since the last tick."""
        self._warnings = []
        told = SILENT._replace(warn=self._warnings.append)
        settings = self._settings()
        if self._bench is None:
            self._bench = open_workbench(
                settings, told, Want.USAGE, self._zone_name, self._from_paths, self._clock
            )
        else:
            bench = self._bench
            bench.settings = settings
            is_kept = bench.ledger.path != TEMPORARY
            tops = [os.path.abspath(path) for path in self._from_paths] or transcript_tops(settings)
            bring_up_to_date(bench, tops, Want.USAGE, told, is_kept)
        take_reports(self._bench)
        self._bench.ledger.hold_still()
        return self._bench

    def _settings(self) -> Settings:
        """The settings now; those of the tick before where they cannot be meant any more."""
        try:
            return self._settings_of(self._warnings.append)
        except BadConfig as fault:
            if self._bench is None:
                raise
            self._warnings.append(f"{fault}; until then the settings stay as they were")
            return self._bench.settings

    def _tick(self, bench: Workbench, chosen: str) -> Tick:
        now_ms = bench.clock.now_ms()
        faults = list(self._warnings)
        facts = session_to_watch(bench, chosen, is_everywhere=bool(self._from_paths))
        lines = session_lines(bench, now_ms)
        view = window = None
        limits: Sequence[LimitState] = ()
        if facts is not None:
            told = SILENT._replace(warn=faults.append)
            window = window_of(bench, facts.session, "", told)
            budget = budget_of(bench, window, now_ms)
            limits = budget.limits
            view = view_of(bench, facts, window, budget, now_ms)
            lines = with_chosen(lines, view)
        offset = bench.zone.local(now_ms).utcoffset()
        frame = Frame(
            made_at_ms=now_ms,
            interval_seconds=self._interval_seconds,
            sessions=chosen_first(lines, facts.session if facts else ""),
            chosen=view,
            limits=tuple(limits),
            alerts=(),
            decisions=(),
            faults=tuple(dict.fromkeys(faults)),
            utc_offset_seconds=int(offset.total_seconds()) if offset else 0,
        )
        return Tick(frame, facts, window)

    def _stepped(self, bench: Workbench, tick: Tick) -> Frame:
        for step in self._steps:
            try:
                tick = tick._replace(frame=step(bench, tick))
            except (TokenBudgetError, OSError) as exc:
                frame = tick.frame
                tick = tick._replace(frame=frame._replace(faults=(*frame.faults, str(exc))))
        return tick.frame


def transcript_tops(settings: Settings) -> list[str]:
    """Where sessions are looked for."""
    from tokenbudget.app import transcript_folders

    return transcript_folders(settings)


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
    """What a session cost, subagents included: so far, and within the last hour."""
    begin_ms = _milliseconds(facts.first_at)
    whole = _sums(bench, UsageQuery(session=facts.session, since_ms=begin_ms))
    if not whole.requests:
        return Spend(None, None, 0)
    since_ms = max(begin_ms or 0, now_ms - HOUR_MS)
    hour = _sums(bench, UsageQuery(session=facts.session, since_ms=since_ms))
    return Spend(whole.cost_usd, hour.cost_usd, whole.unpriced_tokens)


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
