"""`tokens skills`: the list, one of them, the one for a task, the change and its undoing."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli.conftest import NOON, Home
from tests.cli.window_sessions import BEGIN, Talk

OLD_SECONDS = 60 * 86_400
SESSIONS = 6


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def shop(home: Home) -> Path:
    """A project with five skills of which one is used, and an agent."""
    shop = home.path / "shop"
    for name in ("deploy", "release-notes", "pdf-filling", "schema-diff", "invoices"):
        about = f'Helps with {name}, as when somebody says "make {name}".'
        text = f"---\nname: {name}\ndescription: {about}\n---\n\nHow to {name}.\n"
        put(shop / f".claude/skills/{name}/SKILL.md", text)
    put(shop / ".claude/agents/critic.md", "---\nname: critic\ndescription: Acts.\n---\nYou.\n")
    put(shop / "CLAUDE.md", "Use the `schema-diff` skill before a migration.\n")
    for number in range(SESSIONS):
        talk = Talk(f"s{number}", cwd=str(shop), begin=BEGIN - timedelta(days=number)).ask()
        if number < 2:
            talk.call("Skill", "done", skill="release-notes")
        talk.answer().write(home)
    return shop


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    at = NOON.timestamp() - OLD_SECONDS
    os.utime(path, (at, at))
    return path


def rows(home: Home, shop: Path) -> dict[str, dict[str, object]]:
    found = home.run("skills", "--project", str(shop), "--json")
    assert found.code == 0, found.err
    assert found.json["format"] == "tokenbudget/skills/1"
    return {row["name"]: row for row in found.json["rows"]}


def test_the_list_says_what_to_do_first(home: Home, shop: Path) -> None:
    done = home.run("skills", "--project", str(shop), COLUMNS="80")
    assert done.code == 0, done.err
    assert done.lines[0].startswith("▲ 6 skills, commands and agents in every request")
    assert "5 changes would" in " ".join(done.lines[:2])
    assert max(map(len, done.lines)) <= 80
    assert any("pdf-filling" in line and "→ typed only" in line for line in done.lines)
    assert any("schema-diff" in line and "→ name only" in line for line in done.lines)
    assert any("release-notes" in line and "hot" in line for line in done.lines)
    assert done.lines[-1].startswith("tokens skills --apply does it")


def test_json_tells_of_each_all_that_is_known(home: Home, shop: Path) -> None:
    found = rows(home, shop)
    used, cold = found["release-notes"], found["pdf-filling"]
    assert (used["tier"], used["uses"], used["uses_here"]) == ("hot", 2, 2)
    assert str(used["last_used_at"]).startswith("2026-11-")
    assert (cold["tier"], cold["wanted_state"]) == ("cold", "user-invocable-only")
    assert (cold["is_chosen"], cold["proposal"]) == (True, "skills/pdf-filling")
    assert cold["triggers"][:1] == ["make pdf-filling"]  # type: ignore[index]
    assert found["schema-diff"]["mentioned_in"] == "CLAUDE.md"
    assert found["critic"]["wanted_state"] == "off"


def test_applying_is_journalled_and_comes_back_byte_for_byte(home: Home, shop: Path) -> None:
    local = put(shop / ".claude/settings.local.json", '{\n  "model": "opus"  \n}')
    dry = home.run("skills", "--project", str(shop), "--apply", "--dry-run")
    assert 'skillOverrides.pdf-filling = "user-invocable-only"' in dry.out
    assert "Nothing was changed" in dry.out
    assert local.read_text() == '{\n  "model": "opus"  \n}'

    done = home.run("skills", "--project", str(shop), "--apply", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.json["is_done"]
    settings = json.loads(local.read_text())
    assert settings["skillOverrides"] == {
        "deploy": "user-invocable-only",
        "invoices": "user-invocable-only",
        "pdf-filling": "user-invocable-only",
        "schema-diff": "name-only",
    }
    assert settings["permissions"] == {"deny": ["Agent(critic)"]}
    after = rows(home, shop)
    assert after["pdf-filling"]["state"] == "user-invocable-only"
    assert after["pdf-filling"]["line_tokens"] == 0
    again = home.run("skills", "--project", str(shop), "--apply", "--yes")
    assert again.out.strip().endswith("Nothing to change.")

    assert home.run("undo", str(done.json["action"]), "--yes").code == 0
    assert local.read_text() == '{\n  "model": "opus"  \n}'


def test_one_alone_can_be_changed(home: Home, shop: Path) -> None:
    done = home.run("skills", "--project", str(shop), "--apply", "deploy", "--yes")
    assert done.code == 0, done.err
    local = json.loads((shop / ".claude/settings.local.json").read_text())
    assert local == {"skillOverrides": {"deploy": "user-invocable-only"}}


def test_without_anybody_to_ask_nothing_is_changed(home: Home, shop: Path) -> None:
    done = home.run("skills", "--project", str(shop), "--apply")
    assert done.code == 4
    assert "--yes does it" in done.err
    assert not (shop / ".claude/settings.local.json").exists()


def test_match_finds_the_skill_for_a_task(home: Home, shop: Path) -> None:
    done = home.run("skills", "match", "notes for the next release", "--project", str(shop))
    assert done.lines[0].endswith("release-notes")
    found = home.run("skills", "match", "make an", "invoice", "--project", str(shop), "--json")
    assert found.json["format"] == "tokenbudget/skills-match/1"
    assert found.json["task"] == "make an invoice"
    assert found.json["rows"][0]["skill"] == "invoices"
    assert "critic" not in {row["skill"] for row in found.json["rows"]}
    said = ("--said", "now the schema diff", "--project", str(shop), "--json")
    assert home.run("skills", "match", "go", *said).json["rows"][0]["skill"] == "schema-diff"
    none = home.run("skills", "match", "xyzzy", "--project", str(shop))
    assert none.code == 1
    assert none.lines[0] == "No skill shares a word with: xyzzy"


def test_show_tells_one_whole(home: Home, shop: Path) -> None:
    done = home.run("skills", "show", "pdf-filling", "--project", str(shop), COLUMNS="80")
    assert done.lines[0] == "pdf-filling · skill · cold"
    assert any(line.startswith("Wanted") for line in done.lines)
    assert max(map(len, done.lines)) <= 80
    one = home.run("skills", "show", "pdf-filling", "--project", str(shop), "--json").json
    assert [row["name"] for row in one["rows"]] == ["pdf-filling"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frobnicate",), "'frobnicate' is no action"),
        (("show",), "name one"),
        (("match", " "), "say what you want to do"),
        (("show", "nothing"), "no skill, command or agent is named 'nothing'"),
        (("--yes",), "belong to --apply"),
        (("--apply", "--yes", "--dry-run"), "do not go together"),
        (("--apply", "release-notes"), "nothing is proposed for 'release-notes'"),
        (("match", "x", "--limit", "0"), "no number"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    home: Home, shop: Path, words: tuple[str, ...], said: str
) -> None:
    done = home.run("skills", *words, "--project", str(shop))
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_an_empty_project_is_taught(home: Home) -> None:
    (home.path / "empty").mkdir()
    done = home.run("skills", "--project", str(home.path / "empty"))
    assert done.code == 0
    assert done.lines[0] == "No skills, commands or agents of your own for ~/empty yet."


def test_hostile_names_and_words_reach_no_terminal(home: Home, shop: Path) -> None:
    words = "---\ndescription: \x1b]0;owned\x07 [red]make[/] \u202etxt\n---\n\x1b[2J\n"
    put(shop / ".claude/skills/evil\x1b[31m/SKILL.md", words)
    put(shop / ".claude/agents/evil.md", "---\nname: a\x1b[2Jb\ndescription: \x9b2J\n---\n")
    for line in (
        ("skills",),
        ("skills", "--all"),
        ("skills", "show", "evil\x1b[31m"),
        ("skills", "match", "owned make \x1b[2J"),
        ("skills", "--apply", "--dry-run"),
    ):
        done = home.run(*line, "--project", str(shop))
        assert done.code in (0, 1), done.err
        shown = done.out + done.err
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown), line
    assert home.run("skills", "--project", str(shop), "--json").json["rows"]


def test_a_name_can_be_typed_as_it_is_shown(home: Home, shop: Path) -> None:
    put(shop / ".claude/skills/two\nlines/SKILL.md", "---\ndescription: Odd.\n---\nDo.\n")
    done = home.run("skills", "show", "two lines", "--project", str(shop))
    assert (done.code, done.lines[0]) == (0, "two lines · skill · cold")


def test_a_skill_that_is_not_read_has_no_tier_and_says_why(home: Home, shop: Path) -> None:
    far = put(home.path.parent / "elsewhere.md", "---\ndescription: Far.\n---\nDo.\n")
    (shop / ".claude/skills/far").mkdir()
    (shop / ".claude/skills/far/SKILL.md").symlink_to(far)
    done = home.run("skills", "show", "far", "--project", str(shop))
    assert done.lines[0] == "far · skill"
    assert "State       not read" in done.lines
    assert done.lines[-1].startswith("! a link leads out of here: it is not looked at")
    assert rows(home, shop)["far"]["line_tokens"] is None, "the client reads it"


def test_sub_verbs_of_other_modules_are_named_in_the_help(home: Home) -> None:
    said = home.run("skills", "--help").out
    assert "tokens skills split FILE" in said
    assert 'match "TASK"' in said
