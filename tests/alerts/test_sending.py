from __future__ import annotations

from tests.alerts.builders import NOON_MS, entry

from tokenbudget.alerts.delivery import Delivery
from tokenbudget.alerts.memory_store import MemoryStore
from tokenbudget.alerts.sending import ROUND_WAITS_MS, send_due
from tokenbudget.alerts.store import OutboxEntry

DOWN = Delivery(False, "answered 500", is_retryable=True)
REFUSED = Delivery(False, "answered 403")
FINE = Delivery(True, "delivered")


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return NOON_MS + int(self.seconds * 1_000)

    def monotonic_seconds(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class Scripted:
    """Answers in order; the last answer stays."""

    def __init__(self, *answers: Delivery | Exception) -> None:
        self._answers = list(answers)
        self.got: list[OutboxEntry] = []

    def deliver(self, entry: OutboxEntry) -> Delivery:
        self.got.append(entry)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def store_with(*entries: OutboxEntry) -> MemoryStore:
    store = MemoryStore()
    with store.transaction() as transaction:
        transaction.post(entries)
    return store


def test_a_channel_that_recovers_is_tried_again_with_growing_pauses() -> None:
    store, clock, slack = store_with(entry()), Clock(), Scripted(DOWN, DOWN, FINE)
    attempts = send_due(store, {"slack": slack}, clock)
    assert [a.delivery.is_ok for a in attempts] == [False, False, True]
    assert clock.slept == [1.0, 4.0]
    assert store.history[-1].event == "sent"
    assert store.history[-1].detail == (
        "slack: attempt 1: answered 500; attempt 2: answered 500; attempt 3: delivered"
    )
    assert send_due(store, {"slack": slack}, clock) == []


def test_one_channel_that_is_down_does_not_delay_the_others() -> None:
    email = entry(key="e", channel="email")
    store, clock, order = store_with(entry(), email), Clock(), Scripted(FINE)
    send_due(store, {"slack": Scripted(DOWN), "email": order}, clock)
    assert order.got == [email]
    assert {h.event for h in store.history} == {"sent", "failed"}


def test_a_channel_that_raises_is_a_failed_attempt_and_its_words_are_not_told() -> None:
    store = store_with(entry(), entry(key="e", channel="email"))
    channels = {"slack": Scripted(RuntimeError("https://x/SECRET")), "email": Scripted(FINE)}
    attempts = send_due(store, channels, Clock())
    assert sum(a.delivery.is_ok for a in attempts) == 1
    assert "SECRET" not in repr((attempts, store.history))


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    store, clock, slack = store_with(entry()), Clock(), Scripted(REFUSED)
    send_due(store, {"slack": slack}, clock)
    clock.seconds += 100_000
    send_due(store, {"slack": slack}, clock)
    assert len(slack.got) == 1
    assert store.history[-1].detail == "slack: attempt 1: answered 403; given up"


def test_rounds_come_again_after_minutes_and_an_hour_and_then_it_is_given_up() -> None:
    store, clock, slack = store_with(entry()), Clock(), Scripted(DOWN)
    for wait in (0, *ROUND_WAITS_MS, 100_000_000):
        clock.seconds += wait / 1_000
        send_due(store, {"slack": slack}, clock)
    assert len(slack.got) == 9
    assert store.history[-1].detail.endswith("given up")


def test_a_channel_that_was_taken_away_is_told_in_the_history() -> None:
    store = store_with(entry())
    send_due(store, {}, Clock())
    assert "not set up any more" in store.history[-1].detail


def test_a_sender_that_is_too_slow_leaves_the_rest_to_the_next() -> None:
    clock = Clock()

    class Slow(Scripted):
        def deliver(self, entry: OutboxEntry) -> Delivery:
            clock.seconds += 100
            return super().deliver(entry)

    slow = Slow(FINE)
    store = store_with(*(entry(key=str(i)) for i in range(8)))
    send_due(store, {"slack": slow}, clock)
    assert len(slow.got) == 3
    clock.seconds += 300
    send_due(store, {"slack": slow}, clock)
    assert [e.key for e in slow.got] == list("012345")
