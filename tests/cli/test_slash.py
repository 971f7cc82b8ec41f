"""`tokens slash`: what `/tokens` shows; short, true to the verbs, and never a failure."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cli import test_compact, test_optimize
from tests.cli.archive_sessions import make_shelf
from tests.cli.conftest import NOON, Done, Home, Sample
from tests.cli.test_hostile_text import HOSTILE, as_argument, harmful, hostile_session
from tests.cli.window_sessions import Talk, rich_session, words

from tokenbudget.app.live import LiveSource
from tokenbudget.cli.slash import ACTIONS
from tokenbudget.metering.tokenizer import BytePairCounter

MOST_LINES, MOST_TOKENS = 12, 250
COST = re.compile(r"(?:^|· )~(\d+) tokens$")
NAMES = [one.name for one in ACTIONS]


def slash(home: Home, *arguments: str, **variables: str) -> Done:
    """The answer, after what holds for every one."""
    done = home.run("slash", *arguments, **variables)
    assert (done.code, done.err) == (0, "")
    assert 1 <= len(done.lines) <= MOST_LINES
    assert not harmful(done.out)
    counted = BytePairCounter().count(done.out)
    assert counted <= MOST_TOKENS
    told = COST.search(done.lines[-1])
    assert told, done.lines[-1]
    assert abs(int(told[1]) - counted) <= 2
    return done


def here(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Stand in a folder, as the client does."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "proj" / ".git").mkdir(parents=True)
    (tmp_path / "proj" / ".claude").mkdir()
    return here(monkeypatch, tmp_path / "proj")


# ── every action ─────────────────────────────────────────────────────────────────────────────────

EVERY = [
    *NAMES,
    "",
    "help",
    "alert 80",
    "alert list",
    "alert test",
    "alert why",
    "alert history",
    "profile --by tools",
    "profile --costs",
    "profile --efficiency",
    "profile --tree",
    "profile --since 7d --top 3",
    "optimize --all-projects",
    "optimize --list-drains",
    "optimize 1 --all-projects",
    "report json",
    "report html --since all",
    "archive 7",
    "archive list",
    "archive stats",
    "compact --dry-run",
    "compact --measure",
    "export json",
    "export csv --tables all",
    "export prometheus",
    "mode compressed",
    "monitor --help",
    "monitor 5s --no-tracker",
]


@pytest.fixture(scope="module")
def read_once(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the samples have been read and studied."""
    own = tmp_path_factory.mktemp("slash") / "own"
    done = sample.home.run("optimize", "--all-projects", "--no-file", TOKENS_HOME=str(own))
    assert done.code == 0
    return own


@pytest.fixture
def own(read_once: Path, tmp_path: Path) -> str:
    """A copy of it."""
    shutil.copytree(read_once, tmp_path / "own")
    return str(tmp_path / "own")


@pytest.mark.parametrize("typed", EVERY)
def test_every_answer_is_short_and_says_what_it_cost(
    typed: str, sample: Sample, own: str, project: Path
) -> None:
    slash(sample.home, *shlex.split(typed), TOKENS_HOME=own)


REFUSED = [
    ("moniter", "did you mean monitor?"),
    ("xyzzy", "there are monitor, alert, "),
    ("alert 77", "one of 50, 70, 80, 90"),
    ("report docx", "choose from 'text'"),
    ("archive soon", "no number of days"),
    ("monitor --session zz", "No session begins with 'zz'"),
    ("compact --project /nowhere", "There is no folder /nowhere"),
    ("optimize --apply", "expected at least one argument"),
    ("optimize --apply a/b", "no finding 'a/b'"),
    ("profile --frobnicate", "Unrecognized arguments: --frobnicate"),
    ("mode terse", "is no mode"),
    ("monitor --from /nowhere", "Cannot read /nowhere"),
    ("profile --json", "fill the window"),
    ("report --output -", "fill the window"),
    ("export --output=-", "fill the window"),
    ("alert 80 --slack -", "fill the window"),
]


@pytest.mark.parametrize(("typed", "said"), REFUSED)
def test_what_cannot_be_is_one_sentence_and_no_failure(
    typed: str, said: str, sample: Sample, own: str, project: Path
) -> None:
    done = slash(sample.home, *shlex.split(typed), TOKENS_HOME=own)
    assert said in done.lines[0]


