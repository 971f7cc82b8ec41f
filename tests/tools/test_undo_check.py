"""The check of edits and their undo finds what is right, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

import undo_check
from tokenbudget.model.actions import Outcome, Step
from tokenbudget.resources.steps import Workshop


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs" / "a" / ".claude"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text('{"permissions": {"deny": ["Read(x)"]}}\n')
    (folder / "settings.local.json").write_text("{}")
    (folder / "README.md").write_text("no settings")
    return tmp_path / "configs"


def run(configs: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = undo_check.main(["--configs", str(configs), "--rounds", "3", "--made", "20"])
    return code, capsys.readouterr().out


def test_all_is_well(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(configs, capsys)
    assert code == 0
    assert "2 real settings files, 41 bytes, 3 rounds each" in out
    assert "6 of 6 identical" in out
    assert "20 of 20 keep the edit" in out


def test_an_undo_that_loses_something_is_found(
    configs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def revert(self: Workshop, step: Step, outcome: Outcome) -> Outcome:
        Path(step.path).write_text("{}")  # type: ignore[union-attr]
        return Outcome("undone", "")

    monkeypatch.setattr(Workshop, "revert", revert)
    code, out = run(configs, capsys)
    assert code == 1
    assert "20 of 20" not in out
