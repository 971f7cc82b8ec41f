"""Catalogues and JSON of every kind for tests of the gateway."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tokenbudget.gateway.mcp.catalogue import catalogue_of
from tokenbudget.gateway.mcp.values import Catalogue, Tool

KEYWORDS = (
    "type", "properties", "required", "items", "enum", "const", "anyOf", "oneOf", "allOf", "$ref",
    "$defs", "default", "description", "additionalProperties", "prefixItems", "format", "pattern",
    "minimum", "maximum", "nullable", "title", "not",
)  # fmt: skip
TYPES = ("string", "integer", "number", "boolean", "null", "array", "object")

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([*TYPES, "#", "#/properties/a", "#/$defs/A", "#/$defs/A/items", "a", "A"]),
)
keys = st.one_of(st.sampled_from([*KEYWORDS, "a", "A", "b"]), st.text(max_size=6))
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=25,
)
"""Any JSON, most of it with the words of a schema in the wrong places."""


def tool(
    name: str = "make_tea",
    description: str = "",
    schema: Mapping[str, object] | None = None,
    server: str = "kitchen",
    output: Mapping[str, object] | None = None,
) -> Tool:
    return Tool(server, name, "", description, schema or {}, output, {})


def listed(name: str, description: str = "", **properties: object) -> dict[str, object]:
    """A tool as a server lists it; every property whose name has no `_` at its end is required."""
    required = [one for one in properties if not one.endswith("_")]
    schema = {
        "type": "object",
        "properties": {one.removesuffix("_"): value for one, value in properties.items()},
        "required": required,
    }
    return {"name": name, "description": description, "inputSchema": schema}


def catalogue(server: str, tools: Sequence[object]) -> Catalogue:
    return catalogue_of(server, {"serverInfo": {"name": server, "version": "1"}}, tools)