@pytest.mark.parametrize(("name", "action"), [*zip(HOSTILE, itertools.cycle(NAMES))])
def test_a_hostile_word_is_data(name: str, action: str, home: Home, project: Path) -> None:
    bad = as_argument(HOSTILE[name])
    slash(home, bad)
    slash(home, action, bad)
    slash(home, action, "--session", bad)


@pytest.mark.parametrize("name", ["window-title", "bidi", "lines", "surrogate"])
def test_hostile_sessions_change_no_line(name: str, home: Home, project: Path) -> None:
    lines = hostile_session(HOSTILE[name])
    path = home.claude / "projects" / "-w" / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for action in NAMES:
        slash(home, action)
    slash(home, "monitor", "--session", as_argument(str(lines[0]["sessionId"])))


def test_a_fault_of_ours_is_told_and_costs_no_turn(
    home: Home, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, chosen: str = "") -> None:
        raise ZeroDivisionError("half\x1b[2J")

    monkeypatch.setattr(LiveSource, "next_frame", broken)
    done = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="aaaa-1")
    assert done.lines[0].startswith("A fault of tokens (ZeroDivisionError: half")


def test_settings_that_cannot_be_read_are_told(home: Home, project: Path) -> None:
    home.config.parent.mkdir(parents=True)
    home.config.write_text("= nonsense")
    assert "config.toml" in slash(home, "monitor").lines[0]


def test_as_a_process_it_ends_with_0_and_asks_nobody(sample: Sample, project: Path) -> None:
    done = sample.home.spawn("slash", "frobnicate")
    assert (done.code, done.err) == (0, "")
    done = sample.home.spawn("slash", "profile", "--no-file")
    assert (done.code, done.err) == (0, "")
    assert done.lines[0].startswith("Who spends: ")


# ── monitor ──────────────────────────────────────────────────────────────────────────────────────


def test_monitor_shows_the_session_that_asks(home: Home, project: Path) -> None:
    rich_session("aaaa-1", cwd="/srv/shop").write(home)
    Talk("bbbb-2", cwd="/srv/blog", begin=NOON - timedelta(minutes=5)).ask("Hi.").answer(
        "Yes."
    ).write(home, "-srv-blog")
    one = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="aaaa-1").out
    other = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="bbbb-2").out
    assert " · shop · " in one.splitlines()[0]
    assert " · blog · " in other.splitlines()[0]
    named = slash(home, "monitor", "--session", "aaaa", CLAUDE_CODE_SESSION_ID="bbbb-2")
    assert named.out == one


def test_monitor_says_the_same_as_the_verb(home: Home, project: Path) -> None:
    rich_session("aaaa-1", cwd=str(project)).write(home)
    brief = slash(home, "monitor").lines
    frame = home.run("monitor", "--once", "--json", "--session", "aaaa-1").json
    used = frame["window"]["total_tokens"] if "window" in frame else None
    whole = home.run("monitor", "--once", "--session", "aaaa-1").out
    amount = re.search(r"([\d,]+) used", brief[0])
    assert amount
    assert amount[0] in whole
    assert used in (None, int(amount[1].replace(",", "")))


def test_a_session_that_has_just_begun_is_not_mistaken_for_another(
    home: Home, project: Path
) -> None:
    rich_session("aaaa-1", cwd=str(project)).write(home)
    done = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="cccc-3")
    assert "no answered request yet" in done.lines[0]


def test_where_the_client_names_no_session_it_is_the_last_one_here(
    home: Home, project: Path
) -> None:
    rich_session("aaaa-1", cwd=str(project)).write(home)
    Talk("bbbb-2", cwd="/srv/blog").ask("Hi.").answer("Yes.").write(home, "-srv-blog")
    for variables in ({}, {"CLAUDE_CODE_SESSION_ID": "../../etc/passwd"}):
        assert " · proj · " in slash(home, "monitor", **variables).lines[0]


def test_another_folders_session_is_not_taken_for_the_one_that_asks(
    home: Home, project: Path
) -> None:
    rich_session("aaaa-1", cwd="/srv/shop").write(home)
    for variables in ({}, {"CLAUDE_CODE_SESSION_ID": "no id"}):
        done = slash(home, "monitor", **variables)
        assert done.lines[0].startswith("No session of this folder was read yet")


SMALL = "claude-haiku-4-5-20251001"


