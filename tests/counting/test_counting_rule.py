"""The counting rule, case by case: lines in files, through the command, to figures."""

import json
import os
from pathlib import Path

import pytest
from tests.counting.transcripts import (
    LATER,
    OPUS,
    Home,
    Json,
    Tokens,
    agent_progress,
    answer,
    counts,
    encoded,
    message,
    prompt,
    split,
)

PARTIAL = counts(10, 3, write=100, read=1000)
FINAL = counts(10, 500, write=100, read=1000)
WHOLE = Tokens(input=10, output=500, write_5m=100, read=1000)
MILLION = 1_000_000


# ── One response, many lines ──────────────────────────────────────────────────────────────────────


def test_a_partial_line_then_the_final_one_count_as_the_final_one(home: Home) -> None:
    home.write("p/s1.jsonl", answer(PARTIAL, stop=None), answer(FINAL, at=LATER))
    assert home.tokens() == WHOLE


def test_the_final_line_then_a_partial_one_count_as_the_final_one(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), answer(PARTIAL, stop=None, at=LATER))
    assert home.tokens() == WHOLE


@pytest.mark.parametrize(("first", "second"), [(PARTIAL, FINAL), (FINAL, PARTIAL)])
def test_partial_in_one_file_and_final_in_another_count_once(
    home: Home, first: Json, second: Json
) -> None:
    home.write("p/s1.jsonl", answer(first))
    home.write("p/s2.jsonl", answer(second, session="s2"))
    assert home.tokens() == WHOLE


def test_a_final_line_that_arrives_after_the_first_count_raises_it(home: Home) -> None:
    path = home.write("p/s1.jsonl", answer(PARTIAL, stop=None))
    assert home.tokens() == WHOLE._replace(output=3)
    path.write_bytes(path.read_bytes() + encoded(answer(FINAL, at=LATER)))
    assert home.tokens() == WHOLE


def test_every_field_takes_its_own_maximum(home: Home) -> None:
    home.write(
        "p/s1.jsonl",
        answer(counts(9, 1, write=5, read=800)),
        answer(counts(1, 7, write=50, read=8)),
    )
    assert home.tokens() == Tokens(input=9, output=7, write_5m=50, read=800)


def test_two_lines_without_a_request_id_count_once(home: Home) -> None:
    line = answer(FINAL)
    del line["requestId"]
    home.write("p/s1.jsonl", line, {**line, "timestamp": LATER})
    assert home.tokens() == WHOLE


def test_a_fork_of_lines_without_a_request_id_counts_once(home: Home) -> None:
    line = answer(FINAL)
    del line["requestId"]
    home.write("p/s1.jsonl", line)
    home.write("p/s2.jsonl", {**line, "sessionId": "s2", "timestamp": LATER})
    assert home.tokens() == WHOLE


def test_the_same_id_in_another_session_counts_once(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL))
    home.write("q/s2.jsonl", answer(FINAL, session="s2"))
    assert home.tokens() == WHOLE


def test_the_same_id_with_another_request_id_counts_once(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), answer(FINAL, requestId="req_2"))
    assert home.tokens() == WHOLE


def test_a_sidechain_replay_with_a_new_request_id_counts_once_for_the_main_thread(
    home: Home,
) -> None:
    early = "2026-11-19T12:00:00.000Z"
    replay = answer(FINAL, isSidechain=True, requestId="req_2", at=early)
    home.write("p/agent-a.jsonl", replay)
    home.write("p/s1.jsonl", answer(FINAL))
    assert home.by("day") == {"2026-11-20": WHOLE}


def test_without_a_message_id_the_request_id_is_the_key(home: Home) -> None:
    home.write("p/s1.jsonl", answer(PARTIAL, key=None), answer(FINAL, key=None))
    assert home.tokens() == WHOLE


def test_without_any_other_id_the_line_is_the_key(home: Home) -> None:
    first = answer(FINAL, key=None, requestId=None, uuid="u1")
    other = answer(counts(1, 1), key=None, requestId=None, uuid="u2")
    home.write("p/s1.jsonl", first, first, other)
    assert home.tokens() == Tokens(input=11, output=501, write_5m=100, read=1000, requests=2)


def test_different_ids_are_different_responses(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), answer(FINAL, key="msg_2"))
    assert home.tokens() == Tokens(20, 1000, 200, 0, 2000, requests=2)


# ── Several attempts ──────────────────────────────────────────────────────────────────────────────


