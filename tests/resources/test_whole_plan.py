"""All kinds on random cluttered projects: nothing outside is touched, and all of it comes back."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.resources.projects import (
    NoHands,
    Project,
    StillClock,
    evidence,
    git_index,
    paths_of,
    planned,
    snapshot,
    weights,
)

from tokenbudget.model.actions import EditSettings, EditText, Outcome, Proposal, Step, TrashFile
from tokenbudget.model.protocols import Resource
from tokenbudget.resources.agents import Agents
from tokenbudget.resources.ignore_rules import IgnoreRules
from tokenbudget.resources.kind import Hands, Kind
from tokenbudget.resources.mcp_servers import McpServers
from tokenbudget.resources.memory_files import MemoryFiles
from tokenbudget.resources.scratch import Scratch
from tokenbudget.resources.skills import Skills
from tokenbudget.resources.steps import Workshop
from tokenbudget.system.kept import Kept
from tokenbudget.system.trash import Trash

KINDS: tuple[type[Kind], ...] = (Scratch, MemoryFiles, Skills, Agents, McpServers, IgnoreRules)
LONG = "This rule is so long that its repetition in a request is worth a thought. " * 4

NAMES = st.sampled_from(
    [
        *("CLAUDE.md", "CLAUDE.local.md", ".claude/CLAUDE.md", "CLAUDE copy.md", "CLAUDE.md.bak"),
        *(".claude/rules/a.md", ".claude/rules/a.old.md", ".claude/rules/b copy.md"),
        *(".claude/rules/b.md", ".claude/rules/c*.md", ".claude/rules/\x1b[2J.md"),
        *(".claude/skills/x/SKILL.md", ".claude/skills/x.bak/SKILL.md", ".claude/skills/x.bak/y"),
        *(".claude/skills/sp ace/SKILL.md", ".claude/agents/a.md", ".claude/agents/a copy.md"),
        *(".claude/settings.json", ".claude/settings.local.json", ".mcp.json", ".claudeignore"),
        *(".claude/context/old.json", ".claude/context/memory/claude-a.md", "AGENTS.md"),
        *(
            "src/app.py",
            "src/app.py~",
            "src/.app.py.swp",
            "src/app.py.orig",
            "a.tmp",
            "package.json",
        ),
        *("dist/a.js", "node_modules/a/b.js", "inner/.git/x", "inner/a.bak", "docs/more.md"),
        *("static/x.min.js", ".git/index", "\udcff.tmp"),
        *(".claude/commands/a.md", ".claude/commands/a.old.md", ".claude/agents/b.md"),
    ]
)
MATTER = "---\nname: {0}\ndescription: Does {0} in some words.\n---\n\n"
CONTENTS = st.sampled_from(
    [
        b"",
        b"words\n",
        LONG.encode(),
        f"# T\n\n## A\n\n{LONG}\n\n## A\n\n{LONG}\n".encode(),
        f"# T\r\n\r\n{LONG}\r\n\r\nx\r\n\r\n{LONG}".encode(),
        ("# T\n\n" + "".join(f"## S{n}\n\n{'word ' * 3000}\n\n" for n in range(3))).encode(),
        b"@docs/more.md @../../../etc/passwd @AGENTS.md",
        MATTER.format("x").encode(),
        MATTER.format("a b").encode(),
        b'{"permissions": {"deny": ["Read(./x)"]}, "other": [1, 2]}',
        b'{\n\t"skillOverrides": {"x": "on"}\n}\n',
        b'{"mcpServers": {"tracker": {"command": "x"}, "wi.ki": {}}}',
        b"{ broken",
        b"\xff\xfe\x00",
        b"x" * 60_000,
        git_index(["CLAUDE.md", "src/app.py.orig", ".claude/rules/a.old.md"]),
    ]
)
FILES = st.dictionaries(NAMES, st.tuples(CONTENTS, st.sampled_from([0.1, 3, 60])), max_size=16)
LINKS = st.dictionaries(
    NAMES, st.sampled_from(["../secret", "/etc/passwd", "CLAUDE.md", "src"]), max_size=2
)


class Laid(Project):
    """A project with these files and links, and a secret beside it."""

    def __init__(
        self, top: Path, files: dict[str, tuple[bytes, float]], links: dict[str, str]
    ) -> None:
        super().__init__(top)
        (self.home / "secret").mkdir()
        (self.home / "secret/notes.bak").write_text("secret")
        self.write_for_user("CLAUDE.md", LONG)
        self.write_for_user("skills/mine/SKILL.md", MATTER.format("mine"))
        (self.home / ".claude.json").write_text('{"mcpServers": {"mine": {}}}')
        for name, target in links.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_symlink():
                path.symlink_to(target)
        for name, (content, days) in files.items():
            if not any(
                part.is_symlink() for part in [self.path / name, *(self.path / name).parents]
            ):
                self.write(name, content, days)


def kinds(project: Project, hands: Hands) -> list[Resource]:
    seen = evidence(20, offered={"tracker": 20, "wi_ki": 20})
    return [kind(project.place, seen, weights(), hands) for kind in KINDS]  # type: ignore[misc]


def plan(project: Project, hands: Hands) -> dict[str, tuple[Resource, Proposal]]:
    found: dict[str, tuple[Resource, Proposal]] = {}
    for kind in kinds(project, hands):
        for name, proposal in planned(kind).items():
            assert name not in found
            assert proposal.resource == kind.name
            found[name] = (kind, proposal)
    return found


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, LINKS)
def test_planning_stays_in_the_project_and_changes_nothing(
    files: dict[str, tuple[bytes, float]], links: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as top:
        project = Laid(Path(top), files, links)
        before = snapshot(Path(top))
        found = plan(project, NoHands())

        assert snapshot(Path(top)) == before
        proposals = {name: proposal for name, (_, proposal) in found.items()}
        for path in paths_of(proposals):
            folder, name = os.path.split(path)
            assert os.path.realpath(folder) == folder  # no link on the way
            assert path.startswith(f"{project.path}/")
            assert name != ".claude.json"
            assert "/.git/" not in path
        for proposal in proposals.values():
            assert proposal.is_chosen <= bool(proposal.steps)
            assert bool(proposal.steps) or bool(proposal.command)
            told = proposal.id + proposal.title + proposal.reason + proposal.command
            assert told.isprintable()
        again = {name: one for name, (_, one) in plan(project, NoHands()).items()}
        assert again == proposals


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, LINKS, st.booleans())
def test_everything_that_is_done_comes_back_byte_by_byte(
    files: dict[str, tuple[bytes, float]], links: dict[str, str], with_all: bool
) -> None:
    with tempfile.TemporaryDirectory() as top:
        project = Laid(Path(top), files, links)
        data = Path(os.path.realpath(top)) / "data"
        hands = Workshop(
            Trash(str(data), StillClock()),
            Kept(str(data)),
            [str(project.path)],
            StillClock(),
        )
        outside = snapshot(project.home)
        before = snapshot(project.path, with_times=False)
        done: list[tuple[Resource, Step, Outcome]] = []
        for kind, proposal in plan(project, hands).values():
            if proposal.is_chosen or with_all:
                for step in proposal.steps:
                    outcome = kind.apply(step)
                    assert outcome.state in ("done", "unchanged"), (proposal.id, outcome)
                    assert kind.verify(step, outcome) == ""
                    if isinstance(step, EditSettings):
                        json.loads(Path(step.path).read_text("utf-8-sig"))
                    done.append((kind, step, outcome))
        for kind, step, outcome in reversed(done):
            if outcome.state == "done":
                assert kind.revert(step, outcome).state == "undone", step
        after = snapshot(project.path, with_times=False)
        assert {k: v for k, v in after.items() if k in before or v[1] is not None} == before
        shop = f"{project.path.name}/"
        left = {k: v for k, v in snapshot(project.home).items() if not k.startswith(shop)}
        was = {k: v for k, v in outside.items() if not k.startswith(shop)}
        left.pop(project.path.name)
        was.pop(project.path.name)
        assert left == was


def test_every_kind_is_a_resource_with_a_name_of_its_own(tmp_path: Path) -> None:
    found = kinds(Project(tmp_path), NoHands())
    assert [kind.name for kind in found] == [
        *("scratch", "memory-files", "skills", "agents", "mcp-servers", "ignore-rules")
    ]
    for kind in found:
        assert list(kind.inventory()) == []
        assert list(kind.plan([])) == []


def test_steps_are_of_kinds_that_can_be_taken_back(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("CLAUDE.md", LONG)
    project.write(".claude/CLAUDE.md", LONG)
    project.skill("deploy")
    project.write("a.tmp")
    project.write("node_modules/a.js")
    steps = [step for _, one in plan(project, NoHands()).values() for step in one.steps]
    assert {type(step) for step in steps} == {TrashFile, EditSettings, EditText}
