"""Every skill, command and agent: what it weighs, what it should be, what all of it frees."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.resources.projects import NOW_MS, NoHands, Project, WordCounter, evidence, snapshot

from tokenbudget.ledger.named_uses import NamedUse
from tokenbudget.model.actions import EditSettings, Proposal
from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.agents import Agents
from tokenbudget.resources.evidence import DAY_MS, Evidence
from tokenbudget.resources.skill_entry import Entry, Inventory
from tokenbudget.resources.skill_inventory import Known, inventory_of
from tokenbudget.resources.skill_states import States, states_of
from tokenbudget.resources.skill_use import Uses
from tokenbudget.resources.skills import Skills
from tokenbudget.resources.weights import Weights

WIDE = Weights(WordCounter(), 1.0, 0.1, window_tokens=1_000_000)
NARROW = Weights(WordCounter(), 1.0, 0.1, window_tokens=200_000)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def used(project: Project, names: Iterable[str]) -> Uses:
    rows = [NamedUse(name, "s", project.place.project, 1, NOW_MS - DAY_MS) for name in names]
    return Uses(rows, (project.place.project,), NOW_MS - 30 * DAY_MS, NOW_MS)


def look(
    project: Project,
    seen: Evidence | None = None,
    weights: Weights = WIDE,
    skills: Iterable[str] = (),
    agents: Iterable[str] = (),
) -> Inventory:
    known = Known(seen or evidence(), weights, used(project, skills), used(project, agents))
    return inventory_of(project.place, said_by(project.place), known)


def states(
    project: Project, found: Inventory, seen: Evidence | None = None, weights: Weights = WIDE
) -> States:
    seen = seen or evidence()
    proposed: list[Proposal] = []
    for kind in (Skills, Agents):
        finder = kind(project.place, seen, weights, NoHands())
        proposed += finder.plan(finder.inventory())
    return states_of(project.place, found, seen, weights, proposed)


def by_name(found: Inventory) -> dict[str, Entry]:
    return {one.name: one for one in found.entries}


def wanted(found: States) -> dict[str, str]:
    """The state that each chosen change sets, by the last part of the proposal's id."""
    return {
        one.proposal.id.partition("/")[2]: one.state
        for one in found.wanted.values()
        if one.proposal.is_chosen
    }


def plugin(project: Project, tmp_path: Path, *, hooks: bool = False) -> None:
    top = tmp_path / "market"
    files = {
        ".claude-plugin/marketplace.json": {
            "plugins": [{"name": "demo", "source": "./demo"}],
        },
        "demo/.claude-plugin/plugin.json": {"name": "demo", "hooks": "./h.json" if hooks else None},
    }
    for name, document in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(json.dumps(document))
    for name in ("skills/one", "skills/two"):
        path = top / "demo" / name / "SKILL.md"
        path.parent.mkdir(parents=True)
        path.write_text(f"---\ndescription: Helps with {path.parent.name} of many.\n---\nDo.\n")
        at = NOW_MS / 1000 - 60 * DAY_MS / 1000
        os.utime(path, (at, at))
    source = {"source": {"source": "directory", "path": str(top)}}
    settings = {"extraKnownMarketplaces": {"m": source}, "enabledPlugins": {"demo@m": True}}
    project.write_for_user("settings.json", json.dumps(settings))