def attempt(model: str, *numbers: int) -> Json:
    return counts(*numbers, model=model, type="message")


def test_two_iterations_are_summed_and_each_priced_with_its_model(home: Home) -> None:
    last = counts(MILLION, 0)
    tried = [attempt("claude-sonnet-4-6", MILLION, 0), attempt(OPUS, MILLION, 0)]
    home.write("p/s1.jsonl", answer({**last, "iterations": tried}))
    assert home.tokens() == Tokens(input=2 * MILLION)
    assert home.totals()["cost_usd"] == "8"
    assert home.by("model") == {
        OPUS: Tokens(input=MILLION),
        "claude-sonnet-4-6": Tokens(input=MILLION, requests=0),
    }


@pytest.mark.parametrize("tried", [[], [attempt(OPUS, 1, 2, 3, 4)], None])
def test_no_iterations_or_one_leave_the_top_level(home: Home, tried: list[Json] | None) -> None:
    home.write("p/s1.jsonl", answer({**FINAL, "iterations": tried}))
    assert home.tokens() == WHOLE


def test_iterations_on_a_later_line_replace_the_partial_one(home: Home) -> None:
    tried = [attempt("claude-sonnet-4-6", 7, 20, 300, 4000), attempt(OPUS, 10, 500, 100, 1000)]
    path = home.write("p/s1.jsonl", answer(PARTIAL, model="claude-sonnet-4-6", stop=None))
    assert home.tokens().output == 3
    path.write_bytes(path.read_bytes() + encoded(answer({**FINAL, "iterations": tried})))
    both = {"claude-sonnet-4-6": Tokens(7, 20, 300, 0, 4000, 0), OPUS: WHOLE}
    assert home.by("model") == both


def test_iterations_told_twice_count_once(home: Home) -> None:
    tried = [attempt(OPUS, 7, 20, 300, 4000), attempt(OPUS, 10, 500, 100, 1000)]
    line = answer({**FINAL, "iterations": tried})
    home.write("p/s1.jsonl", line, line)
    home.write("p/s2.jsonl", {**line, "sessionId": "s2"}, answer(FINAL, session="s2"))
    assert home.tokens() == Tokens(17, 520, 400, 0, 5000)


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


# ── What is no response, and what is not known ────────────────────────────────────────────────────


def test_a_synthetic_answer_is_excluded_even_with_tokens(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL, model="<synthetic>", key="msg_2"), answer(FINAL))
    assert home.by("model") == {OPUS: WHOLE}


def test_an_api_error_message_is_excluded(home: Home) -> None:
    error = answer(counts(5, 5), key="msg_2", isApiErrorMessage=True)
    home.write("p/s1.jsonl", error, answer(FINAL, isApiErrorMessage=False))
    assert home.tokens() == WHOLE


def test_an_api_error_message_of_a_subagent_is_excluded(home: Home) -> None:
    home.write("p/s1.jsonl", agent_progress(FINAL, isApiErrorMessage=True))
    assert home.tokens() == Tokens(requests=0)


@pytest.mark.parametrize("usage", [None, {}, {"service_tier": "standard"}])
def test_null_usage_is_a_response_of_unknown_usage_and_not_zero(
    home: Home, usage: Json | None
) -> None:
    home.write("p/s1.jsonl", answer(usage), answer(FINAL, key="msg_2"))
    totals = home.totals()
    assert home.tokens() == WHOLE
    assert totals["unknown_usage_requests"] == 1
    assert None in home.stored("input_tokens")


def test_null_usage_becomes_known_when_another_copy_tells_it(home: Home) -> None:
    home.write("p/s1.jsonl", answer(None))
    home.write("p/s2.jsonl", answer(FINAL, session="s2"))
    assert home.tokens() == WHOLE
    assert home.totals()["unknown_usage_requests"] == 0


def test_missing_cache_fields_are_zero(home: Home) -> None:
    home.write("p/s1.jsonl", answer({"input_tokens": 4, "output_tokens": 2}))
    assert home.tokens() == Tokens(4, 2)


def test_a_truncated_last_line_is_left_until_it_is_whole(home: Home) -> None:
    whole = encoded(answer(FINAL), answer(counts(1, 1), key="msg_2"))
    path = home.write("p/s1.jsonl", answer(FINAL))
    path.write_bytes(whole[:-100])
    assert home.tokens() == WHOLE
    path.write_bytes(whole)
    assert home.tokens() == Tokens(11, 501, 100, 0, 1000, requests=2)


