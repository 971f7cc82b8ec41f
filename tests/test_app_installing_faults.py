"""Whatever fails, and wherever the process ends: every file is whole, and uninstall gives it back.

Every call that changes the disk is counted, in an installation, in bringing one up to date, and in
taking one out; each of them is made to fail, and each is where a process ends. `tokens uninstall`
afterwards goes through, and the home is as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive.faults import every_death, every_failure

from install_check import FAST, Stage
from tokenbudget.gateway import command_files
from tokenbudget.model.errors import TokenBudgetError

STRAY = re.compile(r"\.[^/]+\.[0-9a-f]{16}\.tmp$")
"""What a process that was killed leaves beside a file: never the file itself."""
SETTINGS = """\
{
  // mine
  "statusLine": {"type": "command", "command": "theirs --line", "padding": 0},
  "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "theirs"}]}]}
}
"""
Files = dict[str, bytes]


class Case:
    """A home that is put back as it was for each point: prepared once, then copied."""

    def __init__(self, prepare: Callable[[Stage], object], run: Callable[[Stage], object]) -> None:
        self._run = run
        self._folder = tempfile.mkdtemp(dir=FAST)
        self._top, self._kept = (os.path.join(self._folder, name) for name in ("top", "kept"))
        os.mkdir(self._top)
        self.stage = Stage(Path(self._top))
        self.stage.put(SETTINGS.encode(), 0o640)
        self.first = shown(self.stage)
        prepare(self.stage)
        self.old = shown(self.stage)
        shutil.copytree(self._top, self._kept)
        run(self.stage)
        self.new = shown(self.stage)
        self.fresh()

    def fresh(self) -> None:
        shutil.rmtree(self._top)
        shutil.copytree(self._kept, self._top)

    def run(self) -> None:
        with contextlib.suppress(TokenBudgetError):
            self._run(self.stage)

    def check(self, at: int) -> None:
        """Each file is as at first, as before or as after; then nothing of ours is left."""
        for name, content in shown(self.stage).items():
            known = [files.get(name) for files in (self.first, self.old, self.new)]
            assert content in known, f"{name} is neither old nor new ({at})"
        assert self.stage.uninstall() == ""
        assert shown(self.stage) == self.first
        assert self.stage.path.stat().st_mode & 0o777 == 0o640
        self.fresh()

    def close(self) -> None:
        shutil.rmtree(self._folder)


def shown(stage: Stage) -> Files:
    """Every file of the home."""
    return {
        name: content
        for name, (content, _) in stage.tree().items()
        if not STRAY.search(name) and (stage.home / name).is_file()
    }


def nothing(stage: Stage) -> None:
    pass


def install(stage: Stage) -> None:
    assert stage.install("2.1.329") == ""


def install_old(stage: Stage) -> None:
    assert stage.install("2.0.76", ("statusline", "hooks", "commands")) == ""


CASES: dict[str, tuple[Callable[[Stage], object], Callable[[Stage], object], int]] = {
    "install": (nothing, lambda stage: stage.install("2.1.329"), 40),
    "upgrade": (install_old, lambda stage: stage.install("2.1.329"), 20),
    "uninstall": (install, Stage.uninstall, 20),
}


@pytest.fixture(params=list(CASES))
def case(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Case, int]]:
    """One command and one skill beside the settings: every kind of step, and what is between."""
    monkeypatch.setattr(command_files, "COMMANDS", command_files.COMMANDS[:1])
    prepare, run, least = CASES[request.param]
    made = Case(prepare, run)
    yield made, least
    made.close()


@pytest.mark.slow
def test_a_call_that_fails_leaves_everything_whole(case: tuple[Case, int]) -> None:
    it, least = case
    assert every_failure(it.run, it.check, errno.ENOSPC) >= least


@pytest.mark.slow
def test_a_process_that_ends_anywhere_leaves_everything_whole(case: tuple[Case, int]) -> None:
    it, least = case
    assert every_death(it.run, it.check) >= least
