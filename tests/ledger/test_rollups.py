"""The hourly sums answer exactly what the single responses would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.builders import FOREVER, Home, answer, append, counts_in, counts_of, write

from sample_sessions import Truth
from tokenbudget.analysis.periods import Zone
from tokenbudget.collector.ingest import Want
from tokenbudget.ledger import queries
from tokenbudget.ledger.queries import UsageQuery, UsageRow, ZoneSpan
from tokenbudget.ledger.rollups import has_stale_hours, thresholds_in
from tokenbudget.ledger.schema import MILLISECONDS_PER_HOUR
from tokenbudget.ledger.store import Ledger

HOUR = MILLISECONDS_PER_HOUR
END_MS = 1_795_179_600_000
FIRST_MS = END_MS - 22 * 24 * HOUR


@pytest.fixture(scope="module")
def asked(sample: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger with fresh hours, stale ones, undated rows and price thresholds in use."""
    home = Home(tmp_path_factory.mktemp("home"))
    shutil.copytree(sample[0], home.config, dirs_exist_ok=True)
    write(home.project / "undated.jsonl", answer("u1", timestamp=None), answer("u2", 7))
    home.refresh(Want.DETAIL)
    with Ledger(str(home.ledger_path), (20_000, 50_000)) as ledger:
        ledger.roll_up()
        ledger._connection.executescript(
            "INSERT INTO rollup_stale SELECT DISTINCT hour FROM rollup WHERE hour % 3 = 1;"
            "DELETE FROM rollup WHERE hour % 6 = 1;"
            "UPDATE rollup SET output_tokens = output_tokens + 1 WHERE hour % 6 = 4;"
        )
        yield ledger


