"""What the loop lends is given back and cleared up, whoever ends it and whatever is in the way."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.control_desk import SESSION
from tests.controlling_house import House, compacted, full, kinds, opened_house

from tokenbudget.app.controlling_loop import (
    CLEAR_UP_MS,
)
from tokenbudget.app.taking_back import take_back
from tokenbudget.app.undoing import latest
from tokenbudget.model.control import ACT, ADVISE, HISTORY, RESTORE


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened_house(tmp_path) as made:
        yield made


def test_a_session_is_compacted_given_back_and_cleared_up(house: House) -> None:
    talk, loop = full(house), house.loop()
    begun = loop.turn()
    assert (kinds(begun), begun.again_seconds, begun.is_waiting) == ([ACT], 5.0, True)
    lent = house.lent()
    assert isinstance(lent, str)
    assert int(lent) > 100_000
    talk.at += timedelta(seconds=30)
    talk.compact("The totals are rounded now.").answer("Go on.")
    house.goes_on(talk)
    after = loop.turn()
    assert (kinds(after), house.lent(), after.faults) == ([RESTORE], "", ())
    house.clock.sleep(CLEAR_UP_MS / 1000 - 1)
    loop.turn()
    assert house.lent() == "", "a running client must have had the time to take it up"
    house.clock.sleep(2)
    cleared = loop.turn()
    assert house.lent() is None
    house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
    assert (cleared.is_waiting, loop.turn().is_waiting) == (True, False)
    with house.ledger() as ledger:
        (receipt,) = [one for one in ledger.control.receipts() if one.lever == HISTORY]
        assert receipt.outcome == "measured"
        assert (receipt.measured_tokens or 0) > 50_000
        undone = {one.id: one.undoes for one in ledger.journal.actions(-1)}
        assert undone == {1: None, 2: 1, 3: 1, 4: 1}, "tokens undo lends nothing again"
        assert latest(ledger, str(house.project)) is None
    assert not (house.project / ".claude/settings.local.json").exists(), "it was made by the loan"


def given_back_by_hand(house: House) -> None:
    """As `tokens undo` and `tokens control undo` do it, in a process of its own."""
    with house.ledger() as ledger:
        loan = latest(ledger, str(house.project))
        assert loan is not None
        made = take_back(house.settings(), ledger, loan, house.clock)
        assert [one.outcome.state for one in made.steps] == ["undone"]


@pytest.mark.parametrize("is_same_loop", [True, False])
@pytest.mark.parametrize("before", ["", '\ufeff{\r\n  "env": {"A": "b"}, "x": [ 1 ]\r\n}\r\n'])
def test_what_a_person_took_back_is_cleared_up_to_the_byte(
    house: House, before: str, is_same_loop: bool
) -> None:
    full(house)
    path = house.project / ".claude/settings.local.json"
    if before:
        path.write_bytes(before.encode())
    loop = house.loop()
    assert kinds(loop.turn()) == [ACT]
    given_back_by_hand(house)
    assert '""' in path.read_text("utf-8-sig"), "a running client takes that for: as usual"
    if not is_same_loop:
        loop.close()
        loop = house.loop()
    for _ in range(4):
        house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
        turn = loop.turn()
        assert (turn.faults, ACT in kinds(turn)) == ((), False), "it is not lent again at once"
    assert (path.read_bytes().decode() if path.exists() else "") == before
    assert not loop.turn().is_waiting


def test_a_loan_whose_controller_was_killed_before_it_was_noted_is_given_back(house: House) -> None:
    """Its receipt does not know of the action yet: what was written tells that it is a loan."""
    full(house)
    assert kinds(house.once()) == [ACT]
    with house.ledger() as ledger:
        ((receipt, _),) = ledger.control.open_receipts()
        ledger.control.settle(receipt._replace(action=None))
    given_back_by_hand(house)
    assert house.lent() == ""
    loop = house.loop()
    assert ACT not in kinds(loop.turn())


def test_what_a_killed_process_left_is_given_back_at_the_next_start(house: House) -> None:
    """It lent, and nobody came for a day; the session is long over, and its transcript gone."""
    full(house)
    assert kinds(house.once()) == [ACT]
    shutil.rmtree(house.home.claude / "projects")
    house.clock.sleep(86_400)
    loop = house.loop()
    for _ in range(3):  # the first look after a day counts again from there
        loop.turn()
        house.clock.sleep(61)
    assert house.lent() in ("", None)
    loop.turn()
    house.clock.sleep(61)
    loop.turn()
    assert house.lent() is None
    assert not loop.turn().is_waiting
    assert loop.turn().again_seconds is None


def test_a_loan_that_no_state_knows_of_is_given_back(house: House) -> None:
    full(house)
    assert kinds(house.once()) == [ACT]
    with house.ledger() as ledger:
        (open_one,) = ledger.control.open_receipts()
        receipt = open_one[0]._replace(outcome="measured", settled_at_ms=house.clock.ms)
        ledger.control.settle(receipt)
        with ledger.control.transaction() as writing:
            writing.drop_state(SESSION)
    house.config('[control]\nmode = "off"\n')
    loop = house.loop()
    loop.turn()
    house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
    assert loop.turn().is_waiting
    assert house.lent() == ""
    house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
    loop.turn()
    assert house.lent() is None


def test_a_project_that_vanished_is_no_reason_to_wait(house: House) -> None:
    full(house)
    assert kinds(house.once()) == [ACT]
    shutil.rmtree(house.project)
    shutil.rmtree(house.home.claude / "projects")
    loop = house.loop()
    for _ in range(3):
        house.clock.sleep(61)
        loop.turn()
    house.clock.sleep(61)
    assert not loop.turn().is_waiting


# ── what is in the way ────────────────────────────────────────────────────────────────────────────


def test_a_loan_in_a_file_that_is_half_written_is_given_back_later(house: House) -> None:
    talk, loop = full(house), house.loop()
    path = house.project / ".claude/settings.local.json"
    assert kinds(loop.turn()) == [ACT]
    whole = path.read_text()
    path.write_text(whole[:-3])
    compacted(house, talk)
    at_work = loop.turn()
    assert kinds(at_work) == [RESTORE]
    assert "cannot be read as settings now" in at_work.faults[0]
    path.write_text(whole.replace('"env"', '"x": 1, "env"'))
    for _ in range(6):
        house.clock.sleep(61)
        loop.turn()
    assert json.loads(path.read_text()) == {"x": 1}
    assert not loop.turn().is_waiting


def test_a_loan_that_nobody_can_find_in_a_broken_file_is_not_forgotten(house: House) -> None:
    talk, loop = full(house), house.loop()
    path = house.project / ".claude/settings.local.json"
    loop.turn()
    compacted(house, talk)
    assert kinds(loop.turn()) == [RESTORE]
    whole = path.read_text()
    path.write_text(whole[:-3])
    for _ in range(4):
        house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
        assert loop.turn().is_waiting
    path.write_text(whole)
    house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
    loop.turn()
    assert not path.exists()


def test_a_project_on_a_disk_that_was_away_is_put_right_when_it_is_back(house: House) -> None:
    full(house)
    loop = house.loop()
    assert kinds(loop.turn()) == [ACT]
    away = house.project.rename(house.project.with_name("away"))
    for _ in range(3):
        house.clock.sleep(61)
        loop.turn()
    loop.close()
    away.rename(house.project)
    loop = house.loop()
    for _ in range(4):
        loop.turn()
        house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
    assert not (house.project / ".claude/settings.local.json").exists()
    assert not loop.turn().is_waiting


def test_settings_that_git_tracks_are_only_spoken_of(house: House) -> None:
    path = house.project / ".claude/settings.local.json"
    path.write_text("{}\n")
    (house.project / ".git").rmdir()
    for words in (["init", "-q"], ["add", "-f", str(path)]):
        subprocess.run(["git", *words], cwd=house.project, check=True)
    full(house)
    (turn,) = house.once().turns
    assert turn.decision.kind == ADVISE
    assert turn.signals is not None
    (history,) = [one for one in turn.signals.held if one.lever == HISTORY]
    assert "git tracks the project's settings.local.json" in history.reason
    assert path.read_text() == "{}\n"
