from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.metering.rates import PriceBook, PriceOverrideError, Rate, prompt_bucket

BOOK = PriceBook.bundled()


def ms(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp() * 1000)


NOW = ms(2026, 11, 20)


def find(
    model: str,
    at_ms: int = NOW,
    *,
    speed: str = "standard",
    service_tier: str = "standard",
    prompt: int = 0,
    book: PriceBook = BOOK,
) -> Rate | None:
    bucket = prompt_bucket(prompt, book.thresholds())
    return book.rate(model, at_ms, speed=speed, service_tier=service_tier, bucket=bucket)


def known(model: str, at_ms: int = NOW, prompt: int = 0, book: PriceBook = BOOK) -> Rate:
    rate = find(model, at_ms, prompt=prompt, book=book)
    assert rate is not None
    return rate


def factors(rate: Rate) -> tuple[str, ...]:
    """The prices as multiples of the input price: read, write 5m, write 1h, output."""
    parts = (rate.cache_read, rate.cache_write_5m, rate.cache_write_1h, rate.output)
    assert rate.input is not None
    assert None not in parts
    return tuple(f"{(part / rate.input).normalize():f}" for part in parts if part is not None)


@pytest.mark.parametrize(
    ("model", "usd_in", "usd_out", "multiples"),
    [
        ("claude-opus-5-5", "4", "20", ("0.05", "1.25", "2", "5")),
        ("claude-sonnet-5-5", "2", "10", ("0.05", "1.25", "2", "5")),
        ("claude-sonnet-5", "2", "10", ("0.1", "1.25", "2", "5")),
        ("claude-fable-5-2", "8", "40", ("0.025", "1.25", "2", "5")),
        ("claude-mythos-5-2", "8", "40", ("0.025", "1.25", "2", "5")),
        ("claude-fable-5-1", "10", "50", ("0.025", "1.25", "2", "5")),
        ("claude-fable-5", "10", "50", ("0.1", "1.25", "2", "5")),
        ("claude-opus-5", "5", "25", ("0.1", "1.25", "2", "5")),
        ("claude-opus-4-8", "5", "25", ("0.1", "1.25", "2", "5")),
        ("claude-opus-4-6", "5", "25", ("0.1", "1.25", "2", "5")),
        ("claude-opus-4-1-20250805", "15", "75", ("0.1", "1.25", "2", "5")),
        ("claude-sonnet-4-5-20250929", "3", "15", ("0.1", "1.25", "2", "5")),
        ("claude-haiku-5-5", "0.1", "0.5", ("0.1", "1.25", "2", "5")),
        ("claude-haiku-4-5-20251001", "1", "5", ("0.1", "1.25", "2", "5")),
        ("claude-3-haiku-20240307", "0.25", "1.25", ("0.12", "1.2", "2", "5")),
    ],
)
def test_each_model_has_its_own_cache_multiples(
    model: str, usd_in: str, usd_out: str, multiples: tuple[str, ...]
) -> None:
    rate = known(model)
    assert (rate.input, rate.output) == (Decimal(usd_in), Decimal(usd_out))
    assert factors(rate) == multiples


# ── Tiers ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_token_of_haiku_5_5_costs_five_times_above_100_000() -> None:
    low, high = known("claude-haiku-5-5", prompt=100_000), known("claude-haiku-5-5", prompt=100_001)
    for below, above in zip(low[:-1], high[:-1], strict=True):
        assert below is not None
        assert above == 5 * below
    assert high.web_search == low.web_search == 10


def test_sonnet_4_5_has_a_tier_above_200_000() -> None:
    assert known("claude-sonnet-4-5", prompt=200_000).input == 3
    assert known("claude-sonnet-4-5", prompt=200_001).input == 6


def test_a_threshold_of_another_model_changes_nothing() -> None:
    assert known("claude-sonnet-4-5", prompt=150_000) == known("claude-sonnet-4-5", prompt=1)
    assert known("claude-haiku-5-5", prompt=999_999) == known("claude-haiku-5-5", prompt=100_001)


