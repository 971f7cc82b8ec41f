from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dashboard.frames import CROSSING, NOON_MS, session_line
from tests.dashboard.frames import session_view as ready_view
from tests.reports.test_window import FACTS, UNKNOWN_SIZE, window

from tokenbudget.analysis import window_pieces
from tokenbudget.analysis.cache_state import UNKNOWN, CacheState
from tokenbudget.analysis.composition import CALIBRATED, Component, Item
from tokenbudget.analysis.session_window import Sample, SessionWindow
from tokenbudget.analysis.window_budget import WindowBudget
from tokenbudget.budget.forecast import Crossing, Spread
from tokenbudget.dashboard.view_model import (
    BUCKET_MS,
    BUCKETS,
    Consumer,
    SessionView,
    Spend,
    chosen_first,
    consumers,
    growth,
    session_view,
)

PLAN = WindowBudget("healthy", "green", 0.2, [], [], [], ["compact"])
SPEND = Spend(Decimal(1), None, 0)
SHARES = (0.5, 0.75, 0.9)
HOUR_MS = BUCKET_MS * BUCKETS


def view_of(shown: SessionWindow, cache: CacheState = UNKNOWN) -> SessionView:
    return session_view(FACTS, shown, PLAN, SHARES, SPEND, NOON_MS, cache)


def sample(at_ms: int, tokens: int) -> Sample:
    return Sample(at_ms, tokens, "m", False)


def item(name: str, tokens: int, reads: int = 0, stale_tokens: int = 0) -> Item:
    return Item(name, tokens, 1, 0, reads, stale_tokens, ())


def component(key: str, *items: Item) -> Component:
    tokens = sum(one.tokens for one in items)
    return Component(key, f"title of {key}", tokens, 0, CALIBRATED, items)


class TestShare:
    @pytest.mark.parametrize(
        ("total", "size", "share"),
        [(50, 200, 0.25), (None, 200, None), (50, None, None), (50, 0, None), (0, 200, 0.0)],
    )
    def test_is_known_where_both_are(
        self, total: int | None, size: int | None, share: float | None
    ) -> None:
        assert ready_view(total_tokens=total, window_tokens=size).share == share
        assert session_line(total_tokens=total, window_tokens=size).share == share


class TestSessionView:
    def test_takes_its_facts_from_where_they_are_known(self) -> None:
        view = view_of(window())
        assert (view.session, view.project) == (FACTS.session, FACTS.project)
        assert (view.total_tokens, view.window_tokens, view.share) == (40_000, 200_000, 0.2)
        assert (view.until_compaction_tokens, view.level, view.light) == (
            127_000,
            "healthy",
            "green",
        )
        assert (view.threshold_shares, view.spend, view.recommendations) == (
            SHARES,
            SPEND,
            ("compact",),
        )

    def test_what_is_unknown_stays_unknown(self) -> None:
        view = view_of(window(size=UNKNOWN_SIZE, prompt_tokens=None))
        assert (view.total_tokens, view.window_tokens, view.share) == (None, None, None)
        assert (view.until_compaction_tokens, view.cache) == (None, UNKNOWN)

    def test_what_is_reached_already_is_not_ahead(self) -> None:
        reached = Crossing("warning", 1, Spread(0, 0, 0), Spread(0, 0, 0), Spread(0, 0, 0), "")
        unknown = Crossing("full", 200_000, None, None, None, "2 requests so far")
        view = view_of(window(crossings=(reached, CROSSING, unknown)))
        assert view.ahead == (CROSSING,)
        assert view.forecast_reason == ""

    def test_where_nothing_is_foretold_there_is_a_reason(self) -> None:
        unknown = Crossing("full", 200_000, None, None, None, "2 requests so far")
        assert view_of(window(crossings=(unknown,))).forecast_reason == "2 requests so far"

    def test_after_a_change_nothing_is_foretold(self) -> None:
        view = view_of(window(crossings=(CROSSING,), changed_since="compaction"))
        assert (view.ahead, view.total_tokens) == ((), None)
        assert view.forecast_reason == "nothing is known until the next request"