def test_a_whole_last_line_counts_before_its_line_end_is_written(home: Home) -> None:
    path = home.write("p/s1.jsonl", answer(FINAL))
    ended = path.read_bytes()
    path.write_bytes(ended.rstrip())
    assert home.tokens() == WHOLE
    path.write_bytes(ended)
    assert home.tokens() == WHOLE


def test_damaged_lines_cost_nothing_but_themselves(home: Home) -> None:
    path = home.write("p/s1.jsonl")
    path.write_bytes(b'{"type":"assist\nnull\n[]\n\n"x"\n\xff\n' + encoded(answer(FINAL)))
    assert home.tokens() == WHOLE


def test_output_without_any_stop_reason_is_marked_as_too_low(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL, stop=None), answer(counts(1, 9), key="msg_2"))
    totals = home.totals()
    assert (totals["output_tokens"], totals["low_confidence_output_tokens"]) == (509, 500)


def test_one_copy_with_a_stop_reason_is_enough_to_believe_the_output(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL, stop=None))
    home.write("p/s2.jsonl", answer(FINAL, session="s2"))
    assert home.totals()["low_confidence_output_tokens"] == 0


def test_the_cost_in_old_lines_is_kept_and_not_mixed_in(home: Home) -> None:
    home.write("p/s1.jsonl", answer(counts(MILLION), costUSD=99.5))
    assert home.totals()["cost_usd"] == "5"
    assert home.stored("reported_usd") == ["99.5"]


# ── Subagents ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "p/agent-a.jsonl",
        "p/s1/subagents/agent-a.jsonl",
        "p/s1/subagents/workflows/agent-a.jsonl",
    ],
)
def test_subagents_of_every_layout_count_for_their_session(home: Home, name: str) -> None:
    home.write("p/s1.jsonl", answer(FINAL))
    home.write(name, answer(counts(1, 2), key="msg_sub", isSidechain=True, agentId="a"))
    assert home.by("session") == {"s1": Tokens(11, 502, 100, 0, 1000, requests=2)}


def test_agent_progress_counts_where_the_agent_file_is_missing(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), agent_progress(counts(1, 2, 3, 4)))
    assert home.by("session") == {"s1": Tokens(11, 502, 103, 0, 1004, requests=2)}


def test_agent_progress_and_the_agent_file_count_once(home: Home) -> None:
    home.write("p/s1.jsonl", agent_progress(counts(10, 3, 100, 1000)))
    home.write("p/s1/subagents/agent-a1.jsonl", answer(FINAL, key="msg_sub", isSidechain=True))
    assert home.tokens() == WHOLE


def test_a_prompt_inside_agent_progress_is_no_response(home: Home) -> None:
    asked = agent_progress(FINAL, type="user")
    other = agent_progress(FINAL)
    other["data"]["type"] = "hook_progress"
    home.write("p/s1.jsonl", asked, other)
    assert home.tokens() == Tokens(requests=0)


def test_the_usage_in_a_tool_result_is_never_counted(home: Home) -> None:
    result = {"totalTokens": 9999, "usage": counts(1000, 1000), "status": "completed"}
    home.write("p/s1.jsonl", answer(FINAL), prompt("done", toolUseResult=result))
    assert home.tokens() == WHOLE


def test_lines_of_unknown_types_are_skipped(home: Home) -> None:
    other = {"type": "cost-state", "totalCostUSD": 3, "message": message(FINAL, "msg_2")}
    home.write("p/s1.jsonl", other, {"no": "type"}, answer(FINAL))
    assert home.tokens() == WHOLE


# ── Whose response it is ──────────────────────────────────────────────────────────────────────────


def test_a_response_belongs_to_the_day_of_its_first_line(home: Home) -> None:
    last, first = "2026-11-21T00:00:02.000Z", "2026-11-20T23:59:59.000Z"
    home.write("p/s1.jsonl", answer(PARTIAL, at=first), answer(FINAL, at=last))
    assert home.by("day") == {"2026-11-20": WHOLE}


def test_timestamps_that_go_backwards_do_not_matter(home: Home) -> None:
    last, first = "2026-11-21T00:00:02.000Z", "2026-11-20T23:59:59.000Z"
    home.write("p/s1.jsonl", answer(FINAL, at=last), answer(PARTIAL, at=first))
    assert home.by("day") == {"2026-11-20": WHOLE}


