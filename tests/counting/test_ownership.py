"""Subagents, and whose response one is that stands in several places."""

import pytest
from tests.counting.transcripts import (
    LATER,
    Home,
    Tokens,
    agent_progress,
    answer,
    counts,
    message,
    prompt,
)

PARTIAL = counts(10, 3, write=100, read=1000)
FINAL = counts(10, 500, write=100, read=1000)
WHOLE = Tokens(input=10, output=500, write_5m=100, read=1000)
MILLION = 1_000_000


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
