"""The bill by kind of token, and the naive one: a baseline that says how it is known."""

from decimal import Decimal

import pytest
from tests.analysis.profile_builders import (
    MONDAY,
    bill_of_studies,
    profile,
    result,
    spend,
    study,
    thread,
)

from tokenbudget.analysis.cost_analysis import CostAnalysis, Strategy
from tokenbudget.analysis.cost_naive import CostScene, costs_of, kind_costs
from tokenbudget.analysis.naive_extra import PUBLISHED_SCHEMA_TOKENS
from tokenbudget.analysis.profile_sums import Days
from tokenbudget.analysis.study import PREFIX, FileStudy
from tokenbudget.analysis.usage import Names
from tokenbudget.ledger.queries import UsageRow
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window

BOOK = PriceBook.bundled(
    {
        "priced": {
            "input": 4, "output": 20, "cache_write_5m": 5, "cache_write_1h": 8, "cache_read": 1,
            "web_search": 10,
        }
    }
)  # fmt: skip


def usage(model_id: int = 1, **tokens: int) -> UsageRow:
    """A row of the ledger."""
    kinds = (
        "input_tokens", "output_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens",
        "cache_read_tokens", "web_search_requests",
    )  # fmt: skip
    counts = (tokens.get(name, 0) for name in kinds)
    return UsageRow(MONDAY, MONDAY, None, 1, "s1", model_id, 0, 0, 0, 1, 0, 0, *counts)


def analysis(*files: FileStudy, days: Days | None = None, **fields: object) -> CostAnalysis:
    """The costs of some studies."""
    found = profile(*files)
    total = found.totals.cost_usd
    scene = CostScene(bill_of_studies(files), found.sessions, (), total, days or Days(), **fields)  # type: ignore[arg-type]
    return costs_of(files, scene)


def strategy(costs: CostAnalysis, key: str) -> Strategy:
    """The one of that name."""
    (one,) = (one for one in costs.strategies if one.key == key)
    return one


class TestKinds:
    def test_every_kind_at_its_price_adds_up_to_the_bill(self) -> None:
        rows = [
            usage(
                input_tokens=1_000_000,
                output_tokens=100_000,
                cache_write_5m_tokens=200_000,
                cache_write_1h_tokens=500_000,
                cache_read_tokens=3_000_000,
            )
        ]
        kinds, total = kind_costs(rows, Names({1: "priced"}, {}), BOOK)

        assert [kind.usd for kind in kinds] == [4, 1, 4, 3, 2]
        assert [kind.key for kind in kinds] == [
            "input", "cache_write_5m", "cache_write_1h", "cache_read", "output",
        ]  # fmt: skip
        assert sum(kind.usd for kind in kinds) == total == 14

    def test_web_searches_are_a_kind_of_their_own(self) -> None:
        kinds, total = kind_costs([usage(web_search_requests=5)], Names({1: "priced"}, {}), BOOK)

        assert [(kind.key, kind.usd) for kind in kinds if kind.usd] == [
            ("web_search", Decimal("0.05"))
        ]
        assert total == Decimal("0.05")

    def test_without_a_price_there_are_tokens(self) -> None:
        kinds, total = kind_costs([usage(input_tokens=7)], Names({1: "nobody's"}, {}), BOOK)

        assert (kinds[0].tokens, kinds[0].usd, total) == (7, Decimal(0), Decimal(0))


class TestSchemas:
    def test_are_sent_with_every_request_at_the_prefixs_price(self) -> None:
        prefix = spend(component=PREFIX, read=1_000_000, cost=2 * 10**12, pieces=0, added=0)
        costs = analysis(study(thread(prefix, requests=50, deferred=10)))

        found = strategy(costs, "tool_schemas")
        assert found.basis == "estimated"
        assert found.extra_tokens == round(10 * PUBLISHED_SCHEMA_TOKENS * 50)
        assert float(found.extra_usd or 0) == pytest.approx(found.extra_tokens * 2e-6)
        assert "1,606 tools" in found.said
        assert found.error_tokens

    def test_are_as_large_as_ones_own_where_enough_were_loaded(self) -> None:
        loaded = [spend(window.MCP_TOOL, f"mcp__a__{n}", "a", added=200) for n in range(10)]
        found = strategy(analysis(study(thread(*loaded, requests=5, deferred=4))), "tool_schemas")

        assert (found.basis, found.extra_tokens) == ("measured", 4 * 200 * 5)

    def test_stand_in_the_place_of_their_names(self) -> None:
        names = spend(window.DEFERRED_NAMES, "", "a", added=100, read=500)
        found = strategy(analysis(study(thread(names, requests=5, deferred=4))), "tool_schemas")

        assert found.extra_tokens == round(4 * PUBLISHED_SCHEMA_TOKENS * 5 - 500)


