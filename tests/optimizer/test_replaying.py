"""The controller's own code over recorded sessions, and those that it is compared with."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.backtest_threads import MINUTE_MS, biller
from tests.analysis.test_backtest_strategies import Words, moment
from tests.optimizer.replay_scenes import USABLE, compacted_at, growing, scene, walked
from tests.optimizer.test_replaying_world import read

from tokenbudget.analysis.backtest_cost import costed
from tokenbudget.analysis.backtest_timeline import Timeline
from tokenbudget.model.control import HISTORY, TRIMMING
from tokenbudget.model.replay import CLIENT
from tokenbudget.optimizer.replaying import OURS, control_names, control_strategies, held, looks
from tokenbudget.optimizer.replaying_oracle import Plan, Searched, oracle, planned
from tokenbudget.optimizer.replaying_walk import ControlStrategy, Scene, View
from tokenbudget.optimizer.replaying_world import SUMMARY_TOKENS, World
from tokenbudget.optimizer.working_set import AGAIN_CHANCE
from tokenbudget.optimizer.working_set import CLIENT as CLIENT_LIMITS

HOUR_MS = 60 * MINUTE_MS


def named(name: str, where: Scene | None = None) -> ControlStrategy:
    every = {one.name: one for one in control_strategies(where or scene())}
    return every[name]


def usd(line: Timeline, strategy: ControlStrategy) -> float:
    return sum(one.now.usd.total for one in costed(walked(line, strategy), biller(), ()).requests)


def searched(line: Timeline, where: Scene) -> Searched:
    return Searched(line, where, biller(), (), may_be_healthy=False)


class TestTheClientAlone:
    def test_it_compacts_where_the_window_is_full(self) -> None:
        found = walked(growing(30), named("controller-off"))
        first, *more = compacted_at(found)
        assert {one.lever for one in found.deeds} == {CLIENT}
        assert 18 <= first <= 21, more

    def test_it_does_nothing_where_the_window_is_large(self) -> None:
        found = walked(growing(12), named("controller-off"))
        assert not found.versions
        assert not found.deeds

    def test_a_window_of_unknown_size_and_a_subagents_are_left_alone(self) -> None:
        for where in (scene(usable=0), scene(is_main=False)):
            for name in control_names():
                assert not walked(growing(30), named(name, where)).deeds


class TestTheController:
    def test_it_does_nothing_while_the_window_is_healthy(self) -> None:
        line = growing(9)  # 46,000 of 100,000 tokens
        assert not walked(line, named(OURS)).deeds

    def test_it_compacts_between_turns_where_many_requests_are_expected(self) -> None:
        found = walked(growing(30), named(OURS, scene(expected=400.0)))
        deed = next(one for one in found.deeds if one.lever == HISTORY)
        assert deed.level == "warning"
        assert deed.freed_tokens == pytest.approx(deed.predicted_tokens, rel=0.25)

    def test_it_does_not_where_one_session_in_ten_ends_at_once(self) -> None:
        where = scene(expected=400.0)._replace(sure=lambda _requests: 2.0)
        found = walked(growing(17), named(OURS, where))
        assert not compacted_at(found)

    def test_what_would_be_read_again_is_seen_in_the_window_as_it_stands(self) -> None:
        line = growing(12)
        large = "x" * (4 * CLIENT_LIMITS.tokens_each + 8)
        world = World(Words())
        for one in line.moments():
            fresh = [read(900, "large.py", text=large)] if one.number == 10 else one.fresh
            world.finish_request(one)
            world.begin_request(one._replace(fresh=fresh))
        [history, _] = held(View(one, world, scene(), False, 0, 0))
        assert history.reread_requests == pytest.approx(AGAIN_CHANCE * 0.5 ** (1 / 20))
        assert history.reread_tokens == pytest.approx(history.reread_requests * 1_000.0)

    def test_a_warm_window_waits_where_nobody_knows_what_comes(self) -> None:
        found = walked(growing(17), named(OURS, scene(expected=None)))
        assert not compacted_at(found)

    def test_a_cold_one_does_not(self) -> None:
        gaps = [0, *[MINUTE_MS] * 12, 7 * MINUTE_MS, *[MINUTE_MS] * 5]
        found = walked(growing(19, gaps_ms=gaps), named(OURS, scene(expected=None)))
        assert compacted_at(found) == [13]

    def test_at_an_emergency_it_does_not_wait(self) -> None:
        found = walked(growing(30, talks=False), named(OURS, scene(expected=None)))
        history = [one for one in found.deeds if one.lever == HISTORY]
        assert history[0].level == "emergency"
        assert CLIENT not in {one.lever for one in found.deeds}

    def test_it_begins_to_shorten_results_at_the_warning(self) -> None:
        found = walked(growing(16), named(OURS))
        trimming = next(one for one in found.deeds if one.lever == TRIMMING)
        assert trimming.level == "warning"
        assert trimming.request in (10, 11, 12)

    @settings(max_examples=15, deadline=None)
    @given(
        st.lists(st.sampled_from((1, 2, 7, 90, 3_000)), min_size=6, max_size=24),
        st.integers(2_000, 9_000),
        st.none() | st.floats(0, 300),
        st.integers(3, 20),
    )
    def test_it_never_looks_ahead(
        self, minutes: list[int], tokens: int, expected: float | None, until: int
    ) -> None:
        """What is decided of a beginning is the same whatever follows it."""
        gaps = [MINUTE_MS * one for one in minutes]
        until = min(until, len(gaps))
        whole = growing(len(gaps), tokens, gaps)
        beginning = growing(until, tokens, gaps[:until])
        where = scene(expected=expected)
        later = walked(whole, named(OURS, where)).deeds
        then = walked(beginning, named(OURS, where)).deeds
        assert [one for one in later if one.request < until] == list(then)


class TestTheNaiveOne:
    def test_it_compacts_as_soon_as_a_level_is_reached(self) -> None:
        found = walked(growing(14, talks=False), named("controller-naive", scene(expected=0.0)))
        assert compacted_at(found)[0] in (10, 11)

    def test_it_is_dearer_where_the_session_ends_behind_it(self) -> None:
        line = growing(12)
        assert usd(line, named("controller-naive")) > usd(line, named("controller-off"))
        ours = named(OURS, scene(expected=0.0))
        assert usd(line, ours) <= usd(line, named("controller-off"))


class TestTheOracle:
    @pytest.mark.parametrize("requests", [12, 17, 30, 44])
    def test_it_is_never_dearer_than_those_whose_plans_it_knows(self, requests: int) -> None:
        line, where = growing(requests), scene()
        others = control_strategies(where)
        best = oracle(searched(line, where), others)
        assert all(usd(line, best) <= usd(line, one) + 1e-9 for one in others)

    def test_it_does_nothing_where_all_of_it_is_healthy(self) -> None:
        line, where = growing(9), scene()
        assert not walked(line, oracle(searched(line, where))).deeds

    def test_it_says_the_same_every_time(self) -> None:
        line, where = growing(40), scene()
        first, second = (walked(line, oracle(searched(line, where))) for _ in range(2))
        assert first.deeds == second.deeds

    def test_a_plan_is_not_followed_below_the_warning(self) -> None:
        plan = Plan(frozenset((3, 12)), None)
        assert compacted_at(walked(growing(16), planned(plan, scene()))) == [12]
        free = planned(plan, scene(), may_be_healthy=True)
        assert 3 in compacted_at(walked(growing(16), free))


class TestACompaction:
    def test_the_window_is_then_what_stays_and_the_summary(self) -> None:
        line = growing(16)
        plan = planned(Plan(frozenset((12,)), None), scene())
        requests = costed(walked(line, plan), biller(), ()).requests
        before, after = requests[11].window_now, requests[12].window_now
        assert before > 60_000
        # what is before the conversation, the summary, and what came in since
        assert after == pytest.approx(1_000 + SUMMARY_TOKENS + 5_040 + 50, abs=100)

    def test_the_summary_is_paid_for_over_the_whole_window(self) -> None:
        line = growing(16)
        plan = planned(Plan(frozenset((12,)), None), scene())
        then = costed(walked(line, plan), biller(), ()).requests[12]
        assert then.now.tokens.output == then.was.tokens.output + SUMMARY_TOKENS
        assert then.now.tokens.prompt > then.was.tokens.prompt

    def test_a_second_one_is_made_over_the_smaller_window(self) -> None:
        line = growing(30)
        plan = planned(Plan(frozenset((12, 23)), None), scene())
        requests = costed(walked(line, plan), biller(), ()).requests
        assert requests[23].window_was > USABLE
        assert requests[23].now.tokens.prompt < 90_000


def test_looks_are_close_enough_that_the_loop_never_seems_to_have_stopped() -> None:
    start = 1_790_000_000_000
    for pause_ms in (1_000, 20_000, 6 * MINUTE_MS, 3 * HOUR_MS):
        one = moment(3)._replace(at_ms=start + pause_ms, ttl_ms=HOUR_MS)
        found = list(looks(start, one, 5_000))
        assert found == sorted(found)
        assert all(start < at <= start + pause_ms for at in found)
        until_cold = [start, *(at for at in found if at <= start + HOUR_MS + 5_000)]
        pauses = [later - earlier for earlier, later in pairwise(until_cold)]
        assert all(pause <= HOUR_MS // 2 + 5_000 for pause in pauses)
        assert found[-1] >= start + pause_ms - 1
