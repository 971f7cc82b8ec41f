"""The status line's two files: what the agent said is taken in, what we know is handed back."""

from __future__ import annotations

import os
from decimal import Decimal

from tokenbudget.analysis.cache_state import cache_state
from tokenbudget.analysis.window_budget import LIMITS, level_of
from tokenbudget.app import open_workbench
from tokenbudget.app.windows import limits_of, window_of
from tokenbudget.budget import burn
from tokenbudget.budget.limits import LimitSample
from tokenbudget.config.settings import LARGEST_WINDOW_TOKENS
from tokenbudget.gateway.statusline_files import (
    COLD,
    UNKNOWN,
    WARM,
    Snapshot,
    alerts_before,
    remove_old_snapshots,
    write_snapshot,
)
from tokenbudget.gateway.statusline_reports import (
    LostReports,
    count_lost,
    drop_spool,
    lost_reports,
    rate_limit_samples,
    take_spool,
    window_size_of,
)
from tokenbudget.ledger.store import TEMPORARY
from tokenbudget.model.errors import LedgerUnusable
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.analysis.cache_state import CacheState
    from tokenbudget.analysis.session_window import SessionWindow
    from tokenbudget.app import Terminal, Workbench
    from tokenbudget.config.settings import Settings
    from tokenbudget.gateway.statusline_reports import SpoolEntry
    from tokenbudget.ledger.windows import RequestRow, WindowFile

KEPT_MS = 7 * 86_400_000
"""Snapshots of sessions that nobody has looked at for a week are removed."""
CLOCK_MS = 300_000
"""A report may be so far ahead of our clock."""
LONGEST_LIMIT_MS = 8 * 86_400_000
MOST_SHARE = 2.0
"""A limit may be overdrawn, but not by more."""
SMALLEST_WINDOW_TOKENS = 1_000
_CACHE_WORDS = {True: WARM, False: COLD, None: UNKNOWN}


def take_reports(bench: Workbench) -> int:
    """Take in what the status line was told since the last time; returns how many reports.

    Nothing is lost where the ledger cannot be written, or somebody else does it at this moment:
    the reports stay where they are. What the spool itself lost, for want of room, is counted;
    `reports_lost` tells of it.
    """
    home = bench.settings.data_dir
    if bench.ledger.path == TEMPORARY or not os.path.exists(os.path.join(home, "spool")):
        return 0
    lock = FileLock(os.path.join(home, "spool.lock"))
    try:
        if not lock.try_acquire():
            return 0
        taken = take_spool(home)
        if taken.entries:
            _store(bench, taken.entries)
        if taken.dropped_lines:
            count_lost(home, taken.dropped_lines, bench.clock.now_ms())
        drop_spool(taken)
        return len(taken.entries)
    except (OSError, LedgerUnusable):
        return 0
    finally:
        lock.release()


def reports_lost(settings: Settings) -> LostReports:
    """How many reports were lost because nobody took them in time."""
    return lost_reports(settings.data_dir)


def _store(bench: Workbench, entries: Sequence[SpoolEntry]) -> None:
    limits, told = _believable(entries, bench.clock.now_ms())
    bench.ledger.let_go()
    try:
        bench.ledger.windows.store_reports(limits, told)
    finally:
        bench.ledger.hold_still()


def _believable(
    entries: Sequence[SpoolEntry], now_ms: int
) -> tuple[list[tuple[str, int, float, int]], list[tuple[str, int, int]]]:
    """Limits and window sizes of reports that can be true: none from the future, none absurd."""
    past = [entry for entry in entries if 0 < entry.at_ms <= now_ms + CLOCK_MS]
    limits = [
        (name, *sample)
        for name, samples in rate_limit_samples(past).items()
        for sample in samples
        if 0 <= sample.used_share <= MOST_SHARE
        and 0 < sample.resets_at_ms - sample.at_ms <= LONGEST_LIMIT_MS
    ]
    sizes = ((entry, window_size_of(entry)) for entry in past)
    told = [
        (entry.session, entry.at_ms, size)
        for entry, size in sizes
        if size and SMALLEST_WINDOW_TOKENS <= size <= LARGEST_WINDOW_TOKENS
    ]
    return limits, told


