"""An action is taken back: the right one, in reverse, as far as it can be, once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests.resources.shop import CLAUDE
from tests.resources.test_faults import Stage

from tokenbudget.app.undoing import (
    Undoing,
    foreseen,
    is_to_undo,
    journal_ledger,
    latest,
    latest_of,
    named,
    undo,
    workshop_for,
)
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import ActionRecord, EditText, Outcome, TrashFile
from tokenbudget.model.errors import BadRequest, LedgerUnusable, Refused
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.locks import FileLock


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def undone(stage: Stage, ledger: Ledger, identity: int) -> Undoing:
    hands = stage.hands()
    return undo(ledger, hands, named(ledger, identity), str(stage.data), stage.clock)


def states(ledger: Ledger, identity: int) -> list[str]:
    return [one.outcome.state for one in named(ledger, identity).steps]


def test_steps_are_taken_back_the_last_one_first(stage: Stage) -> None:
    """Two steps on one file fit only in that order."""
    first = stage.text(CLAUDE + "ours\n")
    second = EditText(first.path, first.after, "ours alone\n")
    before = stage.files()
    record = stage.carry_out([first, second])
    with stage.ledger() as ledger:
        made = undone(stage, ledger, record.id)
        assert [one.step.number for one in made.steps] == [1, 0]
        assert states(ledger, record.id) == ["undone", "undone"]
        action = named(ledger, record.id)
        assert (action.undone_at_ms, is_to_undo(action)) == (stage.clock.now_ms(), False)
        assert undone(stage, ledger, record.id).steps == ()
        assert [one.cause for one in ledger.journal.actions(9)] == ["tokens undo 1", "tokens test"]
    assert stage.files() == before


def test_only_some_steps_of_an_action_can_be_taken_back(stage: Stage) -> None:
    first, second = stage.every_step()[:2]
    record = stage.carry_out([first, second])
    with stage.ledger() as ledger:
        action, hands = named(ledger, record.id), stage.hands()
        places = (str(stage.data), stage.clock)
        made = undo(ledger, hands, action, *places, only=lambda one: one.number == 1)
        assert [one.step.number for one in made.steps] == [1]
        assert states(ledger, record.id) == ["done", "undone"]
        assert is_to_undo(named(ledger, record.id))
        assert [one.step.number for one in undone(stage, ledger, record.id).steps] == [0]
        assert not is_to_undo(named(ledger, record.id))


def test_what_is_foreseen_is_what_comes_and_changes_nothing(stage: Stage) -> None:
    record = stage.carry_out(stage.every_step())
    stage.write("notes.bak", "theirs\n")
    after = stage.files()
    with stage.ledger() as ledger:
        seen = foreseen(stage.hands(), record)
        assert stage.files() == after
        assert [one.id for one in ledger.journal.actions(9)] == [record.id]
        made = undone(stage, ledger, record.id)
    assert [one.outcome.state for one in seen.steps] == [one.outcome.state for one in made.steps]
    assert [type(one.step.step) for one in made.left] == [TrashFile]


def test_a_conflict_stays_open_and_can_be_tried_again(stage: Stage) -> None:
    record = stage.carry_out([stage.take_away(), stage.text()])
    stage.write("notes.bak", "theirs\n")
    with stage.ledger() as ledger:
        undone(stage, ledger, record.id)
        assert states(ledger, record.id) == ["conflict", "undone"]
        action = named(ledger, record.id)
        assert action.undone_at_ms is None
        assert not is_to_undo(action), "not by itself: a person has to settle it first"
        stage.path("notes.bak").unlink()
        assert undone(stage, ledger, record.id).left == []
        assert states(ledger, record.id) == ["undone", "undone"]
        assert named(ledger, record.id).undone_at_ms
    assert stage.read("notes.bak") == "old notes\n"


def test_what_failed_is_tried_again(stage: Stage) -> None:
    record = stage.carry_out([stage.settings()])
    copies = list((stage.data / "kept").iterdir())
    kept = [copy.read_bytes() for copy in copies]
    for copy in copies:
        copy.write_bytes(b"damaged")
    with stage.ledger() as ledger:
        assert [one.outcome.state for one in undone(stage, ledger, record.id).steps] == ["failed"]
        (one,) = named(ledger, record.id).steps
        assert (one.outcome.state, "damaged" in one.outcome.message) == ("done", True)
        assert one.outcome.result["after"], "what taking it back needs is kept"
        for copy, content in zip(copies, kept, strict=True):
            copy.write_bytes(content)
        assert undone(stage, ledger, record.id).left == []


def test_what_was_planned_and_not_done_is_passed_over(stage: Stage) -> None:
    steps = stage.every_step()
    before = stage.files()
    with stage.ledger() as ledger:
        identity = ledger.journal.begin("tokens test", "", steps, None)
        ledger.journal.note(identity, 1, stage.workshop.prepare(steps[1]))
        outcome = stage.done(steps[0])  # and the process ended before it was noted
        assert outcome.state == "done"
        made = undone(stage, ledger, identity)
        assert [one.step.number for one in made.steps] == [0]
        assert states(ledger, identity) == ["undone", *["unchanged"] * 4]
        assert named(ledger, identity).undone_at_ms
    assert stage.files() == before


def test_an_action_of_which_nothing_was_done_is_over(stage: Stage) -> None:
    with stage.ledger() as ledger:
        identity = ledger.journal.begin("tokens test", "", stage.every_step(), None)
        assert undone(stage, ledger, identity).steps == ()
        assert named(ledger, identity).undone_at_ms


def test_what_cannot_be_seen_stays_as_it_is(stage: Stage) -> None:
    with stage.ledger() as ledger:
        outside = TrashFile("/etc/passwd", 1, 1)
        identity = ledger.journal.begin("tokens test", "", [outside], None)
        made = undone(stage, ledger, identity)
        assert [one.outcome.state for one in made.left] == ["failed"]
        assert states(ledger, identity) == ["planned"]


def test_two_undos_at_once_take_it_back_once(stage: Stage) -> None:
    before = stage.files()
    record = stage.carry_out(stage.every_step())
    found: list[Undoing] = []
    clock = SystemClock()

    def take_back() -> None:
        with Ledger(str(stage.data / "ledger.db"), (), clock) as ledger:
            action = named(ledger, record.id)
            found.append(undo(ledger, stage.hands(), action, str(stage.data), clock))

    threads = [threading.Thread(target=take_back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one.steps) for one in found) == [0, 0, 0, 5]
    assert stage.files() == before


def test_while_another_command_changes_files_nothing_is_undone(stage: Stage) -> None:
    record = stage.carry_out([stage.text()])
    with FileLock(os.path.join(stage.data, "actions.lock")) as lock, stage.ledger() as ledger:
        assert lock.try_acquire()
        with pytest.raises(Refused):
            undone(stage, ledger, record.id)
        assert states(ledger, record.id) == ["done"]


# ── which one ────────────────────────────────────────────────────────────────────────────────────


def begun(ledger: Ledger, project: str, state: str = "done") -> int:
    identity = ledger.journal.begin("t", project, [TrashFile("/x", 1, 1)], None)
    ledger.journal.note(identity, 0, Outcome(state, ""))  # type: ignore[arg-type]
    return identity


def id_of(action: ActionRecord | None) -> int | None:
    return action.id if action else None


def test_the_latest_of_this_project_or_of_none_comes_first(stage: Stage, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    link = tmp_path / "link"
    link.symlink_to(here)
    with stage.ledger() as ledger:
        assert latest(ledger, str(here)) is None
        elsewhere = begun(ledger, "/elsewhere")
        assert id_of(latest(ledger, str(here))) == elsewhere, "there is no other"
        assert latest_of(ledger, str(here)) is None
        mine = begun(ledger, str(here))
        begun(ledger, "/elsewhere")
        for name in (here, link):
            assert id_of(latest(ledger, str(name))) == mine
            assert id_of(latest_of(ledger, str(name))) == mine
        of_none = begun(ledger, "")
        assert id_of(latest(ledger, str(here))) == of_none
        assert id_of(latest_of(ledger, str(here))) == mine


@pytest.mark.parametrize("state", ["unchanged", "failed", "undone", "conflict"])
def test_what_has_nothing_to_take_back_is_passed_over(stage: Stage, state: str) -> None:
    with stage.ledger() as ledger:
        first = begun(ledger, "")
        begun(ledger, "", state)
        ledger.journal.begin("tokens undo 9", "", [], None, undoes=first)
        assert id_of(latest(ledger, "")) == first


def test_only_what_is_an_action_can_be_named(stage: Stage) -> None:
    with stage.ledger() as ledger:
        first = begun(ledger, "")
        ledger.journal.begin("tokens undo 1", "", [], None, undoes=first)
        assert named(ledger, first).id == first
        with pytest.raises(BadRequest, match="no action 7"):
            named(ledger, 7)
        with pytest.raises(BadRequest, match="took action 1 back"):
            named(ledger, 2)


def test_the_journal_can_be_read_where_it_cannot_be_written(stage: Stage) -> None:
    record = stage.carry_out([stage.text()])
    environment = {"HOME": str(stage.top), "TOKENS_HOME": str(stage.data)}
    settings = settings_from(environment, str(stage.project))
    with journal_ledger(settings, stage.clock, is_only_read=False) as ledger:
        assert named(ledger, record.id).undone_at_ms is None
    with pytest.MonkeyPatch.context() as patch:
        original = Ledger.__init__

        def guarded(self: Ledger, path: str, *more: object) -> None:
            if path:
                raise LedgerUnusable("read-only")
            original(self, path, *more)  # type: ignore[arg-type]

        patch.setattr(Ledger, "__init__", guarded)
        with (
            pytest.raises(LedgerUnusable),
            journal_ledger(settings, stage.clock, is_only_read=False),
        ):
            pytest.fail("it was opened")
        with journal_ledger(settings, stage.clock, is_only_read=True) as copy:
            action = named(copy, record.id)
            assert foreseen(stage.hands(), action).steps
            with pytest.raises(LedgerUnusable, match="a passing copy"):
                undo(copy, stage.hands(), action, str(stage.data), stage.clock)
    assert stage.read("CLAUDE.md") == CLAUDE + "ours\n"


def test_its_hands_reach_what_the_action_could_and_no_further(stage: Stage) -> None:
    """A journal that somebody forged names files outside: they are left alone."""
    environment = {"HOME": str(stage.top), "TOKENS_HOME": str(stage.data)}
    settings = settings_from(environment, str(stage.project))
    victim = stage.top / "outside" / "victim"
    victim.write_text("theirs\n")
    forged = EditText(str(victim), "evil\n", "theirs\n")
    with stage.ledger() as ledger:
        identity = ledger.journal.begin("tokens test", str(stage.project), [forged], None)
        kept = stage.workshop._edits._kept.put(b"evil\n")
        ledger.journal.note(identity, 0, Outcome("done", "", {"before": kept, "after": "x"}))
        action = named(ledger, identity)
        hands = workshop_for(settings, action, stage.clock)
        made = undo(ledger, hands, action, str(stage.data), stage.clock)
    assert [one.outcome.state for one in made.steps] == ["failed"]
    assert victim.read_text() == "theirs\n"
