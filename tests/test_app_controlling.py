"""The controller's turn: what is done, measured, put back, refused, and what is only looked at."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.controlling import AUTO, COMPACTION, DECK, LENT, SESSION, SKILL, Scene

from tokenbudget.app.controlling import CAUSE, waits
from tokenbudget.app.controlling_closing import cause_of
from tokenbudget.app.undoing import named, undo, workshop_for
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.control import ACT, ADVISE, HISTORY, LEVERS, RESTORE, WAIT, Wishes
from tokenbudget.model.errors import BadConfig, LedgerUnusable
from tokenbudget.optimizer.state_text import state_of
from tokenbudget.resources.history import COMPACT, KEYS
from tokenbudget.system.locks import FileLock

OFF = Wishes(modes=dict.fromkeys(LEVERS, "off"))
ADVISED = Wishes(modes=dict.fromkeys(LEVERS, "advise"))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def lent(scene: Scene) -> object:
    return scene.local().get("env", {}).get(KEYS[1])


# ── a session from its action to what came of it ──────────────────────────────────────────────────


def test_a_full_window_is_compacted_measured_and_its_setting_given_back(scene: Scene) -> None:
    begun = scene.turn()
    assert (begun.decision.kind, begun.decision.items, begun.fault) == (ACT, (COMPACT,), "")
    assert lent(scene) == LENT
    scene.next_request(60_000, compactions=1)
    after = scene.turn()
    assert [(one.outcome, one.measured_tokens) for one in after.settled] == [("measured", 98_000)]
    assert (after.decision.kind, after.decision.code, lent(scene)) == (RESTORE, "boundary", "")
    scene.clock.sleep(5)
    assert scene.turn().decision.kind == WAIT
    with scene.ledger() as ledger:
        (receipt,) = ledger.control.receipts()
        assert (receipt.outcome, receipt.action) == ("measured", 1)
        kinds = [one.kind for one in ledger.control.decisions(SESSION)]
        assert kinds == [WAIT, RESTORE, ACT]
        causes = [one.cause for one in ledger.journal.actions(9)]
        assert causes == [f"{CAUSE} (history/give-back)", cause_of(receipt.id)]
        assert not waits(state_of(ledger.control.state(SESSION) or "") or scene.turn().state)


def test_one_request_is_acted_on_once_however_often_it_is_looked_at(scene: Scene) -> None:
    kinds = []
    for _ in range(12):
        kinds.append(scene.turn().decision.kind)
        scene.clock.sleep(5)
    assert kinds == [ACT] + [WAIT] * 11
    with scene.ledger() as ledger:
        assert len(ledger.journal.actions(-1)) == 1
        assert len(ledger.control.receipts()) == 1
        assert len(ledger.control.decisions()) == 2, "the same words are written down once"


def test_only_looking_changes_nothing(scene: Scene) -> None:
    before = scene.files()
    seen = scene.turn(is_dry=True)
    assert (seen.decision.kind, seen.receipt) == (ACT, None)
    assert scene.files() == before
    with scene.ledger() as ledger:
        assert (ledger.control.states(), ledger.control.decisions()) == ([], [])
        assert ledger.journal.actions(-1) == []


def test_advice_is_written_down_and_changes_no_file(scene: Scene) -> None:
    before = scene.files()
    told = scene.turn(ADVISED)
    assert (told.decision.kind, told.receipt, scene.files()) == (ADVISE, None, before)
    with scene.ledger() as ledger:
        assert [one.kind for one in ledger.control.decisions()] == [ADVISE]
        assert ledger.control.receipts() == []


def test_at_rest_nothing_is_written_but_once_a_minute_that_somebody_looks(scene: Scene) -> None:
    scene.used_tokens = 40_000
    with scene.ledger() as ledger:
        controller = scene.controller(ledger)
        controller.turn(SESSION)
        written = ledger._connection.total_changes
        for _ in range(11):
            scene.clock.sleep(5)
            controller.turn(SESSION)
        assert ledger._connection.total_changes == written
        scene.clock.sleep(5)
        controller.turn(SESSION)
        assert ledger._connection.total_changes == written + 1


# ── when nothing may be done ──────────────────────────────────────────────────────────────────────


def test_off_does_not_even_look(scene: Scene) -> None:
    def no_look(*_: Any) -> None:
        raise AssertionError("somebody looked")

    scene.look = no_look  # type: ignore[method-assign, assignment]
    turn = scene.turn(OFF)
    assert (turn.decision.kind, turn.decision.code, turn.signals) == (WAIT, "off", None)


def test_what_was_lent_is_given_back_though_the_controller_was_switched_off(scene: Scene) -> None:
    scene.turn()
    scene.changes["is_over"] = True
    scene.clock.sleep(60)
    turn = scene.turn(OFF)
    assert (turn.decision.kind, turn.decision.code, lent(scene)) == (RESTORE, "over", "")


def test_an_old_look_is_no_ground_to_act(scene: Scene) -> None:
    scene.changes["observed_at_ms"] = scene.clock.now_ms() - 31_000
    turn = scene.turn()
    assert (turn.decision.kind, turn.decision.code, lent(scene)) == (WAIT, "stale", None)


def test_settings_that_cannot_be_meant_stop_it_with_the_reason(scene: Scene) -> None:
    def unfit(settings: Any) -> Wishes:
        raise BadConfig("control.cooldown must be a time")

    with scene.ledger() as ledger:
        controller = scene.controller(ledger)
        controller._wishes_in = unfit
        turn = controller.turn(SESSION)
    assert (turn.decision.code, turn.decision.reason) == (
        "config",
        "control.cooldown must be a time",
    )
    assert lent(scene) is None


def test_what_is_lent_is_given_back_though_settings_cannot_be_meant(scene: Scene) -> None:
    def unfit(settings: Any) -> Wishes:
        raise BadConfig("control.cooldown must be a time")

    assert scene.turn().decision.kind == ACT
    scene.next_request(60_000, compactions=1)
    with scene.ledger() as ledger:
        controller = scene.controller(ledger)
        controller._wishes_in = unfit
        turn = controller.turn(SESSION)
        assert (turn.decision.kind, turn.decision.code, lent(scene)) == (RESTORE, "boundary", "")
        assert turn.fault == "control.cooldown must be a time"
        scene.next_request(160_000)
        assert controller.turn(SESSION).decision.code == "config"
    assert lent(scene) == ""


def test_a_session_that_nobody_knows_is_waited_for(scene: Scene) -> None:
    scene.is_known = False
    turn = scene.turn()
    assert (turn.decision.kind, turn.decision.code, turn.signals) == (WAIT, "unknown", None)
    with scene.ledger() as ledger:
        assert ledger.control.states() == []


def test_a_passing_copy_of_the_ledger_is_not_acted_from(scene: Scene) -> None:
    before = scene.files()
    with Ledger(TEMPORARY) as ledger, pytest.raises(LedgerUnusable, match="passing copy"):
        scene.controller(ledger).turn(SESSION)
    assert scene.files() == before


def test_the_home_folder_is_no_project(scene: Scene) -> None:
    scene.changes["project"] = str(scene.top / "home")
    before = scene.files()
    turn = scene.turn()
    assert turn.decision.kind == ACT
    assert "home folder" in turn.fault
    assert (turn.receipt, scene.files()) == (None, before)


# ── what gets in the way ──────────────────────────────────────────────────────────────────────────


def test_another_command_at_work_is_told_and_tried_again_after_the_cool_down(scene: Scene) -> None:
    with FileLock(str(scene.data / "actions.lock")) as lock:
        assert lock.try_acquire()
        turn = scene.turn()
    assert "another tokens command" in turn.fault
    assert turn.receipt is not None
    assert (turn.receipt.outcome, turn.receipt.action, lent(scene)) == ("failed", None, None)
    scene.next_request(158_000)
    assert scene.turn().decision.code != "emergency", "its cool-down holds"
    scene.clock.sleep(300)
    scene.next_request(158_000)
    assert (scene.turn().fault, lent(scene)) == ("", LENT)


def test_what_vanished_meanwhile_is_as_good_as_done(scene: Scene) -> None:
    scene.more_steps = ("a.bak",)
    steps = scene.steps_of(COMPACT)
    scene.path("a.bak").unlink()
    scene.steps_of = lambda item: steps  # type: ignore[method-assign]
    turn = scene.turn()
    assert turn.receipt is not None
    assert (turn.receipt.outcome, turn.fault, lent(scene)) == ("", "", LENT)


def test_where_one_step_is_refused_those_beside_it_are_undone(scene: Scene) -> None:
    scene.more_steps = ("a.bak", "b.bak")
    steps = scene.steps_of(COMPACT)
    scene.write("b.bak", "the person goes on with it")
    before = scene.files()
    scene.steps_of = lambda item: steps  # type: ignore[method-assign]
    turn = scene.turn()
    assert turn.receipt is not None
    assert (turn.receipt.outcome, turn.receipt.action) == ("failed", 1)
    assert turn.fault
    assert scene.files() == before, "all of it or nothing"
    with scene.ledger() as ledger:
        assert ledger.journal.undone_among([1]) == {1}


def test_a_file_that_the_person_changed_since_the_look_is_left_alone(scene: Scene) -> None:
    scene.more_steps = ("a.bak",)
    steps = scene.steps_of(COMPACT)
    scene.write("a.bak", "the person goes on with it")
    scene.steps_of = lambda item: steps  # type: ignore[method-assign]
    turn = scene.turn()
    assert turn.fault
    assert scene.path("a.bak").read_text() == "the person goes on with it"
    assert lent(scene) is None


def test_a_settings_file_with_a_half_written_edit_is_left_alone(scene: Scene) -> None:
    scene.write(".claude/settings.local.json", '{"model": "op')
    turn = scene.turn()
    assert turn.fault
    assert scene.path(".claude/settings.local.json").read_text() == '{"model": "op'
    assert turn.receipt is not None
    assert turn.receipt.outcome == "failed"


def test_an_edit_of_the_persons_since_then_stays_when_it_is_put_back(scene: Scene) -> None:
    scene.held = (SKILL,)
    scene.turn()
    scene.write(".claude/settings.local.json", '{"skillOverrides": {"deck": "on"}, "mine": 1}\n')
    scene.next_request(120_000, changes={"reloaded": (DECK,)})
    turn = scene.turn()
    assert (turn.decision.kind, turn.decision.code) == (RESTORE, "asked-for")
    assert scene.local() == {"skillOverrides": {"deck": "on"}, "mine": 1}
    scene.clock.sleep(300)
    assert scene.turn().decision.kind != RESTORE, "it is not tried for ever"


def test_what_is_loaded_again_is_put_back_and_pinned(scene: Scene) -> None:
    scene.held = (SKILL,)
    assert scene.turn().decision.items == (DECK,)
    assert scene.local()["skillOverrides"] == {"deck": "off"}
    scene.next_request(142_000, changes={"reloaded": (DECK,)})
    assert scene.turn().decision.kind == RESTORE
    assert "skillOverrides" not in scene.local()
    scene.clock.sleep(600)
    scene.next_request(160_000, changes={})
    turn = scene.turn()
    assert (turn.decision.kind, DECK in turn.state.pinned) == (WAIT, True)


# ── the end of a session, of a project, of a lease ────────────────────────────────────────────────


def test_a_session_that_ends_before_anything_was_seen_closes_its_receipt(scene: Scene) -> None:
    scene.turn()
    scene.changes["is_over"] = True
    scene.clock.sleep(60)
    scene.turn()
    scene.clock.sleep(60)
    scene.turn()
    assert lent(scene) == ""
    with scene.ledger() as ledger:
        assert [one.outcome for one in ledger.control.receipts()] == ["ended"]


def test_a_lease_that_ran_out_is_given_back_while_the_session_goes_on(scene: Scene) -> None:
    scene.turn()
    codes = []
    for _ in range(25):  # each hour somebody looks; the agent waits for its person
        scene.clock.sleep(3_599)
        codes.append(scene.turn().decision.code)
    assert codes.index("lease") == 24
    assert lent(scene) == ""


def test_a_session_whose_transcript_vanished_gives_back_what_it_was_lent(scene: Scene) -> None:
    scene.turn()
    scene.is_known = False
    scene.clock.sleep(60)
    turn = scene.turn()
    assert (turn.decision.kind, turn.decision.code, lent(scene)) == (RESTORE, "over", "")
    scene.clock.sleep(60)
    turn = scene.turn()
    assert not waits(turn.state)
    with scene.ledger() as ledger:
        assert ledger.control.open_receipts() == []


def test_a_project_that_vanished_takes_with_it_what_was_lent(scene: Scene) -> None:
    scene.turn()
    shutil.rmtree(scene.project)
    scene.is_known = False
    scene.clock.sleep(60)
    turn = scene.turn()
    assert turn.decision.kind == RESTORE
    assert "is gone" in turn.fault
    scene.clock.sleep(60)
    assert not waits(scene.turn().state)


# ── a person takes it back ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("held", [SKILL, COMPACTION], ids=["a skill", "the history"])
def test_an_undo_settles_the_receipt_and_pins_what_was_taken_out(scene: Scene, held: Any) -> None:
    scene.held = (held,)
    scene.turn()
    with scene.ledger() as ledger:
        action = named(ledger, 1)
        hands = workshop_for(scene.settings(), action, scene.clock)
        assert undo(ledger, hands, action, str(scene.data), scene.clock).left == []
    scene.next_request(159_000)
    turn = scene.turn()
    assert [one.outcome for one in turn.settled] == ["undone"]
    assert held.id in turn.state.pinned
    scene.clock.sleep(600)
    scene.next_request(160_000)
    assert scene.turn().decision.kind == WAIT
    assert scene.local() == {"model": "opus"}
    with scene.ledger() as ledger:
        assert [one.outcome for one in ledger.control.receipts()] == ["undone"]


# ── what is remembered ────────────────────────────────────────────────────────────────────────────


def test_a_state_that_cannot_be_read_is_begun_afresh_and_knows_what_is_out(scene: Scene) -> None:
    scene.turn()
    with scene.ledger() as ledger:
        ledger.control.put_state(SESSION, '{"format": "another"', scene.clock.now_ms())
    scene.next_request(60_000, compactions=1, changes={"is_over": True})
    turn = scene.turn()
    assert (turn.decision.kind, lent(scene)) == (RESTORE, "")


def test_predictions_that_erred_twice_are_believed_by_half(scene: Scene) -> None:
    scene.turn()
    with scene.ledger() as ledger:
        (receipt,) = ledger.control.receipts()
        for number in (1, 2):
            extra = receipt._replace(at_ms=receipt.at_ms - number, measured_tokens=100)
            ledger.control.open_receipt(
                extra._replace(outcome="measured", settled_at_ms=1), str(scene.project)
            )
    assert scene.turn().trust.of(HISTORY, scene.clock.now_ms()) == 0.5


def test_settings_of_the_sessions_project_hold_for_its_turn_alone(scene: Scene) -> None:
    asked: list[str] = []

    def wishes(settings: Any) -> Wishes:
        asked.append(settings.working_dir)
        return AUTO

    with scene.ledger() as ledger:
        controller = scene.controller(ledger)
        before = controller._bench.settings
        controller._wishes_in = wishes
        controller.turn(SESSION, str(scene.project))
        assert controller._bench.settings is before
    assert asked == [str(scene.project)]


def test_a_turn_that_fails_begins_the_next_one_with_what_is_written(scene: Scene) -> None:
    def broken(*_: Any) -> None:
        raise LedgerUnusable("the disk is full")

    with scene.ledger() as ledger:
        controller = scene.controller(ledger)
        controller.turn(SESSION)
        look = controller._hands.look
        controller._hands = controller._hands._replace(look=broken)
        with pytest.raises(LedgerUnusable):
            controller.turn(SESSION)
        controller._hands = controller._hands._replace(look=look)
        scene.clock.sleep(5)
        assert controller.turn(SESSION).decision.code == "open"
