"""`tokens install` and `tokens uninstall` as a person has them."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Home

from tokenbudget.app import installing_client
from tokenbudget.config.settings import Settings
from tokenbudget.gateway.daemon.status import DaemonStatus
from tokenbudget.gateway.hook_files import is_our_hook_command
from tokenbudget.gateway.statusline_files import chained_command, statusline_command
from tokenbudget.model.figures import text_width
from tokenbudget.model.protocols import Clock
from tokenbudget.resources.client_features import features_in_common

VERSION = ("--client-version", "2.1.329")
MIDDLE = ("--client-version", "2.1.270")
OLD = ("--client-version", "2.0.76")
PLUGIN = ("--only", "plugin")
MINE = '{\n    "model": "opus",   // mine\n\t"hooks": {}\n}\n'
THEIRS = '{ "statusLine": {"type": "command", "command": "theirs"} }'
EVIL = "\x1b[2J\u202eevil\x07"


@pytest.fixture
def agent(home: Home) -> Path:
    """The agent's folder of a person who has used it."""
    home.claude.mkdir()
    return home.claude


def tree(top: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(top)): (path.read_bytes() if path.is_file() else b"", mode_of(path))
        for path in sorted(top.rglob("*"))
        if "tokens/" not in str(path.relative_to(top.parent))
    }


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def actions(home: Home) -> list[Any]:
    rows = home.ask("undo", "--list")["rows"]
    assert isinstance(rows, list)
    return rows


def wired_events(path: Path) -> set[str]:
    document = json.loads(path.read_text())
    return {
        event
        for event, groups in document.get("hooks", {}).items()
        for group in groups
        if any(is_our_hook_command(hook.get("command")) for hook in group["hooks"])
    }


# ── the usual way ────────────────────────────────────────────────────────────────────────────────


def test_a_dry_run_shows_the_plan_and_changes_nothing(home: Home, agent: Path) -> None:
    done = home.run("install", "--dry-run", *VERSION)
    assert (done.code, done.err) == (0, "")
    for words in ("statusLine", "SessionStart", "/sc:mode", "It costs", "tokens in every request"):
        assert words in done.out
    assert done.lines[-1] == "Nothing was changed (--dry-run)."
    assert list(agent.iterdir()) == []
    assert actions(home) == []


def test_the_plan_says_that_results_are_shortened_and_kept(home: Home, agent: Path) -> None:
    def notes(*arguments: str) -> str:
        return " ".join(home.ask("install", "--dry-run", *VERSION, *arguments)["notes"])

    assert "tokens recall has the originals on this disk for 30 days" in notes()
    assert "recall" not in notes("--only", "statusline")
    home.run("config", "set", "spill.keep_days", "7")
    assert "for 7 days" in notes()
    home.run("config", "set", "trim.on", "false")
    assert "recall" not in notes()


def test_installing_and_uninstalling_leaves_every_byte(home: Home, agent: Path) -> None:
    (agent / "settings.json").write_text(MINE)
    before = tree(agent)
    done = home.run("install", "--yes", *VERSION)
    assert done.code == 0
    assert "holds comments" in done.out
    assert "Installed, but for what is said above." in done.out
    assert "passes over the whole file" in " ".join(done.out.split())
    assert "tokens doctor" in done.lines[-2]
    assert (agent / "commands" / "sc" / "mode.md").exists()
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


def test_an_agent_that_never_ran_has_no_folder_afterwards(home: Home) -> None:
    home.run("install", "--yes", *VERSION)
    assert mode_of(home.claude) == 0o700
    assert home.run("uninstall", "--yes").code == 0
    assert not home.claude.exists()


@pytest.mark.parametrize("only", ["commands", "hooks"])
def test_a_folder_in_a_folder_that_was_not_there_goes_as_well(home: Home, only: str) -> None:
    deep = str(home.path / "a" / "b" / "agent")
    for verb in (("install", "--only", only, *VERSION), ("uninstall",)):
        assert home.run(*verb, "--yes", CLAUDE_CONFIG_DIR=deep).code == 0
        assert Path(deep).exists() == (verb[0] == "install")
    assert not (home.path / "a").exists()


def test_the_second_time_nothing_is_done(home: Home, agent: Path) -> None:
    home.run("install", "--yes", *VERSION)
    before, count = tree(agent), len(actions(home))
    done = home.run("install", *VERSION)  # it has nothing to ask
    assert done.code == 0
    assert done.lines == [
        "Already installed: statusline, hooks (11 events), commands, skill.",
        "Nothing was changed. What works: tokens doctor",
    ]
    assert home.ask("install", *VERSION)["is_already_installed"] is True
    assert (tree(agent), len(actions(home))) == (before, count)


