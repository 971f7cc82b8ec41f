"""What the client reads as memory, as it was measured; and what is never read for it."""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.resources.projects import Project

from tokenbudget.resources.agent_settings import said_by
from tokenbudget.resources.memory_loading import (
    Loaded,
    imports_of,
    is_excluded,
    loaded,
    sent_of,
    without_comments,
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def load(project: Project) -> Loaded:
    return loaded(project.place, said_by(project.place))


def names(project: Project) -> list[str]:
    return [project.place.name_of(file.path) for file in load(project).files]


def test_the_files_come_in_the_order_of_the_client(project: Project) -> None:
    project.write_for_user("CLAUDE.md")
    project.write_for_user("rules/u.md")
    (project.home / "CLAUDE.md").write_text("above")
    for name in ("CLAUDE.md", "CLAUDE.local.md", ".claude/CLAUDE.md", ".claude/rules/sub/a.md"):
        project.write(name)
    project.write(".claude/rules/a.md.bak")
    project.write("src/CLAUDE.md")  # read with the files beside it, not in every request

    assert names(project) == [
        "~/.claude/CLAUDE.md",
        "~/.claude/rules/u.md",
        "~/CLAUDE.md",
        "CLAUDE.md",
        ".claude/CLAUDE.md",
        ".claude/rules/sub/a.md",
        "CLAUDE.local.md",
    ]
    assert [file.scope for file in load(project).files] == [
        *("user", "user", "parent", "project", "project", "project", "local")
    ]


def test_a_rule_for_paths_is_not_in_every_request(project: Project) -> None:
    project.write(".claude/rules/a.md", "---\npaths: src/**\n---\nwords")
    project.write(".claude/rules/b.md", "---\ntitle: x\n---\nwords")
    by_name = {Path(file.path).name: file for file in load(project).files}
    assert by_name["a.md"].is_conditional
    assert not by_name["b.md"].is_conditional
    assert by_name["b.md"].sent == "words"


def test_imports_go_four_steps_deep_and_end_in_cycles(project: Project) -> None:
    project.write("CLAUDE.md", "see @docs/1.md")
    for number in range(1, 7):
        project.write(f"docs/{number}.md", f"@{number + 1}.md and @../CLAUDE.md\n")
    assert names(project) == ["CLAUDE.md", "docs/1.md", "docs/2.md", "docs/3.md", "docs/4.md"]


def test_code_and_comments_import_nothing() -> None:
    text = "a @one.md\n`@two.md`\n```\n@three.md\n```\n<!--\n@four.md\n-->\n@fi\\ ve.md me@six.org"
    assert imports_of(text) == ["one.md", "fi ve.md"]


@pytest.mark.parametrize(
    "written",
    [
        "@../../etc/passwd",
        "@/etc/passwd",
        "@../outside.md",
        "@~/.ssh/id_rsa",
        "@link.md",
        "@linked/outside.md",
        "@~/.claude/.credentials.json",
        "@~/.claude/CLAUDE.md-not",
    ],
)
def test_imports_that_lead_out_are_never_read(
    project: Project, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = project.home / "outside.md"
    secret.write_text("SECRET")
    for name in (".ssh/id_rsa", ".claude/.credentials.json"):
        (project.home / name).parent.mkdir(exist_ok=True)
        (project.home / name).write_text("SECRET")
    (project.path / "link.md").symlink_to(secret)
    (project.path / "linked").symlink_to(project.home)
    project.write("CLAUDE.md", written + "\n")
    opened: list[str] = []
    before = os.open

    def watched(path: str, *rest: int, **more: int) -> int:
        opened.append(os.path.realpath(path))
        return before(path, *rest, **more)

    monkeypatch.setattr(os, "open", watched)
    found = load(project)

    assert [Path(file.path).name for file in found.files] == ["CLAUDE.md"]
    assert opened
    secrets = ("/etc/passwd", "outside.md", "id_rsa", ".credentials.json")
    assert not [path for path in opened if path.endswith(secrets)]
    if "-not" not in written and "../../" not in written:
        assert "which lies elsewhere: it was not read" in " ".join(found.notes)


def test_a_person_may_import_from_the_agents_folder_but_no_secrets(project: Project) -> None:
    project.write_for_user("CLAUDE.md", "@more.md @.credentials.json")
    project.write_for_user("more.md", "more")
    project.write_for_user(".credentials.json", "SECRET")
    assert names(project) == ["~/.claude/CLAUDE.md", "~/.claude/more.md"]


def test_pipes_and_binaries_are_passed_over_and_named(project: Project) -> None:
    os.mkfifo(project.path / "CLAUDE.md")
    project.write("CLAUDE.local.md", b"\xff\xfe\x00")
    found = load(project)
    assert found.files == ()
    assert len(found.notes) == 2


def test_two_names_of_one_file_are_one(project: Project) -> None:
    project.write("AGENTS.md", "words")
    (project.path / "CLAUDE.md").symlink_to("AGENTS.md")
    (project.path / "CLAUDE.local.md").symlink_to("AGENTS.md")
    assert names(project) == ["CLAUDE.md"]


def test_what_the_settings_leave_out_is_not_loaded(project: Project) -> None:
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", ".claude/rules/[a].md", ".claude/rules/b.md"):
        project.write(name)
    excluded = [
        f"{project.path}/.claude/rules/[a].md",
        "**/.claude/CLAUDE.md",
        ".claude/rules/b.md",
    ]
    project.write(".claude/settings.local.json", json.dumps({"claudeMdExcludes": excluded}))
    assert names(project) == ["CLAUDE.md", ".claude/rules/b.md"]  # a relative one does nothing


def test_a_pattern_is_no_bomb() -> None:
    assert not is_excluded("/a" * 200, ["*a" * 250 + "b"])
    assert not is_excluded("/a", ["*" * 5000])


def test_a_thousand_rules_are_too_many(project: Project) -> None:
    for number in range(320):
        project.write(f".claude/rules/{number}.md", str(number))
    found = load(project)
    assert len(found.files) == 300
    assert any("more memory files" in note for note in found.notes)


def test_comments_and_front_matter_are_not_sent() -> None:
    text = "---\na: b\n---\none\n<!-- gone -->\ntwo <!-- stays -->\n<!--\ngone\n-->\nthree"
    assert sent_of(text) == "one\ntwo <!-- stays -->\nthree"


@pytest.mark.parametrize(
    "text", ["\n<!--" * 150_000, "<!-- a\n-->\n" * 80_000, "<!---->" * 100_000, "`a" * 300_000]
)
def test_comments_without_end_take_no_time(text: str) -> None:
    begin = time.process_time()
    without_comments(text)
    imports_of(text)
    assert time.process_time() - begin < 3


@given(st.text("<!->-a\n ", max_size=60))
def test_what_is_left_was_there(text: str) -> None:
    left = without_comments(text)
    assert len(left) <= len(text)
    assert without_comments("") == ""
    if "<!--" not in text:
        assert left == text