class TestInventory:
    def test_each_says_what_it_weighs_and_who_uses_it(self, project: Project) -> None:
        project.skill("deploy")
        project.write(".claude/skills/deploy/references/more.md", "m" * 360)
        project.agent("critic")
        project.write(".claude/commands/ship.md", "---\ndescription: Ships it.\n---\nDo all.\n")
        found = by_name(look(project, skills=["deploy", "x:ship"], agents=["critic"]))
        deploy, ship, critic = found["deploy"], found["ship"], found["critic"]
        assert (deploy.scope, deploy.definition.kind, deploy.state) == ("project", "skill", "on")
        assert deploy.line.tokens == WordCounter().count(deploy.definition.line)
        assert deploy.body.tokens == 3  # How to deploy.
        assert (len(deploy.attached.paths), deploy.attached_weight.tokens) == (1, 100)
        assert (deploy.used.here, deploy.tiered.tier) == (1, "hot")
        assert (ship.definition.kind, ship.used.here) == ("command", 1)
        assert (critic.definition.kind, critic.used.here) == ("agent", 1)

    def test_a_name_in_two_scopes_is_told_once(self, project: Project) -> None:
        project.skill("twin")
        project.agent("critic")
        mine = project.write_for_user("skills/twin/SKILL.md", "---\ndescription: Mine.\n---\nx\n")
        project.write_for_user("agents/c.md", "---\nname: critic\ndescription: M.\n---\nx\n")
        found = look(project).entries
        skills = {one.scope: one for one in found if one.name == "twin"}
        agents = {one.scope: one for one in found if one.name == "critic"}
        assert (skills["project"].state, skills["user"].state) == ("hidden", "on")
        assert skills["project"].hidden_by == str(mine)
        assert skills["project"].line.tokens == 0
        assert (agents["user"].state, agents["project"].state) == ("hidden", "on")

    def test_settings_say_what_is_told(self, project: Project) -> None:
        for name in ("a", "b", "c", "d"):
            project.skill(name)
        project.agent("critic")
        overrides = {"a": "off", "b": "user-invocable-only", "c": "name-only", "d": "nonsense"}
        settings = {"skillOverrides": overrides, "permissions": {"deny": ["Agent(critic)"]}}
        project.write(".claude/settings.json", json.dumps(settings))
        found = by_name(look(project))
        assert [found[name].state for name in "abcd"] == [*[*overrides.values()][:3], "on"]
        assert found["c"].line.tokens == 2  # - c
        assert found["critic"].state == "off"

    def test_on_a_client_that_knows_no_overrides_they_do_nothing(self, project: Project) -> None:
        project.skill("a")
        project.write(".claude/settings.json", json.dumps({"skillOverrides": {"a": "off"}}))
        seen = evidence()._replace(client_version="2.0.76")
        assert by_name(look(project, seen))["a"].state == "on"
        found = look(project, seen)
        assert wanted(states(project, found, seen)) == {}

    def test_what_the_client_passes_over_is_told(self, project: Project) -> None:
        project.write(".claude/skills/small/skill.md", "x")
        project.write(".claude/skills/bad/SKILL.md", b"\xff\xfe")
        found = by_name(look(project))
        assert {name: one.state for name, one in found.items()} == {
            "small": "broken",
            "bad": "broken",
        }
        assert found["small"].faults == ("it is named skill.md, not SKILL.md",)
        assert found["small"].line.tokens == 0

    def test_hostile_files_are_entries_like_others(self, project: Project, tmp_path: Path) -> None:
        project.write(".claude/skills/a\x1b[2J/SKILL.md", "---\ndescription: \x1b]0;x\x07\n---\n")
        project.write(".claude/skills/deep/SKILL.md", "---\n" + "a:\n" * 5_000 + "---\n")
        project.write(".claude/skills/loop/SKILL.md", "[me](SKILL.md) [a](a.md)")
        project.write(".claude/skills/loop/a.md", "[b](SKILL.md)")
        os.symlink("/", tmp_path / "home/shop/.claude/skills/root")
        os.mkfifo(project.path / ".claude/skills/deep/pipe")
        found = look(project)
        assert {one.name for one in found.entries} == {"a\x1b[2J", "deep", "loop", "root"}
        assert "SKILL.md and a.md refer to each other" in by_name(found)["loop"].faults

    def test_looking_changes_nothing(self, project: Project) -> None:
        project.skill("a")
        before = snapshot(project.home)
        states(project, look(project))
        assert snapshot(project.home) == before


