"""Whether a lever may be pulled now, and what a person is told of it."""

from __future__ import annotations

import pytest
from tests.optimizer.desk import (
    ALL_ADVISE,
    COLD,
    START_MS,
    WARM,
    Desk,
    history,
    measured,
    server,
    skill,
)

from tokenbudget.model.control import ACT, ADVISE, MARK, WAIT, Cache, Signals
from tokenbudget.optimizer.controller import considered
from tokenbudget.optimizer.lever_facts import Fact


def test_what_was_weighed_is_told_in_order_with_the_level_acted_on() -> None:
    desk = Desk(skill(tokens=600), server(kept_tokens=70_000), history())
    desk.requests(76_000, 77_000, held=())
    before = desk.state
    desk.request(78_000, expected_requests=10.0, held=(skill(tokens=600), history(), server()))
    level, weighed = considered(
        before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=measured
    )
    assert level == "critical"
    assert [one.option.lever for one in weighed] == ["history", "mcp-servers", "skills"]
    assert [one.verdict.code for one in weighed] == ["warm", "pays", "hard"]
    (bill, *_) = [one.option.bill for one in weighed]
    assert bill.break_even_requests == pytest.approx(6.7, abs=1)


@pytest.mark.parametrize("used", [20_000, None])
def test_nothing_is_weighed_where_nothing_may_be_done(used: int | None) -> None:
    desk = Desk(skill())
    desk.request(20_000)
    seen = desk.seen._replace(used_tokens=used)
    weighed = considered(desk.state, seen, desk.wishes, desk.trust, desk.now_ms)
    assert weighed == ("healthy", [])


@pytest.mark.parametrize(
    ("cache", "expected", "said"),
    [
        (WARM, None, "nobody knows how many requests will come"),
        (WARM._replace(read=None), 50.0, "the model has no price"),
        (WARM._replace(read=0.0), 50.0, "it would never pay for itself"),
        (WARM, 2.0, "about 2 requests more can be expected, and it takes "),
        (COLD, 1.0, "about 1 request more can be expected, and it takes "),
    ],
)
def test_why_a_history_is_only_marked_is_told_with_its_figures(
    cache: Cache, expected: float | None, said: str
) -> None:
    desk = Desk(history())
    decision = desk.requests(55_000, 56_000, cache=cache, expected_requests=expected)
    assert decision.kind == MARK
    assert said in decision.reason
    assert '"compact the conversation" is marked: ' in decision.reason


def test_when_the_cache_will_be_cold_is_told() -> None:
    desk = Desk(history())
    assert desk.requests(55_000, 56_000).next == "when the cache is cold, in 4 min"
    unknown = WARM._replace(is_cold=None, cold_in_ms=None)
    assert desk.look(cache=unknown).next == "when the cache is cold"


def test_an_unknown_cache_is_taken_for_a_warm_one() -> None:
    desk = Desk(history())
    unknown = WARM._replace(is_cold=None, cold_in_ms=None)
    assert desk.requests(55_000, 56_000, cache=unknown, expected_requests=1.0).kind == MARK


def test_advice_is_as_careful_as_an_action() -> None:
    desk = Desk(history(), wishes=ALL_ADVISE)
    decision = desk.requests(55_000, 56_000, expected_requests=2.0)
    assert (decision.kind, decision.code) == (WAIT, "warm")
    assert desk.look(cache=COLD, expected_requests=50.0).kind == ADVISE


def test_advice_says_what_it_would_free_and_cost() -> None:
    desk = Desk(history(), wishes=ALL_ADVISE)
    decision = desk.request(92_000, expected_requests=1.0)
    assert "which would free 40,000 tokens and cost about $" in decision.reason
    assert desk.look(expected_requests=99.0).reason.count("and save about $") == 1


def test_a_lever_that_leaves_the_cache_good_is_pulled_while_it_is_warm() -> None:
    def harmless(client: str, model: str, search: bool | None, lever: str, /) -> Fact | None:
        found = measured(client, model, search, lever)
        return found._replace(rewrites="") if found else None

    desk = Desk(server(kept_tokens=70_000))
    desk.requests(76_000, 77_000, held=())
    before = desk.state
    desk.request(78_000, expected_requests=1.0, held=(server(kept_tokens=70_000),))
    _, weighed = considered(before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=harmless)
    assert [(one.verdict.kind, one.verdict.code) for one in weighed] == [(ACT, "hard")]


@pytest.mark.parametrize(("notice_bytes", "weighed"), [(2_739, 0), (100, 1)])
def test_a_lever_whose_notice_is_larger_than_what_it_frees_is_left_alone(
    notice_bytes: int, weighed: int
) -> None:
    def noisy(client: str, model: str, search: bool | None, lever: str, /) -> Fact | None:
        found = measured(client, model, search, lever)
        return found and found._replace(next_bytes=notice_bytes, compacted_bytes=-2_463)

    desk = Desk(skill())
    desk.request(55_000)
    before = desk.state
    desk.request(56_000)
    _, found = considered(before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=noisy)
    assert len(found) == weighed


def test_what_takes_effect_at_the_next_start_is_only_advised_to_a_running_session() -> None:
    def later(client: str, model: str, search: bool | None, lever: str, /) -> Fact | None:
        found = measured(client, model, search, lever)
        return found and found._replace(effect="next start")

    desk = Desk(skill())
    desk.request(55_000)
    before = desk.state
    desk.request(56_000)
    _, found = considered(before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=later)
    assert [(one.verdict.kind, one.verdict.code) for one in found] == [(ADVISE, "next-start")]


def test_a_lever_that_was_just_tried_says_when_it_is_tried_again() -> None:
    desk = Desk(skill())
    desk.failed(desk.requests(55_000, 56_000))
    decision = desk.request(57_000)
    assert "it was tried 10 s ago" in decision.reason
    assert decision.next == "again in 5 min"
    assert desk.now_ms > START_MS


def test_the_real_table_is_the_standard_one() -> None:
    desk = Desk(history())
    desk.request(95_000)
    seen: Signals = desk.seen._replace(client="2.1.329", model="claude-opus-5-5")
    _, found = considered(desk.state, seen, desk.wishes, desk.trust, desk.now_ms)
    assert found[0].option.fact is not None
    assert found[0].option.prediction.known_by.startswith("2.1.329 claude-opus-5-5")