def test_the_first_line_is_the_earliest_whatever_offset_it_is_written_with(home: Home) -> None:
    utc, indian = "2026-11-20T01:00:00.000+00:00", "2026-11-20T02:00:00.000+05:30"
    home.write("p/s1.jsonl", answer(FINAL, at=utc), answer(FINAL, at=indian))
    assert home.by("day") == {"2026-11-19": WHOLE}


@pytest.mark.parametrize("stamp", ["", "yesterday", "0000-00-00T00:00:00.000Z", None])
def test_a_line_without_a_usable_time_owns_nothing_that_another_line_dates(
    home: Home, stamp: str | None
) -> None:
    home.write("p/s1.jsonl", answer(FINAL, at=stamp or ""), answer(FINAL))
    assert home.by("day") == {"2026-11-20": WHOLE}


@pytest.mark.parametrize("stamp", ["soon", "9999-12-31T23:59:59.999Z", "0001-01-01"])
def test_a_response_without_a_usable_time_is_counted_undated(home: Home, stamp: str) -> None:
    home.write("p/s1.jsonl", answer(FINAL, at=stamp))
    assert home.by("day", zone="Asia/Kolkata") == {"unknown": WHOLE}


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", "2026-11-20"), ("Europe/Berlin", "2026-11-21"), ("America/New_York", "2026-11-20")],
)
def test_days_are_those_of_the_chosen_zone(home: Home, zone: str, day: str) -> None:
    home.write("p/s1.jsonl", answer(FINAL, at="2026-11-20T23:30:00.000Z"))
    assert home.by("day", zone) == {day: WHOLE}


def test_a_day_of_25_hours_has_them_all(home: Home) -> None:
    stamps = ["2026-10-24T21:59", "2026-10-24T22:00", "2026-10-25T22:59", "2026-10-25T23:00"]
    lines = [answer(counts(1), key=at, at=f"{at}:00.000Z") for at in stamps]
    home.write("p/s1.jsonl", *lines)
    days = home.by("day", "Europe/Berlin")
    assert {day: found.requests for day, found in days.items()} == {
        "2026-10-24": 1,
        "2026-10-25": 2,
        "2026-10-26": 1,
    }


def test_a_day_of_23_hours_has_no_more(home: Home) -> None:
    stamps = ["2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00"]
    lines = [answer(counts(1), key=at, at=f"{at}:00.000Z") for at in stamps]
    home.write("p/s1.jsonl", *lines)
    days = home.by("day", "Europe/Berlin")
    assert {day: found.requests for day, found in days.items()} == {
        "2026-03-28": 1,
        "2026-03-29": 2,
        "2026-03-30": 1,
    }


def test_a_zone_off_the_whole_hour_splits_within_the_hour(home: Home) -> None:
    before = answer(counts(1), key="msg_1", at="2026-11-20T18:29:59.999Z")
    after = answer(counts(2), key="msg_2", at="2026-11-20T18:30:00.000Z")
    home.write("p/s1.jsonl", before, after)
    assert home.by("day", "Asia/Kolkata") == {"2026-11-20": Tokens(1), "2026-11-21": Tokens(2)}


def test_a_fork_leaves_the_old_responses_with_the_earliest_copy(home: Home) -> None:
    home.write("p/a-fork.jsonl", answer(FINAL, session="fork", at=LATER))
    home.write("p/b-origin.jsonl", answer(FINAL, session="origin"))
    assert home.by("session") == {"origin": WHOLE}


def test_of_equally_early_copies_the_first_path_owns(home: Home) -> None:
    home.write("p/b.jsonl", answer(FINAL, session="second"))
    home.write("p/a.jsonl", answer(PARTIAL, session="first"))
    assert home.by("session") == {"first": WHOLE}


def test_a_copy_found_later_takes_over_what_it_owns(home: Home) -> None:
    home.write("p/b.jsonl", answer(FINAL, session="second"))
    assert home.by("session") == {"second": WHOLE}
    home.write("p/a.jsonl", answer(FINAL, session="first"))
    assert home.by("session") == {"first": WHOLE}


def test_the_new_responses_of_a_forked_session_belong_to_the_fork(home: Home) -> None:
    old = answer(FINAL, session="a")
    home.write("p/a.jsonl", old)
    home.write("p/b.jsonl", {**old, "sessionId": "b"}, answer(counts(1, 2), "msg_2", session="b"))
    assert home.by("session") == {"a": WHOLE, "b": Tokens(1, 2)}


