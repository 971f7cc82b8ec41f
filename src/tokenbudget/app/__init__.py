"""The composition root: the only place that names concrete classes.

A command asks for a `Workbench`: the ledger brought up to date, the prices, the zone. Everything
that is not needed for an answer (the reader, msgspec, processes) is imported when it is.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from tokenbudget.analysis.periods import Zone
from tokenbudget.app.archived_bodies import ArchivedBodies
from tokenbudget.collector.ingest import Collector, Want
from tokenbudget.config.settings import Settings, environment_for_child
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.metering.rates import PriceBook, PriceOverrideError
from tokenbudget.model.errors import BadConfig, LedgerUnusable, SourceUnreadable
from tokenbudget.sources.claude_code.bodies import LiveTranscripts
from tokenbudget.sources.claude_code.source import ClaudeCode
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from tokenbudget.collector.ingest import Outcome
    from tokenbudget.model.protocols import Clock, TokenCounter

LEDGER_NAME = "ledger.db"
PROJECTS = "projects"

COPIED = "This answer is computed in a copy of it"
AFRESH = (
    "This answer is read afresh from the transcripts; usage of deleted ones, which only a ledger"
    " keeps, is missing"
)


class Terminal(NamedTuple):
    """What the workbench may say while it works."""

    warn: Callable[[str], None]
    progress: Callable[[int, int], None]


class Workbench:
    """An open, fresh ledger and what is needed to read it. Use it as a context manager."""

    def __init__(
        self, settings: Settings, ledger: Ledger, book: PriceBook, zone: Zone, clock: Clock
    ) -> None:
        self.settings = settings
        self.ledger = ledger
        self.book = book
        self.zone = zone
        self.clock = clock
        self.outcome: Outcome | None = None
        self.bodies = ArchivedBodies(
            LiveTranscripts(), lambda path: self.ledger.archives.session_of_path(path)
        )
        """Gives back the words behind a position in the ledger, archived ones too."""
        self._counter: TokenCounter | None = None

    def token_counter(self) -> TokenCounter:
        """Counts tokens; its vocabulary is loaded when it is first asked for."""
        from tokenbudget.metering.tokenizer import BytePairCounter

        if self._counter is None:
            self._counter = BytePairCounter()
        return self._counter

    def __enter__(self) -> Workbench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bodies.close()
        self.ledger.close()


def price_book(settings: Settings) -> PriceBook:
    """The bundled prices with the user's own.

    Raises:
        BadConfig: an own price is impossible.
    """
    try:
        return PriceBook.bundled(settings.prices)
    except PriceOverrideError as exc:
        raise BadConfig(f"{settings.config_path}: {exc}") from exc


def transcript_folders(settings: Settings) -> list[str]:
    """Where sessions are looked for."""
    return [os.path.join(folder, PROJECTS) for folder in settings.claude_dirs]


def open_workbench(
    settings: Settings,
    terminal: Terminal,
    want: Want = Want.USAGE,
    zone_name: str | None = None,
    from_paths: Sequence[str] = (),
    clock: Clock | None = None,
) -> Workbench:
    """The ledger of this machine, or a passing one of `from_paths`, up to date.

    Where the ledger cannot be written (read-only home, full disk) the answer is computed in a
    passing copy of it, after a warning. What cannot be read is told: a named path as an error,
    anything else as a warning.

    Raises:
        TokenBudgetError: a path does not exist, the ledger is damaged or too new, a bad setting.
    """
    clock = clock or SystemClock()
    book = price_book(settings)
    zone = Zone(zone_name or settings.timezone, clock.now_ms())
    if from_paths:
        tops = _existing(from_paths)
        bench = _passing_bench(settings, book, zone, clock)
        _refresh_or_close(bench, tops, want, terminal)
    else:
        bench = _lasting_bench(settings, book, zone, clock, want, terminal)
        tops = []
    _tell_unreadable(bench, tops, terminal)
    bench.ledger.hold_still()
    return bench


def _lasting_bench(
    settings: Settings, book: PriceBook, zone: Zone, clock: Clock, want: Want, terminal: Terminal
) -> Workbench:
    tops = transcript_folders(settings)
    try:
        return _kept_bench(settings, book, zone, clock, tops, want, terminal)
    except LedgerUnusable as exc:
        bench = _passing_bench(settings, book, zone, clock)
        is_copied = bench.ledger.take_copy(os.path.join(settings.data_dir, LEDGER_NAME))
        terminal.warn(f"{exc}. {COPIED if is_copied else AFRESH}")
        _refresh_or_close(bench, tops, want, terminal)
        return bench


def work_in_a_copy(bench: Workbench) -> None:
    """Go on in a passing copy of the ledger, where the ledger itself cannot be written."""
    passing = Ledger(TEMPORARY, bench.book.thresholds())
    path = bench.ledger.path
    bench.ledger.close()
    bench.ledger = passing
    passing.take_copy(path)
    passing.hold_still()


def _tell_unreadable(bench: Workbench, named: Sequence[str], terminal: Terminal) -> None:
    unreadable = [] if bench.outcome is None else bench.outcome.unreadable
    if not unreadable:
        return
    path, reason = unreadable[0]
    if any(path == top for path, _ in unreadable for top in named):
        bench.ledger.close()
        raise SourceUnreadable(
            f"cannot read {path} ({reason}); name a session file or a folder of them"
        )
    more = f" and {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
    terminal.warn(f"cannot read {path} ({reason}){more}: the figures are without it; tokens doctor")


def _existing(paths: Sequence[str]) -> list[str]:
    for path in paths:
        try:
            os.stat(path)
        except OSError as exc:
            raise SourceUnreadable(
                f"cannot read {path} ({exc.strerror}); name a session file or a folder of them"
            ) from exc
    return [os.path.abspath(path) for path in paths]


def _passing_bench(settings: Settings, book: PriceBook, zone: Zone, clock: Clock) -> Workbench:
    return Workbench(settings, Ledger(TEMPORARY, book.thresholds()), book, zone, clock)


def _refresh_or_close(
    bench: Workbench, tops: Sequence[str], want: Want, terminal: Terminal
) -> None:
    try:
        bring_up_to_date(bench, tops, want, terminal, is_kept=False)
    except BaseException:
        bench.ledger.close()
        raise


def _kept_bench(
    settings: Settings,
    book: PriceBook,
    zone: Zone,
    clock: Clock,
    tops: Sequence[str],
    want: Want,
    terminal: Terminal,
) -> Workbench:
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    ledger = Ledger(path, book.thresholds(), clock)
    bench = Workbench(settings, ledger, book, zone, clock)
    try:
        outcome = bring_up_to_date(bench, tops, want, terminal, is_kept=True)
        if outcome.lagging_bytes and settings.backfill == "inline":
            bench.outcome = bring_up_to_date(bench, tops, Want.DETAIL, terminal, is_kept=True)
        elif outcome.lagging_bytes and settings.backfill == "detached":
            start_backfill(settings)
    except BaseException:
        ledger.close()
        raise
    return bench


def bring_up_to_date(
    bench: Workbench, tops: Sequence[str], want: Want, terminal: Terminal, is_kept: bool
) -> Outcome:
    """Take in what is new; `is_kept` is whether other processes share this ledger.

    Raises:
        LedgerUnusable, LedgerDamaged: the ledger cannot be written.
    """
    settings = bench.settings
    lock = first = None
    if is_kept:
        lock = first = FileLock(os.path.join(settings.data_dir, "refresh.lock"))
        if want is Want.DETAIL:  # the second pass must never keep a first pass waiting
            lock = FileLock(os.path.join(settings.data_dir, "detail.lock"))
    bench.outcome = Collector(
        bench.ledger,
        ClaudeCode(settings.home_dir),
        bench.clock,
        settings.workers,
        lock,
        terminal.progress,
        give_way_to=first if want is Want.DETAIL else None,
    ).refresh(tops, want)
    return bench.outcome


def opening_words(bench: Workbench, session: str) -> str | None:
    """The first prompt of a session, if its transcript is still there."""
    from tokenbudget.sources.claude_code.bodies import prompt_text

    place = bench.ledger.first_prompt(session)
    line = None if place is None else bench.bodies.line(*place)
    return None if line is None else prompt_text(line)


def rebuild(settings: Settings, terminal: Terminal, zone_name: str | None = None) -> Workbench:
    """Read every transcript that is still there again; what only the ledger knows stays.

    Raises:
        TokenBudgetError: the ledger cannot be written.
    """
    clock = SystemClock()
    book = price_book(settings)
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    from tokenbudget.ledger.recovery import salvaged_ledger

    zone = Zone(zone_name or settings.timezone, clock.now_ms())
    ledger = salvaged_ledger(path, book.thresholds(), clock.now_ms(), terminal.warn)
    bench = Workbench(settings, ledger, book, zone, clock)
    source = ClaudeCode(settings.home_dir)
    collector = Collector(ledger, source, clock, settings.workers, None, terminal.progress)
    try:
        bench.outcome = collector.rebuild(transcript_folders(settings))
    except BaseException:
        ledger.close()
        raise
    return bench


def start_backfill(settings: Settings) -> None:
    """Have the rest of the events read in the background, unless that is going on already."""
    lock = FileLock(os.path.join(settings.data_dir, "detail.lock"))
    from tokenbudget.system.process import start_detached

    try:
        if not lock.try_acquire():
            return
        lock.release()
        start_detached(
            [sys.executable, "-P", "-m", "tokenbudget", "backfill"], environment_for_child(settings)
        )
    except (OSError, NotImplementedError):  # the latter: a system without POSIX_SPAWN_SETSID
        return  # the next command will try again; nothing depends on it


def backfill(settings: Settings) -> None:
    """Read what a first pass left; runs in the background, at low priority."""
    from tokenbudget.system.process import be_polite

    be_polite()
    quiet = Terminal(warn=lambda text: None, progress=lambda done, total: None)
    open_workbench(settings._replace(backfill="off"), quiet, Want.DETAIL).ledger.close()
