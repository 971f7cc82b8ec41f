"""Blocks of answers find their calls, and commands their labels."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.window_builders import words

from tokenbudget.analysis.study_calls import arguments_of, label_targets, shown_file, uses_of
from tokenbudget.ledger.thread_calls import CallRow
from tokenbudget.ledger.windows import PieceRow
from tokenbudget.model import window
from tokenbudget.model.events import text_sum
from tokenbudget.model.window import ShownFile

HERE, ELSEWHERE = 1, 2


def use(offset: int, name: str = "Read", position: int = 0, key: str = "a") -> PieceRow:
    return PieceRow(offset, position, "", window.TOOL_USE, name, "", key, 9, words(9))


def result(offset: int, call_id: str, name: str = "Bash") -> PieceRow:
    return PieceRow(offset, 0, "", window.TOOL_RESULT, name, "", call_id, 9, words(9))


def call(
    call_id: str, arguments: str, offset: int, name: str = "Read", file_id: int = HERE
) -> CallRow:
    key = text_sum(arguments.encode())
    return CallRow(call_id, "a", name, "", key, 1, file_id, offset, 0, False, None, 0)


def test_the_only_call_of_a_line_is_its_block() -> None:
    (found,) = uses_of([use(100)], {}, [call("t1", "{}", 100)], HERE)

    assert found.call is not None
    assert (found.call.tool_use_id, found.arguments, found.label) == ("t1", {}, "")


def test_several_calls_of_a_line_are_told_apart_by_their_arguments() -> None:
    rows = [use(100, position=0), use(100, position=1)]
    texts = {(100, 0): 'Read {"file_path": "/b"}', (100, 1): 'Read {"file_path": "/a"}'}
    calls = [call("t1", '{"file_path": "/a"}', 100), call("t2", '{"file_path": "/b"}', 100)]

    found = uses_of(rows, texts, calls, HERE)

    assert [one.call and one.call.tool_use_id for one in found] == ["t2", "t1"]


def test_equal_calls_of_a_line_have_each_their_own() -> None:
    rows = [use(100, position=0), use(100, position=1)]
    texts = {(100, 0): "Read {}", (100, 1): "Read {}"}
    calls = [call("t1", "{}", 100), call("t2", "{}", 100)]

    found = uses_of(rows, texts, calls, HERE)

    assert [one.call and one.call.tool_use_id for one in found] == ["t1", "t2"]


def test_a_copy_of_another_files_call_is_found_by_its_words() -> None:
    calls = [call("t1", '{"a":1}', 700, file_id=ELSEWHERE)]

    (found,) = uses_of([use(100)], {(100, 0): 'Read {"a":1}'}, calls, HERE)

    assert found.call == calls[0]
    assert found.arguments == {"a": 1}


def test_a_call_that_nobody_read_has_no_row() -> None:
    (found,) = uses_of([use(100)], {(100, 0): "Read {}"}, [], HERE)

    assert (found.call, found.arguments) == (None, {})


def test_what_is_no_call_is_left_out() -> None:
    rows = [result(100, "t1"), use(200)]

    assert [one.row.byte_offset for one in uses_of(rows, {}, [], HERE)] == [200]


def test_a_command_is_labelled_in_its_call_and_its_result() -> None:
    arguments = json.dumps({"command": "cd /x && npm test --token=abc"})
    rows = [use(100, "Bash"), result(200, "t1"), use(300, "Read"), result(400, "t2", "Read")]
    texts = {(100, 0): f"Bash {arguments}", (300, 0): 'Read {"command": "npm test"}'}
    calls = [call("t1", arguments, 100, "Bash"), call("t2", "{}", 300)]

    uses = uses_of(rows, texts, calls, HERE)

    assert (uses[0].label, uses[0].command) == ("npm test", "cd /x && npm test --token=abc")
    assert (uses[1].label, uses[1].command) == ("", "")
    assert label_targets(uses, rows) == {(100, 0): "npm test", (200, 0): "npm test"}


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", "7", "{", '{"a":', "x" * 9, "[" * 100_000, "\ud800"]
)
def test_what_are_no_arguments_are_none(text: str) -> None:
    assert arguments_of(text) == {}


@given(st.text())
def test_any_words_have_arguments(text: str) -> None:
    assert isinstance(arguments_of(text), dict)
    assert isinstance(arguments_of('{"a": ' + json.dumps(text) + "}"), dict)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("     1→import os\n     2→\n     3→x = 1", ShownFile(0, 3, 1)),
        ("    41\tx\n    42\ty\n", ShownFile(0, 2, 41)),
        ("import os\n     2→x", None),
        ("", None),
        ("File does not exist.", None),
    ],
)
def test_the_numbering_of_a_read_tells_what_it_shows(text: str, shown: ShownFile | None) -> None:
    assert shown_file(text) == shown
