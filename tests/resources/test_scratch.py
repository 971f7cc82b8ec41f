"""What lies about: found with care, and chosen only where nobody would miss it."""

import os
import struct
from pathlib import Path

import pytest
from tests.resources.projects import (
    NoHands,
    Project,
    chosen,
    evidence,
    paths_of,
    planned,
    snapshot,
    weights,
)

from tokenbudget.model.actions import NEVER_SENT, Proposal, TrashFile
from tokenbudget.resources.evidence import Evidence
from tokenbudget.resources.scratch import Scratch


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def kind(project: Project, seen: Evidence | None = None) -> Scratch:
    return Scratch(project.place, seen or evidence(), weights(), NoHands())


def plan(project: Project, seen: Evidence | None = None) -> dict[str, Proposal]:
    return planned(kind(project, seen))


def files_of(proposal: Proposal) -> set[str]:
    return {Path(step.path).name for step in proposal.steps if isinstance(step, TrashFile)}


def test_backups_beside_their_originals_are_chosen_and_free_no_tokens(project: Project) -> None:
    for name in ("src/a.py", "src/a.py.orig", "src/a.py~", "notes.md", "notes.md.bak-2"):
        project.write(name, "twelve bytes")
    [proposal] = plan(project).values()

    assert proposal.id == "scratch/backups"
    assert proposal.is_chosen
    assert proposal.freed == NEVER_SENT
    assert proposal.effect == "disk only"
    assert proposal.freed_bytes == 36
    assert "never sent: frees disk, not tokens" in proposal.reason
    assert files_of(proposal) == {"a.py.orig", "a.py~", "notes.md.bak-2"}


def test_steps_name_the_file_that_was_looked_at(project: Project) -> None:
    project.write("a.md")
    path = project.write("a.md.bak", "abc")
    [proposal] = plan(project).values()
    assert proposal.steps == (TrashFile(str(path), 3, path.stat().st_mtime_ns),)


def test_tracked_young_and_lone_files_are_offered_and_not_chosen(project: Project) -> None:
    for name in ("a", "b", "a.bak"):
        project.write(name)
    project.write("b.bak", days=0.5)
    project.write("gone.bak")
    project.git_index("a.bak")
    found = plan(project)

    assert chosen(found) == set()
    assert set(found) == {
        "scratch/backups-tracked",
        "scratch/backups-young",
        "scratch/backups-alone",
    }


def test_an_unreadable_index_keeps_everything(project: Project) -> None:
    for name in ("a", "a.bak", "x.tmp", ".claude/context/old.json"):
        project.write(name)
    project.write(".git/index", b"damaged")
    found = plan(project)
    assert found
    assert chosen(found) == set()


