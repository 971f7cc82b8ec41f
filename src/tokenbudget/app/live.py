"""What a live view is fed with: one frame a tick, from a ledger that is kept open.

A tick in which nothing was written costs a look at every transcript's size, and no more.
"""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.app import Workbench
from tokenbudget.app.live_bench import SILENT, LiveBench
from tokenbudget.app.watched import (
    budget_of,
    session_lines,
    session_to_watch,
    view_of,
    with_chosen,
)
from tokenbudget.app.windows import window_of
from tokenbudget.dashboard.view_model import Frame, chosen_first
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import LimitState
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.protocols import Clock

__all__ = ["SILENT", "LiveSource", "Tick"]


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
        self._bench = LiveBench(settings_of, from_paths, zone_name, clock)
        self._interval_seconds = interval_seconds
        self._from_paths = from_paths
        self._steps = steps

    def next_frame(self, chosen: str = "") -> Frame:
        """The present moment; `chosen` is a session's id or its beginning, '' the one used last.

        Raises:
            TokenBudgetError: there is nothing to read from; the next call tries again.
        """
        try:
            bench = self._bench.fresh()
            try:
                return self._stepped(bench, self._tick(bench, chosen))
            finally:
                self._bench.rest()
        except (LedgerUnusable, LedgerDamaged):
            self.close()
            raise

    def close(self) -> None:
        """Close the ledger; harmless when it is closed."""
        self._bench.close()

    def _tick(self, bench: Workbench, chosen: str) -> Tick:
        now_ms = bench.clock.now_ms()
        facts = session_to_watch(bench, chosen, is_everywhere=bool(self._from_paths))
        lines = session_lines(bench, now_ms)
        view = window = None
        limits: Sequence[LimitState] = ()
        if facts is not None:
            told = SILENT._replace(warn=self._bench.warnings.append)
            window = window_of(bench, facts.session, "", told)
            budget = budget_of(bench, window, now_ms)
            limits = budget.limits
            view = view_of(bench, facts, window, budget, now_ms)
            lines = with_chosen(lines, view)
        frame = Frame(
            made_at_ms=now_ms,
            interval_seconds=self._interval_seconds,
            sessions=chosen_first(lines, facts.session if facts else ""),
            chosen=view,
            limits=tuple(limits),
            alerts=(),
            decisions=(),
            # Settings are read where they are needed, so their faults come last.
            faults=tuple(dict.fromkeys(self._bench.warnings)),
            utc_offset_seconds=bench.zone.offset_seconds(now_ms),
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
