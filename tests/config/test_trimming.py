"""`[trim]`: what it may say."""

from __future__ import annotations

import pytest
from tests.config.conftest import Desk

from tokenbudget.config.trimming import TrimSettings
from tokenbudget.config.typed import edit_of
from tokenbudget.model.errors import BadConfig


def test_without_a_table_results_of_every_tool_are_shortened(desk: Desk) -> None:
    assert desk.strict().trim_settings() == TrimSettings(True, 200, ("*",), (), True)


def test_the_table_is_read(desk: Desk) -> None:
    desk.write(
        desk.ours,
        '[trim]\non = false\nmin_tokens = 0\nallow = ["Bash", "mcp__a__*"]\nwrap = false',
    )
    found = desk.strict().trim_settings()
    assert found == TrimSettings(False, 0, ("Bash", "mcp__a__*"), (), False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trim.off = true", "trim in {} has no 'off'"),
        ("trim.on = 1", "trim.on in {} must be true or false, not 1"),
        ("trim.min_tokens = -1", "trim.min_tokens in {} must be a number of tokens"),
        ("trim.min_tokens = true", "must be a number of tokens"),
        ("trim.deny = 'Read'", 'must be a list of tools such as ["Read", "mcp__github__*"]'),
        ("trim.deny = [1]", "must be a list of tools"),
        ("trim.deny = ['']", "must be a list of tools"),
        ('trim.allow = ["a\\nb"]', "must be a list of tools"),
        ("trim = 3", "trim in {} must be a table"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk: Desk, text: str, said: str) -> None:
    desk.write(desk.ours, text + "\n")
    with pytest.raises(BadConfig) as refused:
        desk.strict().trim_settings()
    assert said.format(desk.ours) in str(refused.value)


def test_a_setting_is_typed_as_it_is_meant() -> None:
    assert edit_of("trim.on", "false", "ours").value is False
    assert edit_of("trim.min_tokens", "500", "ours").value == 500
    assert edit_of("trim.deny", "Read, mcp__github__*", "ours").value == ["Read", "mcp__github__*"]
