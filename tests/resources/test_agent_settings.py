"""What the settings files say together, and whether ours can be written."""

import json
import os
from pathlib import Path

import pytest
from tests.resources.projects import Project

from tokenbudget.model.actions import SettingEdit
from tokenbudget.resources.agent_settings import Said, said_by

EDIT = SettingEdit(("permissions", "deny"), "x", is_member=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def said(project: Project) -> Said:
    return said_by(project.place)


def test_lists_are_joined_and_later_values_win(project: Project) -> None:
    user = {"permissions": {"deny": ["a"]}, "skillOverrides": {"x": "off", "y": "off"}}
    local = {
        "permissions": {"deny": ["b"]},
        "skillOverrides": {"x": "on"},
        "claudeMdExcludes": ["/a"],
        "disabledMcpjsonServers": ["s"],
        "skillListingMaxDescChars": 50,
        "skillListingBudgetFraction": 0.02,
    }
    project.write_for_user("settings.json", json.dumps(user))
    project.write(".claude/settings.local.json", json.dumps(local))
    found = said(project)

    assert found.denied == {"a", "b"}
    assert found.skill_overrides == {"x": "on", "y": "off"}
    assert found.excluded_memory == ("/a",)
    assert found.disabled_servers == {"s"}
    assert (found.description_characters, found.listing_share) == (50, 0.02)
    assert found.takes(EDIT)
    assert found.notes == ()


@pytest.mark.parametrize(
    "content",
    [
        '{"permissions": 1, "skillOverrides": [], "claudeMdExcludes": {"a": 1}}',
        '{"permissions": {"deny": "x"}, "skillListingMaxDescChars": "50"}',
        '{"skillListingMaxDescChars": true, "skillListingBudgetFraction": 7}',
        '{"skillOverrides": {"x": null}, "disabledMcpjsonServers": [1, null]}',
        "",
        "\ufeff{}",
    ],
)
def test_values_of_another_kind_say_nothing(project: Project, content: str) -> None:
    project.write(".claude/settings.local.json", content)
    found = said(project)
    assert (found.denied, found.excluded_memory) == (frozenset(), ())
    assert (found.description_characters, found.listing_share) == (None, None)
    assert found.takes(SettingEdit(("other",), 1, is_member=False))


@pytest.mark.parametrize("content", ["{", "[]", "[" * 50_000, "null"])
def test_a_damaged_local_file_is_named_and_not_changed(project: Project, content: str) -> None:
    project.write(".claude/settings.local.json", content)
    found = said(project)
    assert not found.takes(EDIT)
    assert "settings.local.json is no JSON object" in found.notes[0]


def test_a_damaged_file_of_somebody_else_is_named_and_ours_can_be_changed(
    project: Project,
) -> None:
    project.write_for_user("settings.json", "{")
    found = said(project)
    assert found.takes(EDIT)
    assert "~/.claude/settings.json" in found.notes[0]


def test_what_is_in_the_way_of_our_file_is_not_overwritten(
    project: Project, tmp_path: Path
) -> None:
    path = project.path / ".claude"
    path.write_text("a file")
    assert not said(project).takes(EDIT)
    path.unlink()
    (tmp_path / "out").mkdir()
    path.symlink_to(tmp_path / "out")
    assert not said(project).takes(EDIT)
    path.unlink()
    path.mkdir()
    os.mkfifo(path / "settings.local.json")
    assert not said(project).takes(EDIT)
    (path / "settings.local.json").unlink()
    (path / "settings.local.json").mkdir()
    assert not said(project).takes(EDIT)


def test_a_link_out_of_the_project_is_not_read(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text('{"permissions": {"deny": ["leaked"]}}')
    (project.path / ".claude").mkdir()
    (project.path / ".claude/settings.json").symlink_to(out)
    found = said(project)
    assert found.denied == frozenset()
    assert "cannot be read" in found.notes[0]


@pytest.mark.parametrize("content", ['{"permissions": 1}', '{"permissions": {"deny": "x"}}'])
def test_a_place_that_holds_something_else_takes_no_edit(project: Project, content: str) -> None:
    project.write(".claude/settings.local.json", content)
    assert not said(project).takes(EDIT)


def test_a_file_that_is_read_only_no_text_or_has_a_second_name_takes_no_edit(
    project: Project,
) -> None:
    path = project.write(".claude/settings.local.json", "{}")
    path.chmod(0o444)
    assert not said(project).takes(EDIT)
    path.chmod(0o644)
    assert said(project).takes(EDIT)
    os.link(path, project.path / "other")
    assert not said(project).takes(EDIT)
    (project.path / "other").unlink()
    path.write_bytes(b"\xff\xfe")
    assert not said(project).takes(EDIT)


@pytest.mark.parametrize("how", ["link", "read-only"])
def test_a_local_file_that_takes_no_edit_is_told(project: Project, how: str) -> None:
    path = project.path / ".claude" / "settings.local.json"
    if how == "link":
        project.write(".claude/mine.json", "{}")
        path.symlink_to("mine.json")
    else:
        project.write(".claude/settings.local.json", "{}").chmod(0o444)
    found = said(project)
    assert not found.takes(EDIT)
    assert "is not changed" in " ".join(found.notes)


def test_a_sandbox_and_what_starts_by_itself_are_known(project: Project) -> None:
    project.write_for_user("settings.json", json.dumps({"sandbox": {"enabled": True}}))
    project.write(".claude/settings.json", json.dumps({"agent": "critic", "env": {"KEY": "x"}}))
    found = said(project)
    assert found.is_sandboxed
    assert found.hooks[str(project.path / ".claude/settings.json")] == {"agent": "critic"}
    project.write_for_user("settings.json", json.dumps({"sandbox": {"enabled": False}}))
    assert not said(project).is_sandboxed
