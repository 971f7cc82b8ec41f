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
    prompt,
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
