from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.alerts.builders import NOON_MS, SECOND, Engine, context_at, entry
from tests.alerts.evaluate_and_send import FolderChannel
from tests.alerts.kept_store import KeptStore

import tokenbudget
from tokenbudget.alerts.memory_store import MemoryStore
from tokenbudget.alerts.notices import HistoryEntry
from tokenbudget.alerts.sending import LEASE_MS, send_due
from tokenbudget.alerts.state import State
from tokenbudget.alerts.store import LONGEST_WAIT_MS, dedupe_key, evaluate_once
from tokenbudget.system.clock import SystemClock

LATER_MS = NOON_MS + 31 * SECOND
NOTE = HistoryEntry(0, "", "", "sent", "")
Store = MemoryStore | KeptStore


@pytest.fixture(params=["memory", "ledger", "ledger held still"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "memory":
        return MemoryStore()
    return KeptStore(tmp_path / "alerts.db", is_held=request.param != "ledger")


def sees(store: Store, percent: float, now_ms: int) -> int:
    engine = Engine()
    seen = [context_at(percent, now_ms)]
    return len(evaluate_once(store, engine.rules, seen, engine.policy, now_ms))


def test_a_notice_is_posted_once(store: Store) -> None:
    assert sees(store, 85, NOON_MS) == 0
    assert sees(store, 85, LATER_MS) == 1
    assert sees(store, 85, LATER_MS) == 0
    [row] = store.lease(LATER_MS, LATER_MS + LEASE_MS, 8)
    assert (row.channel, row.kind, "src/cart.py" in row.body) == ("slack", "fire", True)


def test_a_claim_is_won_once_and_only_upward(store: Store) -> None:
    with store.transaction() as transaction:
        won = [transaction.claim("f", version) for version in (3, 3, 2, 4, 4)]
    assert won == [True, False, False, True, False]


def test_a_lost_state_tells_nothing_twice_with_a_version_that_was_used(store: Store) -> None:
    sees(store, 85, NOON_MS)
    sees(store, 85, LATER_MS)
    with store.transaction() as transaction:
        transaction.save(State())
    sees(store, 85, NOON_MS)
    assert sees(store, 85, LATER_MS) == 0


def test_nothing_is_kept_of_a_transaction_that_fails(store: Store) -> None:
    def fails() -> None:
        with store.transaction() as transaction:
            assert transaction.claim("f", 1)
            transaction.post([entry()])
            transaction.save(State(sequence=9))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with store.transaction() as transaction:
        assert transaction.load() == State()
        assert transaction.claim("f", 1)
    assert store.lease(NOON_MS, NOON_MS, 8) == []


def test_a_row_is_leased_to_one_and_is_free_again_after_the_lease(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.post([entry(), entry()])
    until = NOON_MS + LEASE_MS
    assert store.lease(NOON_MS, until, 8) == [entry()]
    assert store.lease(NOON_MS + 1, until, 8) == []
    assert store.lease(until, until + LEASE_MS, 8) == [entry()]
    store.settle(entry().key, True, None, NOTE)
    assert store.lease(until + 2 * LEASE_MS, 0, 8) == []


def test_a_row_that_was_sent_is_not_posted_again(store: Store) -> None:
    leased = []
    for _ in range(2):
        with store.transaction() as transaction:
            transaction.post([entry()])
        leased.append(store.lease(NOON_MS, NOON_MS, 8))
        store.settle(entry().key, True, None, NOTE)
    assert leased == [[entry()], []]


def test_no_more_are_leased_than_asked_for_and_the_oldest_first(store: Store) -> None:
    rows = [entry(key=f"{number}" * 32) for number in range(5)]
    with store.transaction() as transaction:
        transaction.post(rows)
    until = NOON_MS + LEASE_MS
    assert store.lease(NOON_MS, until, 2) == rows[:2]
    assert store.lease(NOON_MS, until, 8) == rows[2:]


def test_what_somebody_cannot_serve_is_left_for_others(store: Store) -> None:
    rows = [
        entry(key=f"{number}" * 32, channel=("bell", "slack")[number % 2]) for number in (1, 2, 3)
    ]
    with store.transaction() as transaction:
        transaction.post(rows)
    until = NOON_MS + LEASE_MS
    assert store.lease(NOON_MS, until, 1, lambda row: row.channel == "bell") == [rows[1]]
    assert store.lease(NOON_MS, until, 8, lambda row: row.channel == "bell") == []
    assert store.lease(NOON_MS, until, 8) == [rows[0], rows[2]]


def test_a_failed_round_comes_again_when_it_is_due(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.post([entry()])
    store.lease(NOON_MS, NOON_MS + LEASE_MS, 8)
    store.settle(entry().key, False, NOON_MS + 1_000, NOTE)
    assert store.lease(NOON_MS + 999, 0, 8) == []
    assert [row.rounds for row in store.lease(NOON_MS + 1_000, NOON_MS, 8)] == [1]


def test_a_row_dated_by_a_clock_that_was_set_back_is_due(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.post([entry()])
    store.lease(NOON_MS + 2 * LONGEST_WAIT_MS, NOON_MS + 2 * LONGEST_WAIT_MS + LEASE_MS, 8)
    assert store.lease(NOON_MS, NOON_MS + LEASE_MS, 8) == [entry()]


def test_twenty_threads_that_cross_one_threshold_send_one_notice(
    store: Store, tmp_path: Path
) -> None:
    sees(store, 85, NOON_MS)
    together, won = threading.Barrier(20), list[int]()

    def evaluator() -> None:
        together.wait()
        won.append(sees(store, 85, LATER_MS))
        send_due(store, {"slack": FolderChannel(tmp_path)}, SystemClock())

    threads = [threading.Thread(target=evaluator) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    delivered = [p for p in tmp_path.iterdir() if not p.name.startswith("alerts.db")]
    assert (len(won), sum(won), len(delivered)) == (20, 1, 1)


@contextmanager
def processes(command: list[str], count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


def command(*arguments: str) -> list[str]:
    places = [str(Path(__file__).parents[2]), str(Path(tokenbudget.__path__[0]).parent)]
    program = (
        f"import sys; sys.path[:0] = {places!r}\n"
        "from tests.alerts.evaluate_and_send import main; main(*sys.argv[1:])"
    )
    return [sys.executable, "-c", program, *arguments]


@pytest.mark.slow
@pytest.mark.parametrize(("end", "decided"), [("crash", 0), ("crash inside", 1)])
def test_a_process_that_dies_leaves_its_decision_whole_or_not_at_all(
    tmp_path: Path, end: str, decided: int
) -> None:
    """Dead after its transaction it left the message, dead inside it the decision to others."""
    store, sent = KeptStore(tmp_path / "alerts.db"), tmp_path / "sent"
    sent.mkdir()
    (tmp_path / "start").touch()
    sees(store, 85, NOON_MS)
    died = subprocess.run(
        command(str(tmp_path / "alerts.db"), str(tmp_path), end), check=False, timeout=60
    )
    assert (died.returncode, list(sent.iterdir())) == (9, [])
    left = [waiting.entry.key for waiting in store.waiting()]
    assert (len(left), len(store.history(9))) == (1 - decided, 1 - decided)
    assert sees(store, 85, LATER_MS) == decided
    keys = {waiting.entry.key for waiting in store.waiting()}
    assert keys >= set(left)
    lasting = subprocess.run(
        command(str(tmp_path / "alerts.db"), str(tmp_path)), check=False, timeout=60
    )
    assert lasting.returncode == 0
    assert [path.name.partition(".")[0] for path in sent.iterdir()] == list(keys)
    assert [entry.event for entry in store.history(9)] == ["sent", "fire"]


@pytest.mark.slow
def test_twenty_processes_that_cross_one_threshold_send_one_notice(tmp_path: Path) -> None:
    database, sent = tmp_path / "alerts.db", tmp_path / "sent"
    sent.mkdir()
    store = KeptStore(database)
    sees(store, 85, NOON_MS)
    clock = SystemClock()
    with processes(command(str(database), str(tmp_path)), 20) as started:
        deadline = clock.monotonic_seconds() + 60
        while len(list(tmp_path.glob("ready.*"))) < 20 and clock.monotonic_seconds() < deadline:
            clock.sleep(0.01)
        (tmp_path / "start").touch()
        assert [process.wait(60) for process in started] == [0] * 20
    assert store.waiting() == []
    assert [entry.event for entry in store.history(99)] == ["sent", "fire"]
    assert len(list(sent.iterdir())) == 1


def test_a_crash_between_decision_and_sending_delivers_later_under_the_same_key(
    store: Store, tmp_path: Path
) -> None:
    sees(store, 85, NOON_MS)
    sees(store, 85, LATER_MS)
    now = SystemClock().now_ms()
    [lost] = store.lease(now - LEASE_MS, now - 1, 8)  # its sender died here
    [attempt] = send_due(store, {"slack": FolderChannel(tmp_path)}, SystemClock())
    assert attempt.entry.key == lost.key


def test_a_crash_between_sending_and_settling_sends_twice_under_the_same_key(
    store: Store, tmp_path: Path
) -> None:
    sees(store, 85, NOON_MS)
    sees(store, 85, LATER_MS)
    now = SystemClock().now_ms()
    [row] = store.lease(now - LEASE_MS, now - 1, 8)
    FolderChannel(tmp_path).deliver(row)  # its sender died here
    send_due(store, {"slack": FolderChannel(tmp_path)}, SystemClock())
    names = [p.name.partition(".")[0] for p in tmp_path.iterdir() if "alerts" not in p.name]
    assert names == [row.key, row.key]


def test_a_key_is_stable_and_its_own_for_each_decision_and_channel() -> None:
    keys = {dedupe_key(f, v, c) for f in "ab" for v in (1, 2) for c in ("slack", "email")}
    assert len(keys) == 8
    assert dedupe_key("a", 1, "slack") == "450348075c92d37eed65835b5716a36f"
