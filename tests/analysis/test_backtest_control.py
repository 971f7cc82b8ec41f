"""Strategies of control beside each other, and how full windows were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.backtest_threads import MINUTE_MS, START_MS, Part, biller, thread
from tests.analysis.test_backtest_strategies import Words

from tokenbudget.analysis.backtest_control import compared
from tokenbudget.analysis.backtest_cost import costed
from tokenbudget.analysis.backtest_result import (
    Backtest,
    Bill,
    Classes,
    Fidelity,
    SessionResult,
    StrategyResult,
)
from tokenbudget.analysis.backtest_room import MOST_PAUSE_MS, Filled, Room, RoomPair, room, summed
from tokenbudget.analysis.backtest_walk import walk
from tokenbudget.model.replay import SUMMARY_PIECE, Change, Moment


def bill(usd: float) -> Bill:
    return Bill(Classes(cache_read=usd * 1e6), Classes(cache_read=usd))


def strategy(name: str, costs: dict[str, float], levels: tuple[int, ...]) -> StrategyResult:
    pair = RoomPair(100, Room(), Room(80.0, 0.8, levels, levels), 2, 1)
    sessions = tuple(
        SessionResult(one, "", "s.jsonl", 9, bill(10), bill(usd), 0, 0, 0, 0, (), room=pair)
        for one, usd in costs.items()
    )
    total = sum(costs.values())
    rest = (bill(10 * len(costs)), bill(total), 0.0, 0.0, 0, 0.0, (), Fidelity(), sessions, ())
    return StrategyResult(name, "modelled", "", *rest, room=pair)


class TestBesideEachOther:
    def test_all_are_measured_against_the_client_alone(self) -> None:
        found = Backtest(
            (
                strategy("as it was", {"a": 10, "b": 10, "c": 10}, (1, 0, 0, 0)),
                strategy("controller-off", {"a": 10, "b": 8, "c": 5}, (1, 1, 1, 1)),
                strategy("controller", {"a": 9, "b": 8.2, "c": 5}, (3, 0, 0, 1)),
                strategy("controller-oracle", {"a": 8, "b": 7, "c": 5}, (4, 0, 0, 0)),
            ),
            3,
            3,
            27,
        )
        off, ours, oracle = compared(found)
        assert (off.name, off.saved_share, off.dearer_sessions) == ("controller-off", 0, 0)
        assert ours.saved_share == pytest.approx(1 - 22.2 / 23)
        assert ours.dearer_sessions == 1
        assert ours.worst_share == pytest.approx(1 - 8.2 / 8)
        # of a half of the oracle's saving, of b less than nothing; in c it saves nothing
        assert ours.oracle_sessions == 2
        assert ours.oracle_median == pytest.approx((0.5 - 0.2) / 2)
        assert oracle.oracle_median == 1
        assert (off.good_requests_share, ours.good_requests_share) == (0.5, 0.75)

    def test_without_the_client_alone_there_is_nothing_to_compare(self) -> None:
        assert compared(Backtest((strategy("controller", {"a": 1}, (1, 0, 0, 0)),), 1, 1, 1)) == ()


class TestRoom:
    def test_requests_and_time_go_to_the_level_that_was_left_behind(self) -> None:
        filled = [
            Filled(START_MS, 10),
            Filled(START_MS + MINUTE_MS, 60),
            Filled(START_MS + 60 * MINUTE_MS, 80),
            Filled(0, 120),
        ]
        found = room(filled, 100)
        assert found == Room(120, 1.2, (1, 1, 1, 1), (MINUTE_MS, MOST_PAUSE_MS, 0, 0))

    def test_a_window_of_unknown_size_has_a_peak_alone(self) -> None:
        assert room([Filled(1, 10), Filled(2, 30)], 0) == Room(30.0)

    @given(st.lists(st.tuples(st.integers(0, 10**13), st.floats(0, 10**6)), max_size=20))
    def test_each_request_has_one_level(self, told: list[tuple[int, float]]) -> None:
        found = room([Filled(*one) for one in told], 1_000)
        assert sum(found.requests) == len(told)
        assert all(ms >= 0 for ms in found.ms)
        assert summed([RoomPair(1, found, found)] * 2).now.requests == tuple(
            2 * one for one in found.requests
        )


class _Scripted:
    """Takes pieces away when it is told to."""

    name, basis, said = "scripted", "modelled", ""

    def __init__(self, gone: dict[int, list[int]]) -> None:
        self._gone = gone

    def walker(self) -> _Scripted:
        return self

    def before(self, moment: Moment) -> list[Change]:
        gone = self._gone.get(moment.number, [])
        changes = [Change(one, None, "scripted", share=0.0) for one in gone]
        if gone:
            changes.append(Change(gone[0], None, "scripted", share=1.5))
            changes.append(Change(SUMMARY_PIECE, None, "scripted", share=500.0))
        return changes


SIZES = st.lists(st.integers(0, 9_000), min_size=4, max_size=14)


@given(SIZES, st.lists(st.integers(1, 13), min_size=1, max_size=3), st.randoms())
def test_the_fast_way_comes_to_the_same_money(sizes: list[int], ats: list[int], chance) -> None:  # type: ignore[no-untyped-def]
    parts = [Part(size, at, text=f"result {at}") for at, size in enumerate(sizes)]
    gaps = [MINUTE_MS if size % 3 else 7 * MINUTE_MS for size in sizes]
    gone = {}
    for at in ats:
        some = [number for number in range(min(at, len(sizes))) if chance.random() < 0.7]
        gone[at] = [number for number in some if sizes[number]]
    found = walk(thread(parts, gaps), _Scripted(gone), Words())
    slow = costed(found, biller(), ())
    fast = costed(found, biller(), (), has_shortenings=False)
    for one, two in zip(slow.requests, fast.requests, strict=True):
        assert two.now.usd.total == pytest.approx(one.now.usd.total, abs=1e-9)
        assert two.window_now == pytest.approx(one.window_now, abs=1e-6)
