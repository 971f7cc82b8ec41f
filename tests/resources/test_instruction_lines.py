"""A line for the agent: added only where that is safe, and never with a word of a transcript."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.drains.catalogue import drain_of
from tokenbudget.model.actions import EditText, Proposal
from tokenbudget.resources.instruction_lines import LINES, _with_line, has_line, line_proposal


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def proposed(project: Path, drain: str = "re-read") -> Proposal | None:
    return line_proposal(str(project), drain)


def after(project: Path) -> str:
    one = proposed(project)
    assert one is not None
    (step,) = one.steps
    assert isinstance(step, EditText)
    return step.after


def test_every_line_is_against_a_drain_and_is_one_line() -> None:
    for drain, line in LINES.items():
        assert drain_of(drain) is not None
        assert line.startswith("- ")
        assert "\n" not in line


def test_it_is_never_chosen_unless_the_person_says_so(project: Path) -> None:
    for drain in LINES:
        one = proposed(project, drain)
        assert one is not None
        assert not one.is_chosen
        assert "a new file that git will show" in one.title
    assert proposed(project, "image") is None


def test_it_is_added_at_the_end_as_the_file_is_written(project: Path) -> None:
    path, line = project / "CLAUDE.md", LINES["re-read"]
    for text, wanted in (
        ("# A\n", f"# A\n\n{line}\n"),
        ("# A\n\n", f"# A\n\n{line}\n"),
        ("- a", f"- a\n{line}\n"),
        ("", f"{line}\n"),
        ("# A\r\n", f"# A\r\n\r\n{line}\r\n"),
    ):
        path.write_bytes(text.encode())
        assert after(project) == wanted
        path.write_bytes(wanted.encode())
        assert has_line(str(project), "re-read")
        assert proposed(project) is None


@given(st.text(max_size=60))
def test_what_stands_there_stays_word_for_word(text: str) -> None:
    made = _with_line(text, "- line")
    assert made.startswith(text)
    assert made.splitlines()[-1] == "- line"


@pytest.mark.parametrize("text", ["<!-- open", "a --> <!--", "```\nx", "~~~\n"])
def test_nothing_is_added_within_a_comment_or_a_code_block(project: Path, text: str) -> None:
    (project / "CLAUDE.md").write_text(text)
    assert proposed(project) is None


def test_what_is_not_a_plain_file_of_ones_own_is_left_alone(project: Path, tmp_path: Path) -> None:
    path = project / "CLAUDE.md"
    path.write_bytes(b"\xff\xfe")
    assert proposed(project) is None
    path.unlink()
    path.mkdir()
    assert proposed(project) is None
    path.rmdir()
    path.symlink_to(tmp_path / "x")
    assert proposed(project) is None
    path.unlink()
    path.write_text("x")
    os.link(path, tmp_path / "second-name")
    assert proposed(project) is None
    assert proposed(tmp_path / "nowhere") is None
