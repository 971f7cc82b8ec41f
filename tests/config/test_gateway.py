"""`[gateway]`: what may stand there, and what is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokenbudget.config.gateway import GatewaySettings
from tokenbudget.config.settings import settings_from
from tokenbudget.config.typed import edit_of
from tokenbudget.model.errors import BadConfig


def gateway(tmp_path: Path, text: str) -> GatewaySettings:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    environment = {"HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path)}
    return settings_from(environment).gateway_settings()


def test_without_a_word_the_built_in_values_hold(tmp_path: Path) -> None:
    assert gateway(tmp_path, "") == GatewaySettings()


def test_what_the_table_says_holds(tmp_path: Path) -> None:
    found = gateway(
        tmp_path,
        '[gateway]\nfind_limit = 5\nskills = true\ndeny = ["*.drop_*", " github "]\n'
        '[gateway.modes]\nnotion = "direct"\n',
    )
    assert found.find_limit == 5
    assert found.skills
    assert found.deny == ("*.drop_*", "github.*")
    assert found.modes == {"notion": "direct"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("find_limit = 0", "from 1 to 100, not 0"),
        ("memory_mb = true", "not True"),
        ("run_seconds = 1e3", "not 1000.0"),
        ('deny = "github"', "a list of calls"),
        ('deny = ["ok", ""]', "a list of calls"),
        ('allow = ["a\\u001bb"]', "a list of calls"),
        ("ask = [1]", "a list of calls"),
        ('skills = "yes"', "true or false"),
        ('modes = {github = "fast"}', "code, compact, direct"),
        ("modes = 3", "a table of servers"),
        ("find_limits = 5", "did you mean 'find_limit'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(BadConfig, match=r"gateway") as refusal:
        gateway(tmp_path, f"[gateway]\n{line}\n")
    assert words in str(refusal.value)


def test_modes_and_rules_can_be_set_by_a_command() -> None:
    assert edit_of("gateway.modes.find_limit", "direct", "ours").path[-1] == "find_limit"
    assert edit_of("gateway.modes.find_limit", "direct", "ours").value == "direct"
    assert edit_of("gateway.deny", "a.*, b.c", "ours").value == ["a.*", "b.c"]
    assert edit_of("gateway.find_limit", "7", "ours").value == 7
