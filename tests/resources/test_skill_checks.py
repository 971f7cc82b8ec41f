"""What is wrong with a skill, and where its links lead; hostile files end the walk and no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.resources.definitions import Definition, DefinitionKind
from tokenbudget.resources.skill_checks import (
    MOST_FILES,
    Attached,
    attached_to,
    faults_in,
    reference_faults,
    references_of,
    unread_skills,
)

GOOD = "---\nname: x\ndescription: Helps.\n---\n\nDo it.\n"


def faults(text: str, kind: DefinitionKind = "skill") -> list[str]:
    one = Definition("x", "/x/SKILL.md", "", False, True, 1, 0, "")
    return faults_in(one._replace(kind=kind), text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD, []),
        ("Do it.\n", ["it has no front matter", "the agent is told its first line instead"]),
        (
            "---\nname: x\nDo it.\n",
            ["its front matter has no end", "the agent is told its first line instead"],
        ),
        (
            "---\nname: x\n---\nDo it.\n",
            ["it has no description", "the agent is told its first line instead"],
        ),
        (GOOD.replace("name: x", "name: x\nname: y"), ["name stands in its front matter twice"]),
        (GOOD.replace("Do it.", ""), ["it has no instructions below the front matter"]),
        (GOOD.replace("Do it", "Do\x1b[2Jit"), ["it holds control characters"]),
        (
            GOOD.replace("Helps.", "a" * 1_540),
            ["the last 4 characters of its description are cut off"],
        ),
    ],
    ids=["good", "none", "no end", "no description", "twice", "empty", "escapes", "long"],
)
def test_each_fault_is_told(text: str, said: list[str]) -> None:
    assert faults(text) == said


def test_an_agent_is_told_no_first_line() -> None:
    assert faults("You are.\n", "agent") == ["it has no front matter"]


def test_a_command_needs_no_front_matter() -> None:
    assert faults("Ship $ARGUMENTS.\n", "command") == []
    assert faults("---\nallowed-tools: Bash\n---\nShip it.\n", "command") == []
    assert faults("---\nShip it.\n", "command") == ["its front matter has no end"]


@given(st.text(max_size=300))
def test_any_text_has_faults_or_none(text: str) -> None:
    assert "" not in faults(text)


def skill(folder: Path, **files: str) -> Path:
    for name, words in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return folder


class TestReferences:
    def test_links_are_followed_from_file_to_file(self, tmp_path: Path) -> None:
        skill(tmp_path, a_md="[b](sub/b.md)", sub__b_md="[gone](../gone.md) [a](../a.md#top)")
        found = references_of(str(tmp_path), "See [a](a.md), [site](https://x.example/y.md).")
        assert found.missing == ("sub/b.md: ../gone.md",)
        assert found.outside == ()
        assert found.circles == (("a.md", "sub/b.md"),)
        assert reference_faults(found) == [
            "a link leads nowhere (sub/b.md: ../gone.md)",
            "a.md and sub/b.md refer to each other",
        ]

    def test_a_circle_through_the_skill_itself_ends_where_it_began(self, tmp_path: Path) -> None:
        text = "[a](a.md)"
        skill(tmp_path, SKILL_md=text, a_md="[back](SKILL.md) [self](a.md)")
        assert references_of(str(tmp_path), text).circles == (("SKILL.md", "a.md"),)

    def test_what_leads_out_is_not_opened(self, tmp_path: Path) -> None:
        inner, sibling = tmp_path / "skills/one", tmp_path / "skills/two"
        skill(inner)
        skill(sibling, SKILL_md="[gone](gone.md)")
        inner.mkdir()
        (tmp_path / "secret.md").write_text("[x](nowhere.md)")
        os.symlink(tmp_path / "secret.md", inner / "link.md")
        text = "[up](../../secret.md) [link](link.md) [two](../two/SKILL.md) [no](../three/x.md)"
        found = references_of(str(inner), text)
        assert found.outside == ("SKILL.md: ../../secret.md", "SKILL.md: link.md")
        assert found.missing == ("SKILL.md: ../three/x.md",)

    def test_code_holds_no_links(self, tmp_path: Path) -> None:
        assert references_of(str(tmp_path), "```\n[a](gone.md)\n```\n`[b](gone.md)`").missing == ()

    def test_many_files_in_a_ring_are_one_circle(self, tmp_path: Path) -> None:
        for number in range(60):
            (tmp_path / f"{number}.md").write_text(f"[next]({(number + 1) % 60}.md)")
        found = references_of(str(tmp_path), "[first](0.md)")
        assert [len(circle) for circle in found.circles] == [60]
        assert len(reference_faults(found)) == 1


class TestAttached:
    def test_files_below_are_counted_and_links_are_not(self, tmp_path: Path) -> None:
        skill(tmp_path, SKILL_md="x", a_md="12345", sub__b_md="123")
        os.symlink("/etc/passwd", tmp_path / "link")
        found = attached_to(str(tmp_path))
        assert (len(found.paths), found.size_bytes, found.is_cut) == (2, 8, False)

    def test_a_heap_of_files_is_not_counted_to_its_end(self, tmp_path: Path) -> None:
        for number in range(MOST_FILES + 3):
            (tmp_path / str(number)).write_text("x")
        assert attached_to(str(tmp_path)).is_cut

    def test_a_folder_that_is_not_there_has_none(self, tmp_path: Path) -> None:
        assert attached_to(str(tmp_path / "gone")) == Attached()


def test_folders_that_are_not_read_are_told_with_why(tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text(GOOD)
    top = tmp_path / "skills"
    for name in ("good", "small", "none", "binary", "large", "huge", "link", "dead", "empty", ".h"):
        (top / name).mkdir(parents=True)
    (top / "good/SKILL.md").write_text(GOOD)
    (top / "small/skill.md").write_text(GOOD)
    (top / "binary/SKILL.md").write_bytes(b"\xff\xfe\x00")
    (top / "large/SKILL.md").write_text("x" * 300_000)
    (top / "huge/SKILL.md").write_text("x" * 3_000_000)
    (top / "empty/SKILL.md").write_text("")
    os.symlink(tmp_path / "outside.md", top / "link/SKILL.md")
    os.symlink(tmp_path / "gone.md", top / "dead/SKILL.md")
    (top / "README.md").write_text("no folder")
    found = {
        Path(one.path).parent.name: (one.why, one.is_clients)
        for one in unread_skills(str(top), (str(top),), sorted(os.listdir(top)))
    }
    assert found == {
        "small": ("it is named skill.md, not SKILL.md", False),
        "none": ("no SKILL.md", False),
        "dead": ("no file", False),
        "binary": ("it is no UTF-8: it is not looked at, though the client reads it", True),
        "large": ("300,000 bytes are too many to be looked at", True),
        "huge": ("3,000,000 bytes are too many to be looked at", False),
        "link": ("a link leads out of here: it is not looked at, though the client reads it", True),
    }


def test_an_empty_skill_has_no_first_line_to_be_told() -> None:
    assert faults("") == [
        "it has no front matter",
        "it has no instructions below the front matter",
    ]
