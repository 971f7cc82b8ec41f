"""`tokens control undo` and `history` over a record with real changes of a project's settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home
from tests.control_values import OPEN, receipt

from tokenbudget.app import open_workbench
from tokenbudget.app.controlling_leaving import TAKEN_UP_SECONDS
from tokenbudget.app.controlling_lock import ControlLock
from tokenbudget.app.journal import carry_out
from tokenbudget.app.live import SILENT
from tokenbudget.config.settings import settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import NEVER_SENT, EditSettings, Proposal, SettingEdit
from tokenbudget.model.control import Receipt
from tokenbudget.model.figures import text_width
from tokenbudget.resources.history import COMPACT, GIVE_BACK, KEYS
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.clock import SystemClock
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash


class Box:
    """A project whose local settings the controller has changed."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.project = folder
        self.local = folder / ".claude" / "settings.local.json"
        (folder / ".git").mkdir(parents=True)

    def change(
        self,
        keys: tuple[str, ...],
        value: str,
        cause: str,
        made: Receipt | None,
        undoes: int | None = None,
    ) -> int:
        """Set a key as the controller does: in the journal, and with a receipt."""
        settings = settings_from(self.home.environment, str(self.project))
        clock = SystemClock()
        edit = EditSettings(str(self.local), (SettingEdit(keys, value, is_member=False),))
        proposal = Proposal(
            cause, "history", "change it", "why", NEVER_SENT, 0, "now", True, (edit,)
        )
        with open_workbench(settings, SILENT) as bench:
            bench.ledger.let_go()
            roots = [str(self.project)]
            data = settings.data_dir
            workshop = Workshop(Trash(data, clock), Kept(data), roots, clock, cause=cause)
            project = str(self.project)
            record = carry_out(bench, workshop, cause, project, [proposal], undoes=undoes)
            if made is not None:
                kept = made._replace(action=record.id)
                control = bench.ledger.control
                control.settle(kept._replace(id=control.open_receipt(kept, project)))
        return record.id

    def lend(self, window: str = "164000") -> int:
        """Have the client compact early."""
        return self.change(KEYS, window, "tokens control (receipt 1)", OPEN)

    def ledger(self) -> Ledger:
        """What is written down."""
        return Ledger(str(self.home.config.parent / "ledger.db"), (), SystemClock())

    @property
    def told(self) -> Any:
        """What stands in the file."""
        return json.loads(self.local.read_text()) if self.local.exists() else None


@pytest.fixture
def box(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = Box(home, tmp_path / "shop")
    monkeypatch.chdir(made.project)
    return made


def deny(box: Box) -> int:
    wanted = ("tokenManagement", "compressionMode")
    return box.change(wanted, "compressed", "tokens control (receipt 2)", receipt())


def test_the_last_action_is_taken_back_and_history_tells_both(box: Box) -> None:
    action = deny(box)
    shown = box.home.run("control", "history", COLUMNS="80")
    assert shown.lines[0].startswith("1 action: freed 1,198 tokens, 1,240 foretold (3% off)")
    assert f"  {action}  " in shown.out
    assert box.home.run("control", "undo", "--dry-run").code == 0
    assert box.told == {"tokenManagement": {"compressionMode": "compressed"}}
    done = box.home.run("control", "undo", "--yes")
    assert (done.code, done.err) == (0, "")
    assert not box.local.exists() or box.told == {}
    assert "is left to take back" in box.home.run("control", "undo", "--yes").out


def test_nobody_to_ask_changes_nothing(box: Box) -> None:
    box.lend()
    done = box.home.run("control", "undo")
    assert done.code == 4
    assert "--yes does it" in done.err
    assert box.told == {"env": {KEYS[1]: "164000"}}


def test_an_early_compaction_is_given_back_and_never_lent_again(box: Box) -> None:
    action = box.lend()
    assert "Nothing was changed (--dry-run)." in box.home.run("control", "undo", "--dry-run").out
    assert box.told == {"env": {KEYS[1]: "164000"}}

    told = box.home.run("control", "undo", str(action), "--yes", "--json").json
    assert (told["action"], told["is_given_back"], told["fault"]) == (action, True, None)
    assert box.told == {"env": {KEYS[1]: ""}}  # a running client takes that for: as usual

    assert "is left to take back" in box.home.run("control", "undo", "--yes").out
    assert box.told == {"env": {KEYS[1]: ""}}
    (row,) = box.home.run("control", "history", "--json").json["rows"]
    assert row["outcome"] == "undone"


def test_what_gave_back_is_not_taken_back_by_name_either(box: Box) -> None:
    box.lend()
    box.home.run("control", "undo", "--yes")
    box.local.write_text(json.dumps({"env": {KEYS[1]: "164000"}}))
    given = box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None)
    for verb in (["undo"], ["control", "undo"]):
        done = box.home.run(*verb, str(given), "--yes")
        assert done.code == 2
        assert f"action {given} gave the client its own setting of compaction back" in done.err