hours = st.integers(FIRST_MS // HOUR, END_MS // HOUR + 1).map(lambda hour: hour * HOUR)
moments = st.integers(FIRST_MS, END_MS + HOUR)
limits = st.none() | hours | moments


@st.composite
def zones(draw: st.DrawFn) -> list[ZoneSpan]:
    """One or two distances from UTC, whole hours and others; undated rows apart, or not."""
    shifts = st.sampled_from([0, 1, -8, 14, -12]).map(lambda n: n * HOUR) | st.sampled_from(
        [HOUR // 2 * 11, HOUR // 4 * 23, -HOUR // 2 * 7]
    )
    change = draw(hours)
    return [
        ZoneSpan(0, 1, 0),
        ZoneSpan(1, change, draw(shifts)),
        ZoneSpan(change, FOREVER, draw(shifts)),
    ]


@st.composite
def usage_queries(draw: st.DrawFn) -> UsageQuery:
    period = draw(st.sampled_from([None, "day", "hour"]))
    return UsageQuery(
        period=period,
        by_project=draw(st.booleans()),
        by_agent=draw(st.booleans()),
        zone=draw(zones()) if period == "day" else (),
        since_ms=draw(limits),
        until_ms=draw(limits),
        model_ids=draw(st.none() | st.lists(st.integers(1, 9), max_size=4)),
        project_ids=draw(st.none() | st.lists(st.integers(0, 5), max_size=3)),
        agents=draw(st.none() | st.just(["claude-code"]) | st.just(["other"])),
    )


def from_responses(ledger: Ledger, query: UsageQuery) -> list[UsageRow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "_needs_responses", lambda query: True)
        return sorted(ledger.usage(query), key=repr)


@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(query=usage_queries())
def test_any_question_has_the_same_answer_from_sums_and_from_responses(
    asked: Ledger, query: UsageQuery
) -> None:
    assert has_stale_hours(asked._connection)
    assert sorted(asked.usage(query), key=repr) == from_responses(asked, query)


def test_a_limit_inside_an_hour_is_exact(home: Home) -> None:
    write(home.project / "s1.jsonl", *(answer(f"a{m}", timestamp=at(m)) for m in range(0, 120, 10)))
    home.refresh()
    with home.open() as ledger:
        rows = ledger.usage(UsageQuery(since_ms=END_MS + 10 * 60_000, until_ms=END_MS + 3_000_000))
    assert [row.requests for row in rows] == [4]


@pytest.mark.parametrize("limit", [END_MS + HOUR, END_MS + HOUR + 1])
def test_a_limit_leaves_out_what_has_no_time(home: Home, limit: int) -> None:
    write(home.project / "s1.jsonl", answer("a", timestamp=None), answer("b"))
    home.refresh()
    with home.open() as ledger:
        for query in (
            UsageQuery(until_ms=limit),
            UsageQuery(since_ms=0),
            UsageQuery(since_ms=-1),
            UsageQuery(since_ms=0, until_ms=limit),
        ):
            assert [row.requests for row in ledger.usage(query)] == [1]
        assert [row.requests for row in ledger.usage(UsageQuery())] == [1, 1]


def test_the_project_0_is_that_of_files_without_any(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a", 7, cwd=None))
    write(home.project / "s2.jsonl", answer("b", 8))
    home.refresh()
    with home.open() as ledger:
        told = {
            ids: sorted(row.output_tokens for row in ledger.usage(UsageQuery(project_ids=ids)))
            for ids in ((0,), (1,), ())
        }
        both = ledger.usage(UsageQuery(project_ids=(0, 1)))
    assert told == {(0,): [7], (1,): [8], (): []}
    assert [row.output_tokens for row in both] == [15]


def at(minutes: int) -> str:
    return (datetime.fromtimestamp(END_MS / 1000, UTC) + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("Asia/Kolkata", {"2026-11-20": 1, "2026-11-21": 2}),
        ("Asia/Kathmandu", {"2026-11-20": 1, "2026-11-21": 2}),
        ("UTC", {"2026-11-20": 3}),
    ],
)
def test_a_day_of_a_zone_off_the_whole_hour_begins_at_its_own_midnight(
    home: Home, zone: str, days: dict[str, int]
) -> None:
    """18:30 UTC is midnight in India, 18:15 in Nepal: inside a UTC hour."""
    stamps = ["2026-11-20T18:14:59Z", "2026-11-20T18:30:00Z", "2026-11-20T18:40:00Z"]
    write(home.project / "s1.jsonl", *(answer(s, timestamp=s, uuid=s) for s in stamps))
    home.refresh()
    spans = Zone(zone, END_MS).spans()
    with home.open() as ledger:
        rows = ledger.usage(UsageQuery(period="day", zone=spans))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    told = {f"{epoch + timedelta(days=row.period or 0):%Y-%m-%d}": row.requests for row in rows}
    assert told == days


def test_a_response_without_a_time_is_a_day_of_its_own_in_every_zone(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a", timestamp=None), answer("b"))
    home.refresh()
    for name in ("UTC", "Asia/Kolkata", "America/Los_Angeles"):
        with home.open() as ledger:
            rows = ledger.usage(UsageQuery(period="day", zone=Zone(name, END_MS).spans()))
        assert {row.period: row.requests for row in rows} == {0: 1, END_MS // (24 * HOUR): 1}


def test_a_kill_between_commit_and_roll_up_leaves_the_answer_right(
    full_home: Home, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "roll_up", lambda self: None)
        full_home.refresh(Want.DETAIL)
    with full_home.open() as ledger:
        assert ledger._connection.execute("SELECT count(*) FROM rollup").fetchone() == (0,)
        assert counts_in(ledger) == counts_of(truth)
        ledger.roll_up()
        assert not has_stale_hours(ledger._connection)
        assert counts_in(ledger) == counts_of(truth)


def test_a_new_threshold_tells_requests_apart_at_once(full_home: Home, truth: Truth) -> None:
    full_home.refresh()
    with Ledger(str(full_home.ledger_path), (25_000,)) as ledger:
        assert 25_000 in thresholds_in(ledger._connection)
        buckets = {row.prompt_bucket for row in ledger.usage(UsageQuery())}
        assert {0, 25_000} <= buckets
        assert counts_in(ledger) == counts_of(truth)
        ledger.roll_up()
        assert {row.prompt_bucket for row in ledger.usage(UsageQuery())} == buckets
        assert counts_in(ledger) == counts_of(truth)


def test_an_older_program_with_fewer_thresholds_changes_nothing(full_home: Home) -> None:
    full_home.refresh()
    with full_home.open() as ledger:
        before = thresholds_in(ledger._connection)
    with Ledger(str(full_home.ledger_path), ()) as ledger:
        assert thresholds_in(ledger._connection) == before
        assert not has_stale_hours(ledger._connection)


def test_only_changed_hours_are_summed_again(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a"), answer("b", timestamp=at(300)))
    home.refresh()
    home_rows = home.rows("SELECT rowid FROM rollup WHERE hour = ?", END_MS // HOUR)
    append(path, answer("c", timestamp=at(301)))
    home.refresh()
    assert home.rows("SELECT rowid FROM rollup WHERE hour = ?", END_MS // HOUR) == home_rows
    assert home.rows("SELECT requests FROM rollup ORDER BY hour") == [(1,), (2,)]


def test_a_response_that_moves_to_an_earlier_hour_leaves_the_later_one(home: Home) -> None:
    write(home.project / "s1.jsonl", answer("a", timestamp=at(300)))
    home.refresh()
    write(home.project / "s2.jsonl", answer("a", timestamp=at(0)))
    home.refresh()
    assert home.rows("SELECT hour, requests FROM rollup") == [(END_MS // HOUR, 1)]


def test_a_project_that_is_learnt_later_holds_for_what_was_counted_before(home: Home) -> None:
    path = write(home.project / "s1.jsonl", answer("a", cwd=None))
    home.refresh()
    append(path, answer("b", timestamp=at(300)))
    home.refresh()
    query = UsageQuery(by_project=True)
    with home.open() as ledger:
        assert sorted(ledger.usage(query), key=repr) == from_responses(ledger, query)
        assert [(row.project_id, row.requests) for row in ledger.usage(query)] == [(1, 2)]
