from tests.analysis.conftest import TWO_ATTEMPTS, Bench, response

from tokenbudget.analysis.sessions import session_list, session_whole
from tokenbudget.ledger.queries import UsageQuery


def test_sessions_have_their_usage_the_last_used_first(bench_of: Bench) -> None:
    bench = bench_of(
        response(1, "2026-11-19T10:00:00Z"),
        response(2, "2026-11-20T10:00:00Z", sessionId="s2"),
        response(3, "2026-11-20T11:00:00Z", sessionId="s2"),
    )

    found = session_list(bench.ledger, bench.book, UsageQuery())

    assert [(row.facts.session, row.sums.requests) for row in found] == [("s2", 2), ("s1", 1)]


def test_sessions_outside_the_limits_are_left_out(bench_of: Bench) -> None:
    bench = bench_of(
        response(1, "2026-11-19T10:00:00Z"), response(2, "2026-11-20T10:00:00Z", sessionId="s2")
    )
    since_ms = bench.zone.moment_ms("today", is_end=False)

    found = session_list(bench.ledger, bench.book, UsageQuery(since_ms=since_ms))

    assert [row.facts.session for row in found] == ["s2"]


def test_a_whole_session_adds_up_by_model_and_by_day(bench_of: Bench) -> None:
    bench = bench_of(
        response(1, "2026-11-19T10:00:00Z"),
        response(2, "2026-11-20T10:00:00Z", model="mystery-1"),
        response(3, "2026-11-20T11:00:00Z", isSidechain=True),
        response(4, "2026-11-20T11:00:00Z", sessionId="other"),
    )
    facts = next(row for row in bench.ledger.sessions() if row.session == "s1")

    whole = session_whole(bench.ledger, bench.book, bench.zone, facts)

    assert whole.models.totals.total_tokens == whole.days.totals.total_tokens == 330
    assert [labels for labels, _ in whole.days.rows] == [("2026-11-19",), ("2026-11-20",)]
    assert whole.subagent_tokens == 110
    assert whole.last_context is not None
    assert whole.last_context[0] == "mystery-1"


def test_earlier_attempts_of_a_subagent_are_its_tokens_too(bench_of: Bench) -> None:
    bench = bench_of(
        response(1, "2026-11-20T10:00:00Z", usage=TWO_ATTEMPTS, isSidechain=True),
        response(2, "2026-11-20T11:00:00Z", usage=TWO_ATTEMPTS),
    )

    assert bench.ledger.subagent_tokens("s1") == 110 + 2057
