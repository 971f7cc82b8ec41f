"""What a person's own setting keeps free of the window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.resources.projects import NoHands, Project, evidence, planned, weights

from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.history import KEYS, RELEASED, VARIABLE
from tokenbudget.resources.reserve import Reserve, window_told

LOCAL, SHARED = ".claude/settings.local.json", ".claude/settings.json"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def told(value: object) -> str:
    return json.dumps({"env": {VARIABLE: value}})


def plan(project: Project, tokens: int | None, window: int | None) -> dict[str, Proposal]:
    kind = Reserve(project.place, evidence(), weights(), NoHands(), tokens, window)
    return planned(kind)


def test_the_nearest_settings_file_holds(project: Project) -> None:
    assert window_told(project.place, ()) is None
    project.write_for_user("settings.json", told("400000"))
    assert window_told(project.place, ()) == 400_000
    project.write(SHARED, told("300000"))
    assert window_told(project.place, ()) == 300_000
    project.write(LOCAL, told("200000"))
    assert window_told(project.place, ()) == 200_000


def test_a_loan_of_ours_is_not_the_persons_word(project: Project) -> None:
    project.write_for_user("settings.json", told("400000"))
    project.write(LOCAL, told("170000"))
    assert window_told(project.place, {"170000"}) == 400_000


def test_an_emptied_one_is_the_clients_own_window(project: Project) -> None:
    project.write_for_user("settings.json", told("400000"))
    project.write(LOCAL, told(""))
    assert window_told(project.place, ()) is None


@pytest.mark.parametrize(
    ("value", "tokens"),
    [("50000", 100_000), ("-1", None), ("1e6", None), ("9" * 400, None), (150_000, None),
     ("٣٠٠٠٠٠", None), ({}, None)],
)  # fmt: skip
def test_only_a_plain_number_is_one_and_none_below_the_clients_least(
    project: Project, value: object, tokens: int | None
) -> None:
    project.write(LOCAL, told(value))
    assert window_told(project.place, ()) == tokens


@pytest.mark.parametrize("text", ["{", "[]", "5", '{"env": 5}', ""])
def test_settings_that_cannot_be_understood_tell_nothing(project: Project, text: str) -> None:
    project.write(LOCAL, text)
    assert window_told(project.place, ()) is None


def test_the_room_is_released_by_one_edit(project: Project) -> None:
    [found] = plan(project, 150_000, 200_000).values()
    assert found.id == "reserve/release"
    assert found.freed == Weight(50_000, 0, "exact")
    edit = SettingEdit(KEYS, RELEASED, is_member=False)
    assert found.steps == (EditSettings(project.place.local_settings, (edit,)),)
    assert not found.is_chosen


@pytest.mark.parametrize(
    ("tokens", "window"), [(None, 200_000), (150_000, None), (200_000, 200_000), (300_000, 200_000)]
)
def test_without_room_nothing_is_released(
    project: Project, tokens: int | None, window: int | None
) -> None:
    assert not plan(project, tokens, window)


def test_settings_that_take_no_edit_leave_advice(project: Project) -> None:
    project.write(LOCAL, '{"env": []}')
    [found] = plan(project, 150_000, 200_000).values()
    assert found.steps == ()
    assert VARIABLE in found.command
