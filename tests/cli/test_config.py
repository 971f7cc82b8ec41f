import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import OPUS, Home, response

from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.gateway.hooks.hook_settings import wishes_in


@pytest.fixture
def settings_file(home: Home) -> Home:
    """A home with a config.toml that sets everything."""
    home.config.parent.mkdir()
    home.config.write_text(
        'timezone = "Europe/Berlin"\nworkers = 1\nbackfill = "inline"\nclaude_dirs = ["/other"]\n'
        '[prices."my-model"]\ninput = 1\n'
    )
    return home


def by_name(home: Home, **variables: str) -> dict[str, Any]:
    """The rows of `tokens config`, by name."""
    return {row["name"]: row for row in home.ask("config", **variables)["rows"]}


def test_every_setting_has_value_origin_variable_and_meaning(home: Home) -> None:
    table = home.ask("config")

    assert table["format"] == "tokenbudget/config/1"
    for row in table["rows"]:
        assert set(row) == {"name", "value", "origin", "variable", "meaning"}
        assert row["value"]
        assert row["meaning"]


def test_the_environment_wins_over_the_file_and_the_file_over_what_is_built_in(
    settings_file: Home,
) -> None:
    rows = by_name(settings_file, TOKENS_WORKERS="2", TOKENS_BACKFILL="")

    assert (rows["workers"]["value"], rows["workers"]["origin"]) == ("2", "TOKENS_WORKERS")
    assert (rows["timezone"]["value"], rows["timezone"]["origin"]) == (
        "Europe/Berlin",
        str(settings_file.config),
    )
    assert rows["backfill"]["value"] == "inline"
    assert rows["prices"]["value"] == "my-model"


def test_a_folder_stands_on_a_line_of_its_own_and_whole(home: Home) -> None:
    lines = home.run("config", COLUMNS="160", CLAUDE_CONFIG_DIR="/first,/second").lines

    shown = [line.split()[:2] for line in lines]
    assert ["claude_dirs", "/first"] in shown
    assert shown[shown.index(["claude_dirs", "/first"]) + 1] == ["/second"]


@pytest.mark.parametrize("verb", ["overview", "usage", "sessions", "doctor", "config"])
def test_a_bad_file_stops_every_verb_with_one_sentence(home: Home, verb: str) -> None:
    home.config.parent.mkdir()
    home.config.write_text("workers = many\n")

    done = home.run(verb)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tokens: {home.config} is not TOML: ")
    assert done.err.count("\n") == 1


