"""Rules for what programs made, and for nothing that a person or the agent works with."""

import json
import os
from pathlib import Path

import pytest
from tests.resources.projects import NoHands, Project, chosen, evidence, planned, snapshot, weights

from tokenbudget.model.actions import NEVER_SENT, EditSettings, EditText, Proposal
from tokenbudget.resources.evidence import Evidence
from tokenbudget.resources.ignore_rules import IgnoreRules


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def kind(project: Project, seen: Evidence | None = None) -> IgnoreRules:
    return IgnoreRules(project.place, seen or evidence(), weights(), NoHands())


def plan(project: Project, seen: Evidence | None = None) -> dict[str, Proposal]:
    return planned(kind(project, seen))


def rules_of(proposal: Proposal) -> list[object]:
    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    assert {edit.keys for edit in step.edits} == {("permissions", "deny")}
    return [edit.value for edit in step.edits]


def ignored(found: dict[str, Proposal]) -> EditText:
    [step] = found["ignore-rules/claudeignore"].steps
    assert isinstance(step, EditText)
    return step


def test_made_folders_are_denied_and_listed(project: Project) -> None:
    for name in ("node_modules/a.js", "web/package.json", "web/dist/a.js", "web/node_modules/b.js"):
        project.write(name)
    project.write("env/pyvenv.cfg")
    found = plan(project)

    assert rules_of(found["ignore-rules/node_modules"]) == ["Read(./node_modules/**)"]
    assert "wherever it is" in found["ignore-rules/node_modules"].title
    assert rules_of(found["ignore-rules/web/dist"]) == ["Read(/web/dist/**)"]
    assert ignored(found).before is None
    assert ignored(found).after == "node_modules/\n/env/\n/web/dist/\n"
    assert chosen(found) == set(found)
    assert "Claude Code does not" in found["ignore-rules/claudeignore"].reason
    assert "a new file" in found["ignore-rules/claudeignore"].title
    assert found["ignore-rules/env"].effect == "now"
    assert found["ignore-rules/claudeignore"].effect == "disk only"


def test_a_rule_frees_nothing_of_a_request_and_says_what_reading_cost(project: Project) -> None:
    project.write("node_modules/a.js")
    seen = evidence(reads={f"{project.path}/node_modules/a.js": 14_400, "/elsewhere": 9})
    rule = plan(project, seen)["ignore-rules/node_modules"]

    assert rule.freed == NEVER_SENT
    assert rule.weekly.tokens == 1_000  # 14,400 bytes, 3.6 to a token, in four weeks
    assert rule.weekly.error_tokens == 300
    assert "1 read there in the last 30 days came to about 1,000 tokens a week" in rule.reason
    assert plan(project)["ignore-rules/node_modules"].weekly == NEVER_SENT


def test_what_was_read_may_be_needed_and_is_not_hidden_unasked(project: Project) -> None:
    project.write("node_modules/a.js")
    seen = evidence(reads={f"{project.path}/node_modules/a.js": 14_400})
    assert plan(project)["ignore-rules/node_modules"].is_chosen
    assert not plan(project, seen)["ignore-rules/node_modules"].is_chosen


def test_no_rule_is_chosen_that_a_sandbox_would_keep_builds_out_by(project: Project) -> None:
    project.write("node_modules/a.js")
    project.write_for_user("settings.json", json.dumps({"sandbox": {"enabled": True}}))
    rule = plan(project)["ignore-rules/node_modules"]
    assert not rule.is_chosen
    assert "your sandbox" in rule.reason
    assert ignored(plan(project)).after == "node_modules/\n"


def test_names_that_may_be_anybodys_need_their_builder(project: Project) -> None:
    for name in ("build/a", "dist/a", "target/a", "coverage/a"):
        project.write(name)
    assert plan(project) == {}
    project.write("Cargo.toml")
    assert set(plan(project)) == {"ignore-rules/target", "ignore-rules/claudeignore"}


