"""`tokens skills split` and `extract`: shown, done, taken back; what must not be touched is not."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Home
from tests.resources.skill_words import FILLER, SKILL
from tests.resources.test_memory_extracting import MEMORY


@pytest.fixture
def skill(home: Home) -> Path:
    """The folder of a long skill of the person's own."""
    folder = home.claude / "skills" / "ship"
    folder.mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "docs" / "notes.md").write_text("Notes.")
    (folder / "SKILL.md").write_bytes(SKILL.encode())
    return folder


def test_a_preview_changes_nothing(home: Home, skill: Path) -> None:
    done = home.run("skills", "split", str(skill), "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "  SKILL.md" in done.out
    assert "Nothing was changed (--dry-run)." in done.out
    assert (skill / "SKILL.md").read_text() == SKILL
    assert not (skill / "references").exists()


def test_it_is_done_and_taken_back_byte_for_byte(home: Home, skill: Path) -> None:
    told = home.ask("skills", "split", str(skill / "SKILL.md"), "--yes")
    assert told["format"] == "tokenbudget/skills-split/1"
    assert told["share"] < 0.35
    for row in told["rows"]:
        assert (skill / row["reference"]).read_bytes().decode() == row["text"]
    assert (skill / "SKILL.md").read_bytes().decode() == told["core"]
    assert [step["state"] for step in told["steps"]] == ["done"] * (len(told["rows"]) + 1)
    again = home.ask("skills", "split", str(skill), "--yes")
    assert (again["is_split"], again["action"]) == (False, None)
    assert home.run("undo", str(told["action"]), "--yes").code == 0
    assert (skill / "SKILL.md").read_bytes() == SKILL.encode()
    assert not (skill / "references").exists()


def test_nobody_to_ask_is_a_refusal(home: Home, skill: Path) -> None:
    assert home.run("skills", "split", str(skill)).code == 4
    assert (skill / "SKILL.md").read_text() == SKILL


def test_references_that_are_there_stay(home: Home, skill: Path) -> None:
    (skill / "references").mkdir()
    (skill / "references" / "steps.md").write_text("mine")
    told = home.ask("skills", "split", str(skill), "--yes")
    assert (skill / "references" / "steps.md").read_text() == "mine"
    assert "references/steps.md" not in [row["reference"] for row in told["rows"]]


def test_links_that_lead_nowhere_are_told(home: Home, skill: Path) -> None:
    (skill / "docs" / "notes.md").unlink()
    told = home.ask("skills", "split", str(skill), "--dry-run")
    assert told["notes"] == ["leads nowhere: SKILL.md: docs/notes.md"]


def test_when_a_reference_cannot_be_written_the_skill_is_as_it_was(
    home: Home, skill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenbudget.resources.steps import Workshop

    honest = Workshop.apply

    def apply(self: Workshop, step: object) -> object:
        from tokenbudget.model.actions import Outcome

        if str(getattr(step, "path", "")).endswith("background.md"):
            return Outcome("failed", "the disk is full")
        return honest(self, step)  # type: ignore[arg-type]

    monkeypatch.setattr(Workshop, "apply", apply)
    done = home.run("skills", "split", str(skill), "--yes")
    assert done.code == 1
    assert "the disk is full" in done.out
    assert "nothing was taken out" in done.out
    assert (skill / "SKILL.md").read_text() == SKILL


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (SKILL.encode() + b"\xff\xfe", 4, "no UTF-8"),
        (b"---\nname: x\n" + FILLER.encode(), 4, "front matter has no end"),
        (SKILL.partition("---\n# ")[2].encode(), 4, "no front matter"),
        (SKILL.encode() + b"x" * 1_000_000, 4, "more than 1,000,000 bytes"),
        (b"", 4, "no front matter"),
    ],
)
def test_what_is_no_skill_is_refused(
    home: Home, skill: Path, content: bytes, code: int, said: str
) -> None:
    (skill / "SKILL.md").write_bytes(content)
    done = home.run("skills", "split", str(skill), "--yes")
    assert (done.code, said in done.err) == (code, True), done.err
    assert (skill / "SKILL.md").read_bytes() == content


