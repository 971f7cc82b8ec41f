"""What a live view is fed with: the ledger kept open, brought up to date once a tick, one frame.

A tick in which nothing was written costs a look at every transcript's size, and no more.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from tokenbudget.app import Terminal, Workbench, bring_up_to_date, open_workbench
from tokenbudget.app.statusline import take_reports
from tokenbudget.app.watched import (
    budget_of,
    session_lines,
    session_to_watch,
    view_of,
    with_chosen,
)
from tokenbudget.app.windows import window_of
from tokenbudget.collector.ingest import Want
from tokenbudget.dashboard.view_model import Frame, chosen_first
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import BadConfig, LedgerDamaged, LedgerUnusable, TokenBudgetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.analysis.window_budget import LimitState
    from tokenbudget.config.settings import Settings
    from tokenbudget.ledger.inspection import SessionRow
    from tokenbudget.model.protocols import Clock

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
        self._file_id: tuple[int, int] | None = None
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
        if self._bench is not None and _file_id(self._bench.ledger.path) != self._file_id:
            self.close()  # it was removed, or moved aside: nobody would read what is written there
        if self._bench is None:
            self._bench = open_workbench(
                settings, told, Want.USAGE, self._zone_name, self._from_paths, self._clock
            )
            self._file_id = _file_id(self._bench.ledger.path)
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
        facts = session_to_watch(bench, chosen, is_everywhere=bool(self._from_paths))
        lines = session_lines(bench, now_ms)
        view = window = None
        limits: Sequence[LimitState] = ()
        if facts is not None:
            told = SILENT._replace(warn=self._warnings.append)
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
            faults=tuple(dict.fromkeys(self._warnings)),
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


def _file_id(path: str) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def transcript_tops(settings: Settings) -> list[str]:
    """Where sessions are looked for."""
    from tokenbudget.app import transcript_folders

    return transcript_folders(settings)
