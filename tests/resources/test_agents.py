"""Custom agents: a line each, denied where nobody starts them."""

import json
from pathlib import Path

import pytest
from tests.resources.projects import NoHands, Project, chosen, evidence, planned, weights

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Proposal
from tokenbudget.resources.agents import Agents
from tokenbudget.resources.evidence import Evidence


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def kind(project: Project, seen: Evidence | None = None) -> Agents:
    return Agents(project.place, seen or evidence(), weights(), NoHands())


def plan(project: Project, seen: Evidence | None = None) -> dict[str, Proposal]:
    return planned(kind(project, seen))


def test_an_agent_that_was_never_started_is_denied(project: Project) -> None:
    project.agent("critic")
    [proposal] = plan(project).values()

    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    assert step.path == project.place.local_settings
    assert step.edits == ((("permissions", "deny"), "Agent(critic)", True, False),)
    assert proposal.effect == "next compaction"
    assert proposal.is_chosen
    assert proposal.freed.tokens == 7  # - critic: Acts as critic. (Tools: Read)


def test_used_new_and_denied_agents_stay(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for name in ("used", "denied"):
        project.agent(name)
    project.agent("new", days=1)
    project.write(".claude/settings.json", json.dumps({"permissions": {"deny": ["Task(denied)"]}}))
    found = kind(project, evidence(agents={"used": 2}))
    items = {item.name: item for item in found.inventory()}
    assert planned(found) == {}
    assert items["denied"].weight == NEVER_SENT
    assert items["used"].uses == 2


def test_with_few_sessions_nothing_is_chosen(project: Project) -> None:
    project.agent("critic")
    found = plan(project, evidence(1))
    assert len(found) == 1
    assert chosen(found) == set()


def test_agents_go_by_the_name_inside_and_need_one(project: Project) -> None:
    project.write(".claude/agents/file.md", "---\nname: inner\ndescription: x\n---\n")
    project.write(".claude/agents/sub/deep.md", "---\nname: deep\ndescription: x\n---\n")
    project.write(".claude/agents/none.md", "just words")
    project.write_for_user("agents/deep.md", "---\nname: deep\ndescription: the person's\n---\n")
    assert set(plan(project)) == {"agents/inner", "agents/deep"}
    items = {item.name: item.path for item in kind(project).inventory()}
    assert items["deep"] == f"{project.path}/.claude/agents/sub/deep.md"


@pytest.mark.parametrize("name", ["a) Bash(rm", "a,b", "*", "x(y"])
def test_a_name_that_would_be_another_rule_is_an_advice(project: Project, name: str) -> None:
    project.write(".claude/agents/a.md", f"---\nname: {json.dumps(name)}\ndescription: x\n---\n")
    [proposal] = plan(project).values()
    assert proposal.steps == ()
    assert not proposal.is_chosen


def test_what_a_memory_file_names_is_offered_and_not_chosen(project: Project) -> None:
    project.agent("critic")
    project.agent("historian")
    project.write("CLAUDE.md", "After every change let the critic agent look.\n")
    found = plan(project)
    assert chosen(found) == {"agents/historian"}
    assert found["agents/critic"].reason.endswith(", but CLAUDE.md names it")
