"""An action: written down before it is done, one at a time, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.resources.shop import RULE
from tests.resources.test_faults import Stage

from tokenbudget.app.journal import LOCK_NAME, carry_out, only_action
from tokenbudget.app.journal_config import edit_setting
from tokenbudget.config.settings import settings_from
from tokenbudget.config.typed import edit_of
from tokenbudget.ledger.store import TEMPORARY, Ledger
from tokenbudget.model.actions import (
    NEVER_SENT,
    UNKNOWN_WEIGHT,
    EditSettings,
    Outcome,
    Proposal,
    Step,
    TrashFile,
    Weight,
)
from tokenbudget.model.errors import BadConfig, LedgerUnusable, ProjectUnusable, Refused
from tokenbudget.system.locks import FileLock


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(tmp_path)
    made.path(".git").mkdir()
    return made


class Bench:
    """What `carry_out` needs of a workbench."""

    def __init__(self, stage: Stage, ledger: Ledger) -> None:
        self.ledger, self.clock, self.settings = ledger, stage.clock, self
        self.data_dir = str(stage.data)


def proposal(*steps: Step, freed: Weight = UNKNOWN_WEIGHT, freed_bytes: int = 0) -> Proposal:
    return Proposal(
        "a/b", "a", "do it", "so", freed, freed_bytes, "now", is_chosen=True, steps=steps
    )


def carried(stage: Stage, *proposals: Proposal, **more: Any) -> Any:
    with stage.ledger() as ledger:
        bench: Any = Bench(stage, ledger)
        where = str(stage.project)
        return carry_out(bench, stage.hands(), "tokens test", where, proposals, **more)


def test_an_action_is_in_the_journal_with_every_outcome(stage: Stage) -> None:
    told: list[tuple[Step, Outcome]] = []
    steps = stage.every_step()
    record = carried(
        stage,
        proposal(*steps[:2], freed=Weight(100, 5, "calibrated"), freed_bytes=10),
        proposal(*steps[2:], freed=UNKNOWN_WEIGHT, freed_bytes=7),
        proposal(freed=NEVER_SENT),
        told=lambda *one: told.append(one),
    )
    assert (record.cause, record.project) == ("tokens test", str(stage.project))
    assert (record.freed_tokens, record.freed_bytes) == (100, 17)
    assert [one.step for one in record.steps] == [step for step, _ in told] == steps
    assert [one.outcome for one in record.steps] == [outcome for _, outcome in told]
    assert {one.outcome.state for one in record.steps} == {"done"}
    with stage.ledger() as ledger:
        assert ledger.journal.action(record.id) == record


def test_what_it_frees_is_unknown_where_nothing_of_it_is_known(stage: Stage) -> None:
    assert carried(stage, proposal(stage.take_away())).freed_tokens is None


def test_a_step_that_fails_keeps_no_other_from_being_done(stage: Stage) -> None:
    lost = TrashFile(str(stage.project / "CLAUDE.md"), 1, 1)
    outside = EditSettings("/etc/settings.json", (RULE,))
    gone = TrashFile(str(stage.project / "gone"), 1, 1)
    record = carried(stage, proposal(lost, outside, gone, stage.take_away()))
    assert [one.outcome.state for one in record.steps] == ["failed", "failed", "unchanged", "done"]
    assert all(one.outcome.message for one in record.steps[:3])


def test_every_step_is_written_down_before_the_first_is_done(stage: Stage) -> None:
    seen: list[list[str]] = []

    def look(step: Step, outcome: Outcome) -> None:
        with stage.ledger() as other:
            (action,) = other.journal.actions(9)
            seen.append([one.outcome.state for one in action.steps])

    carried(stage, proposal(stage.take_away(), stage.settings()), told=look)
    assert seen == [["done", "planned"], ["done", "done"]]


def test_what_is_not_so_afterwards_is_told_and_can_be_undone(stage: Stage) -> None:
    hands = stage.hands()
    apply = hands.apply

    def then_somebody_writes(step: Step) -> Outcome:
        outcome = apply(step)
        stage.write(".claude/settings.json", '{"theirs": 1}')
        return outcome

    hands.apply = then_somebody_writes  # type: ignore[method-assign]
    with stage.ledger() as ledger:
        bench: Any = Bench(stage, ledger)
        record = carry_out(bench, hands, "t", "", [proposal(stage.settings())])
    (one,) = record.steps
    assert one.outcome.state == "done"
    assert "does not say what was written" in one.outcome.message
    assert one.outcome.result["before"]


def test_where_the_journal_cannot_be_kept_nothing_is_done(stage: Stage) -> None:
    before = stage.files()
    with Ledger(TEMPORARY) as passing:
        bench: Any = Bench(stage, passing)
        with pytest.raises(LedgerUnusable, match="a passing copy"):
            carry_out(bench, stage.hands(), "t", "", [proposal(stage.take_away())])
    with stage.ledger() as ledger:
        ledger._connection.execute("PRAGMA query_only = ON")
        bench = Bench(stage, ledger)
        with pytest.raises(LedgerUnusable):
            carry_out(bench, stage.hands(), "t", "", [proposal(*stage.every_step())])
    assert stage.files() == before


def test_an_action_without_a_step_is_none(stage: Stage) -> None:
    with pytest.raises(ValueError, match="without a step"):
        carried(stage, proposal())
    with stage.ledger() as ledger:
        assert ledger.journal.actions(9) == []


def test_one_action_at_a_time(stage: Stage) -> None:
    with only_action(str(stage.data), stage.clock):
        before = stage.files()
        with pytest.raises(Refused, match="changing files now"):
            carried(stage, proposal(stage.take_away()))
        assert stage.files() == before
    assert carried(stage, proposal(stage.take_away())).steps[0].outcome.state == "done"


def test_a_lock_that_cannot_be_made_says_so(stage: Stage) -> None:
    (stage.data).write_text("in the way")
    with pytest.raises(ProjectUnusable, match=LOCK_NAME), only_action(str(stage.data), stage.clock):
        pytest.fail("it was taken")


def test_an_error_of_the_block_is_its_own(stage: Stage) -> None:
    """It is no fault of the lock, and the lock is let go."""
    with pytest.raises(OSError, match="their own"), only_action(str(stage.data), stage.clock):
        raise OSError("their own")
    with FileLock(os.path.join(stage.data, LOCK_NAME)) as lock:
        assert lock.try_acquire()


# ── tokens config ────────────────────────────────────────────────────────────────────────────────


def configured(stage: Stage, value: str | None, scope: str = "local") -> int | None:
    environment = {"HOME": str(stage.top), "TOKENS_HOME": str(stage.data)}
    settings = settings_from(environment, str(stage.project))
    edit = edit_of("tokenManagement.warningThreshold", value, scope)
    return edit_setting(settings, edit, stage.clock, lambda path, new: None).action


def steps_of(stage: Stage) -> list[tuple[str, str, str]]:
    with stage.ledger() as ledger:
        return [
            (action.cause, type(action.steps[0].step).__name__, action.steps[0].outcome.state)
            for action in reversed(ledger.journal.actions(9))
        ]


def test_a_setting_is_a_step_that_can_be_taken_back(stage: Stage) -> None:
    assert [configured(stage, one) for one in ("0.3", "0.3", "0.2", None)] == [1, None, 2, 3]
    configured(stage, "0.4", "ours")
    name = "tokenManagement.warningThreshold"
    assert steps_of(stage) == [
        (f"tokens config set {name}", "EditSettings", "done"),
        (f"tokens config set {name}", "EditSettings", "done"),
        (f"tokens config unset {name}", "EditText", "done"),
        (f"tokens config set {name}", "EditText", "done"),
    ]
    for _ in range(4):
        undone = stage.undo_latest()
        assert undone is not None
        assert undone.left == []
    assert stage.read(".claude/settings.local.json") is None
    assert not (stage.data / "config.toml").exists()


def test_a_setting_that_cannot_be_written_down_is_not_changed(stage: Stage) -> None:
    stage.data.mkdir()
    (stage.data / "ledger.db").mkdir()
    with pytest.raises(LedgerUnusable):
        configured(stage, "0.3")
    assert stage.read(".claude/settings.local.json") is None


def test_a_setting_that_is_refused_leaves_no_action(stage: Stage) -> None:
    stage.write(".claude/settings.local.json", "{")
    with pytest.raises(BadConfig):
        configured(stage, "0.3")
    assert steps_of(stage) == []