@pytest.mark.parametrize("command", ["/tokens", "/sc:mode", "/theirs"])
def test_a_command_that_another_model_answers_changes_neither_model_nor_window(
    command: str, home: Home, project: Path
) -> None:
    """Its front matter named the model for one turn; the session goes on with its own."""
    talk = Talk("aaaa-1", cwd=str(project), begin=NOON - timedelta(minutes=9))
    talk.model = "claude-opus-5-5"
    talk.ask().answer().ask("More.").answer()
    talk.write(home)
    before = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="aaaa-1").lines
    assert " of 1.00M · " in before[0]
    name = command.removeprefix("/")
    words_typed = (
        f"<command-message>{name}</command-message>\n<command-name>{command}</command-name>"
    )
    for _ in range(2):
        talk.ask(words_typed).ask("● healthy", isMeta=True)
        talk.answer(model=SMALL, attributionSkill=name)
        talk.write(home)
        after = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="aaaa-1").lines
        assert (after[0], after[1]) == (before[0], before[1])
        context = home.run("context", "aaaa-1", "--json").json
        assert (context["model"], context["window_tokens"]) == ("claude-opus-5-5", 1_000_000)
    talk.ask("Go on.").answer(model=SMALL)
    talk.write(home)
    after = slash(home, "monitor", CLAUDE_CODE_SESSION_ID="aaaa-1").lines
    assert " of 200K · " in after[0], "that is what the person chose"


# ── the commands it names ────────────────────────────────────────────────────────────────────────


def test_what_comes_next_can_be_typed_where_it_is_read(home: Home, project: Path) -> None:
    assert "; /tokens alert 80 sets one" in slash(home, "alert").lines[0]
    assert "Change it: /tokens mode " in slash(home, "mode").out
    assert "/tokens report --help" in slash(home, "report", "docx").out
    assert (
        "it rings in tokens monitor"
        in slash(home, "alert", "80").out + slash(home, "alert", "test").out
    ), "the name of a screen stays"


def test_with_the_plugin_alone_its_commands_are_named_as_they_are_typed(
    home: Home, project: Path
) -> None:
    settings = home.claude / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    for text, typed in (
        (json.dumps({"enabledPlugins": {"tokenbudget@tokenbudget": True}}), "/tokenbudget:tokens"),
        (json.dumps({"enabledPlugins": {"tokenbudget@tokenbudget": False}}), "/tokens"),
        ("[", "/tokens"),
        ('{"enabledPlugins": 3}', "/tokens"),
    ):
        settings.write_text(text)
        assert f"; {typed} alert 80 sets one" in slash(home, "alert").lines[0]
        assert slash(home, "").lines[0].startswith(f"{typed} ACTION")
        assert f"Next: {typed} help" in slash(home, "nonsense").lines[-1]
    settings.write_text(json.dumps({"enabledPlugins": {"tokenbudget@tokenbudget": True}}))
    (home.claude / "commands").mkdir()
    (home.claude / "commands" / "tokens.md").touch()
    assert "; /tokens alert 80 sets one" in slash(home, "alert").lines[0]


# ── the others ───────────────────────────────────────────────────────────────────────────────────


def test_profile_names_the_largest_and_saves_what_the_verb_saves(
    sample: Sample, project: Path, own: str
) -> None:
    done = slash(sample.home, "profile", TOKENS_HOME=own)
    whole = sample.home.run("profile", "--no-file", TOKENS_HOME=own, COLUMNS="400")
    assert done.lines[0].startswith(whole.lines[0][:60])
    assert done.lines[1] == whole.lines[1]
    saved = project / ".claude" / "context" / "token-profile.json"
    assert json.loads(saved.read_text())["format"].startswith("tokenbudget/profile/")
    assert "Saved .claude/context/token-profile.json" in done.lines


def test_optimize_lists_the_dearest_and_applies_only_with_yes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = test_optimize.Shop(home, tmp_path / "shop").worked()
    here(monkeypatch, shop.project)
    found = slash(home, "optimize")
    assert "goes down the drain" in found.lines[0]
    assert "Written: OPTIMIZATION-RECOMMENDATIONS.md" in found.lines
    command = re.search(r"Next: /tokens optimize --apply (\S+)", found.lines[-1])
    assert command, found.out
    before = shop.memory
    plan = slash(home, "optimize", "--apply", command[1])
    assert shop.memory == before
    assert f"Do it: /tokens optimize --apply {command[1]} --yes" in plan.lines[-1]
    done = slash(home, "optimize", "--apply", command[1], "--yes")
    assert shop.memory != before
    assert "undo" in done.out
    assert "applied" in slash(home, "optimize").out


