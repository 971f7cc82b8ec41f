"""Findings: grouped, priced per week with an honest error, ranked, and known by stable ids."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.drains.studies import FIRST_DAY, SHOP, seen, session

from tokenbudget.analysis.drains.catalogue import DRAINS, drain_of
from tokenbudget.analysis.drains.ranking import (
    Days,
    findings_from,
    ids_of,
    interval,
    is_small,
    most_of,
    price_sum,
    ranked,
    total_of,
)
from tokenbudget.analysis.drains.wording import TITLES, shown_subject, times_words
from tokenbudget.analysis.findings import Finding, Price
from tokenbudget.analysis.study import FileStudy, Sighting

WEEK = Days(FIRST_DAY, FIRST_DAY + 6)
TWO_WEEKS = Days(FIRST_DAY, FIRST_DAY + 13)


def found(*files: FileStudy, days: Days = WEEK) -> list[Finding]:
    return findings_from(files, days, drain_of)


def test_sightings_of_one_subject_are_one_finding() -> None:
    one = session("s1", FIRST_DAY, seen(times=3), seen(times=1, line=90))
    two = session("s2", FIRST_DAY + 1, seen(day=FIRST_DAY + 1, times=5))
    (finding,) = found(one, two)
    assert finding.title == "src/cart.py read again 9 times, unchanged"
    assert (finding.times, finding.sessions) == (9, 2)
    assert finding.weekly.tokens == 30_000
    assert finding.weekly.usd == Decimal("0.03")
    assert finding.window_tokens == 500


def test_what_a_fork_carries_is_paid_and_happened_once() -> None:
    """Its sighting tells of no time: its past is a copy of the other session."""
    files = [session("s1", FIRST_DAY, seen(times=2)), session("fork", FIRST_DAY, seen(times=0))]
    [finding] = findings_from(files, WEEK, drain_of)
    assert (finding.times, finding.sessions, finding.weekly.tokens) == (2, 1, 20_000)
    assert [one.session for one in finding.evidence] == ["s1"]
    [alone] = findings_from(files[1:], WEEK, drain_of)
    assert (alone.times, alone.sessions, len(alone.evidence)) == (1, 1, 1)


def test_projects_and_drains_are_never_mixed() -> None:
    rows = found(
        session("s1", FIRST_DAY, seen(), seen("whole-file")),
        session("s2", FIRST_DAY, seen(), project="/srv/other"),
    )
    assert len(rows) == 3
    assert len({one.id for one in rows}) == 3


def test_two_weeks_halve_what_a_week_costs_and_a_day_is_no_week() -> None:
    files = [session("s1", FIRST_DAY, seen())]
    (week,), (fortnight,) = found(*files), found(*files, days=TWO_WEEKS)
    (day,) = found(*files, days=Days(FIRST_DAY, FIRST_DAY))
    assert week.weekly.tokens == 2 * fortnight.weekly.tokens == 10_000
    assert day.weekly == week.weekly


def test_what_lies_outside_of_the_period_or_has_no_day_does_not_count() -> None:
    files = [session("s1", FIRST_DAY, seen(day=FIRST_DAY - 1), seen(day=0), seen("nothing-known"))]
    assert found(*files) == []
    assert not Days(0, -1).has(0)


def test_the_error_holds_the_counting_and_how_much_sessions_differ() -> None:
    files = [
        session(f"s{n}", FIRST_DAY, seen(sent=10_000, error=300, line=n)) for n in range(1, 101)
    ]
    (finding,) = found(*files)
    counting = 300 * 100  # one counter is off the same way everywhere
    sampling = 1.64 * 10_000 * math.sqrt(100)
    assert finding.weekly.tokens == 1_000_000
    assert finding.weekly.error_tokens == round(math.hypot(counting, sampling))


def test_an_amount_of_one_session_may_not_come_again() -> None:
    (finding,) = found(session("s1", FIRST_DAY, seen(sent=10_000, error=10)))
    assert finding.weekly.error_tokens == round(1.64 * 10_000)
    low, high = interval(finding.weekly.tokens, finding.weekly.error_tokens)
    assert low == 0
    assert high == pytest.approx(4.74 * 10_000, rel=0.01)  # exact Poisson, where one was seen
    assert finding.spent == Price(10_000, 10, Decimal("0.01"), Decimal("0.00001"))


def test_what_was_spent_is_the_whole_sum_and_knows_no_doubt_of_other_weeks() -> None:
    files = [
        session(f"s{n}", FIRST_DAY + 7 * n, seen(day=FIRST_DAY + 7 * n, sent=1_000, error=30))
        for n in range(4)
    ]
    (finding,) = found(*files, days=Days(FIRST_DAY, FIRST_DAY + 27))
    assert finding.weekly.tokens == 1_000
    assert finding.spent is not None
    assert finding.spent[:2] == (4_000, 120)
    assert finding.spent.usd == Decimal("0.004")


@pytest.mark.parametrize(("events", "upper"), [(1, 4.744), (2, 6.296)])
def test_an_interval_from_nothing_ends_where_poisson_says(events: int, upper: float) -> None:
    error = 1.64 * 100 / math.sqrt(events)
    assert most_of(100, error) == pytest.approx(100 * upper / events, rel=0.01)


@given(st.floats(1e-6, 1e12), st.floats(0, 1e15))
def test_an_interval_always_holds_its_amount(amount: float, error: float) -> None:
    low, high = interval(amount, error)
    assert 0 <= low <= amount <= high
    assert most_of(0, error) is None


def test_what_has_no_price_has_none() -> None:
    (finding,) = found(session("s1", FIRST_DAY, seen(cost=0)))
    assert finding.weekly.usd is None
    assert finding.weekly.error_usd is None
    assert finding.weekly.tokens == 10_000


def test_the_dearest_evidence_comes_first_and_is_a_handful() -> None:
    sightings = [seen(sent=n * 1_000, line=n) for n in range(1, 9)]
    (finding,) = found(session("s1", FIRST_DAY, *sightings))
    assert [one.line for one in finding.evidence] == [8, 7, 6, 5, 4]
    assert all(one.session == "s1" and one.path.endswith("s1.jsonl") for one in finding.evidence)
    assert finding.evidence[0].detail == "read 2 times, unchanged"


def test_findings_are_ranked_by_money_and_then_by_tokens() -> None:
    rows = found(
        session(
            "s1",
            FIRST_DAY,
            seen(subject="cheap", sent=900_000, cost=1),
            seen(subject="dear", sent=10, cost=10**12),
            seen(subject="unpriced-small", sent=500, cost=0),
            seen(subject="unpriced-large", sent=5_000, cost=0),
        )
    )
    assert [one.subject for one in rows] == ["dear", "cheap", "unpriced-large", "unpriced-small"]
    assert rows == ranked(reversed(rows))


def test_confidence_says_why() -> None:
    (low,) = found(session("s1", FIRST_DAY, seen()))
    assert (low.confidence, low.sessions) == ("low", 1)
    several = [session(f"s{n}", FIRST_DAY, seen(error=100)) for n in range(5)]
    (high,) = found(*several)
    assert high.confidence == "high"
    assert "5x in 5 sessions" in high.confidence_reason
    unsure = [session(f"s{n}", FIRST_DAY, seen(error=5_000)) for n in range(5)]
    assert found(*unsure)[0].confidence == "medium"
    inferred = [session(f"s{n}", FIRST_DAY, seen("costly-model", error=100)) for n in range(5)]
    (medium,) = found(*inferred)
    assert medium.confidence == "medium"
    assert "cannot be seen" in medium.confidence_reason


def test_ids_are_short_stable_and_longer_where_two_would_agree() -> None:
    keys = [("re-read", SHOP, f"{number}.py") for number in range(9_000)]
    ids = ids_of(keys)
    assert len(set(ids.values())) == len(keys)
    lengths = {len(one.partition("/")[2]) for one in ids.values()}
    assert lengths == {6, 16}  # of 9,000 some agree in six digits
    alone = ids_of([keys[0]])[keys[0]]
    assert alone == ids_of([keys[0], ("skill", SHOP, "x")])[keys[0]]
    assert alone.startswith("re-read/")


def test_a_subject_with_half_a_character_has_an_id_too() -> None:
    (finding,) = found(session("s1", FIRST_DAY, seen(subject=f"{SHOP}/\ud83d.py")))
    assert finding.id.startswith("re-read/")


def test_what_costs_no_tokens_is_small_by_its_money() -> None:
    drain = drain_of("cache-ttl")
    (dear,) = found(session("s1", FIRST_DAY, seen("cache-ttl", "", sent=0, cost=10**12)))
    (cheap,) = found(session("s1", FIRST_DAY, seen("cache-ttl", "", sent=0, cost=10**6)))
    assert not is_small(dear, drain)
    assert is_small(cheap, drain)


def test_what_has_a_price_is_small_by_its_money_alone() -> None:
    drain = drain_of("re-read")
    (much,) = found(session("s1", FIRST_DAY, seen(sent=9_000)))  # of a millionth of a dollar each
    assert is_small(much, drain)
    (dear,) = found(session("s1", FIRST_DAY, seen(sent=400, cost=10**11)))
    assert not is_small(dear, drain)


def test_without_a_price_tokens_decide() -> None:
    (few,) = found(session("s1", FIRST_DAY, seen(sent=4_999, cost=0)))
    assert is_small(few, drain_of("re-read"))
    (more,) = found(session("s1", FIRST_DAY, seen(sent=5_000, cost=0)))
    assert not is_small(more, drain_of("re-read"))
    assert is_small(more._replace(weekly=Price(0, 0, None, None)), drain_of("cache-ttl"))


def test_every_thread_drain_has_words_of_its_own() -> None:
    ids = [drain.id for drain in DRAINS]
    assert len(set(ids)) == len(ids) == 22
    in_threads = {drain.id for drain in DRAINS if drain.detect is not None}
    assert set(TITLES) == in_threads | {"mcp-server", "skill"}
    for drain in DRAINS:
        (named,) = (
            found(session("s1", FIRST_DAY, seen(drain.id, "thing"))) if drain.detect else [None]
        )
        if named is not None:
            assert "{" not in named.title + named.fix.text
            (unnamed,) = found(session("s1", FIRST_DAY, seen(drain.id, "")))
            assert "{" not in unnamed.title + unnamed.fix.text
        for text in (drain.rule, drain.alternative, drain.tip, drain.fix, drain.title):
            assert text
    assert drain_of("nothing-known") is None


def test_words() -> None:
    assert [times_words(n) for n in (1, 2, 3, 1200)] == ["once", "twice", "3 times", "1,200 times"]
    assert shown_subject("/srv/shop/a.py", "/srv/shop") == "a.py"
    assert shown_subject("/srv/shopping/a.py", "/srv/shop") == "/srv/shopping/a.py"
    assert shown_subject("D:\\shop\\a.py", "D:\\shop") == "a.py"
    assert shown_subject("/srv/shop", "/srv/shop") == "/srv/shop"
    assert shown_subject("npm test", "") == "npm test"


AMOUNTS = st.integers(0, 10**9)
SIGHTINGS = st.builds(
    lambda subject, sent, error, cost, day: seen(
        "re-read", subject, FIRST_DAY + day, sent, error=error, cost=cost
    ),
    st.sampled_from(["a", "b", "c"]), AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 6),
)  # fmt: skip


@given(st.lists(st.lists(SIGHTINGS, max_size=5), max_size=6))
def test_findings_lose_nothing_and_add_up(sessions: list[list[Sighting]]) -> None:
    files = [session(f"s{n}", FIRST_DAY, *some) for n, some in enumerate(sessions)]
    rows = found(*files)
    sightings = [one for some in sessions for one in some]
    assert sum(one.times for one in rows) == len(sightings)
    total = total_of(rows)
    assert total.tokens == sum(one.sent_tokens for one in sightings)
    money = sum(one.cost_pico_usd for one in sightings)
    assert total.usd == (Decimal(money) / 10**12 if money else None)
    for one in rows:
        assert one.weekly.error_tokens >= 0
    assert rows == found(*reversed(files))


def test_a_sum_of_prices_keeps_the_unpriced_apart() -> None:
    some = Price(10, 3, Decimal("0.5"), Decimal("0.3"))
    assert price_sum([some, Price(5, 4, None, None)]) == Price(
        15, 5, Decimal("0.5"), Decimal("0.3")
    )
    assert price_sum([]) == Price(0, 0, None, None)
