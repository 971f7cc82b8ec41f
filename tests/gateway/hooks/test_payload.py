"""An event out of any bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.hooks import payload
from tokenbudget.gateway.hooks.payload import event_of, response_chars

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)
NAMES = ("session_id", "hook_event_name", "transcript_path", "cwd", "tool_name", "tool_input",
         "tool_response", "tool_use_id", "agent_id")  # fmt: skip


def told(**fields: object) -> bytes:
    return json.dumps({"session_id": "s-1", "hook_event_name": "PreToolUse", **fields}).encode()


def test_an_event_says_who_does_what_to_which_file() -> None:
    event = event_of(
        told(tool_name="Read", tool_use_id="toolu_1", agent_id="a1", cwd="/srv", later="field",
             tool_input={"file_path": "/srv/a.py"})
    )  # fmt: skip
    assert (event.session, event.name, event.tool) == ("s-1", "PreToolUse", "Read")
    assert (event.path, event.agent, event.cwd, event.command) == ("/srv/a.py", "a1", "/srv", "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[1]",
        b'{"session_id":"s-1","hook_event_name":"Stop"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"session_id":"s-1","n":' + b"9" * 10_000 + b"}",
        b'{"session_id":"../../x","hook_event_name":"Stop"}',
        b'{"session_id":"s-1","hook_event_name":"Stop\\n"}',
        b'{"session_id":"s-1","hook_event_name":["Stop"]}',
        b'{"session_id":{"a":1},"hook_event_name":"Stop"}',
        b'{"session_id":"\\ud800","hook_event_name":"Stop"}',
        b'{"session_id":"' + b"s" * 200 + b'","hook_event_name":"Stop"}',
    ],
)
def test_what_is_no_event_has_no_session_or_no_name(data: bytes) -> None:
    event = event_of(data)
    assert not (event.session and event.name)


def test_nan_and_lone_surrogates_and_a_mark_at_the_beginning_do_not_matter() -> None:
    data = (
        b'\xef\xbb\xbf{"session_id":"s-1","hook_event_name":"Stop","x":NaN,"y":"\\ud800","z":1e999}'
    )
    assert event_of(data).name == "Stop"


def test_a_payload_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MOST_BYTES", len(told()))
    assert event_of(told()).name == "PreToolUse"
    assert event_of(told() + b" ").name == ""
    assert payload.MOST_BYTES < 1 << 20
    monkeypatch.undo()
    assert payload.MOST_BYTES == 16 << 20


def test_a_path_or_a_command_that_is_too_long_is_none_at_all() -> None:
    long = event_of(told(tool_name="Bash", tool_input={"command": "x" * 5_000}, cwd="/" * 5_000))
    assert (long.command, long.cwd) == ("", "")
    relative = event_of(told(tool_name="Read", tool_input={"file_path": "a.py"}))
    assert relative.path == ""
    assert event_of(told(tool_input={"file_path": "/a\0b"})).path == ""


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    event_of(data)
    event_of(told()[:-1] + b"," + data + b"}")


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_no_kinds_raise(fields: dict[str, object]) -> None:
    event = event_of(json.dumps(fields).encode())
    assert isinstance(event.path + event.command + event.cwd + event.transcript, str)
    assert response_chars(event.response) >= 0


@pytest.mark.parametrize(
    ("response", "chars"),
    [
        ({"stdout": "abc", "stderr": "de", "interrupted": False}, 5),
        ({"stdout": "x" * 30_000, "persistedOutputPath": "/f"}, payload.PREVIEW_CHARS),
        ({"type": "text", "file": {"filePath": "/a", "content": "abcd"}}, 4),
        ([{"type": "text", "text": "abc"}, {"type": "text", "text": "d"}], 4),
        ([{"type": "image", "source": {"data": "x" * 9_999}}], 0),
        ("abc", 3),
        (None, 0),
        ({"content": [{"type": "text", "text": "ab"}], "agentId": "xyz"}, 2),
        ({"filenames": ["ab", "c"], "numFiles": 2}, 3),
    ],
)
def test_a_response_is_as_large_as_what_the_agent_is_shown(response: object, chars: int) -> None:
    assert response_chars(response) == chars


@given(ANYTHING)
def test_any_response_has_a_size(response: object) -> None:
    assert response_chars(response) >= 0


def test_a_deep_or_endless_response_is_measured_as_far_as_it_is_worth() -> None:
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    assert response_chars(deep) == 0
    assert response_chars(["x"] * 100_000) <= payload.MOST_PARTS
