from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.window_builders import MODEL, Story, plausible_stories

from tokenbudget.analysis.window_cost import WindowCost, window_cost
from tokenbudget.analysis.window_pieces import HIDDEN, MESSAGES, SYSTEM_TOOLS
from tokenbudget.metering.cost import price
from tokenbudget.metering.rates import PriceBook
from tokenbudget.model import window

BOOK = PriceBook.bundled(
    {
        MODEL: {
            "input": 5,
            "output": 25,
            "cache_write_5m": "6.25",
            "cache_write_1h": 10,
            "cache_read": "0.5",
            "fast": {"multiplier": 6},
            "tiers": [{"above": 200_000, "input": 10, "output": 50}],
        }
    }
)
MILLION = Decimal(1_000_000)


def cost_of(story: Story, book: PriceBook = BOOK) -> WindowCost:
    return window_cost(story.replay().moments, book)


def story_of(prompt_tokens: int, output_tokens: int = 0, **fields: object) -> Story:
    """One request: 300 tokens of tools, 100 of prompt, the rest is not recorded."""
    story = Story()
    story.put(window.SYSTEM_TOOL, 300, "Bash")
    story.put(window.PROMPT, 100)
    story.turn("a", prompt_tokens, output_tokens, **fields)
    return story


class TestKinds:
    def test_each_kind_of_token_has_its_price(self) -> None:
        found = cost_of(
            story_of(
                10_000,
                7,
                cache_read_tokens=4_000,
                cache_write_5m_tokens=2_000,
                cache_write_1h_tokens=1_000,
            )
        )

        assert found.input_usd == 3_000 * Decimal(5) / MILLION
        assert found.cache_write_usd == (2_000 * Decimal("6.25") + 1_000 * Decimal(10)) / MILLION
        assert found.cache_read_usd == 4_000 * Decimal("0.5") / MILLION
        assert found.output_usd == 7 * Decimal(25) / MILLION
        assert (found.unpriced_tokens, found.requests) == (0, 1)

    def test_speed_and_size_of_the_prompt_have_prices_of_their_own(self) -> None:
        assert cost_of(story_of(1_000, speed=1)).input_usd == 1_000 * Decimal(30) / MILLION
        assert cost_of(story_of(200_001)).input_usd == 200_001 * Decimal(10) / MILLION

    def test_a_model_without_a_price_costs_nothing_known(self) -> None:
        found = cost_of(story_of(1_000, 50, model="mystery-1"))

        assert (found.total_usd, found.unpriced_tokens) == (Decimal(0), 1_050)
        assert not any(found.by_component.values())

    def test_a_request_without_usage_is_left_out(self) -> None:
        story = story_of(1_000)
        story.turn("b", None, 50)

        found = cost_of(story)

        assert (found.requests, found.output_usd) == (1, Decimal(0))

    def test_no_request_costs_nothing(self) -> None:
        nothing = Decimal(0)

        assert cost_of(Story()) == WindowCost(nothing, nothing, nothing, nothing, {}, 0, 0)

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.tuples(*[st.integers(0, 50_000)] * 5), min_size=1, max_size=6),
        st.sampled_from([0, 1]),
    )
    def test_kinds_add_up_to_what_the_requests_cost_each(
        self, told: list[tuple[int, ...]], speed: int
    ) -> None:
        story = story_of(1_000, speed=speed)
        parts = ("input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
        names = (*parts, "cache_read_tokens", "output_tokens")
        for number, amounts in enumerate(told):
            fields = dict(zip(names, amounts, strict=True))
            story.turn(f"b{number}", None, **fields, speed=speed)

        found = cost_of(story)

        expected = sum(
            price(
                BOOK.rate(
                    MODEL,
                    row.started_at_ms,
                    speed=("standard", "fast")[speed],
                    service_tier="standard",
                    bucket=0,
                ),
                **{name: getattr(row, name) for name in names},
                web_search_requests=0,
            ).cost_usd
            for row in story.requests.values()
        )
        assert found.total_usd == expected
        shares = sum(found.by_component.values(), Decimal(0))
        assert abs(shares - found.total_usd) < Decimal("0.01")


class TestComponents:
    def test_a_first_request_charges_each_component_its_tokens(self) -> None:
        by_component = cost_of(story_of(1_000)).by_component

        assert by_component == {
            SYSTEM_TOOLS: Decimal("0.0015"),
            MESSAGES: Decimal("0.0005"),
            HIDDEN: Decimal("0.003"),
        }

    def test_output_stands_beside_the_components(self) -> None:
        assert cost_of(story_of(1_000, 40)).by_component["output"] == Decimal("0.001")

    def test_a_cached_window_charges_what_is_new_for_being_new(self) -> None:
        story = story_of(1_000)
        story.put(window.PROMPT, 500)
        story.turn("b", 1_500, 0, cache_read_tokens=1_000)

        found = cost_of(story).by_component

        first = Decimal("0.0015")
        assert found[SYSTEM_TOOLS] == first + 300 * Decimal("0.5") / MILLION
        assert found[MESSAGES] == Decimal("0.0005") + (
            100 * Decimal("0.5") / MILLION + 500 * Decimal(5) / MILLION
        )

    def test_a_cache_miss_charges_the_part_behind_the_cached_prefix(self) -> None:
        story = story_of(1_000)
        story.put(window.PROMPT, 500)
        story.turn("b", 1_500, 0, cache_read_tokens=900)  # remainder and tools, nothing behind

        found = cost_of(story).by_component

        assert found[HIDDEN] == Decimal("0.003") + 600 * Decimal("0.5") / MILLION
        assert found[SYSTEM_TOOLS] == Decimal("0.0015") + 300 * Decimal("0.5") / MILLION
        assert found[MESSAGES] == Decimal("0.0005") + 600 * Decimal(5) / MILLION

    def test_a_whole_miss_charges_everything_again(self) -> None:
        story = story_of(1_000)
        story.turn("b", 1_000, 0)

        found = cost_of(story).by_component

        assert found[SYSTEM_TOOLS] == 2 * Decimal("0.0015")
        assert found[HIDDEN] == 2 * Decimal("0.003")

    @pytest.mark.parametrize("kind", ["cache_write_5m_tokens", "cache_write_1h_tokens"])
    def test_writes_are_shared_as_input_is(self, kind: str) -> None:
        found = cost_of(story_of(1_000, **{kind: 1_000}))

        assert found.by_component[SYSTEM_TOOLS] == found.cache_write_usd * 300 / 1_000

    @settings(max_examples=60, deadline=None)
    @given(plausible_stories())
    def test_shares_of_any_story_add_up_to_its_cost_within_a_cent(self, story: Story) -> None:
        found = cost_of(story)

        shares = sum(found.by_component.values(), Decimal(0))
        assert abs(shares - found.total_usd) < Decimal("0.01")
        assert min(found.by_component.values(), default=Decimal(0)) >= 0