class TestLastGood:
    @pytest.mark.parametrize(
        "verb", ["overview", "usage", "sessions", "doctor", "config", "budget"]
    )
    def test_a_typo_keeps_the_last_good_settings(self, settings_file: Home, verb: str) -> None:
        settings_file.write_session("s1", response(1))
        good = settings_file.run(verb, COLUMNS="200")
        settings_file.config.write_text(settings_file.config.read_text() + "workers = many\n")

        done = settings_file.run(verb, COLUMNS="200")

        assert (done.code, done.out) == (good.code, good.out)
        assert done.err.startswith(f"tokens: {settings_file.config} is not TOML: ")
        assert "(at line 7, column 11); correct that line; the values of 2026-11-20" in done.err
        assert done.err.count("\n") == 1

    @pytest.mark.parametrize(
        ("typo", "said"),
        [
            ('[prices."m"]\ninput = "much"', "the values of 2026"),
            ("allocation.context = true", "the values of 2026"),
            ('timezone = "Mars/Base"', "the values of 2026"),
            ('alerts.quiet_hours = "late"', "the values of 2026"),
            ('alerts.repeat = "often"', "the values of 2026"),
            ("monitor.interval = 5", "the values of 2026"),
            ('monitor.interval = "5parsecs"', "is no interval"),
            ('monitor.theme = "pink"', "must be one of auto"),
        ],
    )
    def test_so_does_what_other_rooms_find(self, home: Home, typo: str, said: str) -> None:
        home.write_session("s1", response(1))
        home.config.parent.mkdir()
        home.config.write_text("workers = 1\n")
        home.run("usage")
        home.config.write_text(f"workers = 2\n{typo}\n")

        done = home.run("usage")

        assert (done.code, done.err.count("\n")) == (0, 1)
        assert said in done.err
        assert str(home.config) in done.err
        assert by_name_quietly(home)["workers"]["value"] == "1"

    def test_the_live_view_tells_it_once(self, settings_file: Home) -> None:
        settings_file.run("usage")
        settings_file.config.write_text('monitor.interval = "late"\n')
        done = settings_file.run("monitor", "--once", "--json")

        assert (done.code, done.err.count("\n")) == (0, 1)
        assert "monitor.interval in" in done.err
        assert "'late' is no interval" in done.err

    def test_a_typo_of_token_management_is_told_where_it_matters(self, home: Home) -> None:
        home.write_session("s1", response(1))
        agents = home.claude / "settings.json"
        agents.write_text('{"tokenManagement": {"warningThreshold": 0.4}}')
        home.run("budget")
        agents.write_text('{"tokenManagement": {"warningTreshold": 0.4}}')

        assert home.run("usage").err == ""
        done = home.run("budget")
        assert done.code == 0
        assert "has no 'warningTreshold' (did you mean 'warningThreshold'?)" in done.err
        assert done.err.count("\n") == 1

    def test_the_status_line_says_nothing_of_it(self, settings_file: Home) -> None:
        settings_file.run("usage")
        settings_file.config.write_text("workers = many\n")

        done = settings_file.spawn("statusline")

        assert (done.code, done.err) == (0, "")

    def test_check_does_not_bridge(self, settings_file: Home) -> None:
        done = settings_file.run("config", "--check")
        assert (done.code, done.out, done.err) == (0, "The settings are good.\n", "")

        settings_file.config.write_text("workers = 99\n")
        done = settings_file.run("config", "--check")
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)

        checked = settings_file.run("config", "--check", "--json")
        assert checked.code == 2
        assert checked.json["is_good"] is False
        assert "workers" in checked.json["faults"][0]

    def test_check_names_every_fault(self, home: Home) -> None:
        home.claude.mkdir()
        (home.claude / "settings.json").write_text("{torn")
        home.config.parent.mkdir()
        home.config.write_text("tokenManagement.autoCleanup = 1\n")

        done = home.run("config", "--check")

        assert (done.code, done.err.count("\n")) == (2, 2)
        assert "is no JSON" in done.err
        assert "tokenManagement.autoCleanup" in done.err


def by_name_quietly(home: Home) -> dict[str, Any]:
    """The rows, whatever was warned of."""
    return {row["name"]: row for row in home.run("config", "--json").json["rows"]}


class TestExplain:
    def test_tells_every_layer_in_order(self, home: Home) -> None:
        home.claude.mkdir()
        agents = home.claude / "settings.json"
        agents.write_text('{"tokenManagement": {"warningThreshold": 40}}')
        home.config.parent.mkdir()
        home.config.write_text("tokenManagement.warningThreshold = 0.3\n")
        variables = {"TOKENS_WARNING_THRESHOLD": "45%"}

        [row] = home.ask("config", "--explain", "warningThreshold", **variables)["rows"]

        assert (row["value"], row["origin"]) == ("0.45", "TOKENS_WARNING_THRESHOLD")
        told = [(said["layer"], said["value"], said["state"]) for said in row["layers"]]
        assert [one for one in told if one[1]] == [
            ("built-in", "0.5", "overridden"),
            ("config.toml", "0.3", "overridden"),
            ("user settings", "40", "overridden"),
            ("environment", "45%", "in force"),
        ]
        assert str(agents) in [said["where"] for said in row["layers"]]

        lines = home.run("config", "--explain", "warningThreshold", **variables).lines
        assert lines[0] == "tokenManagement.warningThreshold = 0.45"
        assert lines[-1].split() == [
            "environment", "45%", "TOKENS_WARNING_THRESHOLD:", "in", "force",
        ]  # fmt: skip

    def test_tells_all_settings_and_what_each_does(self, settings_file: Home) -> None:
        rows = settings_file.ask("config", "--explain")["rows"]

        assert [row["name"] for row in rows] == [setting.name for setting in SETTINGS]
        for row in rows:
            assert row["layers"][0]["layer"] == "built-in"
            assert sum(said["state"] == "in force" for said in row["layers"]) == 1
            assert row["meaning"]

    def test_tells_what_stands_in_for_a_typo(self, home: Home) -> None:
        home.claude.mkdir()
        agents = home.claude / "settings.json"
        agents.write_text('{"tokenManagement": {"warningThreshold": 40}}')
        home.run("config")
        agents.write_text('{"tokenManagement": {"warningThreshold": "x"}}')

        [row] = home.run("config", "--explain", "warningThreshold", "--json").json["rows"]

        assert (row["value"], row["origin"]) == ("0.4", str(agents))
        [said] = [said for said in row["layers"] if said["where"] == str(agents)]
        assert said["value"] == "40"
        assert said["state"].startswith("the last good one stands in (")

    def test_shows_hostile_text_inert(self, home: Home) -> None:
        home.config.parent.mkdir()
        home.config.write_text(r'windows."m\u001b[2J\u202e" = 5')

        for words in (["--explain"], [], ["get", "windows"]):
            out = home.run("config", *words, COLUMNS="200").out
            assert "m[2J" in out
            assert "\x1b" not in out
            assert "\u202e" not in out


