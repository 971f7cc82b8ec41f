"""One evaluator as a process: wait for the starting shot, evaluate, send into a folder."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from tests.alerts.builders import NOON_MS, SECOND, Engine, context_at, entry
from tests.alerts.kept_store import KeptStore

from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.sending import send_due
from tokenbudget.alerts.state import State
from tokenbudget.alerts.store import OutboxEntry, Transaction, evaluate_once
from tokenbudget.system.clock import SystemClock


class ClockAt(SystemClock):
    """Real in all but the date, which stands still."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def now_ms(self) -> int:
        return self._ms


class FolderChannel:
    """Every delivery is a file of its own, named after its key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, entry: OutboxEntry) -> Delivery:
        (self._folder / f"{entry.key}.{uuid.uuid4().hex}").write_text(entry.title)
        return Delivery(True, "delivered")


def crash_within(transaction: Transaction) -> None:
    """Everything that a decision writes, and then no end."""
    assert transaction.claim("context-80|context|s1|", 1)
    transaction.save(State(sequence=1))
    transaction.post([entry()])
    transaction.record([HistoryEntry(NOON_MS, "context-80", "", "fire", "")])
    os._exit(9)


def main(database: str, folder: str, end: str = "") -> None:
    store, engine = KeptStore(Path(database)), Engine()
    Path(folder, f"ready.{uuid.uuid4().hex}").touch()
    while not Path(folder, "start").exists():
        SystemClock().sleep(0.002)
    now = NOON_MS + 31 * SECOND
    if end == "crash inside":
        with store.transaction() as transaction:
            crash_within(transaction)
    evaluate_once(store, engine.rules, [context_at(85, now)], engine.policy, now)
    if end == "crash":
        os._exit(9)
    send_due(store, {"slack": FolderChannel(Path(folder, "sent"))}, ClockAt(now))
