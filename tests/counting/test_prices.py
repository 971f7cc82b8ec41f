"""The counting rule where money depends on it: cache writes, speeds, tiers, variants."""

import pytest
from tests.counting.transcripts import (
    OPUS,
    Home,
    Json,
    Tokens,
    answer,
    counts,
    split,
)

PARTIAL = counts(10, 3, write=100, read=1000)
FINAL = counts(10, 500, write=100, read=1000)
WHOLE = Tokens(input=10, output=500, write_5m=100, read=1000)
MILLION = 1_000_000


# ── Cache writes ──────────────────────────────────────────────────────────────────────────────────


def test_a_million_tokens_written_for_an_hour_cost_10_usd_on_opus_4_6(home: Home) -> None:
    usage = counts(write=MILLION, cache_creation=split(0, MILLION))
    home.write("p/s1.jsonl", answer(usage))
    totals = home.totals()
    assert home.tokens() == Tokens(write_1h=MILLION)
    assert (totals["cost_usd"], totals["unpriced_tokens"]) == ("10", 0)


def test_the_rest_of_the_writes_lives_five_minutes(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(write=100, cache_creation=split(60, 40))))
    assert home.tokens() == Tokens(write_5m=60, write_1h=40)
    assert home.stored("has_cache_split") == [1]


def test_writes_without_a_split_are_five_minute_ones_and_marked(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(write=MILLION)))
    assert home.tokens() == Tokens(write_5m=MILLION)
    assert home.totals()["cost_usd"] == "6.25"
    assert home.stored("has_cache_split") == [0]


def test_hour_writes_are_clamped_to_all_writes(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(write=100, cache_creation=split(0, 250))))
    assert home.tokens() == Tokens(write_1h=100)


def test_a_split_without_a_total_is_its_sum(home: Home) -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_creation": split(30, 12)}
    home.write("p/s1.jsonl", answer(usage))
    assert home.tokens() == Tokens(1, 2, 30, 12)


# ── Prices that depend on the request ─────────────────────────────────────────────────────────────


def test_fast_on_opus_4_6_has_no_known_price_and_is_shown_as_such(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(0, MILLION, speed="fast")))
    report = home.report()
    assert report["totals"]["cost_usd"] == "0"
    assert report["totals"]["unpriced_tokens"] == MILLION
    assert report["unpriced_models"] == ["claude-opus-4-6 (fast)"]
    assert home.tokens() == Tokens(output=MILLION)


def test_fast_on_opus_4_8_costs_its_published_premium(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(0, MILLION, speed="fast"), model="claude-opus-4-8"))
    assert home.totals()["cost_usd"] == "50"


@pytest.mark.parametrize("speed", ["standard", "normal", None])
def test_any_other_speed_costs_the_standard_price(home: Home, speed: str | None) -> None:
    home.write("p/s1.jsonl", answer(counts(0, MILLION, speed=speed)))
    assert home.totals()["cost_usd"] == "25"


def test_one_fast_copy_makes_the_response_fast(home: Home) -> None:
    fast = counts(0, MILLION, speed="fast")
    home.write("p/s1.jsonl", answer(fast, model="claude-opus-4-8"))
    home.write("p/s2.jsonl", answer(counts(0, 1), model="claude-opus-4-8", session="s2"))
    assert home.totals()["cost_usd"] == "50"


def test_batch_costs_half(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(MILLION, MILLION, service_tier="batch")))
    assert home.totals()["cost_usd"] == "15"


def test_batch_before_its_price_was_recorded_is_unpriced(home: Home) -> None:
    before = "2026-10-13T12:00:00.000Z"
    home.write("p/s1.jsonl", answer(counts(0, MILLION, service_tier="batch"), at=before))
    report = home.report()
    assert report["totals"]["cost_usd"] == "0"
    assert report["totals"]["unpriced_tokens"] == MILLION
    assert report["unpriced_models"] == ["claude-opus-4-6 (batch)"]


@pytest.mark.parametrize(
    "variant", [{"service_tier": "standard"}, {"service_tier": None}, {"speed": "normal"}]
)
def test_the_standard_variant_by_any_name_costs_the_standard_price(
    home: Home, variant: Json
) -> None:
    home.write("p/s1.jsonl", answer(counts(0, MILLION, **variant)))
    assert home.totals()["cost_usd"] == "25"


@pytest.mark.parametrize(
    ("variant", "shown"),
    [({"service_tier": "priority"}, "other service tier"), ({"speed": "turbo"}, "other speed")],
)
def test_a_variant_that_nobody_knows_is_unpriced(home: Home, variant: Json, shown: str) -> None:
    home.write("p/s1.jsonl", answer(counts(0, MILLION, **variant)))
    report = home.report()
    assert report["totals"]["cost_usd"] == "0"
    assert report["totals"]["unpriced_tokens"] == MILLION
    assert report["unpriced_models"] == [f"claude-opus-4-6 ({shown})"]


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (counts(300_000), "1.8"),
        (counts(200_000), "0.6"),
        (counts(200_001), "1.200006"),
        (counts(100_000, 100_000, read=200_000), "2.97"),
    ],
)
def test_above_200k_sonnet_4_5_costs_the_tier_for_the_whole_request(
    home: Home, usage: Json, usd: str
) -> None:
    home.write("p/s1.jsonl", answer(usage, model="claude-sonnet-4-5-20250929"))
    assert home.totals()["cost_usd"] == usd


def test_two_short_prompts_do_not_add_up_to_a_long_one(home: Home) -> None:
    lines = [
        answer(counts(150_000), key=key, model="claude-sonnet-4-5") for key in ("msg_1", "msg_2")
    ]
    home.write("p/s1.jsonl", *lines)
    assert home.totals()["cost_usd"] == "0.9"


def test_cache_reads_cost_what_the_model_asks_and_not_a_tenth(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(read=MILLION), model="claude-opus-5-5"))
    assert home.totals()["cost_usd"] == "0.2"


def test_an_unknown_model_is_counted_and_flagged_and_not_guessed(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL, model="claude-next-99"), answer(FINAL, key="msg_2"))
    report = home.report()
    assert report["unpriced_models"] == ["claude-next-99"]
    assert report["totals"]["unpriced_tokens"] == sum(WHOLE[:5])
    assert home.by("model") == {"claude-next-99": WHOLE, OPUS: WHOLE}


def test_web_searches_are_priced_by_the_piece(home: Home) -> None:
    usage = counts(server_tool_use={"web_search_requests": 3, "web_fetch_requests": 9})
    home.write("p/s1.jsonl", answer(usage), answer(usage))
    totals = home.totals()
    assert (totals["web_search_requests"], totals["cost_usd"]) == (3, "0.03")
