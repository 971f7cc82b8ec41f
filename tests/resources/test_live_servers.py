"""MCP servers that a running session can do without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.resources.projects import NoHands, Project, WordCounter, chosen, evidence, planned

from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.evidence import Evidence
from tokenbudget.resources.live_servers import LiveServers, rule_against
from tokenbudget.resources.weights import Shown, Weights

LOCAL = ".claude/settings.local.json"
SEEN = evidence(20, offered={"tickets": 20, "wiki": 20, "my_notes": 20}, servers={"wiki": 4})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    servers = {name: {"command": name} for name in ("tickets", "wiki")}
    made.write(".mcp.json", json.dumps({"mcpServers": servers}))
    return made


def plan(project: Project, seen: Evidence = SEEN, *servers: str) -> dict[str, Proposal]:
    shown = [Shown(name, Weight(900, 90, "calibrated"), 3_000) for name in ("tickets", *servers)]
    known = Weights(WordCounter(), servers=shown)
    return planned(LiveServers(project.place, seen, known, NoHands()))


def test_one_that_is_not_called_is_denied_by_a_rule_that_is_read_live(project: Project) -> None:
    found = plan(project)
    assert set(found) == chosen(found) == {"mcp-servers/tickets"}
    one = found["mcp-servers/tickets"]
    edit = SettingEdit(("permissions", "deny"), "mcp__tickets", is_member=True)
    assert one.steps == (EditSettings(project.place.local_settings, (edit,)),)
    assert (one.effect, one.freed) == ("now", Weight(900, 90, "calibrated"))


def test_one_of_any_scope_can_be_denied(project: Project) -> None:
    seen_in_window = plan(project, SEEN, "my_notes")
    assert seen_in_window["mcp-servers/my_notes"].steps
    assert seen_in_window["mcp-servers/my_notes"].is_chosen


def test_one_that_a_text_names_is_left_to_the_person(project: Project) -> None:
    project.write("CLAUDE.md", "Look the order up with the tickets server first.\n")
    one = plan(project)["mcp-servers/tickets"]
    assert (one.steps, one.is_chosen, one.command) == ((), False, "/mcp")


def test_few_sessions_are_told_and_not_chosen(project: Project) -> None:
    one = plan(project, evidence(2, offered={"tickets": 2, "wiki": 2}))["mcp-servers/tickets"]
    assert one.steps
    assert not one.is_chosen


def test_what_is_denied_already_or_our_own_is_not_proposed(project: Project) -> None:
    project.write(LOCAL, json.dumps({"permissions": {"deny": ["mcp__tickets"]}}))
    assert not plan(project, SEEN, "tokenbudget")


def test_settings_that_take_no_edit_leave_advice(project: Project) -> None:
    path = project.write(LOCAL, '{"permissions": {"deny": "all"}}')
    assert plan(project)["mcp-servers/tickets"].steps == ()
    assert path.read_text() == '{"permissions": {"deny": "all"}}'


@pytest.mark.parametrize(
    ("name", "rule"),
    [("tickets", "mcp__tickets"), ("my notes!", "mcp__my_notes_"), ("a.b", "mcp__a_b")],
)
def test_a_rule_spells_a_server_as_its_tools_do(name: str, rule: str) -> None:
    assert rule_against(name) == rule
