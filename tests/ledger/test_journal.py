"""The journal: durable, whole or not at all, read after damage, never written in a copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.archive.sessions import NOW_MS, FakeClock
from tests.ledger.builders import THRESHOLDS, Home, answer, write
from tests.ledger.test_recovery import change, damage_table

from tokenbudget.ledger.journal_salvage import LOST_CAUSE
from tokenbudget.ledger.recovery import UNDOING_LESS
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.actions import EditSettings as Settings
from tokenbudget.model.actions import EditText, Outcome, SettingEdit, Step, TrashFile
from tokenbudget.model.errors import LedgerDamaged, LedgerUnusable
from tokenbudget.model.protocols import Journal

SHOP = "/home/dev/shop"
NOT_UTF8 = os.fsdecode(b"/home/dev/caf\xe9")
STEPS: tuple[Step, ...] = (
    TrashFile(f"{NOT_UTF8}/a.bak", 900, 5),
    Settings(f"{SHOP}/.claude/settings.json", (SettingEdit(("a", "b"), ["x\ud800"], True),)),
    EditText(f"{SHOP}/CLAUDE.md", None, "é\r\n"),
)
DONE = Outcome("done", "", {"trash": "t-1"})


@contextmanager
def opened(home: Home, clock: FakeClock | None = None) -> Iterator[Ledger]:
    with Ledger(str(home.ledger_path), THRESHOLDS, clock or FakeClock()) as ledger:
        yield ledger


def fill(home: Home, count: int = 1) -> None:
    with opened(home) as ledger:
        for _ in range(count):
            number = ledger.journal.begin("tokens compact", SHOP, STEPS, 12_000)
            ledger.journal.note(number, 0, DONE)


def test_what_is_written_is_read_again(home: Home) -> None:
    with opened(home) as ledger:
        journal: Journal = ledger.journal
        number = journal.begin("tokens compact", SHOP, STEPS, 12_000)
        journal.note(number, 0, DONE)
        journal.note(number, 1, Outcome("failed", "no room \ud800"))
    with opened(home) as ledger:
        found = ledger.journal.action(number)
        assert found is not None
        assert found[:8] == (1, NOW_MS, "tokens compact", SHOP, 12_000, 900, None, found.steps)
        assert [(one.number, one.step) for one in found.steps] == list(enumerate(STEPS))
        assert [one.outcome for one in found.steps] == [
            DONE,
            Outcome("failed", "no room \\ud800"),
            Outcome("planned", ""),
        ]
        assert ledger.journal.action(99) is None


def test_the_latest_comes_first_of_one_project_or_of_all(home: Home) -> None:
    clock = FakeClock()
    with opened(home, clock) as ledger:
        for project in (SHOP, NOT_UTF8, SHOP, ""):
            ledger.journal.begin("tokens compact", project, [], None)
            clock.sleep(-60)  # set back: the order is that of writing
        listed = ledger.journal.actions
        assert [one.id for one in listed(9)] == [4, 3, 2, 1]
        assert [one.id for one in listed(1, SHOP)] == [3]
        assert [(one.id, one.project) for one in listed(9, NOT_UTF8)] == [(2, NOT_UTF8)]
        assert len(listed(-1)) == 4


def test_an_undo_knows_what_it_takes_back(home: Home) -> None:
    clock = FakeClock()
    with opened(home, clock) as ledger:
        first = ledger.journal.begin("tokens compact", SHOP, STEPS, 1, 77)
        second = ledger.journal.begin("tokens undo 1", SHOP, [], None, undoes=first)
        ledger.journal.note_undone(first)
        clock.sleep(60)
        ledger.journal.note_undone(first)
        undo, done = ledger.journal.actions(2)
    assert (undo.id, undo.undoes, undo.undone_at_ms) == (second, first, None)
    assert (done.undoes, done.undone_at_ms, done.freed_bytes) == (None, NOW_MS, 77)


def test_a_step_that_is_not_there_cannot_be_noted(home: Home) -> None:
    with opened(home) as ledger:
        with pytest.raises(LedgerUnusable, match="no step 0 of action 5"):
            ledger.journal.note(5, 0, DONE)
        assert not ledger._connection.in_transaction


def test_what_cannot_be_written_down_leaves_no_action(home: Home) -> None:
    broken = Settings("/a", (SettingEdit(("k",), float("nan"), False),))
    with opened(home) as ledger:
        with pytest.raises(LedgerUnusable, match="cannot write down"):
            ledger.journal.begin("tokens compact", SHOP, [STEPS[0], broken], None)
        assert ledger.journal.actions(9) == []
        number = ledger.journal.begin("tokens compact", SHOP, STEPS, None)
        with pytest.raises(LedgerUnusable, match="cannot write down"):
            ledger.journal.note(number, 0, Outcome("done", "", {"x": float("inf")}))


def test_every_writing_is_synced_before_it_returns(home: Home) -> None:
    """`synchronous` is FULL (2) while the transaction is open, and NORMAL (1) before and after."""
    with opened(home) as ledger:
        connection, journal = ledger._connection, ledger.journal
        ledger.hold_still()
        seen: list[tuple[str, int]] = []

        def watch(statement: str) -> None:
            if statement.startswith(("INSERT INTO action ", "UPDATE action", "COMMIT")):
                connection.set_trace_callback(None)
                (level,) = connection.execute("PRAGMA synchronous").fetchone()
                seen.append((statement.split()[0], level))
                connection.set_trace_callback(watch)

        connection.set_trace_callback(watch)
        number = journal.begin("tokens compact", SHOP, STEPS, None)
        journal.note(number, 0, DONE)
        journal.note_undone(number)
        connection.set_trace_callback(None)
        assert [level for verb, level in seen if verb != "COMMIT"] == [2, 2, 2]
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)
        assert connection.in_transaction, "it is held still as before"


def test_others_see_it_at_once_and_one_held_still_sees_its_own(home: Home) -> None:
    with opened(home) as one, opened(home) as other:
        one.hold_still()
        number = one.journal.begin("tokens compact", SHOP, STEPS, None)
        assert other.journal.action(number) == one.journal.action(number) is not None


# ── rebuild, damage, copies ──────────────────────────────────────────────────────────────────────


def rebuilt(home: Home) -> str:
    done = home.run("doctor", "--rebuild")
    assert done.returncode == 0, done.stderr
    return done.stderr


def steps_of(home: Home) -> list[tuple[int, int, str]]:
    with opened(home) as ledger:
        return [
            (action.id, step.number, step.outcome.state)
            for action in ledger.journal.actions(-1)
            for step in action.steps
        ]


def test_the_journal_outlives_a_rebuild_and_damage_elsewhere(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a"))
    home.refresh()
    fill(home, 2)
    before = steps_of(home)
    assert rebuilt(home) == ""
    assert steps_of(home) == before
    damage_table(home, "content")
    said = rebuilt(home)
    assert "the ledger was damaged" in said
    assert UNDOING_LESS not in said
    assert steps_of(home) == before


def test_steps_outlive_their_action(home: Home) -> None:
    fill(home, 2)
    before = steps_of(home)
    damage_table(home, "action")
    assert UNDOING_LESS in rebuilt(home)
    assert steps_of(home) == before
    with opened(home) as ledger:
        assert {one.cause for one in ledger.journal.actions(9)} == {LOST_CAUSE}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE action_step SET step = '{}' WHERE id = 2",
        "UPDATE action_step SET state = 'half done' WHERE id = 2",
        "UPDATE action_step SET result = 'NaN' WHERE id = 2",
        "UPDATE action_step SET number = 'two' WHERE id = 2",
    ],
)
def test_a_step_that_we_did_not_write_is_damage_that_costs_no_other_one(
    home: Home, sql: str
) -> None:
    fill(home)
    change(home, sql)
    with opened(home) as ledger, pytest.raises(LedgerDamaged, match="doctor --rebuild"):
        ledger.journal.actions(9)
    assert UNDOING_LESS in rebuilt(home)
    assert [number for _, number, _ in steps_of(home)] == [0, 2]


def test_a_ledger_from_before_the_journal_had_none_to_lose(home: Home) -> None:
    fill(home)
    change(home, "DROP TABLE action_step; DROP TABLE action;")
    assert UNDOING_LESS not in rebuilt(home)
    assert steps_of(home) == []


def test_a_passing_copy_shows_the_journal_and_writes_nothing(home: Home) -> None:
    fill(home)
    with Ledger(TEMPORARY) as copy:
        assert copy.take_copy(str(home.ledger_path))
        copy.hold_still()
        assert len(copy.journal.actions(9)) == 1
        for attempt in (
            lambda: copy.journal.begin("tokens compact", SHOP, STEPS, None),
            lambda: copy.journal.note(1, 0, DONE),
            lambda: copy.journal.note_undone(1),
        ):
            with pytest.raises(LedgerUnusable, match="a passing copy; make its folder writable"):
                attempt()
        assert copy._connection.in_transaction, "it is held still as before"
    assert [state for _, _, state in steps_of(home)] == ["done", "planned", "planned"]


def test_a_ledger_that_is_gone_says_so(home: Home) -> None:
    with opened(home) as ledger:
        change(home, "DROP TABLE action_step")
        with pytest.raises(LedgerDamaged):
            ledger.journal.begin("tokens compact", SHOP, STEPS, None)
        assert home.rows("SELECT count(*) FROM action") == [(0,)], "nothing of it was kept"


def test_a_full_disk_is_told_and_leaves_nothing(home: Home) -> None:
    with opened(home) as ledger:
        connection = ledger._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        large = EditText("/a", None, "x" * 100_000)
        with pytest.raises(LedgerUnusable, match="no room left"):
            ledger.journal.begin("tokens compact", SHOP, [large], None)
        assert ledger.journal.actions(9) == []
        assert not connection.in_transaction
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_sqlite_errors_are_told_as_ours(home: Home) -> None:
    with opened(home) as ledger:
        ledger._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(LedgerUnusable) as caught:
            ledger.journal.begin("tokens compact", SHOP, STEPS, None)
        assert isinstance(caught.value.__cause__, sqlite3.Error)
