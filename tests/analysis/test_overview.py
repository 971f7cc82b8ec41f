from tests.analysis.conftest import Bench, response

from tokenbudget.analysis.overview import DAYS_SHOWN, Overview, overview


def seen_by(bench_of: Bench, *lines: dict[str, object], zone: str = "UTC") -> Overview:
    """The overview of these lines at noon on a Friday."""
    bench = bench_of(*lines, zone=zone)
    return overview(bench.ledger, bench.book, bench.zone)


def test_the_week_before_is_as_long_as_this_one(bench_of: Bench) -> None:
    seen = seen_by(
        bench_of,
        response(1, "2026-11-09T00:00:00Z"),
        response(2, "2026-11-13T23:59:59Z"),
        response(3, "2026-11-14T00:00:00Z"),
        response(4, "2026-11-16T00:00:00Z"),
        response(5, "2026-11-08T23:59:59Z"),
    )

    assert (seen.week.requests, seen.week_before.requests) == (1, 2)


def test_what_is_dated_tomorrow_is_not_this_week(bench_of: Bench) -> None:
    seen = seen_by(
        bench_of,
        response(1, "2026-11-20T09:00:00Z"),
        response(2, "2026-11-21T09:00:00Z", model="mystery-1", sessionId="s2", cwd="/srv/api"),
    )

    assert [labels for labels, _ in seen.models.rows] == [("claude-opus-5-5",)]
    assert seen.models.totals.total_tokens == seen.week.total_tokens == 110
    assert seen.projects.totals.total_tokens == 110
    assert seen.sessions_today == 1


def test_days_are_oldest_first_and_end_today(bench_of: Bench) -> None:
    seen = seen_by(
        bench_of, response(1, "2026-11-20T01:00:00Z"), response(2, "2026-11-07T01:00:00Z")
    )

    assert seen.daily_tokens == [110, *[0] * (DAYS_SHOWN - 2), 110]


def test_a_day_is_that_of_the_zone(bench_of: Bench) -> None:
    line = response(1, "2026-11-19T20:00:00Z")

    assert seen_by(bench_of, line).today.requests == 0
    assert seen_by(bench_of, line, zone="Asia/Tokyo").today.requests == 1
    assert seen_by(bench_of, line, zone="Asia/Tokyo").sessions_today == 1


def test_before_a_week_has_usage_its_tables_show_everything(bench_of: Bench) -> None:
    seen = seen_by(bench_of, response(1, "2026-11-01T00:00:00Z"))

    assert seen.week.requests == 0
    assert [labels for labels, _ in seen.projects.rows] == [("/srv/shop",)]


def test_models_without_a_price_are_those_of_all_time(bench_of: Bench) -> None:
    seen = seen_by(
        bench_of,
        response(1, "2026-01-01T00:00:00Z", model="mystery-1"),
        response(2, "2026-11-20T00:00:00Z"),
    )

    assert seen.models.unpriced_models == []
    assert seen.unpriced_models == ["mystery-1"]


def test_the_latest_session_is_one_whose_window_is_known(bench_of: Bench) -> None:
    seen = seen_by(
        bench_of,
        response(1, "2026-11-20T10:00:00Z"),
        response(2, "2026-11-20T11:00:00Z", sessionId="s2", usage=None),
    )

    assert seen.latest is not None
    assert (seen.latest.session, seen.latest.context_tokens) == ("s1", 110)


def test_an_empty_ledger_has_no_latest(bench_of: Bench) -> None:
    seen = seen_by(bench_of)

    assert seen.latest is None
    assert seen.everything.total_tokens == 0
