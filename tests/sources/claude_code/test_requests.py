"""Whole requests from the lines that record them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.claude_code.reading import PROPERTY, TRANSCRIPTS

from tokenbudget.sources.claude_code import requests
from tokenbudget.sources.claude_code.request_messages import (
    compact,
    digest_of,
    hash_of,
    message_hash,
)
from tokenbudget.sources.claude_code.requests import NO_BODY, Body, RequestRecorder

Json = dict[str, Any]

SHAPE: Json = {
    "system": [{"type": "text", "text": "Be brief."}],
    "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
}
PARAMS: Json = {"model": "some-model", "max_tokens": 8}
MARK: Json = {"type": "ephemeral"}
SYSTEM_MARK: Json = {"path": ["system", 0], "value": MARK}


def said(role: str, content: object) -> Json:
    return {"role": role, "content": content}


def text(words: str) -> Json:
    return {"type": "text", "text": words}


def listed(role: str, words: str) -> Json:
    return said(role, [text(words)])


def user_line(content: object, **fields: object) -> Json:
    return {"type": "user", "message": said("user", content), **fields}


def answer_line(*blocks: Json, key: str = "msg_1", **fields: object) -> Json:
    message = {"id": key, "usage": {"input_tokens": 1}, **said("assistant", list(blocks))}
    return {"type": "assistant", "message": message, **fields}


def shape_line(shape: Json = SHAPE) -> Json:
    return {"type": "api-request-shape", "shapeHash": hash_of(shape), "shape": shape}


def blob_line(message: Json) -> Json:
    return {"type": "api-request-blob", "hash": message_hash(message), "message": message}


def request_line(name: str, tail: Sequence[Json], **fields: object) -> Json:
    return {
        "type": "api-request",
        "id": name,
        "querySource": "sdk",
        "shapeHash": hash_of(SHAPE),
        "params": PARAMS,
        "keep": 0,
        "tail": [message_hash(message) for message in tail],
        "cacheControl": [],
        **fields,
    }


def recorder_of(*lines: Json | bytes) -> RequestRecorder:
    """A recorder that has taken these lines; a line's offset is its number."""
    recorder = RequestRecorder()
    for offset, line in enumerate(lines):
        recorder.add(offset, line if isinstance(line, bytes) else compact(line))
    return recorder


def body_of(*lines: Json | bytes, request: str = "r1") -> Body:
    return recorder_of(*lines).body(request)


# ── finding the parts ─────────────────────────────────────────────────────────────────────────────


def test_a_request_is_rebuilt_from_shape_blob_and_conversation() -> None:
    asked, answer, again = said("user", "Hello?"), listed("assistant", "Yes."), said("user", "So?")
    body = body_of(
        shape_line(),
        blob_line(asked),
        answer_line(text("Yes.")),
        user_line("So?"),
        request_line("r1", [asked, answer, again]),
    )
    assert (body.system, body.tools) == (SHAPE["system"], SHAPE["tools"])
    assert body.messages == [asked, answer, again]
    assert body.params == PARAMS
    assert body.is_whole
    assert not body.mismatched_hashes


def test_a_request_builds_upon_another() -> None:
    first, second, third = (said("user", word) for word in ("one one", "two two", "three"))
    recorder = recorder_of(
        *(blob_line(message) for message in (first, second, third)),
        request_line("r1", [first, second]),
        request_line("r2", [third], base="r1", keep=1),
        request_line("r3", [second], base="r2", keep=2),
    )
    assert [request.id for request in recorder.requests] == ["r1", "r2", "r3"]
    assert recorder.body("r2").messages == [first, third]
    assert recorder.body("r3").messages == [first, third, second]


def test_a_request_is_told_with_its_place_and_model() -> None:
    (request,) = recorder_of(b"{}", request_line("r1", [said("user", "Hello?")])).requests
    assert (request.id, request.offset, request.query_source) == ("r1", 1, "sdk")
    assert (request.model, request.shape_hash) == ("some-model", hash_of(SHAPE))
    assert request.hashes == (message_hash(said("user", "Hello?")),)
    assert request.is_chain_whole


def test_the_blocks_of_one_answer_are_one_message() -> None:
    answer = said("assistant", [text("Both."), {"type": "tool_use", "id": "t1", "input": {}}])
    body = body_of(
        answer_line(answer["content"][0]),
        user_line([{"type": "tool_result", "tool_use_id": "t0"}]),
        answer_line(answer["content"][1]),
        request_line("r1", [answer]),
    )
    assert body.messages == [answer]


