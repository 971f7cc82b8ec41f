"""Deliver what was decided: in a process of its own, and the bell where there is a terminal."""

from __future__ import annotations

import os
import sys

from tokenbudget.alerts.delivery import BELL
from tokenbudget.alerts.sending import send_due
from tokenbudget.app import LEDGER_NAME, price_book
from tokenbudget.app.alert_channels import UnwatchedBell, channels_of, is_stale_bell
from tokenbudget.app.alert_rules import read_rules
from tokenbudget.app.alert_store import LedgerAlerts
from tokenbudget.config.settings import environment_for_child, process_environment
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.system.locks import FileLock
from tokenbudget.system.process import start_detached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tokenbudget.alerts.sending import Attempt
    from tokenbudget.alerts.store import OutboxEntry
    from tokenbudget.app import Workbench
    from tokenbudget.app.alert_store import Waiting
    from tokenbudget.config.settings import Settings
    from tokenbudget.model.protocols import Clock

SENDER_LOCK = "alerts-sender.lock"
LOOKED = "alerts-looked"
"""Its time says when the status line or the monitor has evaluated last."""
SOON_MS = 60_000
"""A sender is started for what is to be done within this time."""


def open_store(settings: Settings) -> Ledger:
    """The ledger as it is, for what the alerts keep in it; nothing new is read."""
    os.makedirs(settings.data_dir, mode=0o700, exist_ok=True)
    path = os.path.join(settings.data_dir, LEDGER_NAME)
    return Ledger(path, price_book(settings).thresholds())


def note_look(data_dir: str, now_ms: int) -> None:
    """Remember that the status line or the monitor has looked now."""
    path = os.path.join(data_dir, LOOKED)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.utime(path, ns=(now_ms * 1_000_000, now_ms * 1_000_000))
    except OSError:  # a full disk: `list` then says that nobody has looked for long
        return


def last_look_ms(data_dir: str) -> int:
    """When the status line or the monitor has looked last; 0 for never."""
    try:
        return os.stat(os.path.join(data_dir, LOOKED)).st_mtime_ns // 1_000_000
    except OSError:
        return 0


def deliver(settings: Settings, clock: Clock) -> list[Attempt]:
    """Send what is due, on every channel but the bell; takes as long as the slowest answers.

    Raises:
        LedgerUnusable, LedgerDamaged: the ledger cannot be read or written.
    """
    book = read_rules(settings.data_dir)
    with open_store(settings) as ledger:
        channels = channels_of(book.channels, process_environment())
        return send_due(LedgerAlerts(ledger), channels, clock, lambda e: e.channel != BELL)


def ring_bells(bench: Workbench, ring: Callable[[str], object], clock: Clock) -> list[Attempt]:
    """Ring for what waits for a terminal; `ring` writes to it."""
    store = LedgerAlerts(bench.ledger)
    if bench.ledger.path == TEMPORARY or not any(w.entry.channel == BELL for w in store.waiting()):
        return []
    book = read_rules(bench.settings.data_dir)
    specs = [spec for spec in book.channels if spec.kind == BELL]
    channels = channels_of(specs, {}, ring, clock.now_ms())
    return send_due(store, channels, clock, lambda entry: entry.channel == BELL)


def wake_sender(settings: Settings, next_work_ms: int | None, now_ms: int) -> int:
    """Start the process that sends and looks again, where there is soon something for it to do.

    Returns its id, 0 where none was started. It is given the whole environment: `env:NAME`, a
    keyring and a desktop are reached through it.

    Raises:
        OSError: no process can be started now.
    """
    if next_work_ms is None or next_work_ms > now_ms + SOON_MS:
        return 0
    lock = FileLock(os.path.join(settings.data_dir, SENDER_LOCK))
    if not lock.try_acquire():
        return 0  # it is at it
    lock.release()
    environment = {**process_environment(), **environment_for_child(settings)}
    # -P: nothing of the folder that the agent happens to work in is imported.
    return start_detached([sys.executable, "-P", "-m", "tokenbudget", "send-alerts"], environment)


def give_up_stale_bells(store: LedgerAlerts, waiting: Sequence[Waiting], now_ms: int) -> None:
    """Close the bells that no monitor has rung in time: the history says so."""

    def is_stale(entry: OutboxEntry) -> bool:
        return entry.channel == BELL and is_stale_bell(entry, now_ms)

    if any(is_stale(one.entry) for one in waiting):
        send_due(store, {BELL: UnwatchedBell()}, _Still(now_ms), is_stale)


class _Still:
    """A clock for what needs no waiting."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_seconds(self) -> float:
        return self._now_ms / 1000

    def sleep(self, seconds: float) -> None:
        """Nothing is tried again here."""
