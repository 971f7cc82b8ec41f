"""Asking in another thread: order, faults, and leaving."""

import threading
import time

from tests.dashboard.terminal.stage import FakeSource

from monitor_frames import frame
from tokenbudget.dashboard.terminal.feed import Answer, Feed
from tokenbudget.model.errors import LedgerUnusable


class Ear:
    """Takes answers and tells when there are enough."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._came = threading.Condition()

    def __call__(self, answer: Answer) -> None:
        with self._came:
            self.answers.append(answer)
            self._came.notify_all()

    def wait_for(self, count: int) -> list[Answer]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.answers) >= count, 10)
        return self.answers


def test_it_asks_for_what_is_chosen_and_closes_in_the_same_thread() -> None:
    source, ear = FakeSource(), Ear()
    feed = Feed(source.made, ear)
    feed.start()
    feed.ask("one")
    answer = ear.wait_for(1)[0]
    feed.stop()
    assert answer == Answer("one", frame(), "")
    assert source.is_closed
    assert set(source.threads) == {"tokens-frames"}


def test_while_it_is_busy_only_the_latest_wish_counts() -> None:
    source, ear = FakeSource(), Ear()
    source.gate.clear()
    feed = Feed(source.made, ear)
    feed.start()
    feed.ask("first")
    assert source.entered.wait(10)
    for chosen in ("second", "third", "fourth"):
        feed.ask(chosen)
    source.gate.set()
    assert [answer.chosen for answer in ear.wait_for(2)] == ["first", "fourth"]
    feed.stop()


def test_a_fault_is_an_answer_and_the_next_request_tries_again() -> None:
    source, ear = FakeSource(LedgerUnusable("the ledger is locked")), Ear()
    feed = Feed(source.made, ear)
    feed.start()
    feed.ask("")
    assert ear.wait_for(1)[0] == Answer("", None, "the ledger is locked")
    source.told = ValueError("a fault of ours")
    feed.ask("")
    assert ear.wait_for(2)[1].fault == "ValueError: a fault of ours; r tries again"
    source.told = frame()
    feed.ask("")
    assert ear.wait_for(3)[2].frame == frame()
    feed.stop()


def test_a_source_that_cannot_be_opened_is_opened_again() -> None:
    tries: list[int] = []
    source, ear = FakeSource(), Ear()

    def source_of() -> FakeSource:
        tries.append(1)
        if len(tries) == 1:
            raise LedgerUnusable("no such folder")
        return source

    feed = Feed(source_of, ear)
    feed.start()
    feed.ask("")
    ear.wait_for(1)
    feed.ask("")
    assert [answer.fault for answer in ear.wait_for(2)] == ["no such folder", ""]
    feed.stop()


def test_stopping_does_not_wait_for_a_busy_source_and_closes_it_later() -> None:
    source, ear = FakeSource(), Ear()
    source.gate.clear()
    feed = Feed(source.made, ear)
    feed.start()
    feed.ask("")
    assert source.entered.wait(10)
    began = time.perf_counter()
    feed.stop()
    assert time.perf_counter() - began < 0.2
    closings = [source.is_closed]
    source.gate.set()
    feed._thread.join(10)
    assert [*closings, source.is_closed] == [False, True]
    assert ear.answers == []  # nobody listens any more


def test_stopping_before_anything_was_asked() -> None:
    source = FakeSource()
    feed = Feed(source.made, Ear())
    feed.start()
    feed.stop()
    assert source.threads == []
