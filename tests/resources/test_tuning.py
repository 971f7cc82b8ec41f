"""The compression mode of one project as two levers: trimming, which is live, and terseness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.resources.projects import NoHands, Project, evidence, planned, weights
from tests.resources.shop import Shop

from tokenbudget.gateway.hooks.project_mode import mode_of_project
from tokenbudget.model.actions import EditSettings, Proposal, SettingEdit, Weight
from tokenbudget.resources.kind import Place
from tokenbudget.resources.tuning import Flow, Terseness, Trimming

LOCAL = ".claude/settings.local.json"
EDIT = SettingEdit(("tokenManagement", "compressionMode"), "compressed", is_member=False)
FLOW = Flow("balanced", 4_000.0, 30.0, is_hooked=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def flow_for(kind: type[Trimming | Terseness]) -> Flow:
    return FLOW._replace(is_trimming=kind is Trimming)


def plan(
    kind: type[Trimming | Terseness], project: Project, flow: Flow | None = FLOW
) -> dict[str, Proposal]:
    return planned(kind(project.place, evidence(), weights(), NoHands(), flow))


@pytest.mark.parametrize("kind", [Trimming, Terseness])
def test_both_are_one_edit_of_the_projects_own_settings(
    project: Project, kind: type[Trimming | Terseness]
) -> None:
    [found] = plan(kind, project, flow_for(kind)).values()
    assert found.id == f"{kind.name}/compressed"
    assert found.steps == (EditSettings(project.place.local_settings, (EDIT,)),)
    assert found.is_chosen


def test_trimming_takes_a_measured_share_of_what_is_still_to_come(project: Project) -> None:
    [from_balanced] = plan(Trimming, project).values()
    [from_verbose] = plan(Trimming, project, FLOW._replace(mode="verbose")).values()

    assert from_balanced.effect == "now"
    assert from_balanced.freed == Weight(720, 720, "estimated")  # 0.6 % of 120,000
    assert from_verbose.freed.tokens == 4_680
    assert "4,000 tokens a request" in from_balanced.reason


def test_what_terseness_frees_nobody_knows_beforehand(project: Project) -> None:
    [found] = plan(Terseness, project, flow_for(Terseness)).values()
    assert found.freed.tokens is None
    assert found.effect == "next compaction"


@pytest.mark.parametrize("kind", [Trimming, Terseness])
def test_nothing_is_proposed_where_nothing_would_change(
    project: Project, kind: type[Trimming | Terseness]
) -> None:
    flow = flow_for(kind)
    for one in (None, flow._replace(mode="compressed"), flow._replace(is_hooked=False)):
        assert not plan(kind, project, one)


@pytest.mark.parametrize("is_trimming", [True, False])
def test_one_setting_is_proposed_once(project: Project, is_trimming: bool) -> None:
    flow = FLOW._replace(is_trimming=is_trimming)
    found = [*plan(Trimming, project, flow), *plan(Terseness, project, flow)]
    assert found == ["trimming/compressed" if is_trimming else "terseness/compressed"]


@pytest.mark.parametrize("text", ["{", "[]", '{"tokenManagement": []}'])
def test_settings_that_take_no_edit_leave_advice(project: Project, text: str) -> None:
    project.write(LOCAL, text)
    [found] = plan(Trimming, project).values()
    assert (found.steps, found.is_chosen) == ((), False)
    assert found.command == "tokens mode compressed --scope local"


def test_hooks_read_it_live_and_undo_takes_it_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(LOCAL, '{"tokenManagement":   {"warningThreshold": 0.4}}')
    before = shop.files()
    place = Place(str(shop.project), (), str(shop.top), shop.clock)
    kind = Trimming(place, evidence(), weights(), shop.workshop, FLOW)
    [proposal] = kind.plan(kind.inventory())
    [step] = proposal.steps

    outcome = kind.apply(step)
    assert (outcome.state, kind.verify(step, outcome)) == ("done", "")
    told = json.loads(shop.read(LOCAL) or "")
    assert told["tokenManagement"] == {"warningThreshold": 0.4, "compressionMode": "compressed"}
    assert kind.revert(step, outcome).state == "undone"
    assert shop.files() == before


def test_the_mode_that_is_written_is_the_one_that_hooks_find(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    place = Place(str(shop.project), (), str(shop.top), shop.clock)
    assert mode_of_project(place.project, "balanced") == "balanced"
    kind = Trimming(place, evidence(), weights(), shop.workshop, FLOW)
    [proposal] = kind.plan(kind.inventory())
    kind.apply(proposal.steps[0])
    assert mode_of_project(place.project, "balanced") == "compressed"
