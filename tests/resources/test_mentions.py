"""What memory files, hooks and definitions name stays on: no transcript tells that it is used."""

import json
import time
from pathlib import Path

import pytest
from tests.resources.projects import Project, evidence

from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.mentions import Mentions, names_in


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def where(project: Project, name: str, **used: dict[str, int]) -> str:
    seen = evidence(skills=used.get("skills"), agents=used.get("agents"))
    return Mentions(project.place, said_by(project.place), seen).where(name)


@pytest.mark.parametrize(
    "text",
    [
        "Ask the wiki server first.", "the MCP server wiki", "Call `wiki` for it.", 'See "wiki".',
        "use /wiki now", "/wiki", "@wiki", "@agent-wiki", "start the wiki agent", "**wiki** is up",
        "allowed: mcp__wiki__search", "mcp__wiki", "---\nskills: [other, wiki]\n---\nx",
        "---\nskills:\n  - wiki\n---\nx",
    ],
)  # fmt: skip
def test_a_plain_word_is_a_name_where_it_is_meant_so(text: str) -> None:
    assert "wiki" in names_in(text)


@pytest.mark.parametrize("text", ["Our wiki is old.", "docs/wiki/start.md", "wikis", "the-wiki"])
def test_and_else_a_word(text: str) -> None:
    assert "wiki" not in names_in(text)


def test_a_name_with_a_hyphen_is_one_wherever_it_stands() -> None:
    assert "test-librarian" in names_in("then let test-librarian look.")
    assert "test-librarian" not in names_in("the test librarian, and test-librarians.py")


def test_memory_files_hooks_and_the_agent_of_the_settings_name_things(project: Project) -> None:
    project.write("CLAUDE.md", "Before a release run release-notes.\n")
    hooks = {"Stop": [{"hooks": [{"type": "mcp_tool", "server": "tracker", "tool": "x"}]}]}
    allowed = {"permissions": {"allow": ["mcp__wiki__search"]}, "hooks": hooks, "agent": "critic"}
    project.write(".claude/settings.json", json.dumps(allowed))
    assert where(project, "release-notes") == "CLAUDE.md"
    assert where(project, "tracker") == where(project, "critic") == ".claude/settings.json"
    assert where(project, "wiki") == ""  # that it is allowed says nothing of a use


def test_what_a_used_agent_brings_along_is_named_and_what_an_unused_one_does_is_not(
    project: Project,
) -> None:
    agent = "---\nname: {}\ndescription: x\nskills: [{}]\n---\nYou are.\n"
    project.write(".claude/agents/a.md", agent.format("busy", "chart-making"))
    project.write(".claude/agents/b.md", agent.format("idle", "slide-deck"))
    project.skill("chart-making", "Then see pdf-filling.")
    project.skill("slide-deck")
    project.skill("pdf-filling")
    used = {"busy": 1}
    assert where(project, "chart-making", agents=used) == ".claude/agents/a.md"
    assert where(project, "pdf-filling", agents=used).endswith("chart-making/SKILL.md")
    assert where(project, "slide-deck", agents=used) == ""
    assert where(project, "pdf-filling") == ""


def test_no_text_names_itself(project: Project) -> None:
    project.skill("fresh-one", "Use fresh-one, and `fresh-one` again.", days=1)
    assert where(project, "fresh-one") == ""


@pytest.mark.parametrize("part", ["/", "`a", "agent ", "mcp__", "a.:-", "a", "@", "- a: ["])
def test_hostile_texts_take_no_time(part: str) -> None:
    begun = time.process_time()
    names_in(part * (300_000 // len(part)))
    names_in("---\n" + part * (60_000 // len(part)) + "\n---\n")
    assert time.process_time() - begun < 2