# ── a rule for recall ─────────────────────────────────────────────────────────────────────────────

RULE = "Bash(tokens recall:*)"


def allowed(agent: Path) -> list[str]:
    """What the settings let the agent do unasked."""
    document = json.loads((agent / "settings.json").read_text())
    return list(document.get("permissions", {}).get("allow", []))


def says(agent: Path, **told: object) -> None:
    (agent / "settings.json").write_text(json.dumps(told, indent=2) + "\n")


def test_without_being_asked_for_no_rule_is_written_and_the_way_is_told(
    home: Home, agent: Path
) -> None:
    done = home.run("install", "--yes", *VERSION)
    assert allowed(agent) == []
    assert "tokens install --allow-recall" in " ".join(done.out.split())
    assert "the agent asks before tokens recall" in " ".join(
        home.run("doctor", "--wiring").out.split()
    )


@pytest.mark.parametrize("told", [{}, {"permissions": {"allow": ["Bash(ls:*)"], "deny": ["Edit"]}}])
def test_a_rule_for_recall_is_planned_written_once_and_taken_out(
    home: Home, agent: Path, told: dict[str, object]
) -> None:
    says(agent, **told)
    before = tree(agent)
    plan = " ".join(home.run("install", "--dry-run", "--allow-recall", *VERSION).out.split())
    assert f"permissions.allow: {RULE}" in plan
    assert "also what other sessions did" in plan
    done = home.run("install", "--yes", "--allow-recall", *VERSION)
    assert (done.code, allowed(agent)[-1]) == (0, RULE)
    assert "--allow-recall" not in done.out
    there, count = tree(agent), len(actions(home))
    again = home.run("install", "--allow-recall", *VERSION)
    assert again.lines[0].endswith("commands, skill, recall.")
    assert (tree(agent), len(actions(home))) == (there, count)
    assert RULE in home.run("doctor", "--wiring").out
    assert RULE in home.run("uninstall", "--dry-run").out
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


def test_a_rule_stays_where_the_rest_is_wired_anew(home: Home, agent: Path) -> None:
    says(agent)
    before = tree(agent)
    home.run("install", "--yes", "--allow-recall", *VERSION)
    home.run("install", "--yes", *OLD)
    assert allowed(agent) == [RULE]
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


def test_a_rule_that_a_person_took_out_does_not_come_back(home: Home, agent: Path) -> None:
    home.run("install", "--yes", "--allow-recall", *VERSION)
    document = json.loads((agent / "settings.json").read_text())
    document["permissions"]["allow"] = []
    says(agent, **document)
    home.run("install", "--yes", *OLD)
    assert allowed(agent) == []


def test_a_persons_own_rule_is_theirs(home: Home, agent: Path) -> None:
    says(agent, permissions={"allow": [RULE]})
    before = tree(agent)
    home.run("install", "--yes", "--allow-recall", *VERSION)
    assert allowed(agent) == [RULE]
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


def test_the_rule_goes_alone_as_well(home: Home, agent: Path) -> None:
    assert home.run("install", "--yes", "--only", "recall", *VERSION).code == 0
    assert allowed(agent) == [RULE]
    assert home.run("install", "--yes", *VERSION).code == 0
    assert allowed(agent) == [RULE]
    assert home.run("uninstall", "--yes").code == 0
    assert not (agent / "settings.json").exists()


@pytest.mark.parametrize("permissions", ["none", {"allow": "Bash"}])
def test_rules_of_another_kind_are_left_alone(home: Home, agent: Path, permissions: object) -> None:
    says(agent, permissions=permissions)
    done = home.run("install", "--yes", "--allow-recall", *VERSION)
    assert done.code == 1
    assert "cannot be changed safely" in " ".join(done.out.split())
    document = json.loads((agent / "settings.json").read_text())
    assert document["permissions"] == permissions
    assert "hooks" in document


def test_without_anybody_to_ask_nothing_is_done(home: Home, agent: Path) -> None:
    done = home.run("install", *VERSION)
    assert done.code == 4
    assert "--yes" in done.err
    assert list(agent.iterdir()) == []


def test_uninstalling_nothing_says_so(home: Home, agent: Path) -> None:
    (agent / "settings.json").write_text(MINE)
    done = home.run("uninstall")
    assert (done.code, done.out) == (0, "Nothing of tokens is installed here.\n")


