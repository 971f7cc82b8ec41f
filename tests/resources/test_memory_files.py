"""Memory files: proposals that lose no words."""

import json
import os
from pathlib import Path

import pytest
from tests.resources.projects import (
    NoHands,
    Project,
    chosen,
    evidence,
    planned,
    snapshot,
    weights,
)

from tokenbudget.model.actions import NEVER_SENT, EditSettings, EditText, Proposal
from tokenbudget.resources.memory_files import MemoryFiles

LONG = (
    "This rule has so many words that its repetition in a request is worth a thought. " * 3
    + "Indeed."
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def kind(project: Project) -> MemoryFiles:
    return MemoryFiles(project.place, evidence(), weights(), NoHands())


def plan(project: Project) -> dict[str, Proposal]:
    return planned(kind(project))


def test_every_file_is_told_with_its_weight(project: Project) -> None:
    project.write("CLAUDE.md", "one two three")
    project.write(".claude/rules/a.md", "---\npaths: x\n---\none two")
    items = {item.name: item for item in kind(project).inventory()}

    assert items["CLAUDE.md"].weight.tokens == 3
    assert items["CLAUDE.md"].weight.basis == "estimated"
    assert items[".claude/rules/a.md"].weight == NEVER_SENT
    assert items["CLAUDE.md"].size_bytes == 13


def test_a_copy_of_a_whole_file_is_left_out_by_a_setting(project: Project) -> None:
    project.write("CLAUDE.md", LONG)
    project.write(".claude/CLAUDE.md", LONG + "\n\n")
    [proposal] = plan(project).values()

    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    assert step.path == f"{project.path}/.claude/settings.local.json"
    assert step.edits[0] == (
        ("claudeMdExcludes",),
        f"{project.path}/.claude/CLAUDE.md",
        True,
        False,
    )
    assert proposal.is_chosen
    assert proposal.effect == "next compaction"
    assert proposal.freed.tokens == len(LONG.split())


def test_a_private_copy_of_the_persons_own_file_is_left_out_here_only(project: Project) -> None:
    project.write_for_user("CLAUDE.md", LONG)
    project.write("CLAUDE.md", LONG)
    [proposal] = plan(project).values()
    assert proposal.id == "memory-files/twice/CLAUDE.md"
    assert isinstance(proposal.steps[0], EditSettings)


def test_a_path_that_would_be_a_pattern_is_an_advice(project: Project) -> None:
    project.write("CLAUDE.md", LONG)
    project.write(".claude/rules/what*.md", LONG)
    [proposal] = plan(project).values()
    assert proposal.steps == ()
    assert not proposal.is_chosen
    assert proposal.command


def test_settings_that_cannot_be_changed_leave_advice(project: Project) -> None:
    project.write("CLAUDE.md", LONG)
    project.write(".claude/CLAUDE.md", LONG)
    for content in ("{ not json", "[]"):
        project.write(".claude/settings.local.json", content)
        found = kind(project)
        [proposal] = planned(found).values()
        assert proposal.steps == ()
        assert any("settings.local.json" in note for note in found.notes)


def test_a_repeated_block_is_removed_unless_git_tracks_the_file(project: Project) -> None:
    text = f"# T\n\n## A\n\n{LONG}\n\n## A\n\n{LONG}\n"
    project.write("CLAUDE.md", text)
    [proposal] = plan(project).values()
    [step] = proposal.steps
    assert isinstance(step, EditText)
    assert step.before == text
    assert step.after == f"# T\n\n## A\n\n{LONG}\n"
    assert proposal.is_chosen
    assert proposal.freed_bytes == len(text) - len(step.after)

    project.git_index("CLAUDE.md")
    [proposal] = plan(project).values()
    assert not proposal.is_chosen
    assert "next commit" in proposal.reason


def test_files_that_are_not_the_projects_are_never_edited(project: Project) -> None:
    text = f"{LONG}\n\nx\n\n{LONG}\n"
    project.write_for_user("CLAUDE.md", text)
    (project.home / "CLAUDE.md").write_text(f"{text}y")
    assert plan(project) == {}


def test_links_and_second_names_are_never_edited(project: Project, tmp_path: Path) -> None:
    text = f"{LONG}\n\nx\n\n{LONG}\n"
    project.write("real.md", text)
    (project.path / "CLAUDE.md").symlink_to("real.md")
    assert plan(project) == {}
    (project.path / "CLAUDE.md").unlink()
    os.link(project.path / "real.md", project.path / "CLAUDE.md")
    assert plan(project) == {}


def test_a_named_copy_is_left_to_scratch(project: Project) -> None:
    project.write(".claude/rules/a.md", LONG)
    project.write(".claude/rules/a.old.md", LONG)
    assert plan(project) == {}


def test_a_very_long_file_can_be_moved_but_is_not_unasked(project: Project) -> None:
    text = "# T\n\n" + "".join(f"## S{n}\n\n{'word ' * 2000}\n\n" for n in range(4))
    project.write("CLAUDE.md", text)
    [proposal] = plan(project).values()

    assert not proposal.is_chosen
    *made, last = proposal.steps
    assert isinstance(last, EditText)
    assert last.path == f"{project.path}/CLAUDE.md"
    assert proposal.freed.tokens is not None
    assert proposal.freed.tokens > 3000
    assert made
    for step in made:
        assert isinstance(step, EditText)
        assert step.before is None
        assert Path(step.path).parent == project.path / ".claude/context/memory"
        assert step.after in text  # every moved section stood in the file as it is now


def test_the_links_of_what_moves_are_led_from_its_new_place(project: Project) -> None:
    link = "[a](docs/a.md) `[a](docs/a.md)`"
    text = "# T\n\n" + "".join(f"## S{n}\n\n{link}\n\n{'word ' * 2000}\n\n" for n in range(4))
    project.write(".claude/CLAUDE.md", text)
    [proposal] = plan(project).values()

    *made, last = proposal.steps
    assert made
    for step in made:
        assert isinstance(step, EditText)
        assert "[a](../../docs/a.md) `[a](docs/a.md)`" in step.after
    assert isinstance(last, EditText)
    assert last.after.count(link) == 4 - len(made)


def test_a_file_gets_one_edit_at_a_time(project: Project) -> None:
    long = "".join(f"## S{n}\n\n{'word ' * 4000}\n\n" for n in range(3))
    project.write("CLAUDE.md", f"# T\n\n{LONG}\n\n{long}")
    project.write("CLAUDE.local.md", f"# T\n\n{LONG}\n\nmine")
    # The local file loses what the other keeps: that must not move away in the same run.
    assert set(plan(project)) == {"memory-files/repeated/CLAUDE.local.md"}


def test_a_very_long_file_without_sections_is_an_advice(project: Project) -> None:
    project.write("CLAUDE.md", "word " * 9000)
    [proposal] = plan(project).values()
    assert (proposal.steps, proposal.freed.tokens) == ((), None)


def test_a_link_in_the_way_of_the_new_files_makes_it_an_advice(
    project: Project, tmp_path: Path
) -> None:
    project.write("CLAUDE.md", "".join(f"## S{n}\n\n{'word ' * 4000}\n\n" for n in range(3)))
    (project.path / ".claude").mkdir()
    (tmp_path / "out").mkdir()
    (project.path / ".claude/context").symlink_to(tmp_path / "out")
    [proposal] = plan(project).values()
    assert proposal.steps == ()


def test_escapes_in_names_reach_nobody(project: Project) -> None:
    project.write("CLAUDE.md", LONG)
    project.write(".claude/rules/\x1b]0;x\x07evil\u202e.md", LONG)
    found = kind(project)
    told = json.dumps([*(item.name for item in found.inventory())], ensure_ascii=False)
    told += "".join(p.id + p.title + p.reason + p.command for p in planned(found).values())
    assert not any(sign in told for sign in "\x1b\x07\u202e")


def test_planning_changes_nothing_and_is_the_same_again(project: Project, tmp_path: Path) -> None:
    project.write("CLAUDE.md", f"{LONG}\n\nx\n\n{LONG}\n")
    project.write(".claude/CLAUDE.md", "## A\n\n" + "word " * 6000 + "\n\n## B\n\n" + "w " * 6000)
    before = snapshot(tmp_path)
    first = plan(project)
    assert plan(project) == first
    assert snapshot(tmp_path) == before
    assert len(first) == 2
    assert chosen(first) == {"memory-files/repeated/CLAUDE.md"}


def test_a_fresh_one_plans_nothing(project: Project) -> None:
    assert list(kind(project).plan([])) == []


def test_settings_that_git_tracks_are_told(project: Project) -> None:
    project.write("CLAUDE.md", "Words.\n")
    project.write(".claude/settings.local.json", "{}")
    untracked, tracked = kind(project), kind(project)
    untracked.inventory()
    assert untracked.notes == ()
    project.git_index(".claude/settings.local.json")
    tracked.inventory()
    assert "git tracks .claude/settings.local.json" in tracked.notes[0]