class TestGrowth:
    samples = st.lists(
        st.tuples(st.integers(NOON_MS - 2 * HOUR_MS, NOON_MS + HOUR_MS), st.integers(0, 10**6))
    ).map(lambda pairs: tuple(sample(at_ms, tokens) for at_ms, tokens in sorted(pairs)))

    @given(samples)
    def test_is_one_amount_per_stretch_and_never_negative(
        self, samples: tuple[Sample, ...]
    ) -> None:
        found = growth(window(samples=samples), NOON_MS)
        assert len(found) == BUCKETS
        assert min(found) >= 0

    @given(samples)
    def test_adds_up_to_what_grew_in_the_hour(self, samples: tuple[Sample, ...]) -> None:
        grown = sum(
            max(0, after.window_tokens - before.window_tokens)
            for before, after in pairwise(samples)
            if NOON_MS - HOUR_MS <= after.at_ms < NOON_MS
        )
        assert sum(growth(window(samples=samples), NOON_MS)) == grown

    def test_the_last_stretch_is_the_present_one(self) -> None:
        samples = (sample(NOON_MS - HOUR_MS - 1, 100), sample(NOON_MS - 1, 150))
        assert growth(window(samples=samples), NOON_MS) == (*[0] * (BUCKETS - 1), 50)

    @given(samples, st.integers(1, BUCKET_MS))
    def test_stays_as_it_was_until_the_next_stretch_begins(
        self, samples: tuple[Sample, ...], gone_by_ms: int
    ) -> None:
        shown = window(samples=samples)
        later = growth(shown, NOON_MS + gone_by_ms)
        assert later[:-1] == growth(shown, NOON_MS + 1)[:-1] == growth(shown, NOON_MS)[1:]

    def test_a_window_that_shrinks_is_no_growth(self) -> None:
        samples = (sample(NOON_MS - 3, 100), sample(NOON_MS - 2, 10), sample(NOON_MS - 1, 30))
        assert sum(growth(window(samples=samples), NOON_MS)) == 20


class TestConsumers:
    FILES, SERVERS = window_pieces.CONTEXT_FILES, window_pieces.MCP_TOOLS

    def test_are_the_largest_things_that_could_leave_first(self) -> None:
        parts = (
            component(window_pieces.SYSTEM_PROMPT, item("prompt", 9_000)),
            component(window_pieces.HIDDEN, item("hidden", 9_000)),
            component(self.FILES, item("b", 30, 3, 10), item("a", 30), item("empty", 0)),
            component(self.SERVERS, item("github", 50)),
        )
        assert consumers(window(components=parts), "") == (
            Consumer(f"title of {self.SERVERS}", "github", 50, 0, 0),
            Consumer(f"title of {self.FILES}", "a", 30, 0, 0),
            Consumer(f"title of {self.FILES}", "b", 30, 3, 10),
        )

    def test_are_not_more_than_asked_for(self) -> None:
        many = component(window_pieces.MESSAGES, *[item(f"m{n:03}", n) for n in range(1, 100)])
        found = consumers(window(components=(many,)), "", most=2)
        assert [one.tokens for one in found] == [99, 98]

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/srv/shop/src/a.py", "src/a.py"),
            ("/srv/shopping/a.py", "/srv/shopping/a.py"),
            ("/srv/shop", "/srv/shop"),
        ],
    )
    def test_files_are_named_as_seen_from_their_project(self, path: str, name: str) -> None:
        parts = (component(self.FILES, item(path, 1)),)
        assert [one.name for one in consumers(window(components=parts), "/srv/shop")] == [name]

    def test_calls_and_results_are_told_by_their_tool(self) -> None:
        calls = item("tool results", 9)._replace(children=(item("Bash", 6), item("Read", 3)))
        parts = (component(window_pieces.MESSAGES, calls),)
        found = consumers(window(components=parts), "")
        assert [(one.name, one.tokens) for one in found] == [
            ("Bash, tool results", 6),
            ("Read, tool results", 3),
        ]


def test_the_chosen_session_stands_before_the_others() -> None:
    lines = [session_line(session=name, at_ms=at_ms) for name, at_ms in (("a", 1), ("b", 3))]
    lines.append(session_line(session="c", at_ms=2))
    assert [line.session for line in chosen_first(lines, "c")] == ["c", "b", "a"]
    assert [line.session for line in chosen_first(lines, "")] == ["b", "c", "a"]