def test_user_lines_that_stand_together_are_one_message() -> None:
    results = [{"type": "tool_result", "tool_use_id": name} for name in ("t1", "t2", "t3")]
    body = body_of(
        *(user_line([result]) for result in results), request_line("r1", [said("user", results)])
    )
    assert body.messages == [said("user", results)]


def test_a_part_of_the_user_lines_that_stand_together_is_a_message_too() -> None:
    results = [{"type": "tool_result", "tool_use_id": name} for name in ("t1", "t2", "t3")]
    body = body_of(
        *(user_line([result]) for result in results),
        request_line("r1", [said("user", results[1:])]),
    )
    assert body.messages == [said("user", results[1:])]


def test_a_line_that_was_written_again_is_the_same_line() -> None:
    line = answer_line(text("Yes."), uuid="u1")
    body = body_of(line, line, request_line("r1", [listed("assistant", "Yes.")]))
    assert body.messages == [listed("assistant", "Yes.")]


def test_lines_are_read_again_where_they_can_be() -> None:
    asked = said("user", "Hello?")
    lines = [shape_line(), blob_line(asked), answer_line(text("Yes.")), user_line("So?")]
    wanted = [asked, listed("assistant", "Yes."), said("user", "So?")]
    data = [compact(line) for line in [*lines, request_line("r1", wanted)]]
    recorder = RequestRecorder(data.__getitem__)
    for offset, line in enumerate(data):
        recorder.add(offset, line)
    assert recorder.body("r1").messages == wanted
    assert recorder.body("r1").is_whole


def test_a_file_that_is_gone_leaves_the_messages_missing() -> None:
    def gone(offset: int) -> bytes:
        raise FileNotFoundError(offset)

    recorder = RequestRecorder(gone)
    recorder.add(0, compact(user_line("Hello?")))
    recorder.add(1, compact(request_line("r1", [said("user", "Hello?")])))
    assert recorder.body("r1").missing_hashes[0] == message_hash(said("user", "Hello?"))


def test_the_request_behind_a_response_is_known() -> None:
    recorder = recorder_of(
        request_line("r1", []),
        answer_line(text("Yes."), requestRef="r1"),
        answer_line(text("No."), key="msg_2", requestRef="r2"),
        answer_line(text("No."), key="msg_3"),
    )
    assert recorder.responses == {"msg_1": "r1", "msg_2": "r2"}


def test_a_forks_copies_find_their_requests_in_the_other_file() -> None:
    copied = answer_line(text("Yes."), requestRef="r1")
    fork, origin = [copied, request_line("r2", [])], [request_line("r1", []), copied]
    recorder = recorder_of(*fork, *origin)
    assert {request.id for request in recorder.requests} == {"r1", "r2"}
    assert recorder.responses["msg_1"] == "r1"


# ── string or list ────────────────────────────────────────────────────────────────────────────────


def test_a_string_was_sent_as_a_list_where_it_was_marked_for_the_cache() -> None:
    mark = {"path": ["messages", 0, "content", 0], "value": MARK}
    body = body_of(
        blob_line(said("user", "Hello?")),
        request_line("r1", [said("user", "Hello?")], cacheControl=[mark]),
    )
    assert body.messages == [listed("user", "Hello?")]
    assert body.cache_marks == ((("messages", 0, "content", 0), MARK),)


def test_a_text_that_is_no_longer_marked_was_sent_as_a_string() -> None:
    body = body_of(
        blob_line(listed("system", "A notice.")),
        request_line("r1", [listed("system", "A notice.")]),
    )
    assert body.messages == [said("system", "A notice.")]


def test_a_list_that_the_conversation_holds_was_sent_as_a_list() -> None:
    asked = listed("user", "Hello?")
    body = body_of(
        user_line(asked["content"]), blob_line(said("user", "Hello?")), request_line("r1", [asked])
    )
    assert body.messages == [asked]


def test_an_answer_is_always_a_list() -> None:
    answer = listed("assistant", "Yes.")
    assert body_of(blob_line(answer), request_line("r1", [answer])).messages == [answer]


def test_what_else_a_message_holds_is_kept() -> None:
    message = {**said("system", []), "output_config": {"effort": "high"}}
    assert body_of(blob_line(message), request_line("r1", [message])).messages == [message]


# ── what proves it ────────────────────────────────────────────────────────────────────────────────


