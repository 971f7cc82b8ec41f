"""Skills: a line each, taken out where nobody uses it."""

import hashlib
import json
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
    weights,
)

from tokenbudget.model.actions import NEVER_SENT, EditSettings, Proposal, Weight
from tokenbudget.resources.evidence import Evidence
from tokenbudget.resources.skills import Skills
from tokenbudget.resources.weights import Shown, Weights

WIDE = 1_000_000


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def wide() -> Weights:
    return Weights(WordCounter(), 1.0, 0.1, window_tokens=WIDE)


def kind(project: Project, seen: Evidence | None = None, known: Weights | None = None) -> Skills:
    return Skills(project.place, seen or evidence(), known or wide(), NoHands())


def plan(project: Project, seen: Evidence | None = None) -> dict[str, Proposal]:
    return planned(kind(project, seen))


def override_of(proposal: Proposal) -> tuple[tuple[str, ...], object]:
    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    [edit] = step.edits
    assert not edit.is_member
    return edit.keys, edit.value


def test_an_unused_skill_leaves_the_listing_and_can_still_be_typed(project: Project) -> None:
    project.skill("deploy")
    [proposal] = plan(project).values()

    assert proposal.id == "skills/deploy"
    assert override_of(proposal) == (("skillOverrides", "deploy"), "user-invocable-only")
    assert proposal.steps[0] == EditSettings(
        f"{project.path}/.claude/settings.local.json",
        proposal.steps[0].edits if isinstance(proposal.steps[0], EditSettings) else (),
    )
    assert proposal.is_chosen
    assert proposal.effect == "next compaction"
    assert "20 sessions" in proposal.reason
    line = "- deploy: Helps with deploy in many words that every request carries."
    assert proposal.freed.tokens == WordCounter().count(line)


def test_one_that_nobody_can_type_is_switched_off(project: Project) -> None:
    project.skill("deploy", matter="user-invocable: false\n")
    assert override_of(plan(project)["skills/deploy"])[1] == "off"


def test_commands_have_a_line_too_and_can_still_be_typed(project: Project) -> None:
    project.write(".claude/commands/ship.md", "---\ndescription: Ships it.\n---\nDo.\n")
    project.write(".claude/commands/sub/check.md", "# Check all\n")
    found = plan(project)
    assert set(found) == {"skills/ship", "skills/sub-check-" + found_digest("sub:check")}
    assert {override_of(one)[0][1] for one in found.values()} == {"ship", "sub:check"}
    assert found["skills/ship"].freed.tokens == 4  # - ship: Ships it.