class TestGetAndSet:
    def test_get_prints_the_value_and_nothing_else(self, home: Home) -> None:
        assert home.run("config", "get", "warningThreshold").out == "0.5\n"
        assert home.run("config", "get", "alerts").lines[0] == "alerts.quiet_hours = no such span"
        [row] = home.ask("config", "get", "backfill")["rows"]
        assert (row["value"], row["origin"]) == ("off", "TOKENS_BACKFILL")

    def test_set_writes_our_file_by_default(self, home: Home) -> None:
        done = home.run("config", "set", "warningThreshold", "0.4")

        assert done.out == (
            f"tokenManagement.warningThreshold is set to 0.4 in {home.config}.\n"
            "Take it back: tokens undo 1\n"
        )
        assert home.config.read_text() == "[tokenManagement]\nwarningThreshold = 0.4\n"
        assert home.run("config", "get", "warningThreshold").out == "0.4\n"

    def test_hooks_go_by_it_at_once_where_there_are_any(self, home: Home) -> None:
        home.run("config", "set", "hooks.guard_tokens", "900")
        data = home.config.parent
        assert not (data / "hooks").exists()
        (data / "hooks").mkdir()
        home.run("config", "set", "hooks.thresholds", "0.6")
        wishes = wishes_in(str(data))
        assert (wishes.thresholds, wishes.guard_tokens) == ((0.6,), 900)
        home.run("config", "set", "hooks.thresholds", "0.7", "--dry-run")
        assert wishes_in(str(data)).thresholds == (0.6,)
        home.run("config", "unset", "hooks.thresholds")
        assert wishes_in(str(data)).thresholds == (0.5, 0.7, 0.8, 0.9)
        home.run("mode", "compressed")
        assert wishes_in(str(data)).mode == "compressed"
        home.run("undo", "--yes")
        assert wishes_in(str(data)).mode == "balanced"

    def test_set_writes_the_agents_file_when_asked(self, home: Home) -> None:
        home.claude.mkdir()
        agents = home.claude / "settings.json"
        agents.write_text('{\n  "model": "opus"\n}\n')
        change = home.ask("config", "set", "autoCleanup", "true", "--scope", "user")["change"]

        assert (change["path"], change["is_written"]) == (str(agents), True)
        assert '+    "autoCleanup": true' in change["difference"]
        assert Path(change["backup"]).read_text() == '{\n  "model": "opus"\n}\n'
        assert json.loads(agents.read_text()) == {
            "model": "opus",
            "tokenManagement": {"autoCleanup": True},
        }

    def test_a_dry_run_shows_the_change(self, home: Home) -> None:
        done = home.run("config", "set", "warningThreshold", "0.4", "--dry-run")

        assert "+warningThreshold = 0.4" in done.lines
        assert done.lines[-1] == "Nothing was written (--dry-run)."
        assert not home.config.exists()

    def test_what_a_higher_layer_overrides_is_told(self, home: Home) -> None:
        home.run("config", "set", "warningThreshold", "0.3", "--scope", "user")
        done = home.run("config", "set", "warningThreshold", "0.4")

        assert done.lines[-1] == (
            f"It has no effect here: {home.claude}/settings.json says 0.3, and comes first."
        )

    def test_unset_takes_it_out(self, home: Home) -> None:
        home.run("config", "set", "warningThreshold", "0.3")
        done = home.run("config", "unset", "warningThreshold")

        assert (
            done.lines[0] == f"tokenManagement.warningThreshold is no longer set in {home.config}."
        )
        assert home.run("config", "get", "warningThreshold").out == "0.5\n"
        again = home.run("config", "unset", "warningThreshold")
        assert again.lines == [f"Nothing to change: {home.config} says so already."]

    def test_a_file_with_a_fault_can_be_mended(self, home: Home) -> None:
        home.config.parent.mkdir()
        home.config.write_text("workers = 99  # too many\n")

        assert home.run("config", "set", "workers", "2").code == 0
        assert home.config.read_text() == "workers = 2  # too many\n"

    @pytest.mark.parametrize(
        "arguments",
        [
            ["set", "warningThreshold", "0.95"],
            ["set", "warningThreshold", "1.5"],
            ["set", "warningThreshold", "150"],
            ["set", "monitor.interval", "5parsecs"],
            ["set", "monitor.theme", "pink"],
            ["set", "workers", "99"],
            ["set", "timezone", "Mars/Base"],
            ["set", "alerts.quiet_hours", "late"],
            ["set", "prices.m.colour", "1"],
            ["set", "allocation.nothing", "1"],
            ["set", "windows.m", "-1"],
            ["set", "compressionMode", "tiny", "--scope", "user"],
        ],
    )
    def test_nothing_invalid_is_written(self, home: Home, arguments: list[str]) -> None:
        done = home.run("config", *arguments)

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert not home.config.exists()
        assert not (home.claude / "settings.json").exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["get"],
            ["set", "workers"],
            ["unset"],
            ["unset", "a", "b"],
            ["put", "workers", "1"],
            ["get", "wrkers"],
            ["get", ""],
            ["get", "workers", "--dry-run"],
            ["--scope", "user"],
            ["set", "workers", "1", "--scope", "user"],
            ["set", "workers", "1", "--scope", "managed"],
            ["get", "workers", "--check"],
            ["set", "workers", "1", "--explain"],
            ["--explain", "wrkers"],
        ],
        ids=" ".join,
    )
    def test_what_cannot_be_meant_is_one_sentence(self, home: Home, arguments: list[str]) -> None:
        done = home.run("config", *arguments)

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert list(home.path.iterdir()) == []

    @pytest.mark.parametrize(
        ("words", "meant"),
        [
            (["warningThreshold"], "get warningThreshold"),
            (["warningThreshold", "0.6"], "set warningThreshold 0.6"),
            (["set", "tokenManagement.warningThreshold=0.6"], "set tokenManagement.warning"),
            (["set", "warningThreshold", "=", "0.6"], "set warningThreshold 0.6"),
            (["set", "warningThreshold"], ""),
            (["set"], ""),
            (["unset"], ""),
            (["nonsense", "0.6"], ""),
        ],
    )
    def test_what_was_meant_is_told(self, home: Home, words: list[str], meant: str) -> None:
        done = home.run("config", *words)

        assert done.code == 2
        assert ("did you mean" in done.err) is bool(meant)
        assert f"tokens config {meant}" in done.err or not meant

    def test_the_projects_files_hold_where_a_command_is_started(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        inside = home.path / "shop" / "src"
        inside.mkdir(parents=True)
        (home.path / "shop" / ".git").mkdir()
        monkeypatch.chdir(inside)
        home.run("config", "set", "warningThreshold", "0.2", "--scope", "local")

        assert home.run("config", "get", "warningThreshold").out == "0.2\n"
        assert (home.path / "shop/.claude/settings.local.json").exists()
        monkeypatch.chdir(home.path)
        assert home.run("config", "get", "warningThreshold").out == "0.5\n"


class TestCost:
    """The agent's files are for those verbs that ask for them."""

    def test_a_warm_usage_opens_none_of_them(self, home: Home) -> None:
        home.write_session("s1", response(1))
        (home.claude / "settings.json").write_text("{torn")
        home.run("usage")
        script = (
            "import sys\n"
            "opened = []\n"
            "sys.addaudithook(lambda what, told: what == 'open' and opened.append(str(told[0])))\n"
            "from tokenbudget.cli import main\n"
            "main(['usage'])\n"
            "names = ('settings', 'tokenbudget.config.management', 'tokenbudget.config.layers',\n"
            "         'tokenbudget.config.edit_json', 'tomllib', 'difflib')\n"
            "print([n for n in names if n in sys.modules],"
            " [p for p in opened if 'settings' in p and p.endswith('.json')], file=sys.stderr)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env=home.spawn_environment(),
        )

        assert done.stderr == "[] []\n"


def test_own_prices_change_the_cost_exactly(home: Home) -> None:
    cache = {
        "ephemeral_5m_input_tokens": 300,
        "ephemeral_1h_input_tokens": 70,
    }
    usage = {
        "input_tokens": 1001,
        "output_tokens": 13,
        "cache_creation_input_tokens": 370,
        "cache_read_input_tokens": 9,
        "cache_creation": cache,
    }
    home.write_session("s1", response(1, model="mystery-1", usage=usage))
    before = home.ask("usage")["totals"]

    home.config.parent.mkdir(exist_ok=True)
    home.config.write_text(
        '[prices."mystery-*"]\ninput = "0.1"\noutput = 7.25\ncache_write_5m = 3\n'
        "cache_write_1h = 5\ncache_read = 0.01\n"
    )
    after = home.ask("usage")["totals"]

    assert (before["cost_usd"], before["unpriced_tokens"]) == ("0", 1393)
    expected = 1001 * Decimal("0.1") + 13 * Decimal("7.25") + 300 * 3 + 70 * 5 + 9 * Decimal("0.01")
    assert Decimal(after["cost_usd"]) == expected / 1_000_000
    assert after["unpriced_tokens"] == 0
    assert "no price" not in home.run("usage").out


def test_own_prices_replace_the_bundled_ones(home: Home) -> None:
    home.write_session("s1", response(1))
    home.config.parent.mkdir()
    home.config.write_text(f'[prices."{OPUS}"]\ninput = 0\noutput = 1000000\n')

    assert home.ask("usage")["totals"]["cost_usd"] == "10"


def test_a_price_left_out_leaves_those_tokens_unpriced(home: Home) -> None:
    home.write_session("s1", response(1))
    home.config.parent.mkdir()
    home.config.write_text(f'[prices."{OPUS}"]\noutput = 1\n')

    totals = home.ask("usage")["totals"]
    assert (totals["cost_usd"], totals["unpriced_tokens"]) == ("0.00001", 100)
    assert "$<" not in (text := home.run("usage").out)
    assert "<$0.0001?" in text


@pytest.mark.parametrize(
    "prices",
    [
        "prices = 1",
        'prices = {"m" = 1}',
        '[prices."m"]\ninput = -1',
        '[prices."m"]\ninput = "much"',
        '[prices."m"]\ninput = nan',
        '[prices."m"]\nimput = 1',
    ],
)
def test_an_impossible_price_names_the_file(home: Home, prices: str) -> None:
    home.config.parent.mkdir()
    home.config.write_text(prices + "\n")

    done = home.run("usage")

    assert done.code == 2
    assert str(home.config) in done.err
    assert done.err.count("\n") == 1


def test_a_zone_from_the_file_is_used(settings_file: Home) -> None:
    settings_file.write_session("s1", response(1, "2026-11-19T23:30:00Z"))

    assert settings_file.ask("usage")["rows"][0]["day"] == "2026-11-20"


def test_further_folders_are_read(home: Home) -> None:
    other = home.path / "other"
    (other / "projects" / "-w").mkdir(parents=True)
    (other / "projects" / "-w" / "s9.jsonl").write_text(json.dumps(response(9)) + "\n")
    home.write_session("s1", response(1))
    home.config.parent.mkdir()
    home.config.write_text(f'claude_dirs = ["{other}", "~/.claude"]\n')

    assert home.ask("usage", CLAUDE_CONFIG_DIR="")["totals"]["requests"] == 2
