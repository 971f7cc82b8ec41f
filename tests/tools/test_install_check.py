"""The check that an installation leaves no trace finds what is right, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

import install_check
from install_check import Stage

THEIRS = '{"statusLine": {"type": "command", "command": "x"}, "hooks": {"Stop": []}}\r\n'


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    folder = tmp_path / "configs" / "a" / ".claude"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(THEIRS)
    (folder / "settings.local.json").write_text("\ufeff{}")
    (folder / "mcp.json").write_text("no settings")
    return tmp_path / "configs"


def run(configs: Path, capsys: pytest.CaptureFixture[str], made: int) -> tuple[int, str]:
    code = install_check.main([str(configs), "--rounds", "2", "--made", str(made)])
    return code, capsys.readouterr().out


def test_all_is_well(configs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(configs, capsys, 10)
    assert code == 0
    assert "2 real settings files, 81 bytes, 2 rounds each" in out
    assert "4 of 4 identical" in out
    assert "10 of 10 keep the edit" in out


def test_an_uninstall_that_loses_something_is_found(
    configs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Stage.uninstall

    def uninstall(self: Stage) -> str:
        said = real(self)
        self.path.write_text("{}")
        return said

    monkeypatch.setattr(Stage, "uninstall", uninstall)
    code, out = run(configs, capsys, 0)
    assert code == 1
    assert "0 of 4 identical" in out
    assert "0 of 4 keep" in out