@pytest.mark.parametrize(("kind", "first"), [("text", "Token report"), ("html", "<!doctype html>")])
def test_report_writes_the_file_and_says_its_verdict(
    kind: str, first: str, sample: Sample, project: Path, own: str
) -> None:
    done = slash(sample.home, "report", kind, TOKENS_HOME=own)
    path = project / ".claude" / "context" / f"token-report.{kind}"
    assert path.read_text().lower().startswith(first.lower())
    assert done.lines[1].endswith(f"as {kind}: .claude/context/token-report.{kind}")
    data = sample.home.run("report", "json", "--output", "-", TOKENS_HOME=own).json
    assert done.lines[0] == data["verdict"]


def test_export_says_how_many_rows_and_where(sample: Sample, project: Path, own: str) -> None:
    done = slash(sample.home, "export", "csv", "--tables", "requests,daily", TOKENS_HOME=own)
    for line, name in zip(done.lines, ("requests", "daily"), strict=False):
        path = project / ".claude" / "context" / f"token-export-{name}.csv"
        rows = len(path.read_text().splitlines()) - 1
        assert line == f"{rows:,} rows ({name}): .claude/context/token-export-{name}.csv"
    as_json = slash(sample.home, "export", "json", TOKENS_HOME=own)
    told = json.loads((project / ".claude/context/token-export.json").read_text())
    rows = sum(
        len(told["tables"][name]["rows"])
        for name in ("requests", "tool_calls", "sessions", "daily")
    )
    assert as_json.lines[0].startswith(f"{rows:,} rows (requests, tool_calls, sessions, daily): ")
    text = slash(sample.home, "export", "prometheus", TOKENS_HOME=own)
    assert text.lines[0].startswith("totals by agent, project and model: ")


def test_alert_lists_and_sets(home: Home, project: Path) -> None:
    assert "no alert yet" in slash(home, "alert").lines[0]
    assert "context-80" in slash(home, "alert", "80").lines[0]
    assert "context-80" in slash(home, "alert").out


def test_archive_is_a_plan_until_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = make_shelf(tmp_path)
    here(monkeypatch, shelf.root / "shop")
    before = shelf.files()
    plan = slash(shelf.home, "archive", "7")
    assert "would be archived" in plan.lines[0]
    assert "Nothing was changed" in plan.lines[0]
    assert "Do it: /tokens archive 7 --yes" in plan.lines[-1]
    assert shelf.files() == before
    done = slash(shelf.home, "archive", "7", "--yes")
    assert done.lines[0].startswith("Archived ")
    assert shelf.files() != before
    assert "Nothing to archive" in slash(shelf.home, "archive", "7").lines[0]


def test_compact_is_a_plan_until_yes(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = test_compact.Shop(home, tmp_path / "shop").worked()
    here(monkeypatch, shop.project)
    before = sorted(path for path in shop.project.rglob("*") if ".git" not in path.parts)
    plan = slash(home, "compact", CLAUDE_CODE_SESSION_ID="5e550000")
    assert "chosen, which free" in plan.lines[0]
    assert "Do it: /tokens compact --yes" in plan.lines[-1]
    assert sorted(path for path in shop.project.rglob("*") if ".git" not in path.parts) == before
    done = slash(home, "compact", "--yes")
    assert done.lines[0].startswith("Done: ")
    assert sorted(path for path in shop.project.rglob("*") if ".git" not in path.parts) != before


def test_compact_takes_the_verb_s_options(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = test_compact.Shop(home, tmp_path / "shop").worked()
    here(monkeypatch, shop.project)
    only = slash(home, "compact", "--only", "scratch")
    assert "Do it: /tokens compact --only scratch --yes" in only.lines[-1]
    assert "no kind 'nothing'" in slash(home, "compact", "--only", "nothing").lines[0]


def test_mode_ends_with_what_the_agent_is_to_do(home: Home, project: Path) -> None:
    done = slash(home, "mode", "compressed")
    assert any(line.startswith("From now on: Write tersely") for line in done.lines)


def test_a_long_name_is_cut_and_a_long_list_says_what_is_left(home: Home, project: Path) -> None:
    talk = Talk("s1", cwd=str(project)).ask("Go.")
    for number in range(40):
        talk.call("Read", words(50), file_path=f"{project}/{'deep/' * 60}{number}.py")
    talk.answer("Done.").write(home)
    done = slash(home, "profile", "--by", "files")
    assert re.search(r"\d+ more lines in a terminal", done.lines[-1])
    assert max(map(len, done.lines)) <= 210
