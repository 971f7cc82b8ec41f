"""MCP servers: switched off where they were offered and not called."""

import json
import os
from pathlib import Path

import pytest
from tests.resources.projects import (
    NoHands,
    Project,
    WordCounter,
    chosen,
    evidence,
    planned,
    snapshot,
)

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.evidence import Evidence
from tokenbudget.resources.mcp_servers import McpServers
from tokenbudget.resources.weights import Shown, Weights


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def with_servers(project: Project, *names: str, days: float = 60) -> None:
    secret = {"command": "run", "env": {"TOKEN": "SECRET"}}
    servers = dict.fromkeys(names, secret)
    project.write(".mcp.json", json.dumps({"mcpServers": servers}), days)


def known(*servers: str) -> Weights:
    shown = [Shown(name, Weight(400, 40, "calibrated"), 900) for name in servers]
    return Weights(WordCounter(), servers=shown)


def kind(project: Project, seen: Evidence, weights: Weights | None = None) -> McpServers:
    return McpServers(project.place, seen, weights or known(), NoHands())


def plan(project: Project, seen: Evidence, weights: Weights | None = None) -> dict[str, Proposal]:
    return planned(kind(project, seen, weights))


def test_a_server_that_was_offered_and_not_called_is_switched_off(project: Project) -> None:
    with_servers(project, "tracker", "wiki")
    seen = evidence(41, offered={"tracker": 38, "wiki": 38}, servers={"wiki": 3})
    [proposal] = plan(project, seen, known("tracker")).values()

    assert proposal.id == "mcp-servers/tracker"
    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    assert step.edits == (SettingEdit(("disabledMcpjsonServers",), "tracker", is_member=True),)
    assert proposal.is_chosen
    assert proposal.effect == "next start"
    assert proposal.freed == Weight(400, 40, "calibrated")
    assert proposal.reason == "not called in 41 sessions of the last 30 days, offered in 38 of them"


def test_where_nothing_shows_that_it_was_offered_it_is_not_chosen(project: Project) -> None:
    with_servers(project, "tracker")
    for offered in (0, 4):
        [proposal] = plan(project, evidence(41, offered={"tracker": offered})).values()
        assert not proposal.is_chosen
        assert f"offered in {offered} of the 41" in proposal.reason


def test_a_weight_that_no_window_shows_is_unknown(project: Project) -> None:
    with_servers(project, "tracker")
    found = kind(project, evidence(offered={"tracker": 9}))
    assert found.inventory()[0].weight == Weight(None)
    assert planned(found)["mcp-servers/tracker"].freed == Weight(None)


