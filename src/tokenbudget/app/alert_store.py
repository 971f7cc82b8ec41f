"""The alerts' store on the ledger: an `AlertStore`, its `Outbox`, and what a list shows.

The ledger keeps rows of text; here they become values. A text that is no value any more, because a
newer program wrote it or a disk lost it, never stops an evaluation: a state begins anew after the
highest version that was claimed, and a message is given up with a line in the history.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import NamedTuple

from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.rules import LEVELS
from tokenbudget.alerts.state import Alert, Held, Sent, Silence, State, state_fields, state_from
from tokenbudget.alerts.store import LONGEST_WAIT_MS, OutboxEntry, every_entry
from tokenbudget.ledger.alert_store import LONG_PATIENCE_MS, SHORT_PATIENCE_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tokenbudget.ledger.alert_store import AlertRows, AlertWriting
    from tokenbudget.ledger.store import Ledger

_LARGEST = 2**53
"""Beyond it a number in JSON is damage; SQLite keeps up to 2**63."""

_DAMAGE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a text raises that is no state or no message."""

_SOUND_ENTRY = OutboxEntry("", "", "", "", "", "", "", "", 0)
_SOUND_ALERT = Alert("", "", "", "", "", calm_since_ms=None)
_SOUND_SILENCE = Silence("", "", None)
_SOUND_HELD = Held("", ("",), "", "", 0)
_SOUND_SENT = Sent("", (0,), 0)


class Waiting(NamedTuple):
    """A message that is still to be sent."""

    entry: OutboxEntry
    due_ms: int
    """Not before; 0 is at once. While it is being sent: when that must have ended."""


class LedgerAlerts:
    """The durable store of the alerts, of any number of processes.

    Every method raises LedgerUnusable or LedgerDamaged where SQLite fails; those that write also
    where the ledger is a passing copy, in which nothing is ever decided or sent. Each of them is a
    transaction of its own, before and after which a ledger that is held still is so again.
    """

    def __init__(self, ledger: Ledger, patience_ms: int = SHORT_PATIENCE_MS) -> None:
        """`patience_ms` is how long it waits for another process that writes the ledger."""
        self._rows: AlertRows = ledger.alerts
        self._patience_ms = patience_ms

    @contextmanager
    def transaction(self) -> Iterator[LedgerTransaction]:
        """See `AlertStore.transaction`."""
        with self._rows.transaction(self._patience_ms) as writing:
            yield LedgerTransaction(writing)

    def lease(
        self,
        now_ms: int,
        until_ms: int,
        most: int,
        is_wanted: Callable[[OutboxEntry], bool] = every_entry,
    ) -> list[OutboxEntry]:
        """See `Outbox.lease`; what cannot be read is given up instead."""
        entries: list[OutboxEntry] = []
        with self._rows.transaction(self._patience_ms) as writing:
            for row in writing.due(now_ms, now_ms + LONGEST_WAIT_MS):
                entry = _entry_from(*row)
                if entry is None:
                    writing.settle(row[0], False, None, _unreadable(now_ms))
                elif len(entries) < most and is_wanted(entry):
                    entries.append(entry)
            writing.put_off([entry.key for entry in entries], until_ms)
        return entries

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryEntry) -> None:
        """See `Outbox.settle`; it waits long, since what was sent must not be sent again."""
        with self._rows.transaction(max(self._patience_ms, LONG_PATIENCE_MS)) as writing:
            writing.settle(key, is_sent, due_ms, note)

    # ── asking ─────────────────────────────────────────────────────────────────────────────────

    def state(self) -> State:
        """What is remembered, for a list; to change it, `transaction` and `load`."""
        return _state_or_anew(self._rows)

    def waiting(self) -> list[Waiting]:
        """What is still to be sent, oldest first."""
        rows = self._rows.waiting()
        read = ((_entry_from(key, text, rounds), due_ms) for key, text, rounds, due_ms in rows)
        return [Waiting(entry, due_ms) for entry, due_ms in read if entry is not None]

    def history(self, limit: int, rule_id: str = "") -> list[HistoryEntry]:
        """What was decided and delivered, newest first; of one rule or ('') of all."""
        return [HistoryEntry(*row) for row in self._rows.history(limit, rule_id)]


class LedgerTransaction:
    """See `store.Transaction`."""

    def __init__(self, writing: AlertWriting) -> None:
        self._writing = writing

    def load(self) -> State:
        """The state; of one that is lost or damaged, the highest claimed version."""
        return _state_or_anew(self._writing)

    def claim(self, fingerprint: str, version: int) -> bool:
        """Whether the version is higher than any claimed before."""
        return self._writing.claim(fingerprint, version)

    def save(self, state: State) -> None:
        """Replace it."""
        self._writing.save(_text_of(state_fields(state)))

    def post(self, entries: Sequence[OutboxEntry]) -> None:
        """Add rows."""
        self._writing.post([(entry.key, _text_of(_fields_of(entry))) for entry in entries])

    def record(self, entries: Sequence[HistoryEntry]) -> None:
        """Add to the history."""
        self._writing.record(entries)


def _state_or_anew(rows: AlertRows | AlertWriting) -> State:
    text = rows.state()
    state = None if text is None else _state_of(text)
    return State(sequence=rows.highest_version()) if state is None else state


def _state_of(text: str) -> State | None:
    """The state of a text, if every part of it is what it should be."""
    import json

    try:
        state = state_from(json.loads(text))
    except _DAMAGE:
        return None
    is_sound = (
        all(_is_like(alert, _SOUND_ALERT) for alert in state.alerts)
        and all(_is_like(silence, _SOUND_SILENCE) for silence in state.silences)
        and all(_is_like(held, _SOUND_HELD) and held.level in LEVELS for held in state.held)
        and all(_is_like(sent, _SOUND_SENT) for sent in state.sent)
        and all(_is_like(number, 0) for number in (state.sequence, state.clock_ms))
    )
    return state if is_sound else None


def _is_like(value: object, sample: object) -> bool:
    """Whether a value has the type of a sample, part by part.

    What is `None` in the sample may be a number as well: a time that need not be.
    """
    if sample is None:
        return value is None or _is_like(value, 0)
    if type(value) is not type(sample):
        return False
    if isinstance(value, int):
        return abs(value) <= _LARGEST
    if isinstance(value, tuple) and isinstance(sample, tuple):
        if hasattr(value, "_fields"):
            return all(map(_is_like, value, sample))
        return all(_is_like(part, sample[0]) for part in value)
    return True


def _text_of(fields: dict[str, object]) -> str:
    """The fields as ASCII: lone surrogates stay what they are."""
    import json

    return json.dumps(fields, separators=(",", ":"))


def _fields_of(entry: OutboxEntry) -> dict[str, object]:
    """What stands in no column of its own."""
    fields = entry._asdict()
    del fields["key"], fields["rounds"]
    return fields


def _entry_from(key: str, text: str, rounds: int) -> OutboxEntry | None:
    """The message of a row, if it is one."""
    import json

    try:
        entry = OutboxEntry(key=key, rounds=rounds, **json.loads(text))
    except _DAMAGE:
        return None
    return entry if _is_like(entry, _SOUND_ENTRY) else None


def _unreadable(now_ms: int) -> HistoryEntry:
    return HistoryEntry(
        now_ms, "", "", "failed", "a message was damaged before it was sent; given up"
    )
