"""One evaluator as a process: wait for the starting shot, evaluate, send into a folder."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from tests.alerts.builders import NOON_MS, SECOND, Engine, context_at
from tests.alerts.sqlite_store import SqliteStore

from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.sending import send_due
from tokenbudget.alerts.store import OutboxEntry, evaluate_once
from tokenbudget.system.clock import SystemClock


class FolderChannel:
    """Every delivery is a file of its own, named after its key."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, entry: OutboxEntry) -> Delivery:
        (self._folder / f"{entry.key}.{uuid.uuid4().hex}").write_text(entry.title)
        return Delivery(True, "delivered")


def main(database: str, folder: str, end: str = "") -> None:
    store, engine = SqliteStore(Path(database)), Engine()
    Path(folder, f"ready.{uuid.uuid4().hex}").touch()
    while not Path(folder, "start").exists():
        SystemClock().sleep(0.002)
    now = NOON_MS + 31 * SECOND
    evaluate_once(store, engine.rules, [context_at(85, now)], engine.policy, now)
    if end == "crash":
        os._exit(9)
    send_due(store, {"slack": FolderChannel(Path(folder, "sent"))}, SystemClock())
