"""What was foretold of a fix is kept, and survives a damaged ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tokenbudget.ledger import journal_salvage
from tokenbudget.ledger.applied_fixes import COLUMNS, FixRow
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.actions import EditText
from tokenbudget.model.errors import LedgerUnusable

ROW = FixRow(
    1, "re-read/a1b2c3", "re-read", "", "/srv/shop", 12_000, 900, 41_000, 3_000, 14, 210, 24_000,
    None,
)  # fmt: skip


def begun(ledger: Ledger) -> int:
    step = EditText("/srv/shop/CLAUDE.md", None, "x")
    return ledger.journal.begin("tokens optimize --apply x", "/srv/shop", [step], None)


def test_rows_come_back_as_they_were_the_latest_first(tmp_path: Path) -> None:
    assert FixRow._fields == COLUMNS
    with Ledger(str(tmp_path / "ledger.db")) as ledger:
        one, two = begun(ledger), begun(ledger)
        odd = ROW._replace(
            action_id=two, subject="src/\udcff.py", project="/srv/\udcff", freed_tokens=7
        )
        ledger.fixes.add(ROW._replace(action_id=one))
        ledger.fixes.add(odd)
    with Ledger(str(tmp_path / "ledger.db")) as again:
        assert again.fixes.all() == [odd, ROW._replace(action_id=one)]


def test_half_a_character_of_a_transcript_is_no_reason_to_fail(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "ledger.db")) as ledger:
        ledger.fixes.add(ROW._replace(action_id=begun(ledger), subject="src/\ud83d.py"))
        assert [row.subject for row in ledger.fixes.all()] == ["src/?.py"]


def test_written_twice_the_last_one_stands(tmp_path: Path) -> None:
    with Ledger(str(tmp_path / "ledger.db")) as ledger:
        number = begun(ledger)
        ledger.fixes.add(ROW._replace(action_id=number))
        ledger.fixes.add(ROW._replace(action_id=number, weekly_tokens=5))
        assert [row.weekly_tokens for row in ledger.fixes.all()] == [5]


def test_a_passing_copy_keeps_nothing() -> None:
    with Ledger(TEMPORARY) as ledger:
        assert ledger.fixes.all() == []
        with pytest.raises(LedgerUnusable):
            ledger.fixes.add(ROW)


def test_what_a_damaged_ledger_told_is_taken_over(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    with Ledger(str(old)) as ledger:
        number = begun(ledger)
        ledger.fixes.add(ROW._replace(action_id=number))
        ledger.fixes.add(ROW._replace(action_id=number + 40))  # of an action that is lost
    with Ledger(str(new)):
        pass
    with closing(sqlite3.connect(new)) as into, closing(sqlite3.connect(old)) as damaged:
        damaged.execute(
            "INSERT INTO applied_fix SELECT 99, 'x', 'x', 'x', 'x', -5, 0, 0, 0, 0, 0, 0, 0"
        )
        journal_salvage.take_over(into, damaged)
        into.commit()
    with Ledger(str(new)) as ledger:
        assert ledger.fixes.all() == [ROW._replace(action_id=number)]
        assert [one.id for one in ledger.journal.actions(-1)] == [number]
