"""The real store in one ledger file that any number of threads and processes may share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.store import OutboxEntry, every_entry
from tokenbudget.app.alert_store import LedgerAlerts, LedgerTransaction, Waiting
from tokenbudget.ledger.store import Ledger


class KeptStore:
    """Opens the ledger for every call, as every command does, and sees it as it is then."""

    def __init__(self, path: Path, is_held: bool = False) -> None:
        self._path = str(path)
        self._is_held = is_held
        """Whether an answer is being computed meanwhile."""

    @contextmanager
    def opened(self) -> Iterator[LedgerAlerts]:
        with Ledger(self._path) as ledger:
            if self._is_held:
                ledger.hold_still()
                assert ledger.names("model") == {}, "a view is taken by looking"
            yield LedgerAlerts(ledger, patience_ms=30_000)

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        with self.opened() as alerts, alerts.transaction() as transaction:
            yield transaction

    def lease(
        self,
        now_ms: int,
        until_ms: int,
        most: int,
        is_wanted: Callable[[OutboxEntry], bool] = every_entry,
    ) -> list[OutboxEntry]:
        with self.opened() as alerts:
            return alerts.lease(now_ms, until_ms, most, is_wanted)

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryEntry) -> None:
        with self.opened() as alerts:
            alerts.settle(key, is_sent, due_ms, note)

    def waiting(self) -> list[Waiting]:
        with self.opened() as alerts:
            return alerts.waiting()

    def history(self, limit: int) -> list[HistoryEntry]:
        with self.opened() as alerts:
            return alerts.history(limit)
