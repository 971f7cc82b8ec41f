"""`tokens mode`: the setting, its words, and that it is taken back like any other."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Home

from tokenbudget.config.management import COMPRESSION_MODES
from tokenbudget.gateway.mode_words import AS_USUAL, INSTRUCTIONS, instruction, instruction_now
from tokenbudget.metering.tokenizer import BytePairCounter


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that one stands in."""
    (tmp_path / "proj" / ".git").mkdir(parents=True)
    (tmp_path / "proj" / ".claude").mkdir()
    monkeypatch.chdir(tmp_path / "proj")
    return tmp_path / "proj"


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def test_every_mode_has_words_and_only_balanced_asks_for_nothing() -> None:
    assert set(INSTRUCTIONS) == set(COMPRESSION_MODES)
    assert [mode for mode in COMPRESSION_MODES if not instruction(mode)] == ["balanced"]
    assert instruction("nonsense") == ""
    assert instruction_now("balanced") == AS_USUAL


def test_the_words_for_the_agent_are_few_and_say_what_stays() -> None:
    count = BytePairCounter().count
    assert all(count(instruction_now(mode)) <= 60 for mode in COMPRESSION_MODES)
    for kept in ("Code", "errors", "numbers", "names"):
        assert kept in instruction("compressed")


# ── the verb ─────────────────────────────────────────────────────────────────────────────────────


def test_it_shows_what_holds_and_who_says_so(home: Home, project: Path) -> None:
    done = home.run("mode")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == (
        "balanced (default): nothing is asked of the agent; results lose what is hardly ever used."
    )
    done = home.run("mode", TOKENS_COMPRESSION_MODE="compressed")
    assert done.lines[0].startswith("compressed (TOKENS_COMPRESSION_MODE): ")
    assert instruction("compressed") in done.lines[1]


@pytest.mark.parametrize("mode", ["verbose", "compressed"])
def test_it_sets_tells_the_agent_and_can_be_undone(mode: str, home: Home, project: Path) -> None:
    done = home.run("mode", mode)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith(f"{mode} (balanced before): ")
    assert done.lines[-1] == f"From now on: {instruction(mode)}"
    assert home.run("config", "get", "compressionMode").lines == [mode]
    back = home.run("undo", "--yes")
    assert back.code == 0, back.err
    assert home.run("config", "get", "compressionMode").lines == ["balanced"]


def test_what_hooks_go_by_follows_a_mode_and_its_undoing(home: Home, project: Path) -> None:
    compiled = home.config.parent / "hooks" / "settings.json"
    compiled.parent.mkdir(parents=True)
    assert home.run("mode", "compressed").code == 0
    assert json.loads(compiled.read_text())["mode"] == "compressed"
    assert home.run("undo", "--yes").code == 0
    assert json.loads(compiled.read_text())["mode"] == "balanced"
    assert home.run("mode", "verbose", "--scope", "project").code == 0
    assert json.loads(compiled.read_text())["mode"] == "balanced", "other projects are not asked"


def test_going_back_to_balanced_tells_the_agent_that_it_is_over(home: Home, project: Path) -> None:
    home.run("mode", "compressed")
    assert home.run("mode", "balanced").lines[-1] == f"From now on: {AS_USUAL}"


def test_setting_it_again_writes_nothing(home: Home, project: Path) -> None:
    home.run("mode", "compressed")
    before = home.config.stat().st_mtime_ns
    done = home.run("mode", "compressed")
    assert done.code == 0
    assert "undo" not in done.out
    assert home.config.stat().st_mtime_ns == before


def test_a_file_that_comes_first_is_named_and_its_mode_is_asked_for(
    home: Home, project: Path
) -> None:
    assert home.run("mode", "verbose", "--scope", "local").code == 0
    local = project / ".claude" / "settings.local.json"
    assert '"compressionMode": "verbose"' in local.read_text()
    done = home.run("mode", "compressed")
    assert any("settings.local.json says verbose" in line for line in done.lines)
    assert done.lines[-1] == f"From now on: {instruction('verbose')}"


def test_a_dry_run_changes_nothing(home: Home, project: Path) -> None:
    done = home.run("mode", "compressed", "--dry-run")
    assert "would be set" in done.lines[0]
    assert not home.config.exists()


def test_as_json(home: Home, project: Path) -> None:
    told = home.ask("mode", "compressed")
    assert told["format"] == "tokenbudget/mode/1"
    assert (told["mode"], told["before"]) == ("compressed", "balanced")
    assert told["instruction"] == instruction("compressed")
    assert home.ask("mode")["origin"] == str(home.config)
    assert home.ask("mode", "verbose", "--dry-run")["would_change"] is True


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["compresed"], "did you mean compressed?"),
        (["terse"], "choose from verbose, balanced, compressed"),
        (["--dry-run"], "go with a mode"),
        (["--scope", "user"], "go with a mode"),
        (["compressed", "more"], "unrecognized arguments: more"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    typed: list[str], said: str, home: Home, project: Path
) -> None:
    done = home.run("mode", *typed)
    assert done.code == 2
    assert said in done.err
    assert not home.config.exists()
