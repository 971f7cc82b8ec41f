"""The end of a transcript, read on as it grows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.hooks.hook_desk import HookDesk

from tokenbudget.gateway.hooks import transcript_tail
from tokenbudget.gateway.hooks.session_state import Tail
from tokenbudget.gateway.hooks.transcript_tail import read_on
from tokenbudget.gateway.statusline_values import parsed


def followed(desk: HookDesk, tail: Tail | None = None) -> tuple[Tail, transcript_tail.News]:
    tail = tail or Tail({})
    return tail, read_on(tail, str(desk.transcript))


def test_the_last_response_says_how_full_the_window_is(desk: HookDesk) -> None:
    desk.asks()
    desk.responds(40_000)
    desk.responds(60_000)
    tail, news = followed(desk)

    assert (tail.tokens, tail.model, tail.version) == (60_000, "claude-sonnet-4-5", "2.1.329")
    assert tail.is_continued
    assert not news.is_lost
    assert news.compactions == []


def test_only_what_is_new_is_read(desk: HookDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.responds(40_000)
    tail, _ = followed(desk)
    seen: list[bytes] = []

    def spied(line: bytes) -> dict[str, object]:
        seen.append(line)
        return parsed(line)

    monkeypatch.setattr("tokenbudget.gateway.hooks.transcript_tail.parsed", spied)
    desk.responds(50_000)
    followed(desk, tail)

    assert len(seen) == 1
    assert tail.tokens == 50_000
    assert tail.offset == desk.transcript.stat().st_size


def test_lines_of_one_response_count_once_and_each_field_at_its_most(desk: HookDesk) -> None:
    desk.responds(40_000, key="msg_a")
    tail, _ = followed(desk)
    desk.responds(39_000, key="msg_a")  # a copy with less
    desk.responds(40_500, key="msg_a")
    followed(desk, tail)
    assert tail.tokens == 40_500


SMALL = "claude-haiku-4-5-20251001"
TYPED = "<command-message>tokens</command-message>\n<command-name>/tokens</command-name>"


def answers_in_another_model(desk: HookDesk, tokens: int, key: str = "") -> None:
    own, desk.model = desk.model, SMALL
    desk.responds(tokens, key=key)
    desk.model = own


def test_a_command_that_another_model_answers_leaves_model_and_window_alone(desk: HookDesk) -> None:
    desk.asks()
    desk.responds(40_000)
    tail, _ = followed(desk)
    for _ in range(2):
        desk.asks(TYPED)
        followed(desk, tail)
        tail = Tail(tail.fields())
        desk.asks("its output", isMeta=True)
        answers_in_another_model(desk, 30_000, key="msg_small")
        answers_in_another_model(desk, 30_100, key="msg_small")  # another line of the same one
        news = followed(desk, tail)[1]
        assert (tail.tokens, tail.model, news.is_lost) == (40_000, "claude-sonnet-4-5", False)
    answers_in_another_model(desk, 60_000, key="msg_more")
    followed(desk, tail)
    assert (tail.tokens, tail.model) == (60_000, "claude-sonnet-4-5"), "it works on, and fills it"
    desk.asks("And now in the other one.")
    answers_in_another_model(desk, 61_000)
    followed(desk, tail)
    assert (tail.tokens, tail.model) == (61_000, SMALL), "that a person chose"


@pytest.mark.parametrize("before", [None, "<command-name>/model</command-name>"])
def test_a_model_is_taken_from_a_command_where_no_other_is_known(
    desk: HookDesk, before: str | None
) -> None:
    if before:
        desk.asks(before)
        desk.asks("<local-command-stdout>Set model</local-command-stdout>")
    desk.asks([{"type": "text", "text": TYPED}])  # type: ignore[arg-type]
    answers_in_another_model(desk, 30_000)
    tail, _ = followed(desk)
    assert (tail.tokens, tail.model) == (30_000, SMALL)


@pytest.mark.parametrize(
    "fields",
    [
        {"isSidechain": True},
        {"agentId": "a1"},
        {"isApiErrorMessage": True},
        {"message": {"id": "m", "model": "<synthetic>", "usage": {"input_tokens": 5}}},
        {"message": {"id": "m", "model": "x", "usage": None}},
        {"message": {"id": "m", "model": "x", "usage": {"input_tokens": -1}}},
        {"message": {"id": "m", "model": "x", "usage": {"input_tokens": True}}},
        {"message": "text"},
        {"type": "other"},
    ],
)
def test_what_is_no_response_of_the_main_thread_changes_nothing(
    desk: HookDesk, fields: dict[str, object]
) -> None:
    desk.responds(40_000)
    told: dict[str, object] = {
        "type": "assistant",
        "message": {"id": "m", "usage": {"input_tokens": 9}},
    }
    desk.line(**{**told, **fields})
    assert followed(desk)[0].tokens == 40_000


def test_a_line_that_is_not_whole_yet_waits(desk: HookDesk) -> None:
    desk.responds(40_000)
    with desk.transcript.open("ab") as handle:
        handle.write(b'{"type":"assistant","uuid":"u","message":{"id":"m","usa')
    tail, _ = followed(desk)
    assert tail.tokens == 40_000
    with desk.transcript.open("ab") as handle:
        handle.write(b'ge":{"input_tokens":41000}}}\n')
    followed(desk, tail)
    assert tail.tokens == 41_000


def test_a_compaction_leaves_an_unknown_window_and_says_what_it_was(desk: HookDesk) -> None:
    desk.responds(160_000)
    desk.compacts(160_000, 21_000)
    tail, news = followed(desk)
    assert tail.tokens is None
    assert news.compactions == [("auto", 160_000, 21_000)]
    assert news.is_lost


def test_old_results_taken_out_are_a_loss_but_no_compaction(desk: HookDesk) -> None:
    desk.responds(60_000)
    tail, _ = followed(desk)
    desk.line(type="system", subtype="microcompact_boundary", microcompactMetadata={})
    _, news = followed(desk, tail)
    assert (news.is_lost, news.compactions, tail.tokens) == (True, [], 60_000)


def test_a_window_that_shrinks_without_a_word_has_lost_something(desk: HookDesk) -> None:
    desk.responds(60_000)
    tail, _ = followed(desk)
    desk.responds(59_500)
    assert not followed(desk, tail)[1].is_lost
    desk.responds(50_000)
    assert followed(desk, tail)[1].is_lost


def test_a_prompt_that_goes_on_elsewhere_is_a_rewind(desk: HookDesk) -> None:
    desk.asks()
    desk.responds(60_000)
    tail, _ = followed(desk)
    desk.asks()
    assert not followed(desk, tail)[1].is_lost
    desk.asks(parentUuid="uuid-1")
    assert followed(desk, tail)[1].is_lost


def test_results_of_parallel_calls_are_no_rewind(desk: HookDesk) -> None:
    desk.responds(60_000)
    desk.responds(60_000)
    tail, _ = followed(desk)
    desk.line(
        type="user",
        parentUuid="uuid-1",
        message={"content": [{"type": "tool_result", "content": ""}]},
    )
    assert not followed(desk, tail)[1].is_lost


def test_of_a_long_transcript_only_the_end_is_read(desk: HookDesk) -> None:
    for _ in range(30):
        desk.line(
            type="user", message={"content": [{"type": "tool_result", "content": "x" * 60_000}]}
        )
    desk.responds(70_000)
    tail, news = followed(desk)
    assert tail.tokens == 70_000
    assert news.is_lost  # what was before is not known


def test_where_the_end_says_nothing_more_of_it_is_read(desk: HookDesk) -> None:
    desk.responds(70_000)
    for _ in range(30):
        desk.line(
            type="user", message={"content": [{"type": "tool_result", "content": "x" * 60_000}]}
        )
    assert desk.transcript.stat().st_size > transcript_tail.FIRST_BYTES
    assert followed(desk)[0].tokens == 70_000


def test_a_transcript_that_was_replaced_is_read_anew(desk: HookDesk, tmp_path: Path) -> None:
    for _ in range(9):
        desk.responds(70_000)
    tail, _ = followed(desk)
    other = tmp_path / "other"
    other.write_bytes(b"")
    other.rename(desk.transcript)
    _, news = followed(desk, tail)
    assert (news.is_lost, tail.tokens) == (True, None)
    desk.responds(20_000)
    followed(desk, tail)
    assert tail.tokens == 20_000


def test_a_large_window_keeps_the_name_that_only_the_client_knows(desk: HookDesk) -> None:
    tail = Tail({"model": "claude-sonnet-4-5[1m]"})
    desk.responds(40_000)
    assert followed(desk, tail)[0].model == "claude-sonnet-4-5[1m]"
    desk.model = "claude-haiku-4-5"
    desk.responds(40_000)
    assert followed(desk, tail)[0].model == "claude-haiku-4-5"


@pytest.mark.parametrize(
    "path", ["/does/not/exist", "/", "", "/dev/zero", "/dev/null", "/a\0b", "/\ud800"]
)
def test_what_is_no_transcript_tells_nothing(path: str) -> None:
    tail = Tail({"offset": 5, "usage": [1, 2, 3, 4]})
    assert not read_on(tail, path).is_lost
    assert tail.tokens == 10


LINES = st.lists(
    st.binary(max_size=60).map(lambda data: data + b"\n")
    | st.builds(
        lambda usage, side: json.dumps(
            {"type": "assistant", "uuid": "u", "isSidechain": side,
             "message": {"id": "m", "usage": usage, "content": [None, 1, {"type": "tool_use"}]}}
        ).encode() + b"\n",
        st.dictionaries(
            st.sampled_from(["input_tokens", "output_tokens", "cache_read_input_tokens"]),
            st.integers() | st.none() | st.text(max_size=3) | st.floats(),
        ),
        st.booleans() | st.none() | st.text(max_size=2),
    ),
    max_size=20,
)  # fmt: skip


@given(LINES, st.integers(0, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_does_not_matter_in_how_many_parts_it_is_read(
    tmp_path: Path, lines: list[bytes], cut: int
) -> None:
    path = tmp_path / "t.jsonl"
    parts = Tail({})
    path.write_bytes(b"")
    for part in (lines[:cut], lines[cut:]):
        with path.open("ab") as handle:
            handle.write(b"".join(part))
        read_on(parts, str(path))
    whole = Tail({})
    read_on(whole, str(path))

    assert parts.fields() == whole.fields()
    assert parts.tokens is None or parts.tokens >= 0
