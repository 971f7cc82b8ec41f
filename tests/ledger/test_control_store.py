"""The controller's rows: together or not at all, pruned, and saved from a damaged ledger."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.builders import Home, answer, write
from tests.ledger.test_recovery import damage_table

from tokenbudget.ledger.control_columns import (
    decision_of,
    decision_values,
    receipt_of,
    receipt_values,
)
from tokenbudget.ledger.control_store import KEPT_MS, MOST_DECISIONS
from tokenbudget.ledger.recovery import UNMEASURED, salvaged_ledger
from tokenbudget.ledger.salvage import take_over
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.control import ACT, HISTORY, WAIT, Decision, Prediction, Receipt
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable

NOW_MS = 1_795_179_600_000
SHOP = "/home/dev/shop"
NOT_UTF8 = os.fsdecode(b"/home/dev/caf\xe9")
FORETOLD = Prediction(90_000, 4_000, -0.25, 6.5, "next compaction", "2.1.329 sonnet")
DECIDED = Decision(
    NOW_MS, "s1", ACT, "critical", "act", "75 % is in use", HISTORY, ("history/compact",),
    FORETOLD, "the compaction is awaited", "msg_1",
)  # fmt: skip
WAITED = Decision(NOW_MS, "s1", WAIT, "healthy", "healthy", "below 50 %")
OPENED = Receipt(
    0, "s1", NOW_MS, HISTORY, ("history/compact",), "critical", None, 90_000, -0.25,
    "next compaction", 150_000, "msg_1",
)  # fmt: skip


def opened(folder: Path) -> Ledger:
    return Ledger(str(folder / "ledger.db"))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control
        control.put_state("s1", "{}", NOW_MS)
        assert control.record(DECIDED, NOT_UTF8)
        number = control.open_receipt(OPENED, NOT_UTF8)
    with opened(tmp_path) as ledger:
        control = ledger.control
        assert control.state("s1") == "{}"
        assert control.state("s2") is None
        assert control.decisions() == [DECIDED]
        kept = OPENED._replace(id=number)
        assert control.receipts(project=NOT_UTF8) == [kept]
        assert control.receipts(project=SHOP) == []
        assert control.open_receipts("s1") == [(kept, NOT_UTF8)]


def test_a_receipt_is_settled_once_it_is_measured(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control
        number = control.open_receipt(OPENED, SHOP)
        action = ledger.journal.begin("tokens control", SHOP, [], None)
        measured = OPENED._replace(
            id=number, action=action, measured_tokens=-700, measured_usd=0.5,
            settled_at_ms=NOW_MS + 9, outcome="measured",
        )  # fmt: skip
        control.settle(measured)
        assert control.receipts() == [measured]
        assert control.open_receipts() == []
        assert control.receipt_of_action(action) == measured
        assert control.receipt_of_action(action + 1) is None
        with pytest.raises(LedgerUnusable, match="no receipt 77"):
            control.settle(measured._replace(id=77))


def test_the_same_decision_is_written_down_once_unless_something_was_done(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control
        told = [
            control.record(WAITED, SHOP),
            control.record(WAITED._replace(at_ms=NOW_MS + 5_000, reason="below 51 %"), SHOP),
            control.record(WAITED._replace(session="s2"), SHOP),
            control.record(WAITED._replace(code="stale"), SHOP),
            control.record(DECIDED, SHOP),
            control.record(DECIDED, SHOP),
        ]
        assert told == [True, False, True, True, True, True]
        assert [one.code for one in control.decisions("s1")] == ["act", "act", "stale", "healthy"]
        assert len(control.decisions(limit=2)) == 2


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control

        def half() -> None:
            with control.transaction() as writing:
                writing.put_state("s1", "{}", NOW_MS)
                writing.record(DECIDED, SHOP)
                writing.open_receipt(OPENED, SHOP)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        assert (control.states(), control.decisions(), control.receipts()) == ([], [], [])


def test_a_receipt_is_synced_before_it_is_acted_on(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        seen: list[tuple[str, int]] = []

        def watch(statement: str) -> None:
            if statement.startswith(("INSERT INTO control_receipt", "UPDATE control_receipt")):
                ledger._connection.set_trace_callback(None)
                (level,) = ledger._connection.execute("PRAGMA synchronous").fetchone()
                seen.append((statement.split()[0], level))
                ledger._connection.set_trace_callback(watch)

        ledger._connection.set_trace_callback(watch)
        number = ledger.control.open_receipt(OPENED, SHOP)
        ledger.control.settle(OPENED._replace(id=number))
        assert seen == [("INSERT", 2), ("UPDATE", 2)]


def test_old_decisions_go_and_receipts_and_states_stay(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control
        control.put_state("s1", "{}", NOW_MS)
        control.record(WAITED, SHOP)
        control.open_receipt(OPENED, SHOP)
        control.record(WAITED._replace(session="new", at_ms=NOW_MS + KEPT_MS + 1), SHOP)
        assert [one.session for one in control.decisions()] == ["new"]
        assert control.states() == ["s1"], "what was lent must still be put back"
        assert len(control.receipts()) == 1


def test_a_state_can_be_found_by_its_age_and_dropped(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        control = ledger.control
        for later, session in enumerate(("old", "newer", "newest")):
            control.put_state(session, "{}", NOW_MS + later)
        assert control.states() == ["newest", "newer", "old"]
        assert control.states(NOW_MS + 2) == ["newer", "old"]
        with control.transaction() as writing:
            writing.drop_state("old")
            assert writing.state("old") is None
        assert control.states(NOW_MS + 2) == ["newer"]


def test_one_session_leaves_only_so_many_decisions(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger, ledger.control.transaction() as writing:
        for number in range(MOST_DECISIONS + 20):
            writing.record(WAITED._replace(code=f"code-{number}"), SHOP)
        writing.record(WAITED._replace(session="s2"), SHOP)
    with opened(tmp_path) as ledger:
        kept = ledger.control.decisions("s1", -1)
        assert [kept[0].code, kept[-1].code] == [f"code-{MOST_DECISIONS + 19}", "code-20"]
        assert len(ledger.control.decisions("s2")) == 1


def test_a_passing_copy_is_only_read(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.control.put_state("s1", "{}", NOW_MS)
        assert ledger.control.is_kept
    with Ledger(TEMPORARY) as copy:
        copy.take_copy(str(tmp_path / "ledger.db"))
        assert (copy.control.state("s1"), copy.control.is_kept) == ("{}", False)
        with pytest.raises(LedgerUnusable, match="passing copy"):
            copy.control.open_receipt(OPENED, SHOP)


ids = st.text(st.characters(), max_size=9)
tokens = st.integers(0, 10**9)
usd = st.none() | st.floats(-1e6, 1e6)


@given(st.lists(ids), ids, tokens, usd)
def test_any_decision_and_receipt_come_back(
    items: list[str], name: str, count: int, money: float | None
) -> None:
    """Any text that SQLite takes: what it refuses is written with backslashes, and stays text."""
    plain = name.encode("utf-8", "backslashreplace").decode()
    foretold = FORETOLD._replace(tokens=count, usd=money, known_by=name)
    decided = DECIDED._replace(items=tuple(items), reason=plain, prediction=foretold)
    assert decision_of(decision_values(decided)) == decided
    receipt = OPENED._replace(id=3, items=tuple(items), session=plain, measured_usd=money)
    assert receipt_of((3, *receipt_values(receipt))) == receipt


def test_a_rebuild_keeps_what_the_controller_knows(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    with home.open() as ledger:
        ledger.control.put_state("s1", "{}", NOW_MS)
        ledger.control.record(DECIDED, SHOP)
        ledger.control.open_receipt(OPENED, SHOP)
    done = home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    with home.open() as ledger:
        assert ledger.control.states() == ["s1"]
        assert ledger.control.decisions() == [DECIDED]
        assert [one.session for one, _ in ledger.control.open_receipts()] == ["s1"]


def test_a_damaged_ledger_tells_of_the_controller(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    with home.open() as ledger:
        ledger.control.put_state("s1", "{}", NOW_MS)
        ledger.control.record(DECIDED, NOT_UTF8)
        lent = OPENED._replace(measured_tokens=-5, measured_usd=-0.5, outcome="")
        number = ledger.control.open_receipt(lent, NOT_UTF8)
    damage_table(home, "response")
    done = home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    assert UNMEASURED not in done.stderr
    with home.open() as ledger:
        assert ledger.control.state("s1") == "{}"
        assert ledger.control.decisions() == [DECIDED]
        assert ledger.control.open_receipts() == [(lent._replace(id=number), NOT_UTF8)]


def test_a_row_that_cannot_be_meant_is_left_out_and_told(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    with Ledger(path) as ledger:
        kept = ledger.control.open_receipt(OPENED, SHOP)
        ledger.control.open_receipt(OPENED._replace(session="s2"), SHOP)
        ledger.control.record(DECIDED, SHOP)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE control_receipt SET items = '[1' WHERE session = 's2'")
        connection.execute("UPDATE control_decision SET prediction = '{}'")
        connection.commit()
    with Ledger(path) as ledger, pytest.raises(LedgerDamaged):
        ledger.check()
    said: list[str] = []
    with salvaged_ledger(path, (), NOW_MS, said.append) as ledger:
        assert [one.id for one in ledger.control.receipts()] == [kept]
        assert ledger.control.decisions() == []
    assert UNMEASURED in said[0]


def test_a_ledger_from_before_the_controller_has_lost_nothing_of_it(tmp_path: Path) -> None:
    path = str(tmp_path / "old.db")
    with Ledger(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        for table in ("control_state", "control_decision", "control_receipt"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    with opened(tmp_path) as ledger:
        assert not take_over(ledger._connection, path).are_receipts_lost