def proven_lines(digest_of_it: str | None = None, **changes: object) -> list[Json]:
    asked = listed("user", "Hello?")
    marks = [SYSTEM_MARK, {"path": ["messages", 0, "content", 0], "value": MARK}]
    sent = {**PARAMS, **SHAPE, "messages": [asked]}
    digest = digest_of(sent, [(tuple(mark["path"]), MARK) for mark in marks])
    line = request_line(
        "r1", [asked], cacheControl=marks, requestDigest=digest_of_it or digest, **changes
    )
    return [shape_line(), user_line("Hello?"), line]


def test_a_request_with_the_recorded_digest_is_proven() -> None:
    assert body_of(*proven_lines()).is_proven


def test_the_digest_takes_its_marks_in() -> None:
    marked: Json = {"system": [{**text("Be brief."), "cache_control": MARK}], "messages": []}
    plain: Json = {"system": [text("Be brief.")], "messages": []}
    assert digest_of(plain, [(("system", 0), MARK)]) == hash_of(marked)


@pytest.mark.parametrize(
    "path", [("system", 7), ("tools", 0), (0,), ("system", 0, "text", "x"), ()]
)
def test_a_mark_without_a_place_does_no_harm(path: tuple[str | int, ...]) -> None:
    digest_of({"system": [text("Be brief.")], "messages": []}, [(path, MARK)])


def test_a_request_with_another_digest_is_whole_but_not_proven() -> None:
    body = body_of(*proven_lines("0" * 64))
    assert body.is_whole
    assert not body.is_proven


# ── what is unknown ───────────────────────────────────────────────────────────────────────────────


def test_a_message_that_stands_nowhere_is_named() -> None:
    known, lost = said("user", "Hello?"), said("user", "Lost.")
    body = body_of(shape_line(), blob_line(known), request_line("r1", [known, lost]))
    assert body.messages == [known]
    assert body.missing_hashes == (message_hash(lost),)
    assert not body.is_whole


def test_a_shape_that_stands_nowhere_is_named() -> None:
    body = body_of(user_line("Hello?"), request_line("r1", [said("user", "Hello?")]))
    assert (body.system, body.tools) == ([], [])
    assert body.missing_hashes == (hash_of(SHAPE),)


@pytest.mark.parametrize("keep", [1, 7])
def test_a_base_that_is_unknown_leaves_only_the_end(keep: int) -> None:
    recorder = recorder_of(
        shape_line(),
        user_line("So?"),
        request_line("r1", [said("user", "So?")], base="elsewhere", keep=keep),
    )
    (request,) = recorder.requests
    assert (request.hashes, request.is_chain_whole) == ((), False)
    body = recorder.body("r1")
    assert (body.messages, body.unknown_before) == ([said("user", "So?")], keep)
    assert not body.is_whole


def test_a_base_that_is_too_short_is_no_base() -> None:
    recorder = recorder_of(request_line("r1", []), request_line("r2", [], base="r1", keep=2))
    assert [request.is_chain_whole for request in recorder.requests] == [True, False]


def test_requests_that_build_upon_each_other_end() -> None:
    recorder = recorder_of(
        request_line("r1", [], base="r2", keep=1), request_line("r2", [], base="r1", keep=1)
    )
    assert not any(request.is_chain_whole for request in recorder.requests)


def test_a_part_without_the_hash_that_it_is_named_by_is_told() -> None:
    blob = {**blob_line(said("user", "Hello?")), "message": said("user", "Changed.")}
    shape = {**shape_line(), "shape": {**SHAPE, "tools": []}}
    body = body_of(shape, blob, request_line("r1", [said("user", "Hello?")]))
    assert body.messages == [said("user", "Changed.")]
    assert body.mismatched_hashes == (message_hash(said("user", "Hello?")), hash_of(SHAPE))


def test_a_request_that_nobody_recorded_has_no_body() -> None:
    assert recorder_of().body("r1") is NO_BODY
    assert not NO_BODY.is_whole


# ── damage ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"api-request',
        b'{"type":"api-request","id":7,"tail":"x"}',
        b'{"type":"api-request"}',
        b'{"type":"api-request-blob","hash":"h"}',
        b'{"type":"api-request-shape","shapeHash":"h","shape":[]}',
        b'{"type":"assistant","message":{"id":7}}',
        b'{"type":"user","message":null}',
        b'["api-request"]',
        b'{"type":"api-request","x":' + b"[" * 100_000,
    ],
)
def test_a_damaged_line_is_passed_over(line: bytes) -> None:
    wanted = said("user", "Hello?")
    body = body_of(line, shape_line(), user_line("Hello?"), line, request_line("r1", [wanted]))
    assert body.messages == [wanted]
    assert body.is_whole