def test_undo_takes_an_installation_back(home: Home, agent: Path) -> None:
    (agent / "settings.json").write_text(MINE)
    before = tree(agent)
    home.run("install", "--yes", *VERSION)
    assert home.run("undo", "--yes").code == 0
    assert tree(agent) == before
    assert home.run("uninstall").lines == ["Nothing of tokens is installed here."]


def test_json_tells_the_plan_and_what_was_done(home: Home, agent: Path) -> None:
    plan = home.ask("install", "--dry-run", *VERSION)
    assert plan["format"] == "tokenbudget/install/1"
    assert (plan["is_done"], plan["action"], plan["client_version"]) == (False, None, "2.1.329")
    assert {row["component"] for row in plan["rows"]} == {
        "statusline",
        "hooks",
        "commands",
        "skill",
    }
    assert 0 < plan["cost"]["listing_tokens"] < 100
    assert plan["cost"]["first_request_tokens_at_most"] <= 300
    done = home.ask("install", "--yes", *VERSION)
    assert (done["is_done"], done["faults"]) == (True, [])
    assert done["action"] == actions(home)[0]["id"]
    out = home.ask("uninstall", "--yes")
    assert (out["format"], out["is_done"]) == ("tokenbudget/uninstall/1", True)
    assert len(out["rows"]) == len(done["rows"])


@pytest.mark.parametrize("width", [44, 60, 100])
def test_every_line_fits_its_width(home: Home, agent: Path, width: int) -> None:
    (agent / "settings.json").write_text('{"statusLine": {"type": "command", "command": "é"}}')
    own = agent / "commands" / "tokens.md"
    own.parent.mkdir()
    own.write_text("mine")
    for arguments in (("install", "--yes", *OLD), ("install",), ("uninstall", "--yes")):
        done = home.run(*arguments, COLUMNS=str(width), PATH="/nonexistent")
        assert max(map(text_width, done.lines)) <= width


def test_the_printed_command_is_the_one_that_is_wired(home: Home, agent: Path) -> None:
    printed = home.run("install", "--print-statusline-command")
    home.run("install", "--yes", "--only", "statusline", *VERSION)
    wired = json.loads((agent / "settings.json").read_text())["statusLine"]["command"]
    assert printed.out == wired + "\n"
    as_json = home.ask("install", "--print-statusline-command")
    assert as_json["statusline_command"] == wired


def test_only_some_components(home: Home, agent: Path) -> None:
    home.run("install", "--yes", "--only", "commands", *VERSION)
    assert sorted(path.name for path in agent.iterdir()) == ["commands"]
    home.run("install", "--yes", "--only", "hooks", *VERSION)
    assert list(json.loads((agent / "settings.json").read_text())) == ["hooks"]
    home.run("uninstall", "--yes")
    assert list(agent.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--only", "statuslin"),
        ("--only", ","),
        ("--only", "plugin,hooks"),
        ("--client-version", "new"),
        ("--scope", "machine"),
        ("--dry-run", "--yes"),
        ("--http-hooks", *OLD),
        ("--model", "--no-model"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    home: Home, agent: Path, arguments: tuple[str, ...]
) -> None:
    done = home.run("install", *arguments)
    assert done.code == 2
    assert done.err.startswith("tokens: ")
    assert list(agent.iterdir()) == []


def test_the_small_model_can_be_left_out(home: Home, agent: Path) -> None:
    home.run("install", "--yes", "--no-model", *VERSION)
    assert "model:" not in (agent / "commands" / "tokens.md").read_text()
    home.run("install", "--yes", *VERSION)
    assert "model: haiku" in (agent / "commands" / "tokens.md").read_text()
    home.run("uninstall", "--yes")
    assert list(agent.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "has_model", "note"),
    [
        (VERSION, True, ""),
        ((), True, ""),
        (MIDDLE, False, "/tokens without `model: haiku`: 2.1.270 means haiku-4-5 by it"),
        (("--client-version", "2.1.300"), False, "2.1.300 may mean haiku-4-5 by it"),
        ((*MIDDLE, "--model"), True, "2.1.270 means haiku-4-5 by `model: haiku`"),
        ((*MIDDLE, "--no-model"), False, ""),
        ((*VERSION, "--no-model"), False, ""),
    ],
)
def test_commands_name_the_small_model_where_it_is_cheap(
    home: Home, agent: Path, arguments: tuple[str, ...], has_model: bool, note: str
) -> None:
    done = home.run("install", "--yes", *arguments, PATH="/nonexistent")
    for path in agent.glob("commands/**/*.md"):
        assert ("\nmodel: haiku\n" in path.read_text()) == has_model
    assert note in " ".join(done.out.split())
    assert ("haiku" in done.out) == bool(note)
    assert "Already installed" in home.run("install", *arguments, PATH="/nonexistent").out


