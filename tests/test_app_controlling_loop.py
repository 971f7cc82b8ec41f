"""The loop over all live sessions: which it looks at, how often, and what keeps none from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.control_desk import SESSION
from tests.controlling_house import House, full, kinds, opened_house

from tokenbudget.app import Workbench, control_signals
from tokenbudget.app.control_signals import Memory
from tokenbudget.app.controlling import Hands
from tokenbudget.app.controlling_loop import (
    STATE_KEPT_MS,
    WAITING_SECONDS,
    WHOLE_LOOK_MS,
    ControlLoop,
)
from tokenbudget.model.control import ACT, WAIT, Signals
from tokenbudget.model.errors import LedgerDamaged, Refused


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened_house(tmp_path) as made:
        yield made


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
