"""Whether a lever may be pulled now, and what a person is told of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
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

from tokenbudget.model.control import ACT, ADVISE, MARK, WAIT, Cache, Held, Signals
from tokenbudget.optimizer import money
from tokenbudget.optimizer.controller import considered
from tokenbudget.optimizer.lever_facts import Fact
from tokenbudget.optimizer.working_set import AGAIN_HALF_REQUESTS, FileInUse, missed


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
        (WARM, 2.0, "about 2 requests more can be counted on, and it takes "),
        (COLD, 1.0, "about 1 request more can be counted on, and it takes "),
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
    assert desk.requests(55_000, 56_000).next == "when the cache is cold, in 4m"
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
    assert "it was tried 10s ago" in decision.reason
    assert decision.next == "again in 4m"
    assert desk.now_ms > START_MS


def test_the_real_table_is_the_standard_one() -> None:
    desk = Desk(history())
    desk.request(95_000)
    seen: Signals = desk.seen._replace(client="2.1.329", model="claude-opus-5-5")
    _, found = considered(desk.state, seen, desk.wishes, desk.trust, desk.now_ms)
    assert found[0].option.fact is not None
    assert found[0].option.prediction.known_by.startswith("2.1.329 claude-opus-5-5")


# ── what is in use, and how long it can be counted on ────────────────────────────────────────────


def in_use(reread_tokens: float) -> Held:
    """A history of which a warm request carries 4,000 tokens' worth."""
    return history(reread_requests=0.0, reread_tokens=reread_tokens)


@pytest.mark.parametrize(
    ("used", "tokens", "code"),
    [
        (56_000, 2_500.0, "pays"),  # 3,125 to write again, of 3,750 that a request carries
        (56_000, 3_500.0, "in-use"),
        (78_000, 3_500.0, "pays"),  # 28 of 22 percent: for 1.3 requests' carrying
        (78_000, 6_000.0, "in-use"),
        (89_000, 6_000.0, "pays"),
        (89_000, 12_000.0, "in-use"),
        (90_000, 12_000.0, "emergency"),
    ],
)
def test_the_fuller_the_window_the_more_of_what_is_in_use_may_have_to_be_read_again(
    used: int, tokens: float, code: str
) -> None:
    desk = Desk()
    desk.requests(used - 2, used - 1, held=())
    before = desk.state
    desk.request(used, held=(in_use(tokens),), expected_requests=1_000.0)
    _, [weighed] = considered(
        before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=measured
    )
    assert weighed.verdict.code == code


def test_a_history_in_use_is_marked_and_says_so_also_where_the_cache_is_cold() -> None:
    desk = Desk(history(reread_requests=1.6, reread_tokens=9_000.0))
    decision = desk.requests(55_000, 56_000, cache=COLD, expected_requests=1_000.0)
    assert (decision.kind, decision.code) == (MARK, "mark")
    said = "to read again what is in use (about 1.6 files) costs more than to carry all that would"
    assert f"{said} leave for 1 request" in decision.reason
    decision = desk.look()
    assert (decision.kind, decision.code) == (WAIT, "in-use")
    assert decision.next == "when less is in use"


def test_how_long_it_would_be_carried_grows_with_the_window_and_is_said() -> None:
    desk = Desk(history(reread_requests=float("nan"), reread_tokens=30_000.0))
    desk.requests(79_000, 79_500, expected_requests=1_000.0)
    reason = desk.request(80_000).reason
    assert (
        "(about 0.0 files) costs more than to carry all that would leave for 1.5 requests" in reason
    )


def test_what_costs_something_now_is_measured_by_what_nine_sessions_of_ten_still_had() -> None:
    for sure, kind in ((3.0, MARK), (60.0, ACT), (None, ACT)):
        desk = Desk(history())
        told = {"expected_requests": 60.0, "sure_requests": sure}
        assert desk.requests(55_000, 56_000, **told).kind == kind


def test_the_money_is_still_told_by_the_middle_of_what_is_to_come() -> None:
    desk = Desk(history())
    told = desk.request(92_000, expected_requests=60.0).prediction
    other = Desk(history())
    sure = other.request(92_000, expected_requests=60.0, sure_requests=3.0).prediction
    assert told is not None
    assert sure is not None
    assert told.usd == sure.usd


def test_a_cold_cache_that_does_not_pay_has_a_code_of_its_own() -> None:
    desk = Desk(history())
    desk.requests(55_000, 56_000, cache=COLD, expected_requests=1.0)
    decision = desk.look()
    assert (decision.kind, decision.code) == (WAIT, "cold-no-pay")
    assert "the cache is cold, but about 1 request more can be counted on" in decision.reason
    assert decision.next == "if the session goes on for longer"


def needed_again(requests_ago: int) -> Held:
    """The history of 40,000 tokens with three large files that were edited so long ago."""
    files = [FileInUse(name, 9e9, 0, 9_000.0, requests_ago, requests_ago) for name in "abc"]
    again = missed(files)
    return history(
        reread_requests=sum(one.chance for one in again),
        reread_tokens=sum(one.expected_tokens for one in again),
    )


def test_what_is_let_go_of_is_soon_no_reason_to_wait_any_more() -> None:
    """The bound: each 20 requests without the files halve what waits, so that it ends."""
    desk = Desk(needed_again(0))
    desk.requests(55_000, 56_000, expected_requests=1_000.0)
    bill = money.bill([needed_again(0)], WARM, None, is_free=False)
    last = math.ceil(AGAIN_HALF_REQUESTS * math.log2(bill.reread_iet / bill.carried_iet))
    found = [desk.request(56_000, held=(needed_again(ago),)) for ago in range(1, last + 1)]
    kinds = [one.kind for one in found]
    assert ACT in kinds
    waited = found[: kinds.index(ACT)]
    assert {one.code for one in waited} == {"in-use"}
    assert len(waited) > AGAIN_HALF_REQUESTS


@given(
    one=st.integers(51_000, 98_000),
    other=st.integers(51_000, 98_000),
    things=st.floats(0, 5),
    tokens=st.floats(0, 40_000),
)
def test_a_fuller_window_is_never_a_reason_to_wait_for_what_is_in_use(
    one: int, other: int, things: float, tokens: float
) -> None:
    codes = []
    for used in sorted((one, other)):
        desk = Desk(history(reread_requests=things, reread_tokens=tokens))
        desk.requests(used, used, expected_requests=1e9)
        before = desk.state
        desk.request(used)
        _, [weighed] = considered(
            before, desk.seen, desk.wishes, desk.trust, desk.now_ms, known=measured
        )
        codes.append(weighed.verdict.code)
    assert codes[1] != "in-use" or codes[0] == "in-use"
