"""What the controller remembers of one session."""

from __future__ import annotations

from tests.optimizer.desk import Desk, history, skill

from tokenbudget.model.control import HISTORY, SKILLS
from tokenbudget.optimizer.controller import recalled
from tokenbudget.optimizer.putting_back import is_awaited
from tokenbudget.optimizer.state import MOST_PINNED, MOST_PULLED, fresh


def test_a_fresh_state_knows_nothing_but_the_session() -> None:
    state = fresh("s")
    assert state.session == "s"
    assert state.health.level == "healthy"
    assert state.tried_at_ms(HISTORY) is None
    assert not state.is_open(HISTORY)
    assert not state.is_in_force(HISTORY)


def test_an_action_is_open_until_it_is_seen_and_in_force_until_it_is_put_back() -> None:
    desk = Desk(history())
    desk.done(desk.request(92_000))
    assert desk.state.tried_at_ms(HISTORY) == desk.now_ms
    assert desk.state.is_open(HISTORY)
    assert desk.state.is_in_force(HISTORY)
    desk.done(desk.look(compactions=1))
    assert desk.state.is_open(HISTORY)
    assert not desk.state.is_in_force(HISTORY)
    desk.request(30_000)
    assert not desk.state.is_open(HISTORY)


def test_an_action_that_failed_is_not_in_force() -> None:
    desk = Desk(skill())
    desk.request(55_000)
    receipt = desk.done(desk.request(56_000))
    (one,) = desk.state.pulled
    failed = one._replace(receipt=receipt._replace(outcome="failed"))
    assert not desk.state._replace(pulled=(failed,)).is_in_force(SKILLS)


def test_old_actions_are_forgotten_but_for_those_that_something_waits_for() -> None:
    desk = Desk(history())
    receipt = desk.done(desk.request(92_000))
    done = [
        desk.state.pulled[0]._replace(
            receipt=receipt._replace(lever=SKILLS, at_ms=number, outcome="measured")
        )
        for number in range(2 * MOST_PULLED)
    ]
    desk.state = desk.state._replace(pulled=(*desk.state.pulled, *done))
    kept = recalled(desk.state, []).pulled
    assert len(kept) == MOST_PULLED
    assert [one.receipt.lever for one in kept if is_awaited(one)] == [HISTORY]
    assert kept[-1].receipt.at_ms == 2 * MOST_PULLED - 1


def test_no_more_ids_are_pinned_than_fit() -> None:
    desk = Desk()
    desk.request(10_000, reloaded=tuple(f"skills/{number}" for number in range(1_000)))
    assert len(desk.state.pinned) == MOST_PINNED
    assert desk.state.pinned[-1] == "skills/999"
