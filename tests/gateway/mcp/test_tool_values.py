"""What a tool answered becomes the value that code would want."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.tool_values import error_words, parsed, value_of
from tokenbudget.gateway.mcp.values import Answer, Tool

WRAPPED = {"type": "object", "properties": {"result": {}}, "x-fastmcp-wrap-result": True}
PLAIN = {"type": "object", "properties": {"result": {}, "more": {}}}


def tool(output: dict[str, object] | None = None) -> Tool:
    return Tool("s", "t", "", "", {}, output, {})


def text(*texts: str) -> list[dict[str, object]]:
    return [{"type": "text", "text": one} for one in texts]


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ([], None),
        (text("plain"), "plain"),
        (text('{"a": [1]}'), {"a": [1]}),
        (text(" [1, 2]\n"), [1, 2]),
        (text("12"), "12"),
        (text("true"), "true"),
        (text("{'a': 1}"), "{'a': 1}"),
        (text("{broken"), "{broken"),
        (text("[" * 100_000), "[" * 100_000),
        (text("a", "b"), "a\nb"),
        (text('{"a": 1}', "b"), [{"a": 1}, "b"]),
        (text('["\\ud800"]'), ["?"]),
        ([{"type": "image", "data": "aGk=", "mimeType": "image/png"}],
         {"type": "image", "data": "aGk=", "mimeType": "image/png"}),
        ([{"type": "resource", "resource": {"uri": "f:a", "text": "[1]"}}], [1]),
        ([{"type": "resource", "resource": {"uri": "f:a", "blob": "aGk="}}],
         {"uri": "f:a", "blob": "aGk="}),
        ([{"type": "resource_link", "uri": "f:a"}], {"type": "resource_link", "uri": "f:a"}),
        ([{"type": "text", "text": 5}], {"type": "text", "text": 5}),
    ],
    ids=range(17),
)  # fmt: skip
def test_the_value_of_content(content: list[dict[str, object]], value: object) -> None:
    assert value_of(tool(), Answer(content, None, False)) == value


@pytest.mark.parametrize(
    ("output", "structured", "value"),
    [
        (None, {"a": 1}, {"a": 1}),
        (None, {"result": 1}, {"result": 1}),
        (WRAPPED, {"result": '{"a": 1}'}, {"a": 1}),
        (WRAPPED, {"result": "text"}, "text"),
        (WRAPPED, {"result": [1]}, [1]),
        (WRAPPED, {"result": 1, "more": 2}, {"result": 1, "more": 2}),
        (PLAIN, {"result": 1}, {"result": 1}),
        ({"properties": {"result": {}}}, {"result": [1]}, [1]),
        (None, [], []),
        (None, {"\ud800": ["\ud800"]}, {"?": ["?"]}),
    ],
)
def test_structured_content_comes_before_text(
    output: dict[str, object] | None, structured: object, value: object
) -> None:
    answer = Answer(text("something else"), structured, False)
    assert value_of(tool(output), answer) == value


def test_structured_content_without_end_is_told() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    endless: dict[str, object] = {}
    endless["a"] = endless
    for structured in (deep, endless):
        said = value_of(tool(), Answer([], structured, False))
        assert said == "the answer is nested too deeply"


def test_the_answer_itself_is_left_alone() -> None:
    structured = {"a": ["\ud800"]}
    value_of(tool(), Answer([], structured, False))
    assert structured == {"a": ["\ud800"]}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(text("one", "two"), None, True), "one\ntwo"),
        (Answer([], {"code": 5}, True), '{"code": 5}'),
        (Answer([], None, True), "the tool failed and does not say why"),
        (Answer(text("  "), None, True), "the tool failed and does not say why"),
    ],
)
def test_the_words_of_an_error_are_the_servers(answer: Answer, said: str) -> None:
    assert error_words(answer) == said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(st.lists(JSON) | st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_json_in_a_text_is_the_value(value: object) -> None:
    assert parsed(json.dumps(value)) == value


@given(st.text())
def test_any_text_has_a_value(said: str) -> None:
    json.dumps(parsed(said), ensure_ascii=False).encode()