def test_plain_undo_passes_over_what_gave_back(box: Box) -> None:
    first = deny(box)
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None)
    told = box.home.run("undo", "--yes", "--json").json
    assert told["action"]["id"] == first


@pytest.mark.parametrize("is_named", [True, False])
def test_plain_undo_gives_a_loan_back_as_the_controller_does(box: Box, is_named: bool) -> None:
    """Merely taken away, a running client would keep the lowered window until it ends."""
    deny(box)
    action = box.lend()
    given = ["undo", *([str(action)] if is_named else [])]
    seen = box.home.run(*given, "--dry-run", COLUMNS="80")
    assert seen.code == 0
    assert f'      +env.{KEYS[1]}: ""' in seen.lines
    assert "a client that runs would go on" in " ".join(seen.out.split())
    assert seen.lines[-1] == "Nothing was changed (--dry-run)."
    assert box.told["env"] == {KEYS[1]: "164000"}

    done = box.home.run(*given, "--yes", "--json").json
    assert (done["action"]["id"], done["totals"]["undone"]) == (action, 1)
    assert box.told["env"] == {KEYS[1]: ""}
    with box.ledger() as ledger:
        assert ledger.journal.undone_among([action]) == {action}
        receipt = ledger.control.receipt_of_action(action)
        assert receipt is not None
        assert (receipt.outcome, receipt.settled_at_ms is None) == ("undone", False)
        assert [one.undoes for one in ledger.journal.actions(1)] == [action]
    assert f"Action {action} was taken back already" in box.home.run("undo", str(action)).out


def test_of_a_loan_that_was_given_back_nothing_is_left(box: Box) -> None:
    action = box.lend()
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None, undoes=action)
    assert f"Nothing is left of action {action}" in box.home.run("undo", str(action), "--yes").out
    assert box.told["env"] == {KEYS[1]: ""}


def test_a_loan_that_could_not_be_given_back_is_still_the_latest(box: Box) -> None:
    """A disk that takes no write now: the journal has the try, and the window is lent."""
    deny(box)
    action = box.lend()
    whole = box.local.read_text()
    box.local.unlink()
    box.local.mkdir()  # nobody can write a file there
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None, undoes=action)
    with box.ledger() as ledger:
        (tried,) = ledger.journal.actions(1)
        assert {one.outcome.state for one in tried.steps} == {"failed"}
    box.local.rmdir()
    box.local.write_text(whole)
    assert box.home.run("undo", "--yes", "--json").json["action"]["id"] == action
    assert box.told["env"] == {KEYS[1]: ""}


def test_an_old_loan_does_not_take_a_later_one_of_the_same_window_back(box: Box) -> None:
    first = box.lend()
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None, undoes=first)
    second = box.lend()
    assert f"Nothing is left of action {first}" in box.home.run("undo", str(first), "--yes").out
    assert box.told["env"] == {KEYS[1]: "164000"}
    assert box.home.run("undo", "--yes", "--json").json["action"]["id"] == second
    assert box.told["env"] == {KEYS[1]: ""}


def test_a_loan_that_came_back_with_an_old_file_is_given_back_again(box: Box) -> None:
    """As where somebody restores the settings from a copy of theirs."""
    action = box.lend()
    old = box.local.read_text()
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None, undoes=action)
    box.local.write_text(old)
    assert box.home.run("undo", str(action), "--yes", "--json").json["totals"]["undone"] == 1
    assert box.told["env"] == {KEYS[1]: ""}


@pytest.mark.parametrize("more", [["--dry-run"], ["--yes"], []])
def test_of_what_is_back_nobody_is_told_that_it_would_be_taken_back(
    box: Box, more: list[str]
) -> None:
    action = box.lend()
    box.home.run("control", "undo", "--yes")
    done = box.home.run("control", "undo", str(action), *more)
    assert (done.code, done.err) == (0, "")
    assert f"Action {action} was taken back already" in done.out
    assert box.told == {"env": {KEYS[1]: ""}}


def test_a_dry_run_says_what_is_in_the_way(box: Box) -> None:
    box.lend()
    box.local.write_text(box.local.read_text()[:-3])
    for json_too in ([], ["--json"]):
        done = box.home.run("control", "undo", "--dry-run", *json_too)
        assert done.code == 1
        assert "cannot be read as settings now" in " ".join(done.out.split())


