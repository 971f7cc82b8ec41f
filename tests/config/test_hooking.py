from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.hooking import HookSettings, StopAt, stop_at
from tokenbudget.config.typed import edit_of
from tokenbudget.model.errors import BadConfig, BadRequest


def test_without_a_table_the_built_in_values_hold(desk: Desk) -> None:
    assert desk.strict().hook_settings() == HookSettings()
    assert HookSettings() == ((0.5, 0.7, 0.8, 0.9), True, True, 2_000, "")


def test_the_table_is_read_and_shares_may_be_percent(desk: Desk) -> None:
    desk.write(
        desk.ours,
        "[hooks]\nthresholds = [60, 0.9, 95.5]\ntell = false\nguard = false\nguard_tokens = 0\n"
        'stop_at = " 95% "\n',
    )
    assert desk.strict().hook_settings() == ((0.6, 0.9, 0.955), False, False, 0, "95%")


def test_no_thresholds_is_a_wish_as_well(desk: Desk) -> None:
    desk.write(desk.ours, "hooks.thresholds = []\n")
    assert desk.strict().hook_settings().thresholds == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hooks.guards = true", "hooks in {} has no 'guards' (did you mean 'guard'?); it knows"),
        ("hooks.tell = 1", "hooks.tell in {} must be true or false, not 1"),
        ("hooks.thresholds = 0.5", "hooks.thresholds in {} must be up to 8 ascending shares"),
        ("hooks.thresholds = [0.9, 0.5]", "ascending"),
        ("hooks.thresholds = [0.5, 0.5]", "ascending"),
        ("hooks.thresholds = [0]", "ascending"),
        ("hooks.thresholds = [1.5]", "ascending"),
        ("hooks.thresholds = [nan]", "ascending"),
        ("hooks.thresholds = [true]", "ascending"),
        ("hooks.thresholds = ['50%']", "ascending"),
        ("hooks.thresholds = [1, 2, 3, 4, 5, 6, 7, 8, 9]", "up to 8"),
        ("hooks.guard_tokens = -1", "hooks.guard_tokens in {} must be a number of tokens, not -1"),
        ("hooks.guard_tokens = true", "must be a number of tokens"),
        ("hooks.guard_tokens = 1e400", "must be a number of tokens"),
        ("hooks.stop_at = 95", 'hooks.stop_at in {} must be a text such as "95%"'),
        ("hooks.stop_at = 'soon'", "must be a share, tokens or money"),
        ("hooks.stop_at = {a = 1}", "must be a text"),
    ],
)
def test_what_cannot_be_meant_is_refused(desk: Desk, text: str, said: str) -> None:
    desk.write(desk.ours, text + "\n")
    with pytest.raises(BadConfig) as refused:
        desk.strict().hook_settings()
    assert said.format(desk.ours) in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("", StopAt()),
        ("  ", StopAt()),
        ("95%", StopAt(share=0.95)),
        ("99.5 %", StopAt(share=0.995)),
        ("100%", StopAt(share=1.0)),
        ("180000", StopAt(tokens=180_000)),
        ("180_000", StopAt(tokens=180_000)),
        ("5usd", StopAt(usd=5.0)),
        ("0.50 USD", StopAt(usd=0.5)),
        ("$12.5", StopAt(usd=12.5)),
    ],
)
def test_a_hard_stop_is_a_share_tokens_or_money(text: str, stop: StopAt) -> None:
    assert stop_at(text, "config.toml") == stop


@pytest.mark.parametrize(
    "text",
    ["95", "0", "0%", "101%", "-5%", "nan%", "usd", "0usd", "-1usd", "1e3", "1.5", "5eur", "²00",
     "9" * 40, "$", "infusd", "1.2.3usd", "%"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(BadConfig, match="must be a share, tokens or money"):
        stop_at(text, "config.toml")


@given(st.text(max_size=30))
def test_any_text_is_one_stop_none_or_refused(text: str) -> None:
    try:
        found = stop_at(text, "config.toml")
    except BadConfig:
        return
    assert sum(value is not None for value in found) <= 1
    assert all(value is None or value > 0 for value in found)


def test_thresholds_are_typed_with_commas() -> None:
    assert edit_of("hooks.thresholds", "50, 70,0.9", "ours").value == [50, 70, 0.9]
    assert edit_of("hooks.stop_at", "95%", "ours").value == "95%"
    assert edit_of("hooks.tell", "off", "ours").value is False
    with pytest.raises(BadRequest, match="is a number"):
        edit_of("hooks.thresholds", "50,most", "ours")
