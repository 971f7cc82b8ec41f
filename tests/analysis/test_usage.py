import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.analysis.periods import Zone
from tokenbudget.analysis.usage import (
    BLOCK_HOURS,
    GROUPINGS,
    Names,
    UsageTable,
    block_labels,
    query_for,
    tabulate,
)
from tokenbudget.ledger.queries import UsageRow
from tokenbudget.metering.rates import PriceBook

NOW = 1_795_176_000_000
HOUR = 3_600_000
UTC = Zone("UTC", NOW)
NAMES = Names({1: "claude-opus-5-5", 2: "mystery-1"}, {1: "/srv/shop", 2: "/srv/api"})
BOOK = PriceBook.bundled({"claude-opus-5-5": {"input": 5, "output": 25, "fast": {"multiplier": 2}}})

hours = st.sets(st.integers(490_000, 490_400), min_size=1)
counts = st.integers(0, 10**9)


def row(model_id: int = 1, day: int = 20_777, **fields: object) -> UsageRow:
    """A row of the ledger: 100 tokens in, 10 out."""
    plain = UsageRow(
        period=day,
        utc_day=day,
        agent="claude-code",
        project_id=1,
        session="s1",
        model_id=model_id,
        speed=0,
        service_tier=0,
        prompt_bucket=0,
        requests=1,
        unknown_requests=0,
        low_confidence_tokens=0,
        input_tokens=100,
        output_tokens=10,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        cache_read_tokens=0,
        web_search_requests=0,
    )
    return plain._replace(**fields)  # type: ignore[arg-type]


def table_of(rows: list[UsageRow], *by: str) -> UsageTable:
    """The rows, tabulated in UTC."""
    return tabulate(rows, by, NAMES, BOOK, UTC)


class TestBlocks:
    @given(hours)
    def test_every_hour_is_in_one_block(self, active: set[int]) -> None:
        assert set(block_labels(active, UTC)) == active

    @given(hours)
    def test_a_block_spans_less_than_five_hours_and_begins_with_an_active_one(
        self, active: set[int]
    ) -> None:
        blocks: dict[str, list[int]] = {}
        for hour, label in block_labels(active, UTC).items():
            blocks.setdefault(label, []).append(hour)

        for label, members in blocks.items():
            assert max(members) - min(members) < BLOCK_HOURS
            assert label == UTC.stamp(min(members) * HOUR, "minutes")

    @given(hours)
    def test_blocks_do_not_overlap(self, active: set[int]) -> None:
        begins = sorted(
            min(hour for hour, other in labels.items() if other == label)
            for labels in [block_labels(active, UTC)]
            for label in set(labels.values())
        )

        assert all(b - a >= BLOCK_HOURS for a, b in itertools.pairwise(begins))

    def test_a_block_is_labelled_with_its_distance_from_utc(self) -> None:
        berlin = Zone("Europe/Berlin", NOW)

        labels = block_labels([NOW // HOUR, NOW // HOUR + 1], berlin)

        assert set(labels.values()) == {"2026-11-20T13:00+01:00"}

    def test_hours_that_are_not_shown_decide_where_a_block_begins(self) -> None:
        hour = 490_000
        shown = row(period=hour + 4)

        table = tabulate([shown], ["block"], NAMES, BOOK, UTC, [hour, hour + 4])

        assert table.rows[0][0] == (UTC.stamp(hour * HOUR, "minutes"),)

    @given(hours, st.sampled_from(["Asia/Kolkata", "America/St_Johns", "Europe/Berlin"]))
    def test_a_zone_changes_only_the_names(self, active: set[int], name: str) -> None:
        here, there = block_labels(active, UTC), block_labels(active, Zone(name, NOW))

        pairs = {(here[hour], there[hour]) for hour in active}
        assert len(pairs) == len(set(here.values())) == len(set(there.values()))

    def test_hours_without_a_time_have_a_block_of_their_own(self) -> None:
        labels = block_labels([0, 490_000], UTC)

        assert labels[0] == "unknown"
        assert labels[490_000] == "2025-11-24T16:00+00:00"


class TestTable:
    @given(st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(1, 9), counts, counts)))
    def test_rows_add_up_to_the_totals(self, given_rows: list[tuple[int, int, int, int]]) -> None:
        rows = [
            row(model, 20_000 + day, input_tokens=sent, output_tokens=received)
            for model, day, sent, received in given_rows
        ]

        for by in (("day",), ("model",), ("week", "model"), ()):
            table = table_of(rows, *by)
            parts = [sums for _, sums in table.rows]
            assert sum(s.total_tokens for s in parts) == table.totals.total_tokens
            assert sum((s.cost_usd for s in parts), Decimal(0)) == table.totals.cost_usd
            assert sum(s.unpriced_tokens for s in parts) == table.totals.unpriced_tokens

    def test_costs_are_exact(self) -> None:
        table = table_of([row(), row(speed=1)], "model")

        assert table.totals.cost_usd == 3 * (Decimal(100 * 5 + 10 * 25) / 1_000_000)

    def test_what_has_no_price_stays_visible(self) -> None:
        table = table_of([row(1), row(2), row(2, service_tier=1, speed=1)], "model")

        assert table.unpriced_models == ["mystery-1", "mystery-1 (fast, batch)"]
        assert table.totals.unpriced_tokens == 220

    def test_models_without_a_price_come_largest_first(self) -> None:
        table = table_of([row(2), row(2, speed=1, input_tokens=10_000)], "model")

        assert table.unpriced_models == ["mystery-1 (fast)", "mystery-1"]

    def test_periods_are_in_order_and_others_by_cost(self) -> None:
        rows = [row(day=20_002), row(day=20_001), row(day=20_001, project_id=2, input_tokens=900)]
        labels = [labels for labels, _ in table_of(rows, "project", "day").rows]

        assert labels == [
            ("/srv/api", "2024-10-05"),
            ("/srv/shop", "2024-10-05"),
            ("/srv/shop", "2024-10-06"),
        ]

    def test_without_a_cost_tokens_decide_and_then_names(self) -> None:
        rows = [row(2, session=name, input_tokens=n) for name, n in (("b", 1), ("c", 9), ("a", 1))]

        assert [labels[0] for labels, _ in table_of(rows, "session").rows] == ["c", "a", "b"]

    def test_a_row_without_a_project_says_so(self) -> None:
        assert table_of([row(project_id=None)], "project").rows[0][0] == ("unknown",)

    def test_prompt_and_total(self) -> None:
        sums = table_of([row(cache_read_tokens=5, cache_write_1h_tokens=2)]).totals

        assert (sums.prompt_tokens, sums.total_tokens) == (107, 117)


@pytest.mark.parametrize("by", GROUPINGS)
def test_a_query_asks_for_no_more_than_its_grouping_needs(by: str) -> None:
    query = query_for([by], UTC)

    assert query.by_project == (by == "project")
    assert query.by_agent == (by == "agent")
    assert query.by_session == (by == "session")
    assert query.period == {"day": "day", "week": "day", "month": "day", "block": "hour"}.get(by)
    assert bool(query.zone) == (query.period == "day")


def test_a_query_passes_limits_on() -> None:
    query = query_for(["day"], UTC, since_ms=5, session="s1")

    assert (query.since_ms, query.until_ms, query.session) == (5, None, "s1")
