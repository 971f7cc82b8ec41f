"""Catalogues: whatever a server says becomes bounded values, and comes back from a file equal."""

import json

from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.mcp.catalogues import anything, catalogue, listed

from tokenbudget.gateway.mcp.catalogue import (
    ANY_OBJECT,
    MOST_DESCRIPTION_CHARS,
    MOST_NAME_CHARS,
    MOST_TOOLS,
    as_document,
    catalogue_of,
    from_document,
)

TEXT = {"type": "string"}


@given(st.text(max_size=9), st.dictionaries(st.text(max_size=9), anything), st.lists(anything))
def test_any_json_is_a_catalogue_that_a_file_gives_back(
    server: str, result: dict[str, object], tools: list[object]
) -> None:
    made = catalogue_of(server, result, tools)
    kept = json.dumps(as_document(made))
    assert json.dumps(as_document(from_document(json.loads(kept)) or made)) == kept
    assert from_document(json.loads(kept)) is not None


@given(anything)
def test_any_other_document_is_none_or_a_catalogue(document: object) -> None:
    assert from_document(document) is None
    from_document({**as_document(catalogue("a", [])), "tools": document, "offers": [document]})


def test_what_a_server_says_of_itself() -> None:
    made = catalogue_of(
        "shop",
        {
            "serverInfo": {"name": "shop-mcp", "version": "1.2"},
            "capabilities": {"tools": {}, "resources": {"subscribe": True}},
            "instructions": "Ask before you buy.",
        },
        [{**listed("buy", "Buy it.", what=TEXT), "annotations": {"title": "Buy", "x": 1}}],
    )
    assert (made.version, made.instructions) == ("shop-mcp 1.2", "Ask before you buy.")
    assert made.offers == {"tools", "resources"}
    assert (made.tools[0].title, made.tools[0].annotations["x"]) == ("Buy", 1)


def test_what_cannot_be_called_is_left_out() -> None:
    bad = [None, 5, {}, {"name": 5}, {"name": ""}, {"name": "n" * (MOST_NAME_CHARS + 1)}]
    made = catalogue("a", [*bad, listed("good"), {**listed("good"), "description": "another"}])
    assert [(tool.name, tool.description) for tool in made.tools] == [("good", "")]


def test_lies_about_types_become_empty() -> None:
    lying = {"name": "t", "description": 7, "inputSchema": [1], "outputSchema": "x", "title": {}}
    made = catalogue("a", [lying]).tools[0]
    assert (made.description, made.title, made.input_schema, made.output_schema) == (
        "",
        "",
        {},
        None,
    )


def test_a_flood_is_bounded() -> None:
    many = [listed(f"t{number}") for number in range(MOST_TOOLS + 50)]
    assert len(catalogue("a", many).tools) == MOST_TOOLS
    long = catalogue("a", [listed("t", "x" * 1_000_000)]).tools[0].description
    assert len(long) == MOST_DESCRIPTION_CHARS
    assert long.endswith("…")


def test_a_schema_that_is_too_deep_or_too_large_stands_for_any_object() -> None:
    deep: dict[str, object] = {}
    for _ in range(500):
        deep = {"properties": {"a": deep}}
    wide = {"properties": {f"p{number}": TEXT for number in range(30_000)}}
    heavy = {"description": "x" * 300_000}
    made = catalogue(
        "a", [{"name": f"{i}", "inputSchema": s} for i, s in enumerate([deep, wide, heavy])]
    )
    assert [tool.input_schema for tool in made.tools] == [ANY_OBJECT] * 3