def test_a_link_is_no_made_folder(project: Project, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    project.write("package.json")
    (project.path / "dist").symlink_to(tmp_path / "out")
    (project.path / "node_modules").symlink_to(tmp_path / "out")
    assert plan(project) == {}


@pytest.mark.parametrize("words", ["Types are in node_modules/x.", "never edit `node_modules`"])
def test_what_a_memory_file_names_is_not_hidden(project: Project, words: str) -> None:
    project.write("node_modules/a.js")
    project.write("CLAUDE.md", words)
    assert plan(project) == {}


def test_what_the_agent_edits_is_not_hidden(project: Project) -> None:
    project.write("package.json")
    project.write("dist/a.js")
    assert plan(project, evidence(edits=[f"{project.path}/dist/a.js"])) == {}
    assert plan(project, evidence(edits=[f"{project.path}/dist-old/a.js"])) != {}


def test_tracked_folders_are_offered_and_not_chosen(project: Project) -> None:
    project.write("package.json")
    project.write("dist/a.js")
    project.git_index("dist/a.js")
    found = plan(project)
    assert not found["ignore-rules/dist"].is_chosen
    assert "git tracks" in found["ignore-rules/dist"].reason


def test_with_few_sessions_nothing_is_chosen(project: Project) -> None:
    project.write("node_modules/a.js")
    assert chosen(plan(project, evidence(2))) == set()


@pytest.mark.parametrize(
    "rule", ["Read(./node_modules/**)", "Read(node_modules/)", "Read(**/node_modules/**)"]
)
def test_what_is_denied_already_is_not_proposed(project: Project, rule: str) -> None:
    project.write("node_modules/a.js")
    project.write(".claude/settings.json", json.dumps({"permissions": {"deny": [rule]}}))
    assert set(plan(project)) == {"ignore-rules/claudeignore"}


def test_an_ignore_file_is_added_to_as_it_is(project: Project) -> None:
    project.write("node_modules/a.js")
    project.write(".venv/pyvenv.cfg")
    project.write(".claudeignore", "# mine\r\n/node_modules/\r\nsecrets")
    step = ignored(plan(project))
    assert step.before == "# mine\r\n/node_modules/\r\nsecrets"
    assert step.after == "# mine\r\n/node_modules/\r\nsecrets\r\n.venv/\r\n"


def test_an_ignore_file_that_says_it_all_or_is_no_file_is_left(
    project: Project, tmp_path: Path
) -> None:
    project.write("node_modules/a.js")
    path = project.write(".claudeignore", "node_modules\n")
    assert set(plan(project)) == {"ignore-rules/node_modules"}
    path.unlink()
    (tmp_path / "out").write_text("")
    path.symlink_to(tmp_path / "out")
    assert set(plan(project)) == {"ignore-rules/node_modules"}
    path.unlink()
    os.mkfifo(path)
    assert set(plan(project)) == {"ignore-rules/node_modules"}


def test_large_bundles_get_rules_of_their_own_and_lockfiles_none(project: Project) -> None:
    project.write("static/a.min.js", "x" * 60_000)
    project.write("static/small.min.js", "x")
    project.write("package-lock.json", "x" * 60_000)
    project.write("node_modules/b.min.js", "x" * 60_000)
    found = plan(project)
    assert rules_of(found["ignore-rules/minified"]) == ["Read(/static/a.min.js)"]
    assert set(found) == {
        *("ignore-rules/minified", "ignore-rules/node_modules", "ignore-rules/claudeignore")
    }
    assert "\n/static/a.min.js\n" in ignored(found).after


def test_paths_that_would_be_another_rule_are_left_out(project: Project) -> None:
    for name in ("a*b", "x)y", "[z]", "q\nr", "esc\x1b[2J"):
        project.write(f"{name}/package.json")
        project.write(f"{name}/dist/a.js")
    assert plan(project) == {}


def test_folders_far_below_are_left_out(project: Project) -> None:
    for folder in ("a/b/c/d", "a/b/c"):
        project.write(f"{folder}/package.json")
        project.write(f"{folder}/dist/x.js")
    assert set(plan(project)) == {"ignore-rules/a/b/c/dist", "ignore-rules/claudeignore"}


def test_folders_of_one_plain_name_are_one_rule(project: Project) -> None:
    for folder in ("a", "a/b", "c/d/e/f/g"):
        project.write(f"{folder}/__pycache__/x.pyc")
    seen = evidence(reads={f"{project.path}/{f}/__pycache__/x.pyc": 7200 for f in ("a", "a/b")})
    rule = plan(project, seen)["ignore-rules/__pycache__"]
    assert rules_of(rule) == ["Read(./__pycache__/**)"]
    assert rule.weekly.tokens == 1_000
    edited = evidence(edits=["/elsewhere/__pycache__/x"])
    assert plan(project, edited) == {}


def test_looking_changes_nothing(project: Project, tmp_path: Path) -> None:
    project.write("node_modules/a.js")
    before = snapshot(tmp_path)
    assert plan(project) == plan(project)
    assert snapshot(tmp_path) == before