def test_a_prompt_of_exactly_the_threshold_has_not_crossed_it() -> None:
    assert prompt_bucket(200_000, (100_000, 200_000)) == 100_000
    assert prompt_bucket(200_001, (100_000, 200_000)) == 200_000


def test_without_thresholds_there_is_one_bucket() -> None:
    assert prompt_bucket(10**9, ()) == 0


sizes = st.integers(min_value=0, max_value=2_000_000)
marks = st.lists(st.integers(1, 1_000_000), unique=True).map(lambda found: tuple(sorted(found)))


@given(sizes, sizes, marks)
def test_a_larger_prompt_never_falls_into_a_smaller_bucket(
    one: int, other: int, thresholds: tuple[int, ...]
) -> None:
    small, large = sorted((one, other))
    assert prompt_bucket(small, thresholds) <= prompt_bucket(large, thresholds)


@given(sizes, marks)
def test_the_bucket_is_the_largest_threshold_below_the_prompt(
    prompt: int, thresholds: tuple[int, ...]
) -> None:
    crossed = [mark for mark in thresholds if prompt > mark]
    assert prompt_bucket(prompt, thresholds) == max(crossed, default=0)


# ── Dates ─────────────────────────────────────────────────────────────────────────────────────────


def test_opus_4_6_had_its_tier_until_2026_03_13() -> None:
    assert known("claude-opus-4-6", ms(2026, 3, 12, 23), prompt=200_001).input == 10
    assert known("claude-opus-4-6", ms(2026, 3, 13, 0), prompt=200_001).input == 5


def test_the_day_begins_at_midnight_utc_to_the_millisecond() -> None:
    midnight = ms(2026, 3, 13, 0)
    assert known("claude-sonnet-4-6", midnight - 1, prompt=300_000).output == Decimal("22.5")
    assert known("claude-sonnet-4-6", midnight, prompt=300_000).output == 15


# ── Variants ──────────────────────────────────────────────────────────────────────────────────────


def test_fast_is_priced_where_the_data_prices_it() -> None:
    rate = find("claude-opus-4-8", speed="fast")
    assert rate is not None
    assert (rate.input, rate.output) == (Decimal(10), Decimal(50))
    assert rate.cache_read == 1
    assert rate.web_search == 10


def test_fast_is_unpriced_where_the_data_has_no_price_for_it() -> None:
    assert find("claude-opus-4-6", speed="fast") is None


def test_batch_is_priced_from_its_first_day_on() -> None:
    assert find("claude-opus-4-6", ms(2026, 10, 13, 23), service_tier="batch") is None
    rate = find("claude-opus-4-6", ms(2026, 10, 14, 0), service_tier="batch")
    assert rate is not None
    assert (rate.input, rate.output) == (Decimal("2.5"), Decimal("12.5"))


def test_batch_keeps_the_tier_of_the_prompt() -> None:
    rate = find("claude-haiku-5-5", service_tier="batch", prompt=100_001)
    assert rate is not None
    assert rate.input == Decimal("0.25")


def test_batch_keeps_the_standard_price_that_its_data_does_not_change() -> None:
    rate = find("gemini-2.5-flash", service_tier="batch")
    assert rate is not None
    assert (rate.input, rate.cache_read) == (Decimal("0.15"), Decimal("0.03"))


def test_batch_follows_the_standard_price_to_its_next_date() -> None:
    rate = find("gemini-4-argon", ms(2026, 12, 1, 0), service_tier="batch")
    assert rate is not None
    assert rate.input == 2


def test_batch_and_fast_together_are_unpriced() -> None:
    assert find("claude-opus-5-5", speed="fast", service_tier="batch") is None


def test_an_unknown_service_tier_is_unpriced() -> None:
    assert find("claude-opus-5-5", service_tier="priority") is None


# ── Model ids ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-6",
        "claude-opus-5-6",
        "claude-mythos-5-1",
        "opus",
        "<synthetic>",
        "",
        "my-model",
    ],
)
def test_an_unknown_model_is_unpriced(model: str) -> None:
    assert find(model) is None
    assert BOOK.origin(model) is None


