"""Which mode a session begins with: the project's own, else the one for all."""

import json
from pathlib import Path

import pytest
from tests.gateway.hooks.hook_desk import HookDesk

from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.gateway.mode_words import instruction


def told(folder: Path, mode: object, name: str = "settings.json") -> None:
    (folder / ".claude").mkdir(parents=True, exist_ok=True)
    text = json.dumps({"tokenManagement": {"compressionMode": mode}})
    (folder / ".claude" / name).write_text(text)


def test_the_nearest_settings_within_the_repository_count(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "a" / "b"
    inner.mkdir(parents=True)
    told(tmp_path, "verbose")
    assert mode_of_project(str(inner), "balanced") == "balanced", "what is above may be anybody's"
    (tmp_path / "repo" / ".git").mkdir()
    assert mode_of_project(str(inner), "balanced") == "balanced"
    told(tmp_path / "repo", "compressed")
    assert mode_of_project(str(inner), "balanced") == "compressed"
    told(tmp_path / "repo", "verbose", "settings.local.json")
    assert mode_of_project(f"{inner}/", "balanced") == "verbose"
    assert mode_of_project("relative", "balanced") == "balanced"


@pytest.mark.parametrize("mode", ["loud", 3, None, ["verbose"], {}])
def test_what_is_no_mode_is_not_said(mode: object, tmp_path: Path) -> None:
    told(tmp_path, mode)
    assert mode_of_project(str(tmp_path), "compressed") == "compressed"
    (tmp_path / ".claude" / "settings.json").write_text('{"tokenManagement": compressionMode')
    assert mode_of_project(str(tmp_path), "compressed") == "compressed"


def test_a_session_begins_with_it(desk: HookDesk, tmp_path: Path) -> None:
    told(tmp_path / "p", "compressed")
    said = desk.says("SessionStart", source="startup", cwd=str(tmp_path / "p"))
    assert instruction("compressed") in said
    (tmp_path / "q").mkdir()
    assert desk.says("SessionStart", source="startup", cwd=str(tmp_path / "q")) == ""