class TestWholeFiles:
    def test_are_what_the_studies_measured_at_the_files_price(self) -> None:
        read = result("Read", "/a", read=1_000, cost=10**9)
        costs = analysis(study(thread(read, whole=400, whole_sent=9_000)))

        found = strategy(costs, "whole_files")
        assert (found.basis, found.window_tokens, found.extra_tokens) == ("measured", 400, 9_000)
        assert found.extra_usd == Decimal("0.009")

    def test_never_overflow_the_window(self) -> None:
        one = thread(result("Read", "/a"), whole=100_000, whole_sent=1_000_000, peak=150_000)
        found = strategy(analysis(study(one)), "whole_files")

        assert (found.window_tokens, found.extra_tokens) == (50_000, 500_000)

    def test_of_unknown_length_are_left_out_and_told(self) -> None:
        found = strategy(analysis(study(thread(result("Read"), unsized=3))), "whole_files")

        assert found.extra_tokens == 0
        assert "3 reads" in found.said


class TestComparison:
    def test_adds_only_what_is_known(self) -> None:
        read = result("Read", "/a", read=1_000, cost=10**9)
        costs = analysis(study(thread(read, whole=400, whole_sent=9_000)))

        compared = costs.comparison
        assert compared is not None
        assert (compared.tokens_per_session, compared.naive_tokens_per_session) == (1_000, 10_000)
        assert compared.usd_per_session == Decimal("0.001")
        assert compared.naive_usd_per_session == Decimal("0.01")
        assert (compared.sessions_per_budget, compared.naive_sessions_per_budget) == (
            100_000,
            10_000,
        )
        assert compared.remaining_tokens == 150_000
        assert compared.naive_remaining_tokens == 149_600

    @pytest.mark.parametrize("key", ["skills", "verbose"])
    def test_what_is_not_measured_says_so(self, key: str) -> None:
        found = strategy(analysis(study(thread(result("Bash")))), key)

        assert (found.basis, found.extra_tokens, found.extra_usd) == ("not measured", None, None)
        assert found.said.startswith("Not measured yet")

    def test_of_nothing_is_none(self) -> None:
        assert analysis().comparison is None

    def test_sessions_add_up_to_it(self) -> None:
        files = [
            study(thread(result("Read", "/a", cost=10**12), whole=10, whole_sent=500), session=name)
            for name in ("a", "b")
        ]
        costs = analysis(*files)

        assert costs.comparison is not None
        naive = sum(one.naive_tokens for one in costs.sessions)
        assert naive == 2 * costs.comparison.naive_tokens_per_session

    def test_a_thread_counts_as_far_as_it_lies_in_the_period(self) -> None:
        rows = [
            result("Read", "/a", day=MONDAY, read=300),
            result("Read", "/a", day=MONDAY - 7, read=700),
        ]
        file = study(thread(*rows, whole=100, whole_sent=1_000))

        assert strategy(analysis(file, days=Days(MONDAY)), "whole_files").extra_tokens == 300


class TestSkills:
    LISTING = spend(window.SKILL_LISTING, added=50)

    def test_that_were_listed_are_in_every_request_of_main_threads(self) -> None:
        own = thread(self.LISTING, name="a1")
        files = [study(thread(self.LISTING, requests=10), own)]
        found = strategy(analysis(*files, skill_tokens={"/srv/shop": 2_000}), "skills")

        assert (found.basis, found.extra_tokens) == ("estimated", 20_000)

    def test_that_were_loaded_are_there_already(self) -> None:
        body = spend(window.SKILL_BODY, "review", added=500, read=3_000)
        files = [study(thread(self.LISTING, body, requests=10))]
        found = strategy(analysis(*files, skill_tokens={"/srv/shop": 2_000}), "skills")

        assert (found.window_tokens, found.extra_tokens) == (1_500, 17_000)

    def test_that_were_never_listed_add_nothing(self) -> None:
        files = [study(thread(result("Bash")))]
        found = strategy(analysis(*files, skill_tokens={"/srv/shop": 2_000}), "skills")

        assert found.extra_tokens == 0
