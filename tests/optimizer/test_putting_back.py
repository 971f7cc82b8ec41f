"""What was taken or lent is put back."""

from __future__ import annotations

from typing import Any

import pytest
from tests.optimizer.desk import ALL_AUTO, COLD, USABLE, Desk, history, server, skill

from tokenbudget.model.control import HISTORY, RESERVE, TERSENESS, TRIMMING, Held
from tokenbudget.optimizer import putting_back
from tokenbudget.optimizer.state import LENT


def lent(lever: str = HISTORY) -> Desk:
    """A session to which something was lent in an emergency."""
    desk = Desk(Held(f"{lever}/x", lever, "lend it", "", 30_000))
    desk.done(desk.request(95_000))
    assert [one.receipt.lever for one in desk.state.pulled] == [lever]
    return desk


def code_of(desk: Desk, **more: Any) -> str:
    seen = desk.seen._replace(**more)
    found = putting_back.due(desk.state, seen, desk.wishes, desk.now_ms)
    return found.code if found else ""


@pytest.mark.parametrize("lever", LENT)
def test_what_is_lent_comes_back_with_the_lease_and_the_session(lever: str) -> None:
    desk = lent(lever)
    assert code_of(desk) == ""
    assert code_of(desk, is_over=True) == "over"
    desk.now_ms += ALL_AUTO.lease_ms
    assert code_of(desk) == "lease"


def test_a_boundary_gives_back_the_history_alone() -> None:
    assert code_of(lent(HISTORY), compactions=1) == "boundary"
    for lever in (RESERVE, TRIMMING, TERSENESS):
        assert code_of(lent(lever), compactions=1) == ""


def test_what_was_taken_out_stays_out_when_the_session_is_over() -> None:
    desk = Desk(skill())
    desk.done(desk.requests(55_000, 56_000))
    assert code_of(desk, is_over=True) == ""


def test_servers_come_back_with_the_end_of_the_session_where_no_warm_cache_is_lost() -> None:
    """A rule that stayed for ever would keep every later session from tools it never sees."""
    desk = Desk(server())
    desk.done(desk.request(95_000))
    desk.look(held=())
    assert putting_back.is_awaited(desk.state.pulled[0])
    assert code_of(desk, cache=COLD) == ""
    assert code_of(desk, is_over=True) == ""  # it may be resumed while its cache is warm
    assert code_of(desk, is_over=True, cache=COLD, neighbours=(40_000,)) == ""
    assert code_of(desk, is_over=True, cache=COLD) == "over"


def test_a_loan_ends_when_another_session_of_the_project_grows_into_it() -> None:
    desk = lent(HISTORY)
    assert code_of(desk, neighbours=(93_000, 60_000)) == ""
    decision = desk.look(neighbours=(60_000, 93_100))
    assert (decision.kind, decision.code) == ("restore", "neighbour")
    desk.done(decision)
    desk.look(neighbours=(60_000, 93_100))
    assert desk.state.pulled[0].receipt.outcome == "undone"
    assert code_of(lent(RESERVE), neighbours=(99_000,)) == ""


def test_settings_that_cannot_be_meant_keep_nothing_lent() -> None:
    desk = lent()
    desk.wishes = desk.wishes._replace(warning_share=0.95)
    assert desk.look().code == "config"
    assert desk.look(compactions=1).code == "boundary"


def test_a_released_reserve_is_not_put_back_into_an_emergency() -> None:
    """Releasing it makes the share a small one at once, with as many tokens as before."""
    desk = lent(RESERVE)
    larger = 9 * USABLE
    codes = [desk.request(95_000, usable_tokens=larger, held=()).code for _ in range(12)]
    assert desk.state.health.level == "healthy"
    assert "recovered" not in codes
    assert code_of(desk, used_tokens=72_000) == ""
    assert code_of(desk, used_tokens=71_000) == "recovered"
    assert code_of(desk, used_tokens=None) == ""


def test_what_changed_nothing_has_nothing_to_be_put_back() -> None:
    desk = Desk(history())
    decision = desk.request(95_000)
    receipt = desk.done(decision)
    pulled = desk.state.pulled[0]._replace(receipt=receipt._replace(action=None))
    desk.state = desk.state._replace(pulled=(pulled,))
    assert code_of(desk, compactions=1) == ""


def test_a_look_at_another_session_gives_nothing_back() -> None:
    assert code_of(lent(), session="another", compactions=1) == ""


def test_an_old_look_that_shows_the_boundary_still_gives_back() -> None:
    desk = lent()
    decision = desk.look(observed_at_ms=0, compactions=1)
    assert (decision.kind, decision.code) == ("restore", "boundary")


def test_what_was_put_back_is_not_put_back_again() -> None:
    desk = lent()
    decision = desk.look(compactions=1)
    desk.done(decision)
    assert code_of(desk, compactions=1) == ""
    assert putting_back.meant_by(desk.state, decision) is None


def test_only_the_action_with_what_was_asked_for_is_taken_back() -> None:
    desk = Desk(server("one"), skill("two"))
    desk.done(desk.request(95_000))
    desk.done(desk.look())
    found = putting_back.due(
        desk.state, desk.seen._replace(reloaded=("skills/two",)), desk.wishes, desk.now_ms
    )
    assert found is not None
    assert (found.code, found.items) == ("asked-for", ("skills/two",))


def test_something_is_awaited_while_it_is_open_or_lent() -> None:
    desk = lent()
    (one,) = desk.state.pulled
    assert putting_back.is_awaited(one)
    settled = one._replace(receipt=one.receipt._replace(outcome="measured"))
    assert putting_back.is_awaited(settled)
    assert not putting_back.is_awaited(settled._replace(back="boundary"))
