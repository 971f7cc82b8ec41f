"""The process that sends: it delivers, looks a second time at what was pending, and ends.

There is one at most. It lives as long as there is something to do soon, so that a crossing at the
last request of a session is told as well, and a channel that is down is tried again.
"""

from __future__ import annotations

import os

from tokenbudget.alerts.sending import ROUND_WAITS_MS
from tokenbudget.alerts.state import Policy, State
from tokenbudget.app import Terminal, open_workbench
from tokenbudget.app.alert_delivery import SENDER_LOCK, deliver, open_store
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_steps import AlertsAfter
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.app.alerts import evaluate, next_work_ms, policy_of
from tokenbudget.app.statusline import refresh, take_reports
from tokenbudget.app.watched import LIVE_MS
from tokenbudget.gateway.statusline import FOLDER
from tokenbudget.model.errors import BadConfig
from tokenbudget.system.locks import FileLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenbudget.app.alerts import AlertOutcome
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

LONGEST_MS = 2 * ROUND_WAITS_MS[0]
"""It ends after that; what is left is for the next one."""
POLL_SECONDS = 5.0
"""Others may have something new for it to do meanwhile."""
PAUSE_SECONDS = 0.5
"""After each round: what a fault leaves due for ever must not keep a processor busy."""
MOST_MARKED = 8
"""Status lines that are refreshed for a mark; nobody looks at more of them at once."""
_SILENT = Terminal(warn=lambda text: None, progress=lambda done, total: None)


def send_until_done(settings_of: Callable[[], Settings], clock: Clock) -> bool:
    """Work until nothing is to be done soon; False where another one is at it already.

    Raises:
        TokenBudgetError: the ledger cannot be read or written.
    """
    data_dir = settings_of().data_dir
    os.makedirs(data_dir, mode=0o700, exist_ok=True)
    end_ms = clock.monotonic_seconds() * 1000 + LONGEST_MS
    has_worked = False
    while True:
        with FileLock(os.path.join(data_dir, SENDER_LOCK)) as lock:
            if not lock.try_acquire():
                return has_worked
            _work(settings_of, clock, end_ms)
        has_worked = True
        # Whoever decided something a moment ago saw the lock held, and started nobody.
        if _wait_ms(settings_of(), clock, end_ms) is None:
            return True


def _work(settings_of: Callable[[], Settings], clock: Clock, end_ms: float) -> None:
    """Wait and work until nothing is to be done before the end."""
    while (wait_ms := _wait_ms(settings := settings_of(), clock, end_ms)) is not None:
        if wait_ms > 0:
            clock.sleep(min(wait_ms / 1000, POLL_SECONDS))
        else:
            _look_again(settings, clock)
            deliver(settings, clock)
            clock.sleep(PAUSE_SECONDS)


def _wait_ms(settings: Settings, clock: Clock, end_ms: float) -> int | None:
    """How long until there is something to do; None for nothing before the end."""
    wait_ms = _until_work_ms(settings, clock.now_ms())
    left_ms = end_ms - clock.monotonic_seconds() * 1000
    return None if wait_ms is None or wait_ms > left_ms else wait_ms


def _until_work_ms(settings: Settings, now_ms: int) -> int | None:
    """How long until there is something to do; None for nothing."""
    try:
        policy = policy_of(settings)
    except BadConfig:
        policy = Policy()
    with open_store(settings) as ledger:
        store = LedgerAlerts(ledger)
        # Without a rule nothing is looked at, and what was pending stays so.
        state = store.state() if read_rules(settings.data_dir).rules else State()
        due_ms = next_work_ms(state, store.waiting(), policy, now_ms)
    return None if due_ms is None else max(0, due_ms - now_ms)


def _look_again(settings: Settings, clock: Clock) -> None:
    """Evaluate, so that what was pending is told if it has lasted."""
    quiet = settings._replace(backfill="off")
    with open_workbench(quiet, _SILENT, clock=clock) as bench:
        take_reports(bench)
        outcome = evaluate(bench, {}, clock.now_ms())
    if outcome.notices:
        _mark_status_lines(quiet, outcome, clock.now_ms())


def _mark_status_lines(settings: Settings, outcome: AlertOutcome, now_ms: int) -> None:
    """A status line that nothing else will refresh shows the mark of its alert as well."""
    for session in _watched_sessions(settings.data_dir, now_ms - LIVE_MS)[:MOST_MARKED]:
        if outcome.marks(session):
            refresh(settings, _SILENT, session, AlertsAfter(session))


def _watched_sessions(data_dir: str, since_ms: int) -> list[str]:
    """The sessions of which a status line was refreshed since then, the last one first."""
    folder = data_dir + FOLDER
    try:
        found = [entry for entry in os.scandir(folder) if entry.name.endswith(".json")]
        dated = [(entry.stat().st_mtime_ns // 1_000_000, entry.name[:-5]) for entry in found]
    except OSError:  # no status line has been here, or one is being taken away
        return []
    return [session for at_ms, session in sorted(dated, reverse=True) if at_ms >= since_ms]