def limit_reports(bench: Workbench) -> dict[str, list[LimitSample]]:
    """Every kept report of the agent's limits, oldest first."""
    return {
        name: [LimitSample(*row) for row in bench.ledger.windows.limit_samples(name)]
        for name, _, _ in LIMITS
    }


def refresh(
    settings: Settings,
    terminal: Terminal,
    session: str,
    after: Callable[[Workbench, SessionWindow], int] | None = None,
) -> bool:
    """Bring a session's snapshot up to date; False where there is no such session.

    `after` is called with the window before the snapshot is written, and says how many alerts are
    open then. Where it fails, the snapshot is written with as many as the one before had.
    """
    with open_workbench(settings, terminal) as bench:
        take_reports(bench)
        files = bench.ledger.windows.files_of_session(session)
        file = next((one for one in files if not one.is_subagent), None)
        if file is None or file.is_gone:
            return False
        window = window_of(bench, session, "", terminal)
        now_ms = bench.clock.now_ms()
        cache = cache_of(bench, file, window, now_ms)
        alerts = 0 if after is None else _alerts_after(bench, session, window, terminal, after)
        snapshot = snapshot_of(session, window, settings, file, now_ms, alerts, cache)
        write_snapshot(settings.data_dir, snapshot)
        remove_old_snapshots(settings.data_dir, now_ms - KEPT_MS)
        return True


def _alerts_after(
    bench: Workbench,
    session: str,
    window: SessionWindow,
    terminal: Terminal,
    after: Callable[[Workbench, SessionWindow], int],
) -> int:
    try:
        return after(bench, window)
    except Exception as exc:  # noqa: BLE001 - the status line must not stand still for it
        terminal.warn(f"the alerts could not be looked at ({exc}); the status line keeps its count")
        return alerts_before(bench.settings.data_dir, session)


def cache_of(bench: Workbench, file: WindowFile, window: SessionWindow, now_ms: int) -> CacheState:
    """The state of the cache behind a window; `file` is its transcript."""
    return cache_state(thread_requests(bench, file, window), now_ms)


def thread_requests(bench: Workbench, file: WindowFile, window: SessionWindow) -> list[RequestRow]:
    """The requests that a window was followed through, of all whose answers stand in its file.

    An older client writes its subagents into the same file: these are not among the samples.
    """
    moments = {(sample.at_ms, sample.model) for sample in window.samples}
    requests = bench.ledger.windows.requests(file.file_id).values()
    return [one for one in requests if (one.started_at_ms, one.model) in moments]


def snapshot_of(
    session: str,
    window: SessionWindow,
    settings: Settings,
    file: WindowFile,
    now_ms: int,
    alerts: int = 0,
    cache: CacheState | None = None,
) -> Snapshot:
    """What the status line shows of a window; `file` is its transcript as it was read."""
    limits = limits_of(settings)
    size, total = window.size.tokens, window.total_tokens
    samples = [burn.Sample(sample.at_ms, sample.window_tokens) for sample in window.samples]
    rates = [one.tokens_per_minute for one in burn.burns(samples, now_ms)]
    ahead = [
        crossing
        for crossing in window.crossings
        if crossing.active_minutes is not None and crossing.active_minutes.p90 != 0
    ]
    minutes = ahead[0].active_minutes if ahead else None
    cost = window.cost
    return Snapshot(
        session=session,
        made_at_ms=now_ms,
        transcript_bytes=file.size_bytes,
        transcript_mtime_ms=file.mtime_ns // 1_000_000,
        model=window.model,
        window_tokens=size,
        total_tokens=total,
        reserve_tokens=window.size.reserve_tokens,
        burn_tokens_per_minute=next((rate for rate in rates if rate is not None), None),
        minutes_left_p10=None if minutes is None else minutes.p10,
        minutes_left_p50=None if minutes is None else minutes.p50,
        minutes_left_p90=None if minutes is None else minutes.p90,
        threshold=ahead[0].name if ahead else "",
        threshold_shares=(limits[0], limits[1], limits[2]),
        level=level_of(window.samples, size, limits) if size and total is not None else "",
        cost_usd=None if cost is None or cost.unpriced_tokens else Decimal(cost.total_usd),
        alerts=alerts,
        cache=UNKNOWN if cache is None else _CACHE_WORDS[cache.is_warm],
        cache_hit_share=None if cache is None else cache.hit_share,
        cache_cold_at_ms=None if cache is None else cache.cold_at_ms,
    )