def test_a_resumed_session_in_a_new_file_counts_its_old_lines_once(home: Home) -> None:
    old = [answer(FINAL, f"msg_{i}", at=f"2026-11-20T12:0{i}:00.000Z") for i in range(3)]
    new = answer(counts(1, 2), "msg_9", at="2026-11-22T09:00:00.000Z", session="b")
    home.write("p/a.jsonl", *old)
    home.write("p/b.jsonl", *[{**line, "sessionId": "b"} for line in old], new)
    assert home.by("day") == {
        "2026-11-20": Tokens(30, 1500, 300, 0, 3000, 3),
        "2026-11-22": Tokens(1, 2),
    }


def test_a_file_with_two_sessions_counts_for_each(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), answer(counts(1), "msg_2", session="s2"))
    assert home.by("session") == {"s1": WHOLE, "s2": Tokens(1)}


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_found_through_two_names_counts_once(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write("p/s1.jsonl", answer(FINAL))
    link = tmp_path / "link"
    link.symlink_to(home.config, target_is_directory=True)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{link},{home.config}")
    assert home.tokens() == WHOLE


def test_copies_in_two_configuration_folders_count_once(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write("p/s1.jsonl", answer(PARTIAL))
    other = Home(tmp_path / "other")
    other.write("p/s1.jsonl", answer(FINAL))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(other.config))
    assert home.tokens() == WHOLE


def test_counting_again_changes_nothing(home: Home) -> None:
    home.write("p/s1.jsonl", answer(PARTIAL, stop=None), answer(FINAL))
    first = home.report()
    assert home.report() == first
    home.ledger.unlink()
    assert home.report() == first


def test_what_a_deleted_file_told_stays(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL))
    path = home.write("p/s2.jsonl", answer(counts(1), "msg_2", session="s2"))
    before = home.report()
    path.unlink()
    assert home.report() == before


def test_a_rewritten_file_is_read_again_and_counts_once(home: Home) -> None:
    path = home.write("p/s1.jsonl", prompt("a long prompt " * 500), answer(FINAL))
    assert home.tokens() == WHOLE
    path.write_bytes(encoded(answer(FINAL), prompt("?"), answer(counts(1), "msg_2")))
    assert home.tokens() == Tokens(11, 500, 100, 0, 1000, 2)


def test_the_ledger_and_a_passing_reading_agree(home: Home) -> None:
    home.write("p/s1.jsonl", answer(FINAL), agent_progress(counts(1, 2, 3, 4)))
    home.write("p/s2.jsonl", answer(PARTIAL, session="s2"))
    projects = str(home.config / "projects")
    passing = home.report("--from", projects, "--from", os.path.join(projects, "p/s1.jsonl"))
    assert passing["rows"] == home.report()["rows"]


def test_worktrees_fold_into_the_project_that_they_belong_to(home: Home, tmp_path: Path) -> None:
    main, tree = tmp_path / "repo", tmp_path / "elsewhere" / "feature"
    (main / ".git" / "worktrees" / "feature").mkdir(parents=True)
    tree.mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/feature\n", encoding="utf-8")
    gone = str(main / ".claude" / "worktrees" / "gone" / "src")
    for number, cwd in enumerate([str(main), str(tree), gone]):
        home.write(f"p{number}/s.jsonl", answer(counts(1), f"msg_{number}", cwd=cwd))
    assert home.by("project") == {str(main): Tokens(3, requests=3)}


def test_the_project_is_the_working_directory_and_never_the_folder_name(home: Home) -> None:
    home.write("-srv-my-tool/s1.jsonl", answer(FINAL, cwd="/srv/my-tool"))
    assert home.by("project") == {"/srv/my-tool": WHOLE}


def test_a_working_directory_that_no_file_can_have_is_its_own_project(home: Home) -> None:
    line = json.loads('{"cwd": "/srv/\\u0000"}')
    home.write("p/s1.jsonl", answer(FINAL, **line))
    assert list(home.by("project").values()) == [WHOLE]


def test_numbers_beyond_every_measure_stop_nobody(home: Home) -> None:
    boundary = {"type": "system", "subtype": "compact_boundary", "uuid": "u1", "sessionId": "s1"}
    marks = {"trigger": "auto", "preTokens": 10**30, "postTokens": -1}
    home.write("p/s1.jsonl", {**boundary, "compactMetadata": marks}, answer(FINAL))
    home.write("p/s2.jsonl", answer({**FINAL, "input_tokens": 10**400}, "msg_2"))
    assert home.tokens() == Tokens(10, 1000, 200, 0, 2000, 2)
