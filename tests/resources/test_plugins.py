"""Plugins: where they lie, what they bring, and that nothing of theirs leads out of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.resources.projects import Project

from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.plugins import Plugin, plugins_in

KEY = "demo@market"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def matter(name: str) -> str:
    return f"---\nname: {name}\ndescription: Helps with {name}.\n---\n\nDo.\n"


def plugin(folder: Path, **manifest: object) -> Path:
    for name, words in {
        "skills/one/SKILL.md": matter("one"),
        "commands/sub/ship.md": matter("ship"),
        "agents/critic.md": matter("critic"),
        ".claude-plugin/plugin.json": json.dumps({"name": "demo", **manifest}),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return folder


def enabled(project: Project, folder: Path, is_on: bool = True) -> None:
    """As a marketplace that is a folder, which settings name."""
    listing = {"name": "market", "plugins": [{"name": "demo", "source": f"./{folder.name}"}]}
    path = folder.parent / ".claude-plugin" / "marketplace.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(listing))
    source = {"source": {"source": "directory", "path": str(folder.parent)}}
    settings = {"extraKnownMarketplaces": {"market": source}, "enabledPlugins": {KEY: is_on}}
    project.write_for_user("settings.json", json.dumps(settings))


def only(project: Project) -> Plugin:
    [found] = plugins_in(project.place, said_by(project.place), 1_536)
    return found


def test_what_a_plugin_brings_is_named_as_the_client_names_it(
    project: Project, tmp_path: Path
) -> None:
    enabled(project, plugin(tmp_path / "market" / "demo"))
    found = only(project)
    assert (found.key, found.name, found.is_on) == (KEY, "demo", True)
    names = [(one.kind, one.name) for one in found.definitions]
    assert names == [
        ("command", "demo:sub:ship"),
        ("skill", "demo:one"),
        ("agent", "demo:critic"),
    ]
    assert found.definitions[1].line == "- demo:one: Helps with one.\n"
    assert found.definitions[2].line == "- demo:critic: Helps with critic. (Tools: All tools)\n"
    assert (found.servers, found.unseen) == ((), ())


def test_the_clients_own_copy_comes_first(project: Project, tmp_path: Path) -> None:
    enabled(project, plugin(tmp_path / "market" / "demo"))
    copy = plugin(project.claude / "plugins/cache/market/demo/1.0.0")
    elsewhere = plugin(tmp_path / "theirs")
    copies = [
        {"scope": "project", "projectPath": "/srv/other", "installPath": str(elsewhere)},
        {"scope": "user", "installPath": str(copy)},
    ]
    document = {"version": 2, "plugins": {KEY: copies}}
    project.write_for_user("plugins/installed_plugins.json", json.dumps(document))
    assert only(project).folder == os.path.realpath(copy)
    document["plugins"] = {KEY: {"installPath": str(copy)}}  # as older clients wrote it
    project.write_for_user("plugins/installed_plugins.json", json.dumps(document))
    assert only(project).folder == os.path.realpath(copy)


def test_servers_and_what_nobody_sees_used(project: Project, tmp_path: Path) -> None:
    folder = plugin(tmp_path / "market" / "demo", outputStyles="./styles")
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": {"wiki": {"command": "x"}}}))
    (folder / "hooks").mkdir()
    (folder / "hooks/hooks.json").write_text("{}")
    enabled(project, folder)
    found = only(project)
    assert found.servers == ("plugin_demo_wiki",)
    assert found.unseen == ("hooks", "output styles")


def test_further_folders_of_the_manifest_count_and_none_leads_out(
    project: Project, tmp_path: Path
) -> None:
    folder = plugin(
        tmp_path / "market" / "demo", skills=["./more", "../../outside"], commands="/etc"
    )
    for top in (folder / "more", tmp_path / "outside"):
        (top / "extra").mkdir(parents=True)
        (top / "extra/SKILL.md").write_text(matter("extra"))
    os.symlink(tmp_path / "outside/extra", folder / "skills/linked")
    enabled(project, folder)
    names = {one.name for one in only(project).definitions}
    assert names == {"demo:one", "demo:extra", "demo:sub:ship", "demo:critic"}


def test_a_plugin_that_is_off_or_gone_is_told_so(project: Project, tmp_path: Path) -> None:
    enabled(project, plugin(tmp_path / "market" / "demo"), is_on=False)
    assert not only(project).is_on
    project.write_for_user("settings.json", json.dumps({"enabledPlugins": {KEY: True, "x": 1}}))
    assert only(project) == Plugin(KEY, "demo", "", True, (), (), ())


@pytest.mark.parametrize(
    "words", ["", "[]", "{", '{"plugins": 7}', '{"plugins": {"demo@market": 7}}', "[" * 9_999]
)
def test_damaged_files_of_the_client_are_none(project: Project, tmp_path: Path, words: str) -> None:
    enabled(project, plugin(tmp_path / "market" / "demo"))
    for name in ("installed_plugins.json", "known_marketplaces.json"):
        project.write_for_user(f"plugins/{name}", words)
    assert only(project).folder
    listing = tmp_path / "market/.claude-plugin/marketplace.json"
    listing.write_text(words)
    assert only(project).definitions == ()