def test_one_request_can_be_asked_for() -> None:
    recorder = recorder_of(request_line("r1", [], base="r0", keep=1))
    assert recorder.request("r1") == recorder.requests[0]
    assert recorder.request("r2") is None


def test_a_mark_without_a_path_does_no_harm() -> None:
    marks = [{"path": [], "value": {}}, {"path": ["messages"], "value": {}}]
    body = body_of(
        user_line("Hello?"), request_line("r1", [said("user", "Hello?")], cacheControl=marks)
    )
    assert body.messages == [said("user", "Hello?")]


def test_what_is_nested_too_deeply_to_be_written_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_deep(value: object) -> str:
        raise RecursionError

    recorder = recorder_of(*proven_lines())
    monkeypatch.setattr(requests, "hash_of", too_deep)
    body = recorder.body("r1")
    assert body.missing_hashes == (message_hash(said("user", "Hello?")),)
    assert not body.is_whole


@pytest.mark.parametrize("line", [{"params": 7}, {"cacheControl": {"a": 1}}, {"shapeHash": None}])
def test_a_request_with_a_field_of_another_kind_still_has_its_messages(line: Json) -> None:
    body = body_of(user_line("Hello?"), request_line("r1", [said("user", "Hello?")], **line))
    assert body.messages == [said("user", "Hello?")]


def test_a_byte_order_mark_and_nan_do_not_lose_a_line() -> None:
    line = compact(user_line("Hello?", n=0)).replace(b'"n":0', b'"n":NaN')
    body = body_of(b"\xef\xbb\xbf" + line, request_line("r1", [said("user", "Hello?")]))
    assert body.messages == [said("user", "Hello?")]


@pytest.mark.parametrize("words", ["\ud800", "\u2028 \x7f \x01", "ä 😀", '"\\/'])
def test_any_text_is_hashed_as_the_client_hashes_it(words: str) -> None:
    line = json.dumps(user_line(words)).encode()  # all of it escaped
    body = body_of(line, request_line("r1", [said("user", words)]))
    assert body.messages == [said("user", words)]


def test_an_answer_with_a_lone_surrogate_is_still_an_answer() -> None:
    answer = listed("assistant", "\udc00")
    recorder = recorder_of(
        answer_line(text("\udc00"), requestRef="r1"), request_line("r1", [answer])
    )
    assert recorder.responses == {"msg_1": "r1"}
    assert recorder.body("r1").messages == [answer]


def test_a_lone_surrogate_is_hashed_escaped() -> None:
    assert compact("\ud800é") == b'"\\ud800\xc3\xa9"'


def test_numbers_are_written_as_the_client_writes_them() -> None:
    numbers = [1e-7, -1.5e-5, 0.0001, 1e-6, 1.25e-9, 1e21, 1e-10, "e-0"]
    assert compact(numbers) == b'[1e-7,-0.000015,0.0001,0.000001,1.25e-9,1e+21,1e-10,"e-0"]'


HASHES = st.sampled_from([message_hash(said("user", words)) for words in ("a", "b")])
IDS = st.sampled_from(["r1", "r2", "r3"])
RECORDED = st.one_of(
    st.builds(
        lambda name, base, keep, tail, digest: {
            **request_line(name, [], base=base, keep=keep, requestDigest=digest),
            "tail": tail,
        },
        IDS,
        st.none() | IDS,
        st.none() | st.integers(-1, 4),
        st.none() | st.lists(HASHES, max_size=3),
        st.none() | st.text(),
    ),
    st.builds(blob_line, st.builds(said, st.sampled_from(["user", "system"]), st.text(max_size=2))),
    st.builds(user_line, st.sampled_from(["a", "b", [text("a")], [], 7, None])),
    st.just(shape_line()),
).map(lambda line: compact(line) + b"\n")


@PROPERTY
@given(st.lists(st.one_of(RECORDED, TRANSCRIPTS), max_size=10))
def test_no_transcript_raises(parts: list[bytes]) -> None:
    recorder = recorder_of(*b"".join(parts).splitlines(keepends=True))
    for request in recorder.requests:
        body = recorder.body(request.id)
        named = len(body.messages) + len(set(body.missing_hashes) - {request.shape_hash})
        assert not request.is_chain_whole or named <= len(request.hashes)
        if body.is_whole:
            assert len(body.messages) == len(request.hashes)
