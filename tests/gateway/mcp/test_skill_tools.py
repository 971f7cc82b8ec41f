"""Skills for agents that know none: found, loaded, and nothing else read."""

import json
from pathlib import Path

import pytest

from tokenbudget.gateway.mcp.skill_tools import (
    DEFINITIONS,
    MOST_CHARACTERS,
    SkillText,
    find_skills,
    load_skill,
    skill_texts,
)
from tokenbudget.metering.tokenizer import BytePairCounter


@pytest.fixture
def skills(tmp_path: Path) -> list[SkillText]:
    """Two skills, one with references, links out of it and a large file."""
    for name, about in (("deploy", "Deploy the shop to staging."), ("pdf", "Fill PDF forms.")):
        folder = tmp_path / "skills" / name
        (folder / "references").mkdir(parents=True)
        (folder / "SKILL.md").write_text(
            f"---\nname: {name}\ndescription: {about}\n---\n\nDo it.\n"
        )
    deploy = tmp_path / "skills" / "deploy"
    (deploy / "references" / "a.md").write_text("Details.")
    (deploy / "large.txt").write_text("x" * (MOST_CHARACTERS + 10))
    (tmp_path / "secret.md").write_text("secret")
    (deploy / "references" / "out.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "skills" / "linked").symlink_to(tmp_path)
    return skill_texts([str(tmp_path / "skills")])


def test_the_definitions_cost_what_is_promised() -> None:
    count = BytePairCounter().count
    named = [{**one, "name": f"mcp__tokenbudget__{one['name']}"} for one in DEFINITIONS]
    assert sum(count(json.dumps(one, separators=(",", ":"))) for one in named) <= 150


def test_the_skill_that_a_task_calls_for_comes_first(skills: list[SkillText]) -> None:
    assert find_skills(skills, "please deploy this to staging").startswith("deploy — Deploy the")
    assert find_skills(skills, "fill in this pdf").startswith("pdf — ")


def test_what_fits_nothing_is_told_so(skills: list[SkillText]) -> None:
    assert find_skills(skills, "zzz") == "No skill fits; there are: deploy, pdf."
    assert find_skills([], "zzz") == "There are no skills here."


def test_a_skill_is_loaded_with_the_names_of_its_files(skills: list[SkillText]) -> None:
    assert load_skill(skills, "deploy") == "Do it.\n\nFiles: large.txt, references/a.md"
    assert load_skill(skills, "deploy", "references/a.md") == "Details."


@pytest.mark.parametrize(
    "reference",
    [
        *("references/out.md", "../pdf/SKILL.md", "/etc/passwd", "references/../../../secret.md"),
        *("", ".", "references", "no.md", "a\0b", "..\\..\\secret.md", "~/x"),
    ],
)
def test_nothing_outside_of_the_skill_is_read(skills: list[SkillText], reference: str) -> None:
    told = load_skill(skills, "deploy", reference)
    assert told.startswith("deploy has no text file '")
    assert "secret" not in told.replace(reference, "").replace("'..\\..\\secret.md'", "")


def test_a_name_that_is_none_is_answered_with_near_ones(skills: list[SkillText]) -> None:
    assert load_skill(skills, "deplo") == "No skill is named 'deplo'. Near: deploy."
    long = load_skill(skills, "\x1b[31m" + "y" * 9_999)
    assert len(long) < 200
    assert "\x1b" not in long


def test_a_large_file_is_cut_and_says_so(skills: list[SkillText]) -> None:
    told = load_skill(skills, "deploy", "large.txt")
    assert len(told) < MOST_CHARACTERS + 60
    assert "cut at 60,000 characters" in told


def test_a_folder_that_is_a_link_out_is_no_skill(skills: list[SkillText]) -> None:
    assert {one.name for one in skills} == {"deploy", "pdf"}
