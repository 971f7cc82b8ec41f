"""docs/trim.md says what the door does: its settings, its limits, its words of shell."""

from __future__ import annotations

import re
from pathlib import Path

from tokenbudget.compression import policy, policy_rules
from tokenbudget.config.catalogue import SETTINGS
from tokenbudget.gateway.daemon import trim_process
from tokenbudget.gateway.hooks import (
    huge_commands,
    in_process,
    put_away,
    read_layout,
    window_rows,
    wrapped_output,
    wrapping,
)

PAGE = (Path(__file__).parents[2] / "docs" / "trim.md").read_text(encoding="utf-8")


def test_every_setting_of_trimming_stands_there() -> None:
    names = {setting.name for setting in SETTINGS if setting.name.startswith("trim.")}
    assert names == set(re.findall(r"`(?:tokens config set )?(trim\.\w+)", PAGE))


def test_limits_are_those_of_the_program() -> None:
    assert f"`trim.min_tokens` ({policy.MIN_TOKENS})" in PAGE
    assert f"by at least {policy.LEAST_SAVED_SHARE:.0%}".replace("%", " %") in PAGE
    assert f"and {policy.LEAST_LOSSY_TOKENS} tokens" in PAGE.replace("\n", " ")
    assert f"({policy.LEAST_SAVED_TOKENS} where nothing is lost)" in PAGE
    assert f"from {policy_rules.LEAST_DATA_CHARS:,} characters on" in PAGE
    assert f"below {policy_rules.SMALL_SEARCH_CHARS:,} characters" in PAGE
    assert f"from {policy_rules.LEAST_OUTLINED_LINES} lines on" in PAGE
    flat = PAGE.replace("\n", " ")
    assert f"more than {read_layout.MOST_BESIDE_CHARS:,} characters" in flat
    assert f"from {in_process.LEAST_SHORTENED_CHARS:,} characters on and payloads" in flat
    later = trim_process.SECONDS + trim_process.SECONDS_MORE
    assert f"waits {trim_process.SECONDS} s, from 4 KB on {later} s, and two seconds for" in flat
    assert f"{trim_process.MOST_SECONDS} s at most" in flat
    assert f"at most {policy.MOST_NARROWED_CHARS:,} characters" in flat
    assert f"down to {policy.MOST_NARROWED_CHARS:,} characters" in flat
    assert f"longer than {put_away.MOST_BYTES >> 20} MB or no UTF-8" in flat
    whole, streamed = wrapped_output.MOST_BYTES, wrapped_output.MOST_STREAMED_BYTES
    assert f"thirty, from {whole >> 20} MB on" in flat
    assert wrapped_output.SECONDS + wrapped_output.SECONDS_MORE == 30
    assert f"longer than {streamed >> 20} MB, the output is shown" in flat
    assert f"at most {window_rows.MOST_ROWS} results" in flat


def test_what_is_never_cut_is_named() -> None:
    for command in ("git status", "git stash", "git branch", "cat", "sed -n", "head", "tail"):
        assert f"`{command}`" in PAGE


def test_what_is_known_to_print_much_is_what_the_page_names() -> None:
    for command in ("ls -R", "tree", "du", "npm ls", "npm audit", "npm outdated", "pip check"):
        assert huge_commands.is_huge(command)
        assert f"`{command}`" in PAGE.replace("\n", " ")
    for command in ("find .", "grep -r x", "rg x", "diff -r a b", "git diff", "git log"):
        assert not huge_commands.is_huge(command)


def test_the_words_of_shell_are_ours() -> None:
    made = wrapping.around("npm test", "FILE", "/home", "balanced", "200")
    shown = re.sub(r"else .* \|\| ", "else SHORTEN FILE || ", made.replace("'FILE'", "FILE"))
    assert shown in PAGE
