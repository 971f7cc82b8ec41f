"""Whatever fails, and wherever the process ends: every file is whole, and undo gives it back.

Every call that changes the disk is counted, in an action with a step of each kind and in its undo;
each of them is made to fail (full disk, broken disk, no permission) and each is where a process
ends. What the journal says afterwards is enough to take everything back, by the same command.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.archive.faults import every_death, every_failure
from tests.archive.sessions import tree
from tests.resources.shop import CLAUDE, SETTINGS, Shop

from tokenbudget.app.journal import carry_out
from tokenbudget.app.journal_config import edit_setting
from tokenbudget.app.undoing import Undoing, is_to_undo, undo
from tokenbudget.config.settings import settings_from
from tokenbudget.config.typed import edit_of
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.actions import UNKNOWN_WEIGHT, ActionRecord, Proposal, Step
from tokenbudget.model.errors import TokenBudgetError
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept

BROKEN = pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
STRAY = re.compile(r"\.[^/]+\.[0-9a-f]{16}\.tmp$")
"""What a process that was killed leaves beside a file: never the file itself."""
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Thousands of files are synced here, which no disk has to keep."""


class Stage(Shop):
    """A shop whose actions go through a journal on disk."""

    def hands(self) -> Workshop:
        places = [str(self.project), str(self.data / "config.toml")]
        return Workshop(self.trash, Kept(str(self.data)), places, self.clock, cause="tokens test")

    def ledger(self) -> Ledger:
        return Ledger(str(self.data / "ledger.db"), (), self.clock)

    def act(self) -> None:
        """Everything that there is to do, as one action."""
        self.carry_out(self.every_step())

    def carry_out(self, steps: list[Step]) -> ActionRecord:
        proposal = Proposal(
            "x/y", "x", "do it", "so", UNKNOWN_WEIGHT, 9, "now", is_chosen=True, steps=tuple(steps)
        )
        with self.ledger() as ledger:
            bench: Any = SimpleNamespace(
                ledger=ledger, clock=self.clock, settings=SimpleNamespace(data_dir=str(self.data))
            )
            return carry_out(bench, self.hands(), "tokens test", str(self.project), [proposal])

    def undo_latest(self) -> Undoing | None:
        with self.ledger() as ledger:
            for action in ledger.journal.actions(-1):
                if is_to_undo(action):
                    return undo(ledger, self.hands(), action, str(self.data), self.clock)
        return None

    def configure(self) -> None:
        """`tokens config set`, and with `--scope local`."""
        settings = settings_from(
            {"HOME": str(self.top), "TOKENS_HOME": str(self.data)}, str(self.project)
        )
        for scope in ("local", "ours"):
            edit = edit_of("tokenManagement.autoCleanup", "true", scope)
            edit_setting(settings, edit, self.clock, lambda path, new: None)

    def shown(self) -> dict[str, tuple[bytes, int]]:
        return {name: file for name, file in self.files().items() if not STRAY.search(name)}


Check = Callable[[Stage, dict[str, tuple[bytes, int]]], None]


class Case:
    """A stage that is made anew for each point."""

    def __init__(
        self, prepare: Callable[[Stage], None], run: Callable[[Stage], object], check: Check
    ) -> None:
        self._prepare, self._run, self._check = prepare, run, check
        self._top: str | None = None
        self.fresh()

    def fresh(self) -> None:
        self.close()
        self._top = tempfile.mkdtemp(dir=FAST)
        self.stage = Stage(Path(self._top))
        self.stage.path(".git").mkdir()
        self.stage.ledger().close()
        self._before = self.stage.shown()
        self._prepare(self.stage)

    def run(self) -> None:
        with contextlib.suppress(TokenBudgetError):
            self._run(self.stage)

    def check(self, _: int) -> None:
        self._check(self.stage, self._before)
        self.fresh()

    def close(self) -> None:
        if self._top is not None:
            shutil.rmtree(self._top)


def nothing(stage: Stage) -> None:
    pass


def acted(stage: Stage) -> None:
    stage.act()


def acted_and_edited(stage: Stage) -> None:
    """Somebody goes on with each file that was changed, and has made one anew."""
    stage.act()
    for name in (".claude/settings.json", ".claude/settings.local.json"):
        text = stage.read(name) or ""
        stage.write(name, text.replace("{\n", '{\n  "theirs": 1,\n', 1))
    stage.write("CLAUDE.md", "theirs\n" + (stage.read("CLAUDE.md") or ""))
    stage.write("notes.bak", "theirs\n")