@pytest.mark.parametrize(
    ("arguments", "said", "not_said"),
    [
        (VERSION, "take status line and hooks up at once", "anew"),
        (OLD, "Sessions of 2.0.76 that run now keep the hooks they began with", "at once"),
        ((*VERSION, *PLUGIN), "The plugin is there in the next session.", "after that"),
        ((*MIDDLE, *PLUGIN), "runs it from the one after that", "there in the next"),
        ((*OLD, *PLUGIN), "run claude plugin marketplace add", "The plugin is there"),
    ],
)
def test_from_when_on_it_works(
    home: Home, agent: Path, arguments: tuple[str, ...], said: str, not_said: str
) -> None:
    out = " ".join(home.run("install", "--yes", *arguments).out.split())
    assert said in out
    assert not_said not in out


def test_only_events_that_the_client_knows_are_wired(home: Home, agent: Path) -> None:
    home.run("install", "--yes", *OLD)
    events = wired_events(agent / "settings.json")
    assert "PreToolUse" in events
    assert not events & {"PostCompact", "PreModelSwitch"}


@pytest.mark.slow
def test_two_at_once_leave_one_installation(home: Home, agent: Path) -> None:
    (agent / "settings.json").write_text(THEIRS)
    before = tree(agent)
    command = home.command("install", "--yes", *VERSION)
    running = [
        subprocess.Popen(
            command,
            env=home.spawn_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    codes = [process.wait(60) for process in running]
    assert 0 in codes
    assert set(codes) <= {0, 1, 4}, "done, done by another, or refused"
    assert "Already installed" in home.run("install", *VERSION).out
    document = json.loads((agent / "settings.json").read_text())
    assert [len(groups) for groups in document["hooks"].values()] == [1] * 11
    assert chained_command(document["statusLine"]["command"]) == "theirs"
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


# ── beside others ────────────────────────────────────────────────────────────────────────────────


def test_a_status_line_of_another_tool_is_chained_and_comes_back(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    theirs = f"their-line '{EVIL}'"
    path.write_text(json.dumps({"statusLine": {"type": "command", "command": theirs}}))
    before = path.read_bytes()
    done = home.run("install", "--yes", *VERSION)
    assert "its line comes below ours" in done.out
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    command = json.loads(path.read_text())["statusLine"]["command"]
    assert chained_command(command) == theirs
    gone = home.run("uninstall", "--yes")
    assert "that of before again" in gone.out
    assert "\x1b" not in gone.out
    assert path.read_bytes() == before


def test_a_command_file_of_somebody_is_never_replaced(home: Home, agent: Path) -> None:
    own = agent / "commands" / "tokens.md"
    own.parent.mkdir()
    own.write_text("my own")
    done = home.run("install", "--yes", *VERSION)
    assert done.code == 0
    assert "not ours" in done.out
    assert own.read_text() == "my own"
    assert (agent / "commands" / "sc" / "mode.md").exists()
    home.run("uninstall", "--yes")
    assert [path.name for path in agent.rglob("*.md")] == ["tokens.md"]
    assert own.read_text() == "my own"


def test_a_status_line_that_was_changed_since_stays(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    home.run("install", "--yes", *VERSION)
    document = json.loads(path.read_text())
    document["statusLine"] = {"type": "command", "command": "mine now", "padding": 1}
    path.write_text(json.dumps(document))
    done = home.run("uninstall", "--yes")
    assert done.code == 0
    assert json.loads(path.read_text()) == {"statusLine": document["statusLine"]}
    assert home.run("uninstall").lines == ["Nothing of tokens is installed here."]


def test_a_hook_beside_ours_in_our_group_stays(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    home.run("install", "--yes", "--only", "hooks", *VERSION)
    document = json.loads(path.read_text())
    mine = {"type": "command", "command": "mine"}
    document["hooks"]["PreToolUse"][0]["hooks"].append(mine)
    document["hooks"]["Stop"][0]["hooks"][0]["timeout"] = 77
    path.write_text(json.dumps(document, indent=4))
    assert home.run("uninstall", "--yes").code == 0
    left = {"hooks": {"PreToolUse": [{"matcher": "Read|Bash", "hooks": [mine]}]}}
    assert json.loads(path.read_text()) == left


def test_a_command_that_was_edited_since_stays_theirs(home: Home, agent: Path) -> None:
    path = agent / "commands" / "tokens.md"
    home.run("install", "--yes", *VERSION)
    path.write_text(path.read_text() + "And say it in rhyme.\n")
    edited = path.read_text()
    again = home.run("install", "--yes", "--no-model", *VERSION)
    assert "not ours" in again.out
    assert path.read_text() == edited
    home.run("uninstall", "--yes")
    assert path.read_text() == "And say it in rhyme.\n"


# ── bringing up to date ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("only", [None, "statusline", "hooks"])
def test_an_older_installation_is_replaced_and_the_first_bytes_come_back(
    home: Home, agent: Path, only: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = agent / "settings.json"
    path.write_text(MINE.replace('"hooks": {}', '"statusLine":{"type":"command","command":"x"}'))
    before = tree(agent)
    with monkeypatch.context() as patch:
        patch.setattr("tokenbudget.app.installing.python", lambda: "/old/python")
        home.run("install", "--yes", *OLD)
    now = home.run("install", "--yes", *VERSION, *(("--only", only) if only else ()))
    assert now.code == 0
    assert "brought up to date" in now.out
    assert ("/old/python" in path.read_text()) == (only is not None)
    text = path.read_text().replace(" // mine", "")
    command = json.loads(text)["statusLine"]["command"]
    assert chained_command(command) == "x"
    assert command.startswith("/old/python") == (only == "hooks")
    if only != "statusline":
        assert text.count("hook_client.main()") == 11
    assert home.run("uninstall", "--yes").code == 0
    assert tree(agent) == before


def test_the_plugin_takes_the_place_of_our_hooks_and_back(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    home.run("install", "--yes", *VERSION)
    done = home.run("install", "--yes", "--only", "plugin,statusline", *VERSION)
    assert done.code == 0
    document = json.loads(path.read_text())
    assert "hooks" not in document
    assert list(agent.rglob("*.md")) == []
    assert "Already installed" in home.run("install", "--only", "plugin", *VERSION).out
    assert document["enabledPlugins"] == {"tokenbudget@tokenbudget": True}
    place = Path(document["extraKnownMarketplaces"]["tokenbudget"]["source"]["path"])
    assert (place / ".claude-plugin" / "marketplace.json").exists()
    home.run("install", "--yes", *VERSION)
    assert "enabledPlugins" not in json.loads(path.read_text())
    assert (agent / "commands" / "tokens.md").exists()
    home.run("uninstall", "--yes")
    assert list(agent.iterdir()) == []


# ── without a journal ────────────────────────────────────────────────────────────────────────────


def test_without_the_journal_all_that_has_our_mark_goes(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    theirs = {"statusLine": {"type": "command", "command": "theirs"}, "env": {"A": "b"}}
    path.write_text(json.dumps(theirs))
    home.run("install", "--yes", *VERSION)
    for file in home.config.parent.glob("ledger.db*"):
        file.unlink()
    again = home.run("install", *VERSION)
    assert "Already installed" in again.out
    done = home.run("uninstall", "--yes")
    assert (done.code, done.err) == (0, "")
    assert json.loads(path.read_text()) == theirs
    assert list(agent.rglob("*.md")) == []


def test_files_of_an_older_version_are_known_without_the_journal_and_edited_ones_stay(
    home: Home, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = "---\nname: old\n---\n\nOlder words.\n"
    with monkeypatch.context() as patch:
        patch.setattr("tokenbudget.gateway.command_files._text", lambda path: older)
        home.run("install", "--yes", *VERSION)
    for file in home.config.parent.glob("ledger.db*"):
        file.unlink()
    mode, mine = agent / "commands" / "sc" / "mode.md", agent / "commands" / "tokens.md"
    mine.write_text(mine.read_text().replace("Older", "My own"))
    done = home.run("install", "--yes", *VERSION)
    assert "/sc:mode" in done.out
    assert "model: haiku" in mode.read_text()
    assert "My own words." in mine.read_text()
    for file in home.config.parent.glob("ledger.db*"):
        file.unlink()
    gone = home.run("uninstall", "--yes")
    assert "was edited since we made it and stays" in " ".join(gone.out.split())
    assert list(agent.rglob("*.md")) == [mine]
    last = home.run("uninstall", "--yes")
    assert (last.code, last.lines[-1]) == (1, "Nothing else of tokens is installed here.")


# ── bad settings ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be changed safely"),
        ("[]", "it is no object"),
        ('{"hooks": {}, "hooks": {}}', "stands there twice"),
        ('{"statusLine": {"type": "x", "command": "c"}, "hooks": []}', "change it by hand"),
        ("\udcff", "no UTF-8"),
        ('{"a":' * 5000, "nested too deeply"),
    ],
)
def test_settings_that_cannot_be_edited_are_left_and_the_rest_goes_on(
    home: Home, agent: Path, text: str, said: str
) -> None:
    path = agent / "settings.json"
    content = text.encode("utf-8", "surrogateescape")
    path.write_bytes(content)
    done = home.run("install", "--yes", *VERSION)
    assert done.code == 1
    assert said in " ".join(done.out.split())
    assert path.read_bytes() == content
    assert (agent / "commands" / "tokens.md").exists()
    out = home.run("uninstall", "--yes")
    assert path.read_bytes() == content
    assert out.code == 0
    assert list(agent.iterdir()) == [path]


def test_one_bad_place_keeps_no_other_part_from_being_wired(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    path.write_text('{"statusLine": "odd"}')
    done = home.run("install", "--yes", *VERSION)
    assert done.code == 1
    document = json.loads(path.read_text())
    assert document["statusLine"] == "odd"
    assert "SessionStart" in document["hooks"]
    home.run("uninstall", "--yes")
    assert path.read_text() == '{"statusLine": "odd"}'


@pytest.mark.parametrize("text", ['{"model": 3}', '{"hooks": {"PreToolUse": [1]}}', "{} // a"])
def test_a_file_that_the_client_passes_over_is_told_as_such(
    home: Home, agent: Path, text: str
) -> None:
    (agent / "settings.json").write_text(text)
    done = home.run("install", "--yes", *VERSION)
    said = " ".join(done.out.split())
    assert "Claude Code passes over the whole file" in said
    assert "Installed, but for what is said above." in said
    assert "at once" not in said
    assert home.ask("install", "--dry-run", *VERSION)["is_settings_file_taken"] is False
    assert "fails" in home.run("doctor", "--wiring").out


def test_a_part_that_finds_no_place_any_more_keeps_no_other_from_being_renewed(
    home: Home, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = agent / "settings.json"
    with monkeypatch.context() as patch:
        patch.setattr("tokenbudget.app.installing.python", lambda: "/old/python")
        home.run("install", "--yes", *VERSION)
    document = json.loads(path.read_text())
    document["hooks"] = ["mine"]
    path.write_text(json.dumps(document))
    assert home.run("install", "--yes", *VERSION).code == 1
    now = json.loads(path.read_text())
    assert now["hooks"] == ["mine"]
    assert "/old/python" not in now["statusLine"]["command"]
    home.run("uninstall", "--yes")
    assert json.loads(path.read_text()) == {"hooks": ["mine"]}


def test_read_only_settings_are_left(home: Home, agent: Path) -> None:
    path = agent / "settings.json"
    path.write_text("{}")
    path.chmod(0o444)
    done = home.run("install", "--yes", "--only", "statusline", *VERSION)
    assert done.code == 1
    assert "read-only" in done.out
    assert (path.read_text(), mode_of(path)) == ("{}", 0o444)


def test_a_link_is_edited_where_it_leads(home: Home, agent: Path) -> None:
    real = home.path / "dotfiles" / "claude.json5"
    real.parent.mkdir()
    real.write_text(MINE)
    (agent / "settings.json").symlink_to(real)
    assert home.run("install", "--yes", *VERSION).code == 0
    assert (agent / "settings.json").is_symlink()
    assert "statusLine" in real.read_text()
    assert home.run("uninstall", "--yes").code == 0
    assert real.read_text() == MINE
    assert (agent / "settings.json").is_symlink()


def test_folders_that_are_links_are_written_where_they_lead(home: Home, agent: Path) -> None:
    real = home.path / "dotfiles" / "commands"
    real.mkdir(parents=True)
    (agent / "commands").symlink_to(real)
    assert home.run("install", "--yes", *VERSION).code == 0
    assert (real / "sc" / "mode.md").exists()
    assert "Already installed" in home.run("install", *VERSION).out
    assert home.run("undo", "--yes").code == 0
    assert list(real.iterdir()) == []
    home.run("install", "--yes", *VERSION)
    assert home.run("uninstall", "--yes").code == 0
    assert (list(real.iterdir()), os.listdir(agent)) == ([], ["commands"])
    assert (agent / "commands").is_symlink()


def test_the_agents_folder_may_be_a_link(home: Home) -> None:
    real = home.path / "dotfiles" / "claude"
    real.mkdir(parents=True)
    home.claude.symlink_to(real)
    assert home.run("install", "--yes", *VERSION).code == 0
    assert (real / "commands" / "tokens.md").exists()
    assert home.run("uninstall", "--yes").code == 0
    assert list(real.iterdir()) == []
    assert home.claude.is_symlink()


def test_the_file_that_only_the_client_writes_is_never_written(home: Home, agent: Path) -> None:
    own = home.path / ".claude.json"
    own.write_text("{}")
    (agent / "settings.json").symlink_to(own)
    done = home.run("install", "--yes", "--only", "hooks", *VERSION)
    assert done.code == 1
    assert own.read_text() == "{}"


# ── projects ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = home.path / "code" / "shop"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("scope", "name"), [("project", "settings.json"), ("local", "settings.local.json")]
)
def test_a_project_can_be_wired_alone(
    home: Home, agent: Path, project: Path, scope: str, name: str
) -> None:
    done = home.run("install", "--yes", "--scope", scope, *VERSION)
    assert done.code == 0
    path = project / ".claude" / name
    assert "statusLine" in path.read_text()
    assert (project / ".claude" / "commands").exists() == (scope == "project")
    assert ("names paths of this machine" in done.out) == (scope == "project")
    assert done.out.count("no local place") == (2 if scope == "local" else 0)
    assert ("in every request" in done.out) == (scope == "project"), (
        "the skill costs, if it is there"
    )
    assert list(agent.iterdir()) == []
    assert home.run("uninstall", "--yes").code == 0  # without a scope, what is here
    assert [path.name for path in project.iterdir()] == [".git"]


def test_a_status_line_that_a_projects_hides_is_told(
    home: Home, agent: Path, project: Path
) -> None:
    (agent / "settings.json").write_text(THEIRS)
    done = home.run("install", "--dry-run", "--scope", "local", *VERSION)
    assert "is not drawn any more: theirs" in " ".join(done.out.split())
    done = home.run("install", "--dry-run", "--scope", "local", "--only", "hooks", *VERSION)
    assert "not drawn" not in done.out


def test_project_settings_that_lead_out_are_refused(home: Home, agent: Path, project: Path) -> None:
    outside = home.path / "outside.json"
    outside.write_text("{}")
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").symlink_to(outside)
    done = home.run("install", "--yes", "--scope", "project", *VERSION)
    assert done.code == 4
    assert "leads out of the project" in done.err
    assert outside.read_text() == "{}"
    assert [path.name for path in (project / ".claude").iterdir()] == ["settings.json"]


def test_scopes_go_apart(home: Home, agent: Path, project: Path) -> None:
    home.run("install", "--yes", *VERSION)
    home.run("install", "--yes", "--scope", "local", *VERSION)
    assert home.run("uninstall", "--yes", "--scope", "local").code == 0
    assert (agent / "settings.json").exists()
    assert not (project / ".claude").exists()


def test_the_home_folder_is_no_project(
    home: Home, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.path)
    done = home.run("install", "--yes", "--scope", "project", *VERSION)
    assert done.code in (2, 4)
    assert list(agent.iterdir()) == []


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def no_daemon(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A daemon that is only said to be started."""
    begun: list[bool] = []

    def started(settings: Settings, is_persistent: bool, clock: Clock) -> DaemonStatus:
        begun.append(is_persistent)
        return DaemonStatus(is_running=len(begun) < 3, trouble="" if len(begun) < 2 else "taken")

    monkeypatch.setattr("tokenbudget.app.serving.started", started)
    return begun


def test_a_daemon_that_does_not_start_is_told(
    home: Home, agent: Path, no_daemon: list[bool]
) -> None:
    for turn in range(3):
        done = home.run("install", "--yes", "--http-hooks", "--only", "hooks", *VERSION)
        assert done.code == (1 if turn else 0)
        assert ("find no daemon yet: taken" in done.out) == bool(turn)
        home.run("uninstall", "--yes")
    assert no_daemon == [True] * 3


def test_a_second_time_the_daemon_is_started_where_it_does_not_run(
    home: Home, agent: Path, no_daemon: list[bool]
) -> None:
    arguments = ("install", "--yes", "--http-hooks", "--only", "hooks", *VERSION)
    home.run(*arguments)
    assert json.loads(home.run(*arguments, "--json").out)["is_done"] is False
    assert home.run("install", "--dry-run", *arguments[2:]).code == 0
    assert len(no_daemon) == 2, "a dry run starts nothing"
    last = home.run(*arguments)
    assert (last.code, "find no daemon yet: taken" in last.out) == (1, True)


def test_hooks_over_http_make_the_file_private_until_they_go(
    home: Home, agent: Path, no_daemon: list[bool]
) -> None:
    path = agent / "settings.json"
    path.write_text(MINE)
    path.chmod(0o644)
    before = tree(agent)
    dry = home.run("install", "--dry-run", "--http-hooks", *VERSION)
    assert not (home.config.parent / "run" / "secret").exists()
    said = home.run("install", "--yes", "--http-hooks", *VERSION)
    secret = (home.config.parent / "run" / "secret").read_text().strip()
    assert mode_of(path) == 0o600
    assert f"Bearer {secret}" in path.read_text()
    assert "Already installed" in home.run("install", "--http-hooks", *VERSION).out
    shown = home.run("undo", "--dry-run")
    as_json = home.run("undo", "--dry-run", "--json")
    gone = home.run("uninstall", "--yes")
    for done in (dry, said, shown, as_json, gone):
        assert done.code == 0
        assert secret not in done.out
    assert tree(agent) == before
    assert not (home.config.parent / "run" / "secret").exists()


def test_a_secret_that_no_journal_knows_is_shown_to_nobody_either(
    home: Home, agent: Path, no_daemon: list[bool]
) -> None:
    home.run("install", "--yes", "--http-hooks", *VERSION)
    secret = (home.config.parent / "run" / "secret").read_text().strip()
    for file in home.config.parent.glob("ledger.db*"):
        file.unlink()
    gone = home.run("uninstall", "--yes")
    shown = home.run("undo", "1", "--dry-run")
    assert "Bearer …" in shown.out
    assert secret not in shown.out + gone.out


def test_back_to_commands_the_file_has_its_mode_again(
    home: Home, agent: Path, no_daemon: list[bool]
) -> None:
    path = agent / "settings.json"
    path.write_text(MINE)
    path.chmod(0o644)
    home.run("install", "--yes", "--http-hooks", *VERSION)
    home.run("install", "--yes", "--only", "statusline", *VERSION)
    assert mode_of(path) == 0o600
    home.run("install", "--yes", *VERSION)
    assert (mode_of(path), "Bearer" in path.read_text()) == (0o644, False)


@pytest.mark.parametrize("scope", ["project", "local"])
def test_no_secret_goes_into_a_project(home: Home, agent: Path, project: Path, scope: str) -> None:
    done = home.run("install", "--yes", "--http-hooks", "--scope", scope, *VERSION)
    assert done.code == 4
    assert "secret" in done.err
    assert not (project / ".claude").exists()


# ── ourselves as a program ───────────────────────────────────────────────────────────────────────


def test_the_program_is_named_by_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a b" / "tokens"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script)])
    assert shlex.split(installing_client.program()) == [str(script)]
    monkeypatch.setattr("sys.argv", ["/x/__main__.py"])
    monkeypatch.setattr("sys.executable", str(script.parent / "python"))
    assert shlex.split(installing_client.program()) == [str(script)]
    script.unlink()
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert installing_client.program().endswith("-P -m tokenbudget")


def test_the_client_on_the_path_says_what_is_wired(home: Home, agent: Path) -> None:
    folder = home.path / "bin"
    folder.mkdir()
    (folder / "claude").write_text("#!/bin/sh\n")
    (folder / "claude").chmod(0o755)
    package = {"name": "@anthropic-ai/claude-code", "version": "2.0.76"}
    (folder / "package.json").write_text(json.dumps(package))
    plan = home.ask("install", "--dry-run", PATH=f"{folder}:/usr/bin:/bin")
    assert plan["client_version"] == "2.0.76"
    assert "PostCompact" not in plan["events"]


def test_of_two_clients_the_one_that_nobody_has_looked_at_is_not_mistaken_for_the_other(
    home: Home, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = features_in_common(["2.1.270", "2.1.400"])
    monkeypatch.setattr("tokenbudget.app.installing.features_wanted", lambda *_: common)
    out = " ".join(home.run("install", "--dry-run").out.split())
    assert "a client in use beside 2.1.270 was not looked at yet" in out
    assert "2.1.270 means haiku-4-5" in out


def test_a_statusline_of_ours_from_an_older_place_is_not_chained_to_itself(
    home: Home, agent: Path
) -> None:
    path = agent / "settings.json"
    old = statusline_command("/gone/python", "/gone/home", "theirs")
    path.write_text(json.dumps({"statusLine": {"type": "command", "command": old}}))
    assert home.run("install", "--yes", "--only", "statusline", *VERSION).code == 0
    command = json.loads(path.read_text())["statusLine"]["command"]
    assert chained_command(command) == "theirs"
    assert "/gone" not in command
    home.run("uninstall", "--yes")
    assert json.loads(path.read_text())["statusLine"]["command"] == "theirs"
    assert os.listdir(agent) == ["settings.json"]