def test_links_pipes_and_second_names_are_never_proposed(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bak"
    outside.write_text("x")
    project.write("a")
    (project.path / "a.bak").symlink_to(outside)
    os.mkfifo(project.path / "a.orig")
    os.link(project.write("a.rej"), project.path / "b")
    (project.path / "folder.tmp").mkdir()
    assert plan(project) == {}


def test_other_repositories_and_made_folders_are_not_entered(project: Project) -> None:
    for folder in ("inner", "node_modules/x", ".claude/sessions/archive", ".claude/worktrees/w"):
        project.write(f"{folder}/a")
        project.write(f"{folder}/a.bak")
    project.write("inner/.git/HEAD")
    assert plan(project) == {}


def test_swap_files_stay_while_they_may_be_needed(project: Project) -> None:
    project.write("old.py", days=10)
    project.write(".old.py.swp", days=20)
    project.write("new.py", days=30)
    project.write(".new.py.swp", days=20)  # newer than its file: words that were never saved
    project.write("used.py", days=10)
    used = b"b0VIM 9.0".ljust(24, b"\0") + struct.pack("<I", os.getpid())
    project.write(".used.py.swp", used, days=20)
    project.write("left.py", days=10)
    left = b"b0VIM 9.0".ljust(24, b"\0") + struct.pack("<I", (1 << 22) - 1)
    project.write(".left.py.swp", left, days=20)
    found = plan(project)

    assert files_of(found["scratch/swap-files"]) == {".old.py.swp", ".left.py.swp"}
    assert files_of(found["scratch/swap-files-unsaved"]) == {".new.py.swp"}
    assert chosen(found) == {"scratch/swap-files"}
    assert ".used.py.swp" not in {Path(path).name for path in paths_of(found)}


def test_context_files_are_stale_when_old_unmentioned_and_unused(project: Project) -> None:
    for name in ("old.json", "named.md", "read.md", "plan/a.md", "plan/b.md", "kept/c.md"):
        project.write(f".claude/context/{name}")
    project.write(".claude/context/token-tracker.json", days=1)
    project.write(".claude/context/.gitignore")
    project.write("CLAUDE.md", "Look into named.md, and at .claude/context/kept first.")
    read = evidence(reads={f"{project.path}/.claude/context/read.md": 10})
    found = plan(project, read)

    assert files_of(found["scratch/stale-context"]) == {"old.json", "a.md", "b.md"}
    assert chosen(found) == {"scratch/stale-context"}


@pytest.mark.parametrize(
    "words", ["Read .claude/context/ first.", "see `.claude/context`", "all in .claude/context."]
)
def test_a_folder_that_is_mentioned_as_a_whole_is_not_stale(project: Project, words: str) -> None:
    project.write(".claude/context/old.json")
    assert set(plan(project)) == {"scratch/stale-context"}
    project.write(".claude/skills/x/SKILL.md", words)
    assert plan(project) == {}


def test_an_old_tracker_is_stale(project: Project) -> None:
    project.write(".claude/context/token-tracker.json", days=40)
    assert set(plan(project)) == {"scratch/stale-context"}


def test_copies_in_rules_are_sent_and_weigh_what_they_say(project: Project) -> None:
    project.write(".claude/rules/api.md", "one two")
    project.write(".claude/rules/api.old.md", "one two three")
    project.write(".claude/rules/api.md.bak", "one two three four")  # no .md: never sent
    found = plan(project)

    sent = found["scratch/sent/.claude/rules/api.old.md"]
    assert (sent.freed.tokens, sent.effect, sent.is_chosen) == (3, "next compaction", True)
    assert files_of(sent) == {"api.old.md"}
    assert files_of(found["scratch/backups"]) == {"api.md.bak"}
    assert len(found) == 2


def test_a_copied_skill_goes_as_a_whole(project: Project) -> None:
    project.skill("deploy")
    project.skill("deploy.bak")
    project.write(".claude/skills/deploy.bak/scripts/run.sh")
    [proposal] = plan(project).values()

    assert proposal.id == "scratch/sent/.claude/skills/deploy.bak"
    assert files_of(proposal) == {"SKILL.md", "run.sh"}
    assert proposal.effect == "next start"
    assert proposal.freed.tokens
    assert proposal.is_chosen


def test_a_copied_command_goes_alone(project: Project) -> None:
    for name in ("ship", "ship copy", "other"):
        project.write(f".claude/commands/{name}.md", "Ship it now.")
    [proposal] = plan(project).values()
    assert files_of(proposal) == {"ship copy.md"}
    assert proposal.freed.tokens == 6  # - ship copy: Ship it now.


def test_a_copied_skill_with_a_link_in_it_is_an_advice(project: Project, tmp_path: Path) -> None:
    project.skill("deploy")
    path = project.skill("deploy.bak")
    os.link(path, tmp_path / "other")
    [proposal] = plan(project).values()
    assert proposal.steps == ()
    assert not proposal.is_chosen


def test_a_copied_agent_of_the_same_name_is_never_sent(project: Project) -> None:
    text = project.agent("critic").read_text()
    project.write(".claude/agents/critic copy.md", text)
    [proposal] = plan(project).values()
    assert proposal.id == "scratch/backups"
    assert proposal.freed == NEVER_SENT


def test_a_copied_agent_with_a_name_of_its_own_is_sent(project: Project) -> None:
    project.agent("critic")
    text = "---\nname: critic-old\ndescription: Acts.\n---\n"
    project.write(".claude/agents/critic copy.md", text)
    [proposal] = plan(project).values()
    assert proposal.effect == "next start"
    assert proposal.freed.tokens


def test_an_imported_copy_is_an_advice(project: Project) -> None:
    project.write("CLAUDE.md", "@notes.old.md")
    project.write("notes.md")
    project.write("notes.old.md")
    found = plan(project)
    assert found["scratch/sent/notes.old.md"].steps == ()
    assert chosen(found) == set()


def test_tracked_and_young_copies_are_not_chosen(project: Project) -> None:
    project.write(".claude/rules/a.md")
    project.write(".claude/rules/a.old.md")
    project.write(".claude/rules/b.md")
    project.write(".claude/rules/b.old.md", days=0.1)
    project.git_index(".claude/rules/a.old.md")
    found = plan(project)
    assert len(found) == 2
    assert chosen(found) == set()


def test_a_persons_own_folder_is_left_alone(project: Project) -> None:
    project.write_for_user("CLAUDE.md")
    project.write_for_user("CLAUDE.md.bak")
    project.write_for_user("rules/a.md")
    project.write_for_user("rules/a.old.md")
    assert plan(project) == {}


def test_a_walk_that_was_cut_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenbudget.resources.looking.Walk.__init__.__kwdefaults__", {
        "most_entries": 3, "most_seconds": 9.0, "skipped": frozenset()
    })  # fmt: skip
    for number in range(9):
        project.write(f"d/{number}")
    found = kind(project)
    found.inventory()
    assert found.notes == ("the walk was ended after 3 entries: not every folder was looked at",)


def test_many_files_are_taken_in_parts(project: Project) -> None:
    for number in range(2_100):
        project.write(f"{number}.tmp", "")
    [proposal] = plan(project).values()
    assert len(proposal.steps) == 2_000


def test_names_cannot_write_to_the_terminal(project: Project) -> None:
    project.write("a\x1b[2Jb.tmp")
    [proposal] = plan(project).values()
    assert "\x1b" not in proposal.title + proposal.reason + proposal.id
    assert "\x1b" not in "".join(item.name for item in kind(project).inventory())


def test_looking_changes_nothing(project: Project, tmp_path: Path) -> None:
    for name in ("a", "a.bak", ".claude/rules/a.md", ".claude/rules/a.old.md", "x.tmp"):
        project.write(name)
    before = snapshot(tmp_path)
    first = plan(project)
    assert plan(project) == first
    assert snapshot(tmp_path) == before
