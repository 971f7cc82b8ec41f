"""What a fix really saved: by requests, with an interval, and not before there is a week of use."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.drains.studies import DAY_MS, FIRST_DAY, at, seen, session

from tokenbudget.analysis.drains.saved import (
    Foretold,
    SessionUse,
    outcome_by_first_requests,
    outcome_by_rate,
    uses_of,
)
from tokenbudget.analysis.findings import AppliedFix, Price
from tokenbudget.analysis.first_requests import Proof
from tokenbudget.analysis.study import FileStudy, Sighting

APPLIED = at(FIRST_DAY + 14, 0)
LATER = APPLIED + 7 * DAY_MS
PREDICTED = Price(50_000, 5_000, Decimal("0.05"), Decimal("0.005"))


def foretold(undone_at_ms: int | None = None, requests: int = 100, sent: int = 50_000) -> Foretold:
    return Foretold(12, "re-read", "", APPLIED, undone_at_ms, PREDICTED, 14, requests, sent)


def use(tokens: int, requests: int = 20, first_ms: int = APPLIED) -> SessionUse:
    return SessionUse(first_ms, requests, tokens, tokens * 1_000_000)


def outcome(before: list[SessionUse], after: list[SessionUse], now: int = LATER) -> AppliedFix:
    return outcome_by_rate(foretold(), before, after, now)


def test_half_of_the_loss_per_request_is_half_of_it_saved() -> None:
    before = [use(10_000) for _ in range(8)]  # 500 a request
    after = [use(5_000) for _ in range(5)]  # 250 a request, 100 requests in this week
    made = outcome(before, after)
    assert made.before_tokens_per_week == 50_000
    assert made.after_tokens_per_week == 25_000
    assert made.saved is not None
    assert made.saved.tokens == 25_000
    assert made.saved.error_tokens == 0  # all sessions are alike
    assert made.saved.usd == Decimal("0.025")
    assert (made.action, made.is_undone, made.days_since) == (12, False, 7.0)


def test_a_cheap_week_after_a_dear_one_is_no_saving() -> None:
    """What is applied was dear; less since, from few sessions, may be what it always was."""
    before = [*[use(10_000)] * 8, *[use(0)] * 12]  # 200 a request, and sessions differ much
    alike = [use(2_000)] * 5  # 100 a request, as if nothing differed
    made = outcome(before, alike)
    assert made.saved is not None
    assert made.saved.tokens == 100 * 100
    assert made.saved.error_tokens > made.saved.tokens
    long = outcome([*before, *before, *before], [use(100)] * 60)
    assert long.saved is not None
    assert long.saved.error_tokens < long.saved.tokens


def test_what_the_fix_itself_costs_is_taken_off() -> None:
    before, after = [use(10_000)] * 8, [use(5_000)] * 5
    made = outcome_by_rate(foretold(), before, after, LATER, added_tokens=20)
    assert made.saved is not None
    assert made.saved.tokens == 25_000 - 20 * 100
    assert made.saved.usd == Decimal("0.025") - 2_000 * Decimal("0.000001")
    assert made.after_tokens_per_week == 25_000  # of the drain alone


def test_twice_the_work_at_the_same_rate_saves_nothing() -> None:
    before = [use(10_000, 20), use(12_000, 20), use(8_000, 20)]
    after = [use(20_000, 40), use(24_000, 40), use(16_000, 40)]
    made = outcome(before, after)
    assert made.saved is not None
    assert made.saved.tokens == 0
    assert made.saved.error_tokens > 0


def test_what_was_not_seen_since_is_saved_with_a_doubt() -> None:
    made = outcome([use(10_000) for _ in range(8)], [use(0) for _ in range(5)])
    assert made.saved is not None
    assert made.saved.tokens == 50_000
    assert (
        made.saved.error_tokens == 11_500
    )  # half of the 2.3 events that none seen leaves possible


def test_it_can_have_become_worse() -> None:
    made = outcome([use(5_000) for _ in range(5)], [use(9_000) for _ in range(5)])
    assert made.saved is not None
    assert made.saved.tokens < 0


def test_three_days_or_two_sessions_are_not_enough() -> None:
    before = [use(10_000) for _ in range(8)]
    early = outcome(before, [use(0) for _ in range(9)], APPLIED + 3 * DAY_MS)
    assert (early.saved, early.days_since) == (None, 3.0)
    assert outcome(before, [use(0), use(0)]).saved is None
    assert outcome_by_rate(foretold(requests=0), [], [use(0)] * 5, LATER).saved is None


def test_a_fix_that_was_undone_is_measured_until_then() -> None:
    before, after = [use(10_000)] * 8, [use(5_000)] * 5
    early = outcome_by_rate(foretold(APPLIED + 2 * DAY_MS), before, after, LATER)
    assert (early.saved, early.is_undone, early.days_since) == (None, True, 2.0)
    late = outcome_by_rate(foretold(APPLIED + 10 * DAY_MS), before, after, LATER + 90 * DAY_MS)
    assert late.is_undone
    assert late.days_since == 10.0
    assert late.saved is not None


def test_what_was_written_down_stands_in_for_studies_that_are_gone() -> None:
    made = outcome([], [use(0)] * 5)
    assert made.before_tokens_per_week == 50_000  # 50,000 in 100 requests, and 100 since
    assert made.saved is not None
    assert made.saved.usd == Decimal("0.05")


def test_sessions_belong_to_the_side_on_which_they_are_whole() -> None:
    files = [
        session("before", FIRST_DAY, seen(), seen("skill")),
        session("across", FIRST_DAY + 13, seen(day=FIRST_DAY + 13), hours=30),
        session("after", FIRST_DAY + 15, seen(day=FIRST_DAY + 15, sent=700)),
        session("after", FIRST_DAY + 15, requests=5, thread="agent-1"),
    ]
    earlier = uses_of(files, _is_re_read, at(FIRST_DAY, 0), APPLIED)
    later = uses_of(files, _is_re_read, APPLIED, LATER)
    assert [(one.requests, one.tokens) for one in earlier] == [(20, 10_000)]
    assert [(one.requests, one.tokens) for one in later] == [(25, 700)]


def _is_re_read(one: Sighting) -> bool:
    return one.drain == "re-read"


def test_a_smaller_first_request_is_saved_by_every_one_since() -> None:
    proof = Proof("opus", 34_000, 400, 3, 30_000, "s9", LATER, 4_100)
    after = [use(0, requests=50)] * 2
    made = outcome_by_first_requests(foretold(), proof, 0.5, after, LATER)
    assert made.saved is not None
    assert made.saved.tokens == 200_000  # half of 4,000 in 100 requests
    assert made.saved.error_tokens == 20_000
    assert made.saved.usd == Decimal("0.2")
    assert outcome_by_first_requests(foretold(), None, 1.0, after, LATER).saved is None


SESSIONS = st.lists(
    st.tuples(st.integers(1, 200), st.integers(0, 10**6)).map(lambda t: use(t[1], t[0])),
    min_size=3,
    max_size=8,
)


@given(SESSIONS, SESSIONS)
def test_before_less_after_is_what_was_saved(
    before: list[SessionUse], after: list[SessionUse]
) -> None:
    made = outcome(before, after)
    assert made.saved is not None
    assert made.before_tokens_per_week is not None
    assert made.after_tokens_per_week is not None
    told = made.before_tokens_per_week - made.after_tokens_per_week
    assert abs(made.saved.tokens - told) <= 1
    assert made.saved.error_tokens >= 0
    worse = outcome(after, before)
    assert worse.saved is not None
    assert (made.saved.tokens > 0) <= (worse.saved.tokens <= 0)


def test_a_study_without_requests_says_nothing() -> None:
    empty: list[FileStudy] = [session("s1", FIRST_DAY, requests=0)]
    assert uses_of(empty, _is_re_read, 0, LATER) == []