class TestStates:
    def test_what_nobody_used_leaves_the_listing(self, project: Project) -> None:
        project.skill("hot")
        project.skill("cold")
        project.skill("silent", matter="disable-model-invocation: true\n")
        project.agent("critic")
        found = look(project, skills=["hot"])
        seen = evidence(skills={"hot": 1})
        assert wanted(states(project, found, seen)) == {
            "cold": "user-invocable-only",
            "critic": "off",
        }

    def test_what_a_text_names_keeps_its_name(self, project: Project) -> None:
        project.skill("schema-diff")
        project.write("CLAUDE.md", "Use the `schema-diff` skill.\n")
        found = states(project, look(project))
        [one] = found.wanted.values()
        assert one.state == "name-only"
        [step] = one.proposal.steps
        assert isinstance(step, EditSettings)
        assert step.edits[0].value == "name-only"
        line = by_name(look(project))["schema-diff"].definition.line
        assert found.freed_bytes == len(line) - len("- schema-diff\n")

    def test_a_few_sessions_say_nothing(self, project: Project) -> None:
        project.skill("cold")
        assert wanted(states(project, look(project, evidence(3)), evidence(3))) == {}

    def test_the_sum_of_a_full_listing_is_what_the_requests_lose(self, project: Project) -> None:
        for number in range(30):
            project.skill(f"skill-{number:02}", about="words of " * 20)
        found = look(project, weights=NARROW)
        one = states(project, found, evidence(skills={f"skill-{n:02}": 1 for n in range(1, 30)}))
        every = states(project, found, weights=NARROW)
        assert found.listing.is_full
        assert len(every.chosen) == 30
        assert one.freed.tokens == 0
        lines = sum(len(entry.definition.line) for entry in found.entries)
        assert every.freed_bytes == found.listing.without(lines) < lines
        each = sum(proposal.freed.tokens or 0 for proposal in every.chosen)
        assert abs(each - (every.freed.tokens or 0)) <= len(every.chosen)

    def test_a_plugin_of_which_nothing_is_used_is_switched_off_whole(
        self, project: Project, tmp_path: Path
    ) -> None:
        plugin(project, tmp_path)
        found = look(project)
        [one] = states(project, found).wanted.values()
        [step] = one.proposal.steps
        assert isinstance(step, EditSettings)
        assert step.path == project.place.local_settings
        assert step.edits[0].keys == ("enabledPlugins", "demo@m")
        assert step.edits[0].value is False
        assert one.proposal.is_chosen
        assert one.proposal.effect == "next start"
        lines = [entry.line.tokens or 0 for entry in found.entries]
        assert one.proposal.freed.tokens == sum(lines) > 0

    def test_a_plugin_of_which_a_part_is_used_stays(self, project: Project, tmp_path: Path) -> None:
        plugin(project, tmp_path)
        assert states(project, look(project, skills=["demo:one"])).wanted == {}

    def test_a_plugin_that_brings_what_nobody_sees_is_not_chosen(
        self, project: Project, tmp_path: Path
    ) -> None:
        plugin(project, tmp_path, hooks=True)
        [one] = states(project, look(project)).wanted.values()
        assert not one.proposal.is_chosen
        assert "whether its hooks are used cannot be seen" in one.proposal.reason

    def test_settings_that_cannot_be_changed_are_left_alone(
        self, project: Project, tmp_path: Path
    ) -> None:
        project.skill("cold")
        plugin(project, tmp_path)
        project.write(".claude/settings.local.json", "{ no json")
        assert wanted(states(project, look(project))) == {}


class TestTheClientsOwn:
    LISTING = (
        "- dataviz: Charts of every kind, many words.\n- run\n- mine: Words.\n- x:y: Plugin.\n"
    )

    def look(self, project: Project, *skills: str) -> Inventory:
        project.skill("mine")
        known = Known(
            evidence(), WIDE, used(project, skills), used(project, ()), listing=self.LISTING
        )
        return inventory_of(project.place, said_by(project.place), known)

    def test_they_keep_their_names_where_nobody_uses_them(self, project: Project) -> None:
        found = self.look(project)
        mine = {one.name: one for one in found.entries if one.scope == "client"}
        assert set(mine) == {"dataviz", "run"}
        assert mine["dataviz"].faults == ()
        change = states(project, found).wanted["client:dataviz"]
        assert (change.state, change.proposal.is_chosen) == ("name-only", True)
        assert "client:run" not in states(project, found).wanted  # it has no description to lose
        lines = sum(len(one.definition.line) for one in found.entries)
        assert found.listing.characters == lines

    def test_what_is_used_stays_whole(self, project: Project) -> None:
        found = self.look(project, "dataviz")
        assert "client:dataviz" not in states(project, found).wanted

    def test_on_a_client_that_knows_no_overrides_nothing_is_proposed(
        self, project: Project
    ) -> None:
        seen = evidence()._replace(client_version="2.0.76")
        assert states(project, self.look(project), seen).wanted == {}
