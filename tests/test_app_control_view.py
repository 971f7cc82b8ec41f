"""What a person is shown of the controller is what its record says, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.control_values import DONE, MINUTE_MS, NOON_MS, OPEN, SESSION, decision, receipt
from tests.optimizer.desk import ALL_AUTO, Desk, skill

from tokenbudget.app.control_view import (
    lever_standings,
    memory_of,
    shown_decisions,
    standing_of,
    standing_of_turn,
)
from tokenbudget.app.controlling import Turn
from tokenbudget.config.settings import Settings, settings_from
from tokenbudget.ledger.store import Ledger
from tokenbudget.model.control import HISTORY, LEVERS, MARK, SKILLS, Wishes
from tokenbudget.optimizer.state import Mark, fresh
from tokenbudget.optimizer.state_text import state_text
from tokenbudget.optimizer.trust import Trust, trust_of
from tokenbudget.system.clock import SystemClock

PROJECT = "/srv/webshop"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_from({"HOME": str(tmp_path), "TOKENS_HOME": str(tmp_path / "data")})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "data").mkdir()
    return Ledger(str(tmp_path / "data" / "ledger.db"), (), SystemClock())


def test_before_any_look_nothing_is_known(ledger: Ledger, settings: Settings) -> None:
    with ledger:
        shown = standing_of(ledger, settings, SESSION, PROJECT, NOON_MS)
    assert (shown.last, shown.action, shown.receipt) == (None, None, None)
    assert (shown.level, shown.used_tokens, shown.looked_at_ms) == (None, None, 0)
    assert (shown.mode, shown.share) == ("advise", None)
    assert [one.lever for one in shown.levers] == list(LEVERS)


def test_the_record_is_shown_as_it_stands(ledger: Ledger, settings: Settings) -> None:
    state = fresh(SESSION)._replace(
        now_ms=NOON_MS - 4_000,
        request_key="req_34",
        requests=34,
        used_tokens=97_400,
        usable_tokens=167_000,
        marks=(Mark(HISTORY, ("history/compact",), NOON_MS - MINUTE_MS),),
        pinned=("skills/a",),
    )
    with ledger:
        ledger.control.put_state(SESSION, state_text(state), NOON_MS)
        for said in (DONE, decision()):
            ledger.control.record(said, PROJECT)
        for made in (receipt(), OPEN):
            ledger.control.settle(made._replace(id=ledger.control.open_receipt(made, PROJECT)))
        shown = standing_of(
            ledger, settings, SESSION, PROJECT, NOON_MS, title="Cart", watcher="w", window_tokens=9
        )
        assert memory_of(ledger, SESSION) == state
    assert shown.looked_at_ms == NOON_MS - 4_000
    assert shown.share == 97_400 / 167_000
    assert (shown.title, shown.watcher, shown.window_tokens) == ("Cart", "w", 9)
    assert [one.code for one in shown.decisions] == ["warm", "soft"]
    assert shown.action == DONE
    assert shown.receipt is not None
    assert shown.receipt.lever == HISTORY
    assert shown.marks[0].items == ("history/compact",)
    assert shown.reloaded == ("skills/a",)
    known = {one.lever: one for one in shown.levers}
    assert (known[SKILLS].measured, known[SKILLS].measured_tokens) == (1, 1_198)
    assert known[HISTORY].measured == 0


def test_a_memory_that_cannot_be_read_is_none(ledger: Ledger, settings: Settings) -> None:
    with ledger:
        ledger.control.put_state(SESSION, "{half", NOON_MS)
        assert memory_of(ledger, SESSION) == fresh(SESSION)
        assert standing_of(ledger, settings, SESSION, PROJECT, NOON_MS).level is None


def test_the_settings_of_the_sessions_project_hold(
    ledger: Ledger, settings: Settings, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    (project / ".claude").mkdir(parents=True)
    (project / ".git").mkdir()
    (project / ".claude" / "settings.local.json").write_text(
        '{"tokenManagement": {"autoOptimize": true}}'
    )
    with ledger:
        assert standing_of(ledger, settings, SESSION, str(project), NOON_MS).mode == "auto"
        assert standing_of(ledger, settings, SESSION, PROJECT, NOON_MS).mode == "advise"


def test_trust_and_errors_come_from_the_receipts() -> None:
    bad = [receipt(id=n, measured_tokens=100, at_ms=NOON_MS + n) for n in (1, 2)]
    found = lever_standings(ALL_AUTO, trust_of(bad[::-1]), bad, NOON_MS)
    known = {one.lever: one for one in found}
    assert known[SKILLS].trust == 0.5
    assert known[SKILLS].error_share == pytest.approx(1 - 200 / 2_480)
    assert known[HISTORY].trust == 1.0


def test_a_turn_is_shown_without_asking_the_record() -> None:
    desk = Desk(skill())
    said = desk.requests(60_000, 61_000)
    turn = Turn("s", desk.seen, fresh("s"), desk.state, ALL_AUTO, Trust(), said, receipt())
    shown = standing_of_turn(turn._replace(title="Cart"), desk.now_ms, "tokens control")
    assert (shown.title, shown.decisions) == ("Cart", (said,))
    assert shown.receipts == (receipt(),)
    assert (shown.used_tokens, shown.usable_tokens, shown.level) == (61_000, 100_000, "warning")
    blind = standing_of_turn(turn._replace(signals=None), desk.now_ms, "")
    assert (blind.level, blind.used_tokens, blind.looked_at_ms) == (None, None, 0)


def test_waiting_is_no_entry_in_the_list_of_decisions() -> None:
    from tests.control_values import standing

    marked = decision(MARK, "mark", reason="it would pay when cold")
    shown = shown_decisions(standing(decisions=(decision(), marked, DONE)))
    assert [(one.title, one.outcome) for one in shown] == [
        ("marked, history", "it would pay when cold"),
        ("done, skills: slide-deck, deploy", "freed 1,198 tokens, 1,240 foretold"),
    ]


def test_a_lever_that_may_act_late_is_shown_with_both_modes() -> None:
    wishes = Wishes(dict.fromkeys(LEVERS, "advise"), {HISTORY: "auto"})
    (late,) = [
        one
        for one in lever_standings(wishes, Trust(), (), NOON_MS)
        if one.mode != one.critical_mode
    ]
    assert (late.lever, late.mode, late.critical_mode) == (HISTORY, "advise", "auto")
