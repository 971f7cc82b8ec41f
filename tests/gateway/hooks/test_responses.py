"""The text in a response, and another in its place: the shape stays."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.compression.policy import TOOLS
from tokenbudget.gateway.hooks.responses import LEAST_CHARS, SHAPES, text_of, with_text

LONG = "a line\n" * 60
NAMES = [f"/srv/shop/src/part_{n}.py" for n in range(40)]
BASH = {"stdout": LONG, "stderr": "", "interrupted": False, "isImage": False}
READ: dict[str, Any] = {
    "type": "text",
    "file": {
        "filePath": "/a.py",
        "content": LONG,
        "numLines": 61,
        "startLine": 1,
        "totalLines": 61,
    },
}
GREP = {"mode": "content", "numFiles": 0, "filenames": [], "content": LONG, "numLines": 60}
FILES = {"mode": "files_with_matches", "filenames": NAMES, "numFiles": 40}
GLOB = {"filenames": NAMES, "durationMs": 4, "numFiles": 40, "truncated": False}
PAGE = {"bytes": 900, "code": 200, "codeText": "OK", "result": LONG, "durationMs": 5, "url": "x"}
MCP = [{"type": "text", "text": LONG}]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "stdout",
                    "stderr",
                    "file",
                    "content",
                    "type",
                    "text",
                    "mode",
                    "filenames",
                    "result",
                ]
            ),
            inner,
        )
    ),
)


@pytest.mark.parametrize(
    ("tool", "response"),
    [("Bash", BASH), ("Read", READ), ("Grep", GREP), ("Grep", FILES), ("Glob", GLOB),
     ("WebFetch", PAGE), ("mcp__a__b", MCP), ("mcp__a__b", LONG)],
)  # fmt: skip
def test_a_text_is_found_and_replaced_and_nothing_else_changes(tool: str, response: Any) -> None:
    before = copy.deepcopy(response)
    text = text_of(tool, response)
    assert text in (LONG, "\n".join(NAMES))
    other = with_text(tool, response, "x\ny")
    assert response == before
    assert type(other) is type(response)
    assert text_of(tool, with_text(tool, other, text)) == text
    if isinstance(response, dict):
        assert list(other) == list(response)  # type: ignore[call-overload]
    assert with_text(tool, response, text) == response


def test_the_policy_knows_the_same_tools() -> None:
    assert {name.replace("mcp__*", "mcp") for name in TOOLS} == set(SHAPES)


def test_lines_of_a_replaced_file_are_counted_and_those_of_the_whole_stay() -> None:
    file = with_text("Read", READ, "x\ny")["file"]  # type: ignore[index]
    assert (file["content"], file["numLines"]) == ("x\ny", 2)
    assert (file["startLine"], file["totalLines"], file["filePath"]) == (1, 61, "/a.py")


def test_both_streams_of_a_command_are_one_text() -> None:
    both = {**BASH, "stdout": LONG, "stderr": "warning: odd"}
    assert text_of("Bash", both) == LONG.rstrip() + "\nwarning: odd"
    assert with_text("Bash", both, "short") == {**BASH, "stdout": "short", "stderr": ""}
    assert text_of("Bash", {**BASH, "stdout": "", "stderr": LONG}) == LONG


def test_of_several_blocks_the_longest_text_is_shortened_alone() -> None:
    image = {"type": "image", "source": {"data": "x" * 900}}
    blocks = [{"type": "text", "text": "a"}, image, {"type": "text", "text": LONG, "more": 1}]
    assert text_of("mcp__a__b", blocks) == LONG
    other = with_text("mcp__a__b", blocks, "short")
    assert other == [blocks[0], image, {"type": "text", "text": "short", "more": 1}]


@pytest.mark.parametrize(
    ("tool", "response"),
    [
        ("Bash", {**BASH, "isImage": True}), ("Bash", {**BASH, "interrupted": True}),
        ("Bash", {**BASH, "persistedOutputPath": "/x"}),
        ("Bash", {**BASH, "backgroundTaskId": "b"}),
        ("Bash", {"stdout": LONG}), ("Bash", LONG), ("Read", {"type": "image", "file": {}}),
        ("Read", {"type": "file_unchanged", "file": {"filePath": "/a.py"}}), ("Read", LONG),
        ("Grep", {**GREP, "mode": "count"}), ("Glob", {**GLOB, "filenames": ["a\nb"] * 200}),
        ("Glob", {**GLOB, "filenames": [1]}), ("Edit", BASH), ("Agent", MCP), ("Task", BASH),
        ("mcp__a__b", [{"type": "image", "text": LONG}]), ("mcp__a__b", {"content": MCP}),
        ("Bash", {**BASH, "stdout": "x" * (LEAST_CHARS - 1)}), ("", None),
    ],
)  # fmt: skip
def test_what_is_of_another_shape_is_left_alone(tool: str, response: object) -> None:
    assert text_of(tool, response) is None


@given(st.sampled_from([*SHAPES, "mcp__x__y", "Edit"]), ANYTHING, st.text())
def test_any_response_is_taken(tool: str, response: object, text: str) -> None:
    found = text_of(tool, response)
    if found is not None:
        assert with_text(tool, with_text(tool, response, text), found) == with_text(
            tool, response, found
        )