@pytest.mark.parametrize(
    "model",
    [
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "anthropic.claude-opus-4-6-v1:0",
        "global.anthropic.claude-opus-5-5",
    ],
)
def test_a_bedrock_id_is_unpriced_because_its_prices_differ_by_region(model: str) -> None:
    assert find(model) is None


def test_a_vertex_id_has_googles_price() -> None:
    rate = known("claude-sonnet-4-5@20250929", prompt=200_001)
    assert rate.input == 6
    assert rate.web_search is None


def test_a_vertex_id_has_no_batch_price_of_anthropic() -> None:
    assert find("claude-sonnet-5@20260101") == find("claude-sonnet-5")
    assert find("claude-sonnet-5@20260101", service_tier="batch") is None


def test_the_window_suffix_names_the_same_model() -> None:
    assert known("claude-opus-5-5[1m]") == known("claude-opus-5-5")
    assert known("claude-sonnet-4-5[1m]", prompt=200_001).input == 6


def test_a_dated_id_and_capitals_find_their_model() -> None:
    assert known("Claude-Opus-5-5-20260901") == known("claude-opus-5-5")


def test_openai_and_google_models_are_priced() -> None:
    assert known("gpt-5.1-codex").input == Decimal("1.25")
    assert known("o3", ms(2025, 6, 9)).input == 10
    assert known("o3", ms(2025, 6, 10)).input == 2
    assert known("gemini-2.5-pro", prompt=200_001).input == Decimal("2.5")


def test_a_model_without_a_price_per_token_is_unpriced() -> None:
    assert find("whisper-1") is None
    assert BOOK.origin("whisper-1") is None


def test_the_origin_names_the_row_the_source_and_its_date() -> None:
    origin = BOOK.origin("claude-opus-5-5-20260901")
    assert origin is not None
    assert origin.entry == "claude-opus-5-5"
    assert origin.source.startswith("genai-prices ")
    assert origin.as_of is not None


# ── Overrides ─────────────────────────────────────────────────────────────────────────────────────


def test_an_override_replaces_the_bundled_entry_entirely() -> None:
    book = PriceBook.bundled({"claude-opus-5-5": {"input": 7}})
    assert known("claude-opus-5-5", book=book) == Rate(Decimal(7), None, None, None, None, None)
    assert find("claude-opus-5-5", speed="fast", book=book) is None
    assert known("claude-opus-5", book=book) == known("claude-opus-5")


def test_an_override_says_where_its_prices_come_from() -> None:
    origin = PriceBook.bundled({"my-*": {"input": 7}}).origin("my-model")
    assert origin == ("my-*", "override", None)


def test_an_override_prices_each_kind_of_token() -> None:
    prices = {
        "input": 5,
        "output": 25,
        "cache_write_5m": 6.25,
        "cache_write_1h": "10",
        "cache_read": 0.1,
        "web_search": 10,
    }
    rate = known("my-model", book=PriceBook.bundled({"my-model": prices}))
    assert [str(price) for price in rate] == ["5", "25", "6.25", "10", "0.1", "10"]


def test_a_zero_of_an_override_is_a_price_however_it_is_written() -> None:
    book = PriceBook.bundled({"my-model": {"input": "-0", "output": "0e99", "cache_read": 0}})
    assert [str(price) for price in known("my-model", book=book) if price is not None] == ["0"] * 3


def test_the_exact_override_wins_then_the_longest_prefix() -> None:
    book = PriceBook.bundled(
        {
            "*": {"input": 1},
            "us.*": {"input": 2},
            "us.claude*": {"input": 3},
            "us.claude-x": {"input": 4},
        }
    )
    models = ("other", "us.gpt", "us.claude-y", "us.claude-x", "us.claude-x[1m]")
    assert [known(model, book=book).input for model in models] == [1, 2, 3, 4, 4]


def test_a_multiplier_applies_to_tokens_in_every_tier_and_not_to_searches() -> None:
    tiers = [{"above": 200_000, "input": 10}]
    table = {"input": 5, "web_search": 10, "tiers": tiers, "fast": {"multiplier": 0.1}}
    book = PriceBook.bundled({"my-model": table})
    low = find("my-model", speed="fast", book=book)
    high = find("my-model", speed="fast", prompt=200_001, book=book)
    assert low == Rate(Decimal("0.5"), None, None, None, None, Decimal(10))
    assert high == Rate(Decimal("1.0"), None, None, None, None, Decimal(10))
    assert find("my-model", service_tier="batch", book=book) is None


