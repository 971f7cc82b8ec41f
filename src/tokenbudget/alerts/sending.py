"""Empty the outbox: every channel in its turn, again when that helps, and never twice at once."""

from __future__ import annotations

from typing import NamedTuple

from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.store import every_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tokenbudget.alerts.delivery import Channel
    from tokenbudget.alerts.store import Outbox, OutboxEntry
    from tokenbudget.model.protocols import Clock

BACKOFF_SECONDS = (1.0, 4.0)
"""Between the attempts of one round; there is one attempt more than there are pauses."""

ROUND_WAITS_MS = (5 * 60_000, 3_600_000)
"""Before a further round; after the last one a message is given up, and the history says so."""

LEASE_MS = 5 * 60_000
"""Longer than a round of `MOST_ENTRIES` may take; a crashed sender's rows are free after it."""

MOST_ENTRIES = 8

_MARGIN_SECONDS = 30.0  # no attempt is begun so shortly before the lease runs out


class Attempt(NamedTuple):
    """One attempt to deliver one message."""

    entry: OutboxEntry
    number: int
    delivery: Delivery


def send_due(
    outbox: Outbox,
    channels: Mapping[str, Channel],
    clock: Clock,
    is_wanted: Callable[[OutboxEntry], bool] = every_entry,
) -> list[Attempt]:
    """Send what is due and wanted, up to `MOST_ENTRIES` rows; every attempt that was made.

    All rows get their first attempt before any gets its second, so that a channel that is down
    delays nobody. A row that is not settled here, by a crash, is leased again after `LEASE_MS`.
    """
    now_ms, begun = clock.now_ms(), clock.monotonic_seconds()
    open_entries = outbox.lease(now_ms, now_ms + LEASE_MS, MOST_ENTRIES, is_wanted)
    tried: dict[str, list[Attempt]] = {}
    for number, pause in enumerate((0.0, *BACKOFF_SECONDS), 1):
        if open_entries and pause:
            clock.sleep(pause)
        again = []
        for entry in open_entries:
            if clock.monotonic_seconds() - begun > LEASE_MS / 1000 - _MARGIN_SECONDS:
                break  # somebody else may have the rest by now
            attempt = Attempt(entry, number, _attempted(channels, entry))
            mine = tried.setdefault(entry.key, [])
            mine.append(attempt)
            if attempt.delivery.is_retryable and number <= len(BACKOFF_SECONDS):
                again.append(entry)
            else:
                _settle(outbox, mine, clock.now_ms())
        open_entries = again
    return [attempt for attempts in tried.values() for attempt in attempts]


def _attempted(channels: Mapping[str, Channel], entry: OutboxEntry) -> Delivery:
    channel = channels.get(entry.channel)
    if channel is None:
        return Delivery(False, "this channel is not set up any more")
    try:
        return channel.deliver(entry)
    except Exception as failure:  # noqa: BLE001  one channel must not stop the others
        return Delivery(False, f"failed ({type(failure).__name__})", is_retryable=True)


def _settle(outbox: Outbox, attempts: Sequence[Attempt], now_ms: int) -> None:
    entry, last = attempts[-1].entry, attempts[-1].delivery
    has_rounds = last.is_retryable and entry.rounds < len(ROUND_WAITS_MS)
    due_ms = now_ms + ROUND_WAITS_MS[entry.rounds] if has_rounds and not last.is_ok else None
    told = "; ".join(f"attempt {a.number}: {a.delivery.detail}" for a in attempts)
    end = "" if last.is_ok or due_ms is not None else "; given up"
    event = "sent" if last.is_ok else "failed"
    note = HistoryEntry(
        now_ms, entry.rule_id, entry.fingerprint, event, f"{entry.channel}: {told}{end}"
    )
    outbox.settle(entry.key, last.is_ok, due_ms, note)