def found_digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def test_used_new_and_silent_skills_stay(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.skill("used")
    project.skill("titled", matter="name: other title\n")
    project.skill("new", days=3)
    project.skill("typed", matter="disable-model-invocation: true\n")
    project.skill("for-paths", matter="paths: src/**\n")
    project.skill("used copy")  # beside its original: `scratch` has it
    project.write(".claude/skills/group/nested/SKILL.md", "---\nname: n\n---\n")
    project.write(".claude/settings.json", json.dumps({"skillOverrides": {"off": "off"}}))
    project.skill("off")
    seen = evidence(skills={"plugin:used": 1, "other title": 2})
    found = kind(project, seen)
    items = {item.name: item for item in found.inventory()}

    assert set(items) == {*("used", "titled", "new", "typed", "for-paths", "used copy", "off")}
    assert planned(found) == {}
    assert items["off"].weight == items["typed"].weight == items["for-paths"].weight == NEVER_SENT
    assert items["used"].uses == 1
    assert items["used"].last_used_ms is not None
    assert items["new"].uses == 0


def test_with_few_sessions_nothing_is_chosen(project: Project) -> None:
    project.skill("deploy")
    found = plan(project, evidence(4))
    assert set(found) == {"skills/deploy"}
    assert chosen(found) == set()
    assert "4 sessions" in found["skills/deploy"].reason


def test_a_persons_skill_is_taken_out_of_this_project_only(project: Project) -> None:
    project.write_for_user("skills/mine/SKILL.md", "---\ndescription: x y\n---\n")
    [proposal] = plan(project).values()
    assert isinstance(proposal.steps[0], EditSettings)
    assert proposal.steps[0].path.startswith(str(project.path))


def test_long_descriptions_weigh_what_the_client_sends_of_them(project: Project) -> None:
    project.skill("long", about="w " * 2000)
    project.write(".claude/settings.json", json.dumps({"skillListingMaxDescChars": 20}))
    assert plan(project)["skills/long"].freed.tokens == 2 + 10


def test_a_full_listing_gives_the_room_to_others(project: Project) -> None:
    for number in range(10):
        project.skill(f"s{number}", about="word " * 100)
    narrow = planned(kind(project, known=Weights(WordCounter(), 1.0, 0.1, window_tokens=200_000)))
    proposal = narrow["skills/s0"]

    assert proposal.freed == Weight(34, 34, "estimated")  # from nothing to two thirds
    assert "others may get the room" in proposal.reason
    assert plan(project)["skills/s0"].freed.tokens == 102


def test_a_seen_listing_says_what_a_line_weighs_and_whether_it_is_full(project: Project) -> None:
    project.skill("deploy", about="x" * 90)
    line_bytes = len("- deploy: " + "x" * 90 + "\n")
    seen = Shown("listing", Weight(1000, 50, "calibrated"), 4000)
    known = Weights(None, listings={"skills": seen}, window_tokens=200_000)
    freed = planned(kind(project, known=known))["skills/deploy"].freed
    assert (freed.tokens, freed.basis) == (round(line_bytes / 4), "calibrated")

    full = Weights(None, listings={"skills": seen._replace(size_bytes=7900)}, window_tokens=200_000)
    assert planned(kind(project, known=full))["skills/deploy"].freed.basis == "estimated"


def test_without_a_counter_the_weight_is_unknown(project: Project) -> None:
    project.skill("deploy")
    found = planned(kind(project, known=Weights(window_tokens=WIDE)))
    assert found["skills/deploy"].freed == Weight(None)


def test_settings_behind_a_link_are_not_written(project: Project, tmp_path: Path) -> None:
    project.skill("deploy")
    (tmp_path / "elsewhere.json").write_text("{}")
    (project.path / ".claude/settings.local.json").symlink_to(tmp_path / "elsewhere.json")
    found = plan(project)
    assert found["skills/deploy"].steps == ()
    assert found["skills/deploy"].command


def test_hostile_skills_are_only_text(project: Project, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("---\nname: leak\ndescription: SECRET\n---\n")
    folder = project.path / ".claude/skills/evil"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").symlink_to(secret)
    project.skill("a\x1b]0;t\x07b", about="\x1b[2J")
    project.write(".claude/skills/binary/SKILL.md", b"\xff\xfe")
    found = kind(project)
    names = [item.name for item in found.inventory()]

    assert names == ["a]0;tb"]
    [proposal] = planned(found).values()
    assert "\x1b" not in proposal.id + proposal.title + proposal.reason
    assert override_of(proposal)[0][1] == "a\x1b]0;t\x07b"  # the settings get the very name


def test_looking_changes_nothing(project: Project, tmp_path: Path) -> None:
    project.skill("deploy")
    before = snapshot(tmp_path)
    assert plan(project) == plan(project)
    assert snapshot(tmp_path) == before


def test_every_kind_passes_its_steps_on(project: Project) -> None:
    with pytest.raises(AssertionError, match="and applied"):
        kind(project).apply(plan_step(project))
    assert weights().of_server("x") == Weight(None)


def plan_step(project: Project) -> EditSettings:
    return EditSettings(project.place.local_settings, ())


def test_what_an_agent_brings_along_is_offered_and_not_chosen(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.skill("slide-deck")
    project.skill("chart-making")
    text = "---\nname: busy\ndescription: x\nskills: chart-making\n---\nYou are.\n"
    project.write(".claude/agents/busy.md", text)
    found = planned(kind(project, evidence(agents={"busy": 3})))
    assert chosen(found) == {"skills/slide-deck"}
    assert ".claude/agents/busy.md names it" in found["skills/chart-making"].reason


def test_of_one_name_the_persons_own_is_told(project: Project) -> None:
    project.skill("twin", about="The project's.")
    mine = project.write_for_user("skills/twin/SKILL.md", "---\ndescription: Mine.\n---\nDo.\n")
    [item] = [one for one in kind(project).inventory() if one.name == "twin"]
    assert item.path == str(mine)


def test_a_client_that_knows_no_overrides_is_left_to_the_person(project: Project) -> None:
    project.skill("deploy")
    [proposal] = plan(project, evidence()._replace(client_version="2.0.76")).values()
    assert (proposal.steps, proposal.is_chosen, proposal.command) == ((), False, "/skills")
    [proposal] = plan(project, evidence()._replace(client_version="2.1.270")).values()
    assert proposal.is_chosen
