"""The client's own compaction, lent to one session and given back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.resources.projects import NoHands, Project, evidence, planned, weights
from tests.resources.shop import Shop

from tokenbudget.model.actions import (
    ActionRecord,
    EditSettings,
    Proposal,
    SettingEdit,
    StepRecord,
    Weight,
)
from tokenbudget.resources.history import (
    CLEAR_UP,
    COMPACT,
    GIVE_BACK,
    KEPT_FREE_TOKENS,
    KEYS,
    LEAST_TOKENS,
    VARIABLE,
    Conversation,
    History,
    lent_values,
    loan_for,
    restoring,
)
from tokenbudget.resources.kind import Place

LOCAL = ".claude/settings.local.json"
TALK = Conversation(140_000, 200_000, 120_000, Weight(112_000, 2_500, "estimated"), "/compact Keep")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def plan(project: Project, talk: Conversation | None = TALK) -> Proposal:
    [found] = planned(History(project.place, evidence(), weights(), NoHands(), talk)).values()
    return found


def edit_of(proposal: Proposal) -> SettingEdit:
    [step] = proposal.steps
    assert isinstance(step, EditSettings)
    [edit] = step.edits
    return edit


# ── the loan ─────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 2_000_000), st.one_of(st.none(), st.integers(150_000, 1_000_000)))
def test_a_loan_makes_this_session_compact_and_none_that_is_clearly_smaller(
    used: int, window: int | None
) -> None:
    loan = loan_for(used, window)
    if loan is None:
        assert used < 72_000 or window is None or window <= LEAST_TOKENS + 1_000
        return
    assert loan.trigger_tokens == loan.window_tokens - KEPT_FREE_TOKENS
    assert loan.window_tokens >= LEAST_TOKENS
    assert loan.trigger_tokens < used
    assert window is None or loan.window_tokens < window
    if window is None:
        assert loan.trigger_tokens >= 0.98 * used - 4_000


def test_what_is_proposed_is_one_edit_of_the_projects_own_settings(project: Project) -> None:
    found = plan(project)

    assert found.id == COMPACT
    [step] = found.steps
    assert step == EditSettings(
        project.place.local_settings, (SettingEdit(KEYS, "170000", is_member=False),)
    )
    assert found.freed == TALK.freed
    assert found.command == "/compact Keep"
    assert "120,000 tokens of conversation" in found.reason
    assert "about 8,000" in found.reason
    assert not found.is_chosen  # `tokens compact` never does it unasked


@pytest.mark.parametrize(
    ("talk", "why"),
    [
        (TALK._replace(used_tokens=60_000), "too little"),
        (TALK._replace(other_sessions=(20_000, 139_000)), "another session"),
    ],
)
def test_where_it_would_do_nothing_or_more_than_is_meant_it_is_advice(
    project: Project, talk: Conversation, why: str
) -> None:
    found = plan(project, talk)
    assert (found.steps, found.command) == ((), "/compact Keep")
    assert why in found.reason


def test_a_smaller_session_beside_it_is_no_hindrance(project: Project) -> None:
    assert plan(project, TALK._replace(other_sessions=(130_000,))).steps


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (LOCAL, {"env": {VARIABLE: "150000"}}),
        (LOCAL, {"env": {"DISABLE_AUTO_COMPACT": "1"}}),
        (".claude/settings.json", {"env": {VARIABLE: "150000"}}),
        (".claude/settings.json", {"env": {"CLAUDE_AUTOCOMPACT_PCT_OVERRIDE": "60"}}),
    ],
)
def test_a_persons_own_word_on_compaction_stays(
    project: Project, name: str, text: dict[str, object]
) -> None:
    project.write(name, json.dumps(text))
    found = plan(project)
    assert found.steps == ()
    assert "it stays" in found.reason


def test_a_persons_own_word_in_their_own_settings_stays_too(project: Project) -> None:
    project.write_for_user("settings.json", json.dumps({"env": {VARIABLE: "150000"}}))
    assert plan(project).steps == ()


def test_where_the_person_switched_compaction_off_it_stays_off(project: Project) -> None:
    project.write_for_user(".claude.json", json.dumps({"autoCompactEnabled": True}))
    assert plan(project).steps
    project.write_for_user(".claude.json", json.dumps({"autoCompactEnabled": False}))
    found = plan(project)
    assert found.steps == ()
    assert "switched off" in found.reason


@pytest.mark.parametrize("name", [LOCAL, ".claude/settings.json"])
def test_where_settings_switch_compaction_off_it_stays_off(project: Project, name: str) -> None:
    project.write(name, json.dumps({"autoCompactEnabled": False}))
    found = plan(project)
    assert found.steps == ()
    assert "switched off" in found.reason


def test_our_own_emptied_setting_is_no_hindrance(project: Project) -> None:
    project.write(LOCAL, json.dumps({"env": {VARIABLE: "", "EDITOR": "vi"}}))
    assert edit_of(plan(project)).value == "170000"


@pytest.mark.parametrize("text", ["{", "[]", '{"env": "PATH"}', '{"env": 1}'])
def test_settings_that_cannot_be_edited_are_left_alone(project: Project, text: str) -> None:
    path = project.write(LOCAL, text)
    found = plan(project)
    assert found.steps == ()
    assert "takes no edit" in found.reason
    assert path.read_text() == text


def test_without_a_conversation_nothing_is_proposed(project: Project) -> None:
    for talk in (None, TALK._replace(tokens=0), TALK._replace(freed=Weight(0))):
        kind = History(project.place, evidence(), weights(), NoHands(), talk)
        assert not kind.plan(kind.inventory())


# ── giving it back ───────────────────────────────────────────────────────────────────────────────


def place_of(shop: Shop) -> Place:
    return Place(str(shop.project), (), str(shop.top), shop.clock)


def do(shop: Shop, proposal: Proposal | None) -> None:
    assert proposal is not None
    [step] = proposal.steps
    outcome = shop.workshop.apply(step)
    assert (outcome.state, outcome.message) == ("done", "")
    assert shop.workshop.verify(step, outcome) == ""


def lend(shop: Shop) -> Proposal:
    kind = History(place_of(shop), evidence(), weights(), shop.workshop, TALK)
    [found] = kind.plan(kind.inventory())
    return found


def test_a_loan_is_emptied_first_and_taken_away_only_then(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(LOCAL, '{\n  "model": "opus",\n  "env": {"EDITOR": "vi"}\n}\n')
    before = shop.read(LOCAL)
    place, lent = place_of(shop), {"170000"}
    assert restoring(place, lent) is None

    do(shop, lend(shop))
    assert json.loads(shop.read(LOCAL) or "")["env"][VARIABLE] == "170000"

    give_back = restoring(place, lent)
    assert give_back is not None
    assert give_back.id == GIVE_BACK
    do(shop, give_back)
    assert json.loads(shop.read(LOCAL) or "")["env"][VARIABLE] == ""

    clear_up = restoring(place, lent)
    assert clear_up is not None
    assert clear_up.id == CLEAR_UP
    do(shop, clear_up)
    assert restoring(place, lent) is None
    assert json.loads(shop.read(LOCAL) or "") == json.loads(before or "")


def test_what_the_person_has_written_since_is_theirs(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(LOCAL, json.dumps({"env": {VARIABLE: "400000"}}))
    assert restoring(place_of(shop), {"170000"}) is None


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"env": []}', '{"env": {"%s": 5}}'])
def test_settings_without_a_loan_have_nothing_to_give_back(
    tmp_path: Path, text: str | None
) -> None:
    shop = Shop(tmp_path)
    if text is not None:
        shop.write(LOCAL, text.replace("%s", VARIABLE))
    assert restoring(place_of(shop), {"170000", "5"}) is None


def test_a_file_that_is_changed_between_look_and_edit_keeps_what_came(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    proposal = lend(shop)
    shop.write(LOCAL, '{"permissions": {"deny": ["Read(./secret)"]}}')

    do(shop, proposal)
    told = json.loads(shop.read(LOCAL) or "")
    assert told == {"permissions": {"deny": ["Read(./secret)"]}, "env": {VARIABLE: "170000"}}


def test_a_file_that_was_broken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    [step] = lend(shop).steps
    shop.write(LOCAL, '{"half": ')

    outcome = shop.workshop.apply(step)
    assert outcome.state == "failed"
    assert outcome.message
    assert shop.read(LOCAL) == '{"half": '


def test_undoing_both_actions_leaves_every_byte_as_it_was(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write(LOCAL, '{\n    "model":   "opus"\n}')
    before = shop.files()
    done = []
    for proposal in (lend(shop), None):
        one = proposal or restoring(place_of(shop), {"170000"})
        assert one is not None
        [step] = one.steps
        done.append((step, shop.workshop.apply(step)))
    for step, outcome in reversed(done):
        assert shop.workshop.revert(step, outcome).state == "undone"
    assert shop.files() == before


@pytest.mark.parametrize("text", [None, '{"model": "opus"}', '{"env": {"EDITOR": "vi"}}'])
def test_after_it_was_cleared_up_undoing_the_loan_leaves_nothing_of_ours(
    tmp_path: Path, text: str | None
) -> None:
    shop = Shop(tmp_path)
    if text is not None:
        shop.write(LOCAL, text)
    before = shop.files()
    [loan] = lend(shop).steps
    lent = shop.workshop.apply(loan)
    do(shop, restoring(place_of(shop), {"170000"}))
    do(shop, restoring(place_of(shop), {"170000"}))

    assert shop.workshop.revert(loan, lent).state == "undone"  # the value is gone, and stays so
    assert shop.files() == before


def test_what_was_lent_is_known_by_the_journal(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    proposal = lend(shop)
    [step] = proposal.steps
    record = StepRecord(0, step, shop.workshop.apply(step))
    action = ActionRecord(1, 0, "tokens control", str(shop.project), 0, 0, None, (record,))
    path = place_of(shop).local_settings

    assert lent_values([action], path) == {"170000"}
    assert lent_values([action], str(tmp_path / "other.json")) == frozenset()
