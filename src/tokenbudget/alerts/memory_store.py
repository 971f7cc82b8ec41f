"""The store's contract in memory: for tests, simulations and a run that keeps nothing."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock

from tokenbudget.alerts.state import State
from tokenbudget.alerts.store import LONGEST_WAIT_MS, every_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.alerts.notices import HistoryEntry
    from tokenbudget.alerts.store import OutboxEntry


class MemoryStore:
    """An `AlertStore` and its `Outbox`; threads may share it."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.claims: dict[str, int] = {}
        self.rows: dict[str, tuple[OutboxEntry, int | None]] = {}
        """Each with the time at which it is due; `None` when it is closed."""
        self.history: list[HistoryEntry] = []
        self._lock = Lock()

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """Work on copies; put them in place at the end."""
        with self._lock:
            work = MemoryTransaction(self.state, dict(self.claims))
            yield work
            self.state, self.claims = work.state, work.claims
            for entry in work.posted:
                self.rows.setdefault(entry.key, (entry, 0))
            self.history += work.recorded

    def lease(
        self,
        now_ms: int,
        until_ms: int,
        most: int,
        is_wanted: Callable[[OutboxEntry], bool] = every_entry,
    ) -> list[OutboxEntry]:
        """See `Outbox.lease`."""
        with self._lock:
            rows = self.rows.values()
            due = [entry for entry, at in rows if _is_due(at, now_ms) and is_wanted(entry)]
            for entry in due[:most]:
                self.rows[entry.key] = (entry, until_ms)
            return due[:most]

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryEntry) -> None:
        """See `Outbox.settle`."""
        with self._lock:
            entry, _ = self.rows[key]
            rounds = entry.rounds if is_sent else entry.rounds + 1
            self.rows[key] = (entry._replace(rounds=rounds), None if is_sent else due_ms)
            self.history.append(note)


def _is_due(at_ms: int | None, now_ms: int) -> bool:
    return at_ms is not None and not now_ms < at_ms <= now_ms + LONGEST_WAIT_MS


class MemoryTransaction:
    """See `store.Transaction`."""

    def __init__(self, state: State, claims: dict[str, int]) -> None:
        self.state = state
        self.claims = claims
        self.posted: list[OutboxEntry] = []
        self.recorded: list[HistoryEntry] = []

    def load(self) -> State:
        """The state as it was kept."""
        return self.state

    def claim(self, fingerprint: str, version: int) -> bool:
        """Whether the version is higher than any claimed before."""
        if version <= self.claims.get(fingerprint, 0):
            return False
        self.claims[fingerprint] = version
        return True

    def save(self, state: State) -> None:
        """Replace it."""
        self.state = state

    def post(self, entries: Sequence[OutboxEntry]) -> None:
        """Add rows."""
        self.posted += entries

    def record(self, entries: Sequence[HistoryEntry]) -> None:
        """Add to the history."""
        self.recorded += entries