def test_what_is_said_of_a_step_stands_below_it(box: Box) -> None:
    box.lend()
    lines = box.home.run("undo", "--dry-run", COLUMNS="60").lines
    first = lines.index("") + 1
    assert lines[first].startswith("  take back in ")
    assert lines[first + 1].startswith("    ")
    last = next(at for at, one in enumerate(lines) if one.startswith("      -env."))
    below = lines[first + 1 : last]
    assert all(one.startswith("    ") and one[4] != " " for one in below), below
    assert max(map(text_width, lines)) <= 60


@pytest.mark.parametrize("verb", [["undo"], ["control", "undo"]])
def test_the_latest_is_no_loan_that_was_given_back(box: Box, verb: list[str]) -> None:
    first = deny(box)
    action = box.lend()
    box.change(KEYS, "", f"tokens control ({GIVE_BACK})", None, undoes=action)
    assert box.home.run(*verb, "--yes", "--json").json["action"]["id"] == first


def test_a_window_that_the_person_has_written_since_stays(box: Box) -> None:
    action = box.lend()
    box.local.write_text(json.dumps({"env": {KEYS[1]: "180000"}}))
    done = box.home.run("undo", str(action), "--yes")
    assert (done.code, box.told) == (1, {"env": {KEYS[1]: "180000"}})
    with box.ledger() as ledger:
        assert ledger.journal.undone_among([action]) == set()


def test_a_loan_in_a_file_that_is_half_written_is_told_and_tried_again(box: Box) -> None:
    action = box.lend()
    whole = box.local.read_text()
    box.local.write_text(whole[:-3])
    for more in (["--dry-run"], ["--yes"]):
        done = box.home.run("undo", str(action), *more)
        assert done.code == 1
        assert "cannot be read as settings now" in " ".join(done.out.split())
    box.local.write_text(whole)
    assert box.home.run("undo", str(action), "--yes").code == 0
    assert box.told == {"env": {KEYS[1]: ""}}


def test_its_sentences_fit_the_terminal(box: Box) -> None:
    nothing = box.home.run("control", "undo", COLUMNS="60")
    box.lend()
    lent = box.home.run("control", "undo", "--dry-run", COLUMNS="60")
    back = box.home.run("control", "undo", "--yes", COLUMNS="60")
    assert len(nothing.lines) == 2
    assert max(map(text_width, (*nothing.lines, *lent.lines, *back.lines))) <= 60


def test_ids_of_the_history_are_those_of_the_lever() -> None:
    assert OPEN.items == (COMPACT,)


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a client was given, without waiting so long."""
    waited: list[float] = []
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: waited.append(seconds))
    return waited


def test_uninstall_gives_back_what_is_lent_and_leaves_nothing(
    box: Box, no_wait: list[float]
) -> None:
    box.home.claude.mkdir()
    box.lend()
    told = box.home.run("uninstall", "--dry-run", "--json").json["rows"]
    assert [(row["component"], row["path"]) for row in told] == [("controller", str(box.local))]
    assert box.told == {"env": {KEYS[1]: "164000"}}
    done = box.home.run("uninstall", "--yes")
    assert (done.code, done.err) == (0, "")
    assert "- controller" in done.out
    assert not box.local.exists()
    assert TAKEN_UP_SECONDS in no_wait
    assert "Nothing of tokens is installed" in box.home.run("uninstall").out
    assert "is left to take back" in box.home.run("control", "undo", "--yes").out


def test_uninstall_takes_an_emptied_setting_away_at_once(box: Box, no_wait: list[float]) -> None:
    box.lend()
    box.home.run("control", "undo", "--yes")
    assert box.told == {"env": {KEYS[1]: ""}}
    assert box.home.run("uninstall", "--yes").code == 0
    assert (box.local.exists(), TAKEN_UP_SECONDS in no_wait) == (False, False)


def test_uninstall_says_where_a_loan_cannot_be_given_back(box: Box, no_wait: list[float]) -> None:
    box.lend()
    half = box.local.read_text()[:-3]
    box.local.write_text(half)
    done = box.home.run("uninstall", "--yes")
    assert done.code == 1
    assert "cannot be read as settings now" in " ".join(done.out.split())
    assert box.local.read_text() == half


def test_the_doctor_says_where_a_window_is_lent(box: Box) -> None:
    assert "Controller" not in box.home.run("doctor").out
    box.lend()
    told = " ".join(box.home.run("doctor").out.split())
    assert "a window is lent" in told
    assert "tokens control or tokens serve gives it back" in told
    assert str(box.project) in told.replace(" ", "")  # a long path is broken at the width
    lock = ControlLock(str(box.home.config.parent), "tokens serve")
    assert lock.try_acquire()
    assert "tokens serve (process" in " ".join(box.home.run("doctor").out.split())
    lock.release()
