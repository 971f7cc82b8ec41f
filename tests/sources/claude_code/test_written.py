"""What a call wrote, read out of its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.sources.claude_code import written
from tokenbudget.sources.claude_code.written import Written, written_by


def line(*inputs: Any) -> bytes:
    blocks = [
        {"type": "tool_use", "id": f"t{number}", "name": "Edit", "input": given}
        for number, given in enumerate(inputs)
    ]
    return json.dumps({"type": "assistant", "message": {"content": blocks}}).encode()


def test_the_replacement_of_the_call_that_is_meant() -> None:
    data = line({"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"})
    assert list(written_by(data, "t1")) == [Written("c", "d")]


def test_several_replacements_of_one_call_in_order() -> None:
    edits = [{"old_string": "a", "new_string": "b"}, 7, {"old_string": "c", "new_string": "d"}]
    assert list(written_by(line({"edits": edits}), "t0")) == [Written("a", "b"), Written("c", "d")]


@pytest.mark.parametrize(
    "given_input",
    [{"content": "whole"}, {"old_string": 1, "new_string": "b"}, [], None, {"edits": {"a": 1}}],
)
def test_what_is_no_replacement_gives_nothing(given_input: Any) -> None:
    assert list(written_by(line(given_input), "t0")) == []
    assert list(written_by(line(given_input), "t9")) == []


def test_a_very_long_line_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = line({"old_string": "a", "new_string": "b"})
    monkeypatch.setattr(written, "MOST_BYTES", len(data) - 1)
    assert list(written_by(data, "t0")) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert list(written_by(data, "t0")) == []
    assert list(written_by(line({})[:40] + data, "t0")) == []