def test_new_and_disabled_servers_stay(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with_servers(project, "off.line")
    disabled = {"disabledMcpjsonServers": ["off_line"]}
    project.write(".claude/settings.local.json", json.dumps(disabled))
    seen = evidence(offered={"off_line": 9, "new": 9})
    found = kind(project, seen)
    weights = {item.name: item.weight for item in found.inventory()}
    assert planned(found) == {}
    assert weights["off.line"] == NEVER_SENT

    with_servers(project, "new", days=2)
    assert plan(project, seen) == {}


def test_resources_that_were_read_are_a_use_of_some_server(project: Project) -> None:
    with_servers(project, "wiki")
    seen = evidence(offered={"wiki": 9})
    assert plan(project, seen)["mcp-servers/wiki"].is_chosen
    found = plan(project, seen._replace(resource_reads=1))["mcp-servers/wiki"]
    assert not found.is_chosen
    assert "do not say of which" in found.reason


def test_names_are_compared_as_their_tools_spell_them(project: Project) -> None:
    with_servers(project, "we.ird", "my__server")
    seen = evidence(offered={"we_ird": 9, "my": 9}, servers={"my": 1})
    assert set(plan(project, seen)) == {"mcp-servers/we.ird"}


def test_a_persons_servers_are_advice_with_the_clients_own_command(project: Project) -> None:
    state = {
        "mcpServers": {"mine": {"env": {"KEY": "SECRET"}}, "x; rm -rf ~": {}},
        "projects": {
            str(project.path): {
                "mcpServers": {"local": {}, "off": {}},
                "disabledMcpServers": ["off"],
            }
        },
    }
    (project.home / ".claude.json").write_text(json.dumps(state))
    seen = evidence(offered={"mine": 9, "local": 9, "off": 9})
    found = kind(project, seen, known("mine"))
    proposals = planned(found)

    assert all(not proposal.steps for proposal in proposals.values())
    assert chosen(proposals) == set()
    commands = {name: proposal.command for name, proposal in proposals.items()}
    assert commands["mcp-servers/mine"] == "claude mcp remove mine -s user"
    assert commands["mcp-servers/local"] == "claude mcp remove local -s local"
    assert "mcp-servers/off" not in commands
    assert "/mcp" in commands.values()  # the one whose name is no word
    assert not any("rm -rf" in command for command in commands.values())
    assert "SECRET" not in repr(found.inventory()) + repr(proposals)


def test_what_the_client_itself_leaves_out_is_not_switched_off_again(project: Project) -> None:
    with_servers(project, "one", "two", "three")
    own = {"disabledMcpServers": ["one"], "disabledMcpjsonServers": ["two"]}
    state = {"projects": {str(project.path): own}}
    project.write_for_user(".claude.json", json.dumps(state))
    seen = evidence(offered=dict.fromkeys(("one", "two", "three"), 9))
    assert set(plan(project, seen)) == {"mcp-servers/three"}


def test_only_the_one_setting_that_works_in_every_client_is_offered(project: Project) -> None:
    with_servers(project, "tracker")
    [proposal] = plan(project, evidence(offered={"tracker": 9})).values()
    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    assert [edit.keys for edit in step.edits] == [("disabledMcpjsonServers",)]


def test_our_own_gateway_is_taken_out_by_our_own_command(project: Project) -> None:
    project.write_for_user(".claude.json", json.dumps({"mcpServers": {"tokenbudget": {}}}))
    [proposal] = plan(project, evidence(offered={"tokenbudget": 9})).values()
    assert proposal.command == "tokens gateway uninstall"


def test_a_state_file_in_the_agents_folder_is_read_instead(project: Project) -> None:
    project.write_for_user(".claude.json", json.dumps({"mcpServers": {"mine": {}}}))
    assert set(plan(project, evidence())) == {"mcp-servers/mine"}


def test_servers_that_only_a_window_shows_are_advice(project: Project) -> None:
    [proposal] = plan(project, evidence(offered={"cloud": 9}), known("cloud")).values()
    assert proposal.command == "/mcp disable cloud"
    assert proposal.freed.tokens == 400


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "{", '{"mcpServers": []}', '{"mcpServers": {"a"', "[" * 100_000]
)
def test_files_that_are_no_configuration_have_no_servers(project: Project, content: str) -> None:
    project.write(".mcp.json", content)
    (project.home / ".claude.json").write_text(content)
    assert plan(project, evidence()) == {}


def test_pipes_and_links_out_are_not_read(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({"mcpServers": {"leaked": {}}}))
    (project.path / ".mcp.json").symlink_to(outside)
    os.mkfifo(project.home / ".claude.json")
    found = kind(project, evidence())
    assert list(found.inventory()) == []
    assert ".mcp.json cannot be read" in found.notes


def test_names_with_escapes_and_lone_surrogates_are_only_text(project: Project) -> None:
    project.write(".mcp.json", '{"mcpServers": {"a\\u001b[2J": {}, "\\ud800": {}, "": {}}}')
    found = kind(project, evidence())
    told = "".join(item.name for item in found.inventory())
    told += "".join(p.id + p.title + p.reason for p in planned(found).values())
    assert "\x1b" not in told
    told.encode()


def test_the_state_file_and_all_others_stay_as_they_are(project: Project, tmp_path: Path) -> None:
    with_servers(project, "tracker")
    (project.home / ".claude.json").write_text(json.dumps({"mcpServers": {"mine": {}}}))
    before = snapshot(tmp_path)
    found = plan(project, evidence(offered={"tracker": 9, "mine": 9}))
    assert snapshot(tmp_path) == before
    for proposal in found.values():
        for step in proposal.steps:
            assert isinstance(step, EditSettings)
            assert ".claude.json" not in step.path


def test_a_server_that_a_hook_calls_is_offered_and_not_chosen(project: Project) -> None:
    with_servers(project, "wiki", "tracker")
    hooks = {"Stop": [{"hooks": [{"type": "mcp_tool", "server": "wiki", "tool": "note"}]}]}
    project.write(".claude/settings.json", json.dumps({"hooks": hooks}))
    found = plan(project, evidence(offered={"wiki": 9, "tracker": 9}))
    assert chosen(found) == {"mcp-servers/tracker"}
    assert ".claude/settings.json names it" in found["mcp-servers/wiki"].reason