def test_a_plugins_skill_is_refused_for_its_update_would_undo_it(home: Home, skill: Path) -> None:
    place = home.claude / "plugins" / "cache" / "shop" / "1.0" / "skills" / "ship"
    place.parent.mkdir(parents=True)
    skill.rename(place)
    done = home.run("skills", "split", str(place), "--yes")
    assert done.code == 4
    assert "is a plugin's" in done.err


def test_links_and_what_is_not_there_are_refused(home: Home, skill: Path) -> None:
    other = skill.parent / "other"
    other.symlink_to(skill)
    assert home.run("skills", "split", str(other), "--yes").code == 4
    linked = skill.parent / "linked"
    linked.mkdir()
    (linked / "SKILL.md").symlink_to(skill / "SKILL.md")
    assert home.run("skills", "split", str(linked), "--yes").code == 4
    assert home.run("skills", "split", str(skill / "none"), "--yes").code == 3
    assert home.run("skills", "split", str(skill / "docs" / "notes.md"), "--yes").code == 4
    assert (skill / "SKILL.md").read_text() == SKILL


def test_references_that_lead_in_a_circle_are_refused(home: Home, skill: Path) -> None:
    (skill / "docs" / "notes.md").write_text("[more](more.md)")
    (skill / "docs" / "more.md").write_text("[notes](notes.md)")
    done = home.run("skills", "split", str(skill), "--yes")
    assert done.code == 4
    assert "lead in a circle" in done.err


def test_references_behind_a_link_are_not_written(home: Home, skill: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (skill / "references").symlink_to(elsewhere)
    assert home.run("skills", "split", str(skill), "--yes").code == 1
    assert not [*elsewhere.iterdir()]
    assert (skill / "SKILL.md").read_text() == SKILL


def test_a_file_in_the_place_of_the_folder_is_told(home: Home, skill: Path) -> None:
    (skill / "references").write_text("mine")
    assert home.run("skills", "split", str(skill), "--yes").code == 3
    assert (skill / "SKILL.md").read_text() == SKILL


# ── extract ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def memory(home: Home) -> Path:
    """The person's own memory file."""
    home.claude.mkdir(exist_ok=True)
    path = home.claude / "CLAUDE.md"
    path.write_text(MEMORY)
    return path


def test_sections_are_shown_with_what_they_save(home: Home, memory: Path) -> None:
    done = home.run("skills", "extract", str(memory), "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith("2 of 2 sections chosen: ")
    assert memory.read_text() == MEMORY


def test_the_chosen_ones_become_skills_and_come_back(home: Home, memory: Path) -> None:
    told = home.ask("skills", "extract", str(memory), "--only", "2", "--yes")
    assert [row["is_chosen"] for row in told["rows"]] == [False, True]
    skill = home.claude / "skills" / "maps" / "SKILL.md"
    assert skill.read_text() == told["rows"][1]["text"]
    assert "Maps: skill `maps`." in memory.read_text()
    assert "## Storybook" in memory.read_text()
    assert home.run("undo", str(told["action"]), "--yes").code == 0
    assert memory.read_text() == MEMORY
    assert not skill.parent.exists()


@pytest.mark.parametrize("only", ["0", "3", "x", "1,,2", "", "99999999999"])
def test_numbers_that_are_none_are_refused(home: Home, memory: Path, only: str) -> None:
    assert home.run("skills", "extract", str(memory), "--only", only, "--yes").code == 2
    assert memory.read_text() == MEMORY


def test_a_file_that_no_request_brings_along_is_refused(home: Home, memory: Path) -> None:
    other = home.path / "elsewhere"
    other.mkdir()
    (other / "CLAUDE.md").write_text(MEMORY)
    assert home.run("skills", "extract", str(other / "CLAUDE.md"), "--yes").code == 4
    assert home.run("skills", "extract", str(home.claude / "none.md"), "--yes").code == 3


def test_a_memory_file_of_rules_is_left_alone(home: Home, memory: Path) -> None:
    memory.write_text("# Shop\n\n## Rules\n\n" + FILLER * 9)
    told = json.loads(home.run("skills", "extract", str(memory), "--json", "--yes").out)
    assert (told["rows"], told["action"]) == ([], None)