@functools.cache
def everything_done() -> dict[str, tuple[bytes, int]]:
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        stage = Stage(Path(top))
        stage.act()
        return stage.shown()


def whole_and_to_be_undone(stage: Stage, before: dict[str, tuple[bytes, int]]) -> None:
    """Each file is as before or as after; then undo gives everything back."""
    after = everything_done()
    for name, file in stage.shown().items():
        assert file in (before.get(name), after.get(name)), f"{name} is neither old nor new"
    everything_is_back(stage, before)


def everything_is_back(stage: Stage, before: dict[str, tuple[bytes, int]]) -> None:
    """After one undo more, which goes through; and after another, which finds nothing to do."""
    for _ in range(2):
        undone = stage.undo_latest()
        assert undone is None or undone.left == []
        assert stage.shown() == before
    in_trash = [found.path for found in stage.trash.listing().discarded]
    assert str(stage.path("notes.bak")) not in in_trash


def ours_is_out_and_theirs_stays(stage: Stage, before: dict[str, tuple[bytes, int]]) -> None:
    undone = stage.undo_latest()
    assert undone is None or [one.step.step for one in undone.left] in (
        [],
        [one.step.step for one in undone.left if "notes.bak" in str(one.step.step)],
    )
    assert stage.read(".claude/settings.json") == SETTINGS.replace("{\n", '{\n  "theirs": 1,\n', 1)
    assert stage.read(".claude/settings.local.json") == '{\n  "theirs": 1\n}\n'
    assert stage.read("CLAUDE.md") == "theirs\n" + CLAUDE
    assert stage.read("notes.bak") == "theirs\n"
    (kept,) = [f for f in stage.trash.listing().discarded if f.path.endswith("notes.bak")]
    assert kept.size_bytes == len("old notes\n")


def configured_or_not(stage: Stage, before: dict[str, tuple[bytes, int]]) -> None:
    for name, file in stage.shown().items():
        assert file == before.get(name) or b'"autoCleanup": true' in file[0]
    for _ in range(3):
        stage.undo_latest()
    assert stage.shown() == before
    assert not (stage.data / "config.toml").exists()


CASES: dict[str, tuple[Callable[[Stage], None], Callable[[Stage], object], Check]] = {
    "act": (nothing, Stage.act, whole_and_to_be_undone),
    "undo": (acted, Stage.undo_latest, everything_is_back),
    "undo beside edits": (acted_and_edited, Stage.undo_latest, ours_is_out_and_theirs_stays),
    "config": (nothing, Stage.configure, configured_or_not),
}
LEAST_POINTS = {"act": 40, "undo": 25, "undo beside edits": 15, "config": 12}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Iterator[tuple[str, Case]]:
    made = Case(*CASES[request.param])
    yield request.param, made
    made.close()


@BROKEN
@pytest.mark.slow
def test_a_call_that_fails_leaves_everything_whole(case: tuple[str, Case], code: int) -> None:
    name, it = case
    points = every_failure(it.run, it.check, code)
    print(f"{name}: failed with {errno.errorcode[code]} at {points} points")
    assert points >= LEAST_POINTS[name]


@pytest.mark.slow
def test_a_process_that_ends_anywhere_leaves_everything_whole(case: tuple[str, Case]) -> None:
    name, it = case
    points = every_death(it.run, it.check)
    print(f"{name}: ended at {points} points")
    assert points >= LEAST_POINTS[name]


@pytest.mark.slow
def test_each_kind_of_step_alone_is_done_or_not_done() -> None:
    """The outcome says which, so that the journal does."""
    total = 0
    with tempfile.TemporaryDirectory(dir=FAST) as top:
        for kind in range(5):
            for code in (errno.ENOSPC, errno.EIO):
                total += one_kind(Path(top, f"{kind}-{code}"), kind, code)
    print(f"single steps: failed at {total} points")
    assert total > 80


def one_kind(top: Path, kind: int, code: int) -> int:
    stage: Stage
    states: list[str] = []
    step: Step
    before: dict[str, tuple[bytes, int]]

    def fresh() -> None:
        nonlocal stage, step, before
        shutil.rmtree(top, ignore_errors=True)
        top.mkdir()
        stage = Stage(top)
        step, before = stage.every_step()[kind], tree(stage.project)

    def run() -> None:
        states.append(stage.workshop.apply(step).state)

    def check(_: int) -> None:
        assert states[-1] in ("done", "failed")
        assert (tree(stage.project) == before) == (states[-1] == "failed")
        fresh()

    fresh()
    return every_failure(run, check, code)