def test_a_variant_may_have_explicit_prices() -> None:
    table = {"input": 5, "output": 25, "web_search": 10, "batch": {"input": 2}}
    rate = find("my-model", service_tier="batch", book=PriceBook.bundled({"my-model": table}))
    assert rate == Rate(Decimal(2), None, None, None, None, Decimal(10))


def test_a_tier_of_an_override_adds_a_threshold() -> None:
    tiers = [{"above": 50_000, "input": 6}, {"above": 90_000, "input": 7}]
    book = PriceBook.bundled({"my-*": {"input": 5, "tiers": tiers}})
    assert {50_000, 90_000} < set(book.thresholds())
    assert list(book.thresholds()) == sorted(set(book.thresholds()))
    prices = [known("my-model", prompt=size, book=book).input for size in (50_000, 50_001, 90_001)]
    assert prices == [5, 6, 7]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"input": -1}, 'prices."my-model".input must be a number from 0 to 1,000,000 '),
        ({"input": True}, 'prices."my-model".input must be a number'),
        ({"input": float("nan")}, 'prices."my-model".input must be a number'),
        ({"input": "Infinity"}, 'prices."my-model".input must be a number'),
        ({"input": "cheap"}, 'prices."my-model".input must be a number'),
        ({"input": 10**5000}, 'prices."my-model".input must be a number'),
        ({"input": "1e-31"}, "at most 30 decimals"),
        ({"input": [5]}, 'prices."my-model".input must be a number'),
        ({}, 'prices."my-model" must have a price: input, output,'),
        ({"imput": 5}, 'prices."my-model".imput is not known; allowed are input, output,'),
        ({"input": 5, "fast": 2}, 'prices."my-model".fast must be a table with multiplier,'),
        (
            {"input": 5, "fast": {"multiplier": -2}},
            'prices."my-model".fast.multiplier must be a number',
        ),
        ({"input": 5, "fast": {"multiplier": 2, "input": 1}}, "either a multiplier or prices"),
        ({"input": 5, "batch": {}}, 'prices."my-model".batch must have a price'),
        ({"input": 5, "tiers": 3}, 'prices."my-model".tiers must be a list'),
        ({"input": 5, "tiers": [3]}, 'prices."my-model".tiers[1] must be a table with above,'),
        ({"input": 5, "tiers": [{"input": 3}]}, "tiers[1].above must be a whole number"),
        ({"input": 5, "tiers": [{"above": True, "input": 3}]}, "tiers[1].above must be"),
        ({"input": 5, "tiers": [{"above": 9}]}, 'prices."my-model".tiers[1] must have a price'),
        (
            {"input": 5, "tiers": [{"above": 9, "input": 6}, {"above": 9, "input": 7}]},
            "tiers[2].above must be a whole number of tokens, greater than 9.",
        ),
    ],
)
def test_a_wrong_override_says_which_key_and_what_is_allowed(
    table: dict[str, object], message: str
) -> None:
    with pytest.raises(PriceOverrideError) as caught:
        PriceBook.bundled({"my-model": table})
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["", "claude-*-5", "**"])
def test_a_star_stands_only_at_the_end_of_an_override(name: str) -> None:
    with pytest.raises(PriceOverrideError, match="at its end or nowhere"):
        PriceBook.bundled({name: {"input": 5}})


# ── Memory ────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_question_gets_the_same_answer_from_memory() -> None:
    book = PriceBook.bundled()
    assert find("claude-opus-4-6", book=book) is find("claude-opus-4-6", book=book)


def test_a_remembered_model_still_has_a_price_for_each_date() -> None:
    book = PriceBook.bundled()
    dates = (ms(2026, 3, 13), ms(2026, 3, 12), ms(2026, 3, 13))
    prices = [known("claude-opus-4-6", at, prompt=200_001, book=book).input for at in dates]
    assert prices == [5, 10, 5]
