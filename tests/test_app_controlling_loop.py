"""The loop over all live sessions: with real looks and real edits, from start to clearing up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.window_sessions import Talk
from tests.control_desk import SESSION, Desk

from tokenbudget.app import Workbench, control_signals
from tokenbudget.app.control_held import restore_steps
from tokenbudget.app.control_signals import Memory
from tokenbudget.app.controlling import ControlLock, Hands, holder
from tokenbudget.app.controlling_acts import Acts
from tokenbudget.app.controlling_loop import (
    CLEAR_UP_MS,
    STATE_KEPT_MS,
    WAITING_SECONDS,
    WHOLE_LOOK_MS,
    ControlLoop,
    LoopTurn,
)
from tokenbudget.app.controlling_wishes import KeptWishes
from tokenbudget.app.undoing import latest
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.control import ACT, ADVISE, HISTORY, RESTORE, WAIT, Signals
from tokenbudget.model.errors import LedgerDamaged, Refused
from tokenbudget.resources.history import KEYS
from tokenbudget.system.locks import FileLock

MEASURED_MODEL = "claude-sonnet-4-5"
"""Of which the table of levers knows what a compaction does, with a window of 200,000 tokens."""


class House(Desk):
    """A desk with a loop, or several."""

    def __init__(self, top: Path) -> None:
        super().__init__(top)
        (self.project / ".git").mkdir()
        self.home.config.parent.mkdir(exist_ok=True)
        self.config('[control]\nmode = "auto"\n[control.levers]\nmcp-servers = "off"\n')
        self.loops: list[ControlLoop] = []

    @property
    def data(self) -> Path:
        return self.home.config.parent

    def config(self, text: str) -> None:
        self.home.config.write_text(text)

    def talk(self, session: str = SESSION, days: float = 0, model: str = MEASURED_MODEL) -> Talk:
        return super().talk(session, days, model)

    def settings(self) -> Settings:
        environment = {**self.home.environment, "TOKENS_WORKERS": "0"}
        return settings_from(environment)._replace(working_dir="")

    def loop(self, only: str = "") -> ControlLoop:
        made = ControlLoop(lambda tell: self.settings(), self.clock, "tokens test", only=only)
        self.loops.append(made)
        return made

    def once(self) -> LoopTurn:
        """A turn of a process of its own."""
        loop = self.loop()
        try:
            return loop.turn()
        finally:
            loop.close()

    def ledger(self) -> Ledger:
        return Ledger(str(self.data / "ledger.db"), (), self.clock)

    def lent(self) -> object:
        path = self.project / ".claude/settings.local.json"
        env = self.local().get("env", {}) if path.exists() else {}
        assert isinstance(env, dict)
        return env.get(KEYS[1])

    def goes_on(self, talk: Talk) -> None:
        """The clock is where the transcript is, and its file as old."""
        self.clock.ms = round(talk.at.timestamp() * 1000) + 2_000
        self.keep(talk)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    for loop in made.loops:
        loop.close()


def kinds(turn: LoopTurn) -> list[str]:
    return [one.decision.kind for one in turn.turns]


def full(house: House) -> Talk:
    """A session that fills its window, as it is looked at two seconds after its last line."""
    house.past(7, turns=40)
    talk = house.filled(0.95)
    house.goes_on(talk)
    return talk


# ── from a full window to an empty one, and everything put back ───────────────────────────────────


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
    """As `tokens control undo` does it, in a process of its own."""
    with house.bench() as bench:
        bench.ledger.let_go()
        (loan,) = [one for one in bench.ledger.journal.actions(-1) if one.undoes is None]
        assert Acts(bench, restore_steps).give_back_history(loan.project) == (True, "")
        bench.ledger.journal.note_undone(loan.id)


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
    assert '""' in path.read_text("utf-8-sig")
    if not is_same_loop:
        loop.close()
        loop = house.loop()
    for _ in range(4):
        house.clock.sleep(CLEAR_UP_MS / 1000 + 1)
        assert loop.turn().faults == ()
    assert (path.read_bytes().decode() if path.exists() else "") == before
    assert not loop.turn().is_waiting


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


# ── who acts ──────────────────────────────────────────────────────────────────────────────────────


def test_only_one_acts_and_the_other_looks_and_says_so(house: House) -> None:
    full(house)
    first, second = house.loop(), house.loop()
    lock = ControlLock(str(house.data), "tokens serve")
    assert lock.try_acquire()
    only_seen = second.turn()
    assert (kinds(only_seen), only_seen.is_acting, house.lent()) == ([ACT], False, None)
    assert only_seen.holder == f"tokens serve (process {os.getpid()})"
    lock.release()
    assert first.turn().is_acting
    assert house.lent() is not None
    assert (second.turn().is_acting, second.turn().holder[:11]) == (False, "tokens test")
    first.close()
    assert (second.turn().is_acting, second.turn().holder) == (True, "")


def test_a_lock_whose_file_was_taken_away_is_nobodys(house: House) -> None:
    first, second = (ControlLock(str(house.data), name) for name in ("one", "other"))
    assert first.try_acquire()
    assert first.try_acquire(), "it is ours already"
    (house.data / "control.lock").unlink()
    assert second.try_acquire()
    assert (first.try_acquire(), first.is_held) == (False, False)
    second.release()
    assert first.try_acquire()


def test_nobody_holds_a_lock_that_is_not_there_or_let_go(house: House) -> None:
    folder = str(house.data)
    assert holder(folder) == ""
    lock = ControlLock(folder, "a \x1b[31mname")
    assert lock.try_acquire()
    assert lock.try_acquire(), "it is ours already"
    assert holder(folder).startswith("a ")
    assert "\x1b" not in holder(folder)
    lock.release()
    lock.release()
    assert holder(folder) == ""
    with FileLock(str(house.data / "control.lock")) as other:
        assert other.try_acquire()
        assert holder(folder) != ""


# ── at rest ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_live_session_nothing_is_to_be_looked_at_again(house: House) -> None:
    turn = house.once()
    assert (turn.turns, turn.again_seconds, turn.is_waiting, turn.is_acting) == (
        (),
        None,
        False,
        True,
    )


def test_off_ends_the_loop(house: House) -> None:
    full(house)
    house.config('[control]\nmode = "off"\n')
    turn = house.once()
    assert [one.decision.code for one in turn.turns] == ["off"]
    assert (turn.again_seconds, house.lent()) == (None, None)


def test_a_session_that_waits_alone_is_looked_at_once_a_minute(house: House) -> None:
    full(house)
    assert kinds(house.once()) == [ACT]
    house.clock.sleep(3_700)  # the clock's leap is a look that counts from there
    loop = house.loop()
    assert (kinds(loop.turn()), loop.turn().turns) == ([WAIT], ())
    house.clock.sleep(30)
    resting = loop.turn()
    assert (resting.turns, resting.again_seconds) == ((), WAITING_SECONDS)
    house.clock.sleep(31)
    assert len(loop.turn().turns) == 1


def test_a_new_request_of_a_live_session_is_seen_at_the_next_turn(house: House) -> None:
    talk = house.talk().ask().answer()
    house.goes_on(talk)
    loop = house.loop()
    (before,) = loop.turn().turns
    house.clock.sleep(5)
    assert before.signals is not None
    talk.ask().answer()
    house.goes_on(talk)
    (after,) = loop.turn().turns
    assert after.signals is not None
    assert (before.signals.requests, after.signals.requests) == (1, 2)


def test_a_session_that_no_hook_told_of_is_found_within_a_minute(house: House) -> None:
    house.goes_on(house.talk().ask().answer())
    loop = house.loop()
    assert len(loop.turn().turns) == 1
    house.keep(house.talk("s2").ask().answer())
    house.clock.sleep(5)
    assert len(loop.turn().turns) == 1
    house.clock.sleep(WHOLE_LOOK_MS / 1000)
    assert len(loop.turn().turns) == 2


def test_a_loop_over_one_session_leaves_the_others_alone(house: House) -> None:
    full(house)
    house.keep(house.talk("s2").ask().answer())
    loop = house.loop("s2")
    assert [one.session for one in loop.turn().turns] == ["s2"]
    assert house.lent() is None
    loop.close()
    assert ACT in kinds(house.once())
    shutil.rmtree(house.home.claude / "projects")
    house.clock.sleep(86_400)
    other = house.loop("s2")
    for _ in range(4):
        turn = other.turn()
        assert (turn.is_acting, [one.session for one in turn.turns]) == (True, ["s2"])
        house.clock.sleep(61)
    assert house.lent() not in (None, "")


def test_old_states_are_dropped_and_those_with_something_out_are_not(house: House) -> None:
    full(house)
    house.once()
    with house.ledger() as ledger:
        ledger.control.put_state("old", "{}", house.clock.ms)
    house.clock.sleep(STATE_KEPT_MS / 1000 + 1)
    with house.ledger() as ledger:
        ledger.control.put_state("new", "{}", house.clock.ms)
    house.once()
    with house.ledger() as ledger:
        assert sorted(ledger.control.states()) == ["new", SESSION]


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────────


def test_a_ledger_that_is_replaced_is_opened_anew_and_the_loan_is_known(house: House) -> None:
    full(house)
    loop = house.loop()
    assert kinds(loop.turn()) == [ACT]
    path = house.data / "ledger.db"
    kept = path.with_suffix(".copy")
    with house.ledger() as ledger:
        ledger._connection.execute("VACUUM INTO ?", (str(kept),))
    for side in ("", "-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    kept.rename(path)
    house.clock.sleep(5)
    turn = loop.turn()
    assert (kinds(turn) == [ACT], turn.is_waiting) == (False, True)


def test_a_ledger_that_is_no_ledger_is_told_and_the_next_turn_tries_again(house: House) -> None:
    house.goes_on(house.talk().ask().answer())
    loop = house.loop()
    path = house.data / "ledger.db"
    path.write_bytes(b"no ledger" * 100)
    with pytest.raises(LedgerDamaged):
        loop.turn()
    path.unlink()
    assert len(loop.turn().turns) == 1


def compacted(house: House, talk: Talk) -> None:
    talk.at += timedelta(seconds=30)
    talk.compact("The totals are rounded now.").answer("Go on.")
    house.goes_on(talk)


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


def test_a_session_that_cannot_be_looked_at_keeps_no_other_from_it(house: House) -> None:
    full(house)
    house.keep(house.talk("s2").ask().answer())

    def look(bench: Workbench, session: str, now_ms: int, memory: Memory) -> Signals | None:
        if session == SESSION:
            raise Refused("its disk is gone")
        return control_signals.look(bench, session, now_ms, memory)

    loop = ControlLoop(lambda tell: house.settings(), house.clock, "tokens test", Hands(look=look))
    house.loops.append(loop)
    turn = loop.turn()
    assert [one.session for one in turn.turns] == ["s2"]
    assert turn.faults == (f"{SESSION}: its disk is gone",)
    assert turn.again_seconds == 5.0


def test_what_is_known_of_sessions_that_are_over_is_let_go(house: House) -> None:
    house.goes_on(house.talk().ask().answer())
    loop = house.loop()
    loop.turn()
    house.clock.sleep(86_400)
    assert loop.turn().turns == ()
    assert loop._controller is not None
    controller = loop._controller[1]
    assert (controller._states, controller._kept, controller._said) == ({}, {}, {})


def test_settings_with_a_typo_leave_the_loop_as_it_was(house: House) -> None:
    house.goes_on(house.talk().ask().answer())
    loop = house.loop()
    loop.turn()
    house.config("[control\n")
    turn = loop.turn()
    assert len(turn.turns) == 1
    assert any("until then" in fault for fault in turn.faults)


def test_wishes_are_read_again_when_a_file_of_the_project_changes(house: House) -> None:
    wishes = KeptWishes()
    settings = house.settings()._replace(working_dir=str(house.project))
    first = wishes(settings)
    assert wishes(settings) is first
    house.write(".claude/settings.local.json", '{"tokenManagement": {"warningThreshold": 0.6}}')
    assert wishes(settings) is not first
