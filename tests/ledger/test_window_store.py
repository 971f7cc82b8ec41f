"""Context windows through the ledger: whole or not at all, and beside other processes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from tests.ledger.builders import Home, answer, moment, write
from tests.ledger.test_calibrations import learnt
from tests.ledger.test_windows import FOREVER_MS, file, flat, row

from tokenbudget.ledger.store import Ledger
from tokenbudget.ledger.window_store import WindowStore
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable


@pytest.fixture
def counted_home(home: Home) -> Home:
    """A home with one transcript, of which one piece is counted."""
    write(home.project / "s1.jsonl", answer("msg_1", content=[{"type": "text", "text": "Yes."}]))
    home.refresh()
    with home.open() as ledger:
        store_one(ledger, 0)
    return home


def store_one(ledger: Ledger, offset: int) -> None:
    """Keep one more piece of the home's only file."""
    (found,) = ledger.windows.all_files()
    counted = found._replace(measured_bytes=found.size_bytes)
    rows = flat(row(offset, 0, "text", "msg_1"))
    before = found if found.measured_bytes else None
    ledger.windows.store_pieces(counted, "words/1", rows, goes_on_from=before)


def offsets(ledger: Ledger) -> list[int]:
    """Where the pieces stand that a ledger shows."""
    return [piece.byte_offset for piece in ledger.windows.pieces(1)]


# ── the same answers through the ledger ───────────────────────────────────────────────────────────


def test_what_was_counted_is_seen_by_the_next_one_who_opens_the_ledger(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        store = ledger.windows
        (found,) = store.files_of_session("s1")
        assert (
            store.all_files() == store.files_of_model("claude-opus-5-5", 1, FOREVER_MS) == [found]
        )
        assert store.measured_files() == [(found.file_id, "s1")]
        assert store.pieces(found.file_id) == [row(0, 0, "text", "msg_1")]
        assert list(store.requests(found.file_id)) == ["msg_1"]


def test_requests_are_told_by_session_key_and_agent(counted_home: Home) -> None:
    path = counted_home.project / "s1" / "subagents" / "agent-a7.jsonl"
    write(path, answer("msg_2", 5, timestamp=moment(1), isSidechain=True, agentId="a7"))
    counted_home.refresh()
    with counted_home.open() as ledger:
        (recent,) = ledger.windows.recent_requests(9, FOREVER_MS).values()
        assert [request.key for request in recent] == ["msg_1"]
        assert ledger.windows.agents_of("s1") == [(str(path), 1, 1108)]


def test_an_answer_is_kept_for_the_next_one_who_asks(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        ledger.windows.store_snapshot(1, "", "size 9", "[1]")
    with counted_home.open() as ledger:
        assert ledger.windows.snapshot(1, "", "size 9") == "[1]"


def test_sessions_are_found_through_the_ledger(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        (found,) = ledger.sessions_beginning("s", 9)
        assert [found] == ledger.last_sessions("/home/dev/shop") == ledger.last_sessions("")
        assert (found.session, found.project, found.is_gone) == ("s1", "/home/dev/shop", False)


# ── whole or not at all ───────────────────────────────────────────────────────────────────────────


def breaking_off() -> Iterator[tuple[object, ...]]:
    yield from flat(row(70))
    raise OSError("half way")


def test_pieces_that_break_off_leave_everything_as_it_was(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        before = ledger.windows.all_files()
        with pytest.raises(OSError, match="half way"):
            ledger.windows.store_pieces(file(), "words/2", breaking_off(), goes_on_from=None)
        assert offsets(ledger) == [0]
        assert ledger.windows.all_files() == before


def test_what_was_learnt_is_replaced_whole_or_not_at_all(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        ledger.windows.store_calibrations([learnt("a")])
        with pytest.raises(LedgerUnusable):
            ledger.windows.store_calibrations([learnt("b"), learnt("b")])
        assert ledger.windows.calibrations() == [learnt("a")]


def test_a_ledger_that_failed_can_still_be_written(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        with pytest.raises(OSError, match="half way"):
            ledger.windows.store_pieces(file(), "words/2", breaking_off(), goes_on_from=None)
        store_one(ledger, 50)
        assert offsets(ledger) == [0, 50]


# ── beside other processes ────────────────────────────────────────────────────────────────────────


def test_a_ledger_that_is_held_still_shows_one_state_until_it_is_let_go(counted_home: Home) -> None:
    with counted_home.open() as reader, counted_home.open() as writer:
        reader.hold_still()
        assert offsets(reader) == [0]
        store_one(writer, 50)
        assert offsets(reader) == [0]
        reader.let_go()
        assert offsets(reader) == [0, 50]


def test_one_that_lets_go_can_write_what_another_sees(counted_home: Home) -> None:
    with counted_home.open() as one, counted_home.open() as other:
        for ledger in (one, other):
            ledger.hold_still()
            assert offsets(ledger) == [0]
            ledger.let_go()
        store_one(one, 50)
        store_one(other, 90)
        assert offsets(one) == offsets(other) == [0, 50, 90]


def test_holding_and_letting_go_twice_is_harmless(counted_home: Home) -> None:
    with counted_home.open() as ledger:
        for _ in range(2):
            ledger.hold_still()
        for _ in range(2):
            ledger.let_go()
        store_one(ledger, 50)
        assert offsets(ledger) == [0, 50]


def test_many_that_write_at_once_all_get_their_turn(counted_home: Home) -> None:
    ready = threading.Barrier(4)

    def write_some(number: int) -> None:
        with counted_home.open() as ledger:
            ledger.hold_still()
            ready.wait()
            for step in range(5):
                ledger.let_go()
                store_one(ledger, 100 * number + step)
                ledger.hold_still()

    threads = [threading.Thread(target=write_some, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with counted_home.open() as ledger:
        assert len(offsets(ledger)) == 1 + 4 * 5


# ── errors ────────────────────────────────────────────────────────────────────────────────────────

QUESTIONS: list[Callable[[WindowStore], object]] = [
    lambda store: store.files_of_session("s1"),
    lambda store: store.files_of_model("claude-opus-5-5", 9, FOREVER_MS),
    lambda store: store.all_files(),
    lambda store: store.measured_files(),
    lambda store: store.pieces(1),
    lambda store: store.requests(1),
    lambda store: store.recent_requests(9, FOREVER_MS),
    lambda store: store.snapshot(1, "", "same"),
    lambda store: store.store_snapshot(1, "", "same", "[]"),
    lambda store: store.agents_of("s1"),
    lambda store: store.store_pieces(file(), "words/1", flat(row(0)), goes_on_from=None),
    lambda store: store.calibrations(),
    lambda store: store.calibrated_at_ms(),
    lambda store: store.store_calibrations([learnt("a")]),
]


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_a_ledger_without_its_tables_is_damaged(counted_home: Home, number: int) -> None:
    with counted_home.open() as ledger:
        with closing(sqlite3.connect(counted_home.ledger_path)) as connection:
            for table in ("measured_file", "piece", "calibration", "window_snapshot", "response"):
                connection.execute(f"DROP TABLE {table}")
        with pytest.raises(LedgerDamaged, match="no such table"):
            QUESTIONS[number](ledger.windows)
