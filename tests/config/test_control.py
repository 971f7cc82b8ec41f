"""`[control]`: what may stand there, and what is refused with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.control import KINDS, ControlSettings, control_settings
from tokenbudget.config.explain import explained, named
from tokenbudget.config.settings import settings_of
from tokenbudget.config.typed import edit_of
from tokenbudget.model.control import LEVERS
from tokenbudget.model.errors import BadConfig, BadRequest


def test_without_a_table_the_built_in_values_hold(desk: Desk) -> None:
    found = desk.strict().control_settings()
    assert found == ControlSettings("", {}, "5s", "5m", "24h", ())
    assert (found.interval_seconds, found.cooldown_seconds, found.lease_seconds) == (5, 300, 86_400)


def test_the_table_is_read(desk: Desk) -> None:
    desk.write(
        desk.ours,
        '[control]\nmode = "auto"\ninterval = "10s"\ncooldown = "1h"\nlease = "2d"\n'
        'pins = ["skills/deploy", " mcp-servers/git* ", "mem*", "agents/*"]\n'
        '[control.levers]\nhistory = "advise"\nskills = "off"\n',
    )
    found = desk.strict().control_settings()
    assert found.mode == "auto"
    assert (found.interval_seconds, found.cooldown_seconds, found.lease_seconds) == (
        10,
        3_600,
        172_800,
    )
    assert found.pins == ("skills/deploy", "mcp-servers/git*", "mem*", "agents/*")
    assert found.levers == {"history": "advise", "skills": "off"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('mod = "auto"', "control in {} has no 'mod' (did you mean 'mode'?); it knows mode"),
        ('mode = "on"', "control.mode in {} must be one of off, advise, auto, not 'on'"),
        ('mode = ""', "must be one of off, advise, auto, not ''"),
        ("mode = true", "not True"),
        ('interval = "0s"', 'control.interval in {} must be a time from 1s to 10m such as "5s"'),
        ('interval = "1h"', "from 1s to 10m"),
        ("interval = 5", "not 5"),
        ('cooldown = "2d"', "from 1s to 1d"),
        ('lease = "1m"', "from 5m to 7d"),
        ('cooldown = "2s"', "cooldown 2s in {} is shorter than control.interval 5s, so it would"),
        ('lease = "5m"\ncooldown = "1h"', "lease 5m in {} is shorter than control.cooldown 1h"),
        ('levers = "auto"', "control.levers in {} must be a table"),
        ('levers = {skill = "off"}', "has no 'skill' (did you mean 'skills'?); levers are skills,"),
        ("levers = {skills = true}", "control.levers.skills in {} must be one of off, advise"),
        ('levers = {model = "auto"}', "levers.model in {} cannot be auto, for only you can"),
        ('pins = "skills/a"', "control.pins in {} must be a list of ids"),
        ("pins = [1]", "control.pins in {} has 1, which is no id"),
        ('pins = ["a\\u001bb"]', "which is no id"),
        ('pins = [""]', "which is everything or nothing"),
        ('pins = ["*"]', "which is everything or nothing; write an id such as"),
        ('pins = ["skills/*-old"]', "which has * before its end"),
        ('pins = ["github"]', "which begins like no id (skills, mcp-servers,"),
        ('pins = ["servers/*"]', "which begins like no id"),
        ('pins = ["skills/"]', "which begins like no id"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(desk: Desk, line: str, said: str) -> None:
    desk.write(desk.ours, f"[control]\n{line}\n")
    with pytest.raises(BadConfig) as refused:
        desk.strict().control_settings()
    assert said.format(desk.ours) in str(refused.value)
    assert len(str(refused.value)) < 500


TEXTS = st.text("5smhd*/skil ", max_size=12)
VALUES = st.one_of(
    TEXTS,
    st.integers(),
    st.booleans(),
    st.floats(),
    st.sampled_from(["5s", "10m", "1d", "auto", "advise", "off"]),
    st.lists(st.one_of(TEXTS, st.sampled_from(KINDS).map(lambda k: f"{k}/x"))),
    st.dictionaries(st.sampled_from(LEVERS), st.sampled_from(["off", "advise", "auto"])),
)


@given(st.dictionaries(st.sampled_from(ControlSettings._fields), VALUES))
def test_any_table_is_meant_whole_or_refused(table: dict[str, object]) -> None:
    settings = settings_of({"HOME": "/nowhere"}, "", None)._replace(control=table)
    try:
        found = control_settings(settings)
    except BadConfig:
        return
    assert 1 <= found.interval_seconds <= found.cooldown_seconds <= found.lease_seconds
    assert set(found.levers) <= set(LEVERS)
    assert all(pin.strip("*") and pin.count("*") <= 1 for pin in found.pins)


def test_levers_and_pins_can_be_set_by_a_command() -> None:
    edit = edit_of("control.levers.mcp-servers", "off", "ours")
    assert (edit.path, edit.value) == (("control", "levers", "mcp-servers"), "off")
    assert edit_of("control.pins", "skills/a, skills/b*", "ours").value == ["skills/a", "skills/b*"]
    assert edit_of("control.mode", "advise", "ours").value == "advise"
    with pytest.raises(
        BadRequest, match=r"is a table; name what is in it, such as control\.levers"
    ):
        edit_of("control.levers", "off", "ours")


def test_each_setting_is_explained_with_its_value_and_origin(desk: Desk) -> None:
    desk.write(desk.ours, '[control]\nlevers = {skills = "off", history = "auto"}\n')
    found = {one.setting.name: one for one in explained(desk.strict(), named("control"))}
    assert found["control.levers"].value == "skills off, history auto"
    assert found["control.levers"].origin == str(desk.ours)
    assert found["control.mode"].value == "by autoOptimize and autoCleanup"
    assert found["control.interval"].origin == "default"
    assert set(found) == {f"control.{key}" for key in ControlSettings._fields}
