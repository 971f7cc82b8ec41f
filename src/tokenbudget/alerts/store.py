"""The contract between decisions and delivery: nothing is told twice by many, nothing is lost.

    decide ─▶ claim + outbox row (one transaction) ─▶ lease ─▶ send ─▶ settle

Whoever crashes before the transaction ends has told nothing: the next evaluation decides again.
Whoever crashes after it leaves a row behind, which is sent when its lease has run out: at least
once, with the same key, so that a receiver that knows keys shows it once.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tokenbudget.alerts.engine import evaluate
from tokenbudget.alerts.notices import HistoryEntry, history_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tokenbudget.alerts.notices import Notice
    from tokenbudget.alerts.rules import Observation, Rule
    from tokenbudget.alerts.state import Policy, State

LONGEST_WAIT_MS = 2 * 3_600_000
"""No row is ever due later than this: one that is was dated by a clock that has been set back."""


class OutboxEntry(NamedTuple):
    """One message for one channel, complete."""

    key: str
    """The same for the same decision on the same channel, for ever: what a receiver dedupes by."""
    channel: str
    kind: str
    level: str
    rule_id: str
    fingerprint: str
    title: str
    body: str
    made_at_ms: int
    rounds: int = 0
    """How many rounds of attempts have failed."""


def every_entry(entry: OutboxEntry) -> bool:
    """What whoever can serve every channel wants."""
    return True


class Transaction(Protocol):
    """One write transaction, with the write lock held from its beginning (`BEGIN IMMEDIATE`)."""

    def load(self) -> State:
        """The state; one that was lost is `State(sequence=the highest claimed version)`."""

    def claim(self, fingerprint: str, version: int) -> bool:
        """Compare and set: True, and remembered, if this version is higher than any claimed before.

        Of all who claim one version of one fingerprint exactly one is told True.
        """

    def save(self, state: State) -> None:
        """Replace the state."""

    def post(self, entries: Sequence[OutboxEntry]) -> None:
        """Add rows to the outbox, due at once; a key that is there already stays as it is."""

    def record(self, entries: Sequence[HistoryEntry]) -> None:
        """Add to the history."""


class AlertStore(Protocol):
    """What `evaluate_once` needs: `app` implements it on the ledger's database."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """All of it is kept when the block ends, nothing when it raises or the process dies."""


class Outbox(Protocol):
    """What `send_due` needs. Every call is a transaction of its own."""

    def lease(
        self,
        now_ms: int,
        until_ms: int,
        most: int,
        is_wanted: Callable[[OutboxEntry], bool] = every_entry,
    ) -> list[OutboxEntry]:
        """Take the oldest rows that are due, and make them due again only at `until_ms`.

        A row is due when its time has come or lies more than `LONGEST_WAIT_MS` ahead. Whoever asks
        gets those that it wants, since not every process can serve every channel: the others stay
        as they are.
        In one atomic step: of all who ask at once, one gets a row.
        """

    def settle(self, key: str, is_sent: bool, due_ms: int | None, note: HistoryEntry) -> None:
        """Close a row, or make it due later with one failed round more, and record the note.

        Args:
            key: Of the row.
            is_sent: It was delivered: keep the key, never lease it again.
            due_ms: When to try again; `None` is never: sent, or given up.
            note: For the history.
        """


def evaluate_once(
    store: AlertStore,
    rules: Sequence[Rule],
    observations: Sequence[Observation],
    policy: Policy,
    now_ms: int,
) -> list[Notice]:
    """Evaluate under the store's lock and post what is to be sent; the decisions that were won.

    Any number of processes may do this at once: the lock puts them in a row, and the claims hold
    even where a state was lost or put back.
    """
    with store.transaction() as transaction:
        state, notices = evaluate(rules, observations, transaction.load(), policy, now_ms)
        won = [n for n in notices if transaction.claim(n.fingerprint, n.version)]
        transaction.save(state)
        transaction.post([entry for notice in won for entry in entries_of(notice)])
        transaction.record([history_entry(notice) for notice in won])
    return won


def entries_of(notice: Notice) -> list[OutboxEntry]:
    """A row for each channel of a notice."""
    return [_entry(notice, channel) for channel in notice.channels]


def _entry(notice: Notice, channel: str) -> OutboxEntry:
    parts = [notice.body, notice.recommendation]
    held_back = dict(notice.held_back).get(channel, 0)
    if held_back:
        messages = "1 message was" if held_back == 1 else f"{held_back} messages were"
        parts.append(f"{messages} held back here before this one; see tokens alert history.")
    return OutboxEntry(
        dedupe_key(notice.fingerprint, notice.version, channel),
        channel,
        notice.kind,
        notice.level,
        notice.rule_id,
        notice.fingerprint,
        notice.title,
        "\n".join(part for part in parts if part),
        notice.at_ms,
    )


def dedupe_key(fingerprint: str, version: int, channel: str) -> str:
    """32 hexadecimal digits that tell nothing about what they stand for."""
    from hashlib import blake2b

    text = f"{fingerprint}\n{version}\n{channel}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()
