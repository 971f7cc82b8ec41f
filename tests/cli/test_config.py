import json
from decimal import Decimal
from typing import Any

import pytest
from tests.cli.conftest import OPUS, Home, response


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
