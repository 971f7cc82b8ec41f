"""Signatures: short, bounded, and true: whatever is shown is so."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.mcp.catalogues import anything, tool
from tests.gateway.mcp.type_reader import Reader
from tests.hostile import PAYLOADS

from tokenbudget.gateway.mcp.signatures import brief, detail, signature, signatures

MOST_CHARS = 12_000
TEXT = {"type": "string"}


def of(schema: Mapping[str, object], description: str = "") -> str:
    return signature(tool("t", description, schema), "s_t")


def with_(**properties: object) -> str:
    """The parameters of a tool that requires none of them."""
    head = of({"type": "object", "properties": properties}).split("\n")[0]
    return head.removeprefix("s_t(").removesuffix(")")


# ── any JSON ──────────────────────────────────────────────────────────────────────────────────────


@given(st.dictionaries(st.text(max_size=4), anything), anything, st.text(max_size=40))
def test_any_schema_gives_bounded_lines_of_known_kinds(
    schema: dict[str, object], more: object, description: str
) -> None:
    whole = {**schema, "properties": more, "required": [more, "a", "\n"], "$defs": more}
    for one in (schema, whole, {"properties": schema}):
        made = tool("t", description, one, output=one)
        text = signature(made, "s_t")
        assert len(text) <= MOST_CHARS
        first, *lines = text.split("\n")
        assert first.startswith("s_t(")
        assert all(re.match(r"# |[A-Za-z0-9]+ = ", line) for line in lines)
        assert "\n" not in brief(made, "s_t")
        assert len(brief(made, "s_t")) <= 400
        assert all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_hostile_text_stays_behind_its_sign_on_one_line(payload: str) -> None:
    schema = {"properties": {payload: {"type": "string", "description": payload * 3}}}
    text = of(schema, description=payload)
    first, *lines = text.split("\n")
    assert first.startswith("s_t(")
    assert all(line.startswith("# ") for line in lines)
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(f"[{_name_in(first)}]") == [payload] if _name_in(first) else "…" in first


def _name_in(head: str) -> str:
    """The parameter's name as JSON; '' where it is not shown."""
    shown = head.removeprefix("s_t(")
    if shown.startswith("…"):
        return ""
    found = re.match(r'("(?:[^"\\]|\\.)*")\??:|(\w+)\??:', shown)
    assert found, shown
    return found[1] or json.dumps(found[2])


def test_a_megabyte_and_a_flood_stay_short() -> None:
    schema = {
        "properties": {
            f"p{number}": {"enum": ["x" * 90 + str(n) for n in range(5_000)]}
            for number in range(600)
        },
        "required": [f"p{number}" for number in range(600)],
    }
    text = of(schema, "word " * 200_000)
    assert len(text) <= MOST_CHARS
    assert "…" in text
    assert text.startswith("s_t(p0")


def test_our_own_markers_cannot_be_imitated() -> None:
    assert "[~" not in of({}, "[~ 500 lines, tokens recall 123456789012]")


# ── what is shown is true ─────────────────────────────────────────────────────────────────────────

_names = st.text(min_size=1, max_size=6)
_leaves = st.one_of(
    st.sampled_from([{"type": name} for name in ("string", "integer", "number", "boolean")]),
    st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True).map(lambda e: {"enum": e}),
    st.sampled_from(
        [
            {"type": "string", "format": "date"},
            {"type": "integer", "minimum": 1, "maximum": 9},
            {"type": ["string", "null"]},
        ]
    ),
)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda one: {"type": "array", "items": one}),
        inner.map(lambda one: {"type": "object", "additionalProperties": one}),
        st.lists(inner, min_size=2, max_size=3).map(lambda several: {"anyOf": several}),
        objects(inner),
    )


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Any] = _leaves) -> dict[str, object]:
    properties = draw(st.dictionaries(_names, inner, min_size=1, max_size=4))
    required = [name for name in properties if draw(st.booleans())]
    return {"type": "object", "properties": properties, "required": required}


schemas = st.recursive(_leaves, _grown, max_leaves=5)


def normal(schema: dict[str, object]) -> object:
    """What a schema of those above means, written down by another hand than the code's."""
    if "enum" in schema:
        values = schema["enum"]
        assert isinstance(values, list)
        return frozenset(("value", json.loads(json.dumps(value))) for value in values)
    if "anyOf" in schema:
        several = schema["anyOf"]
        assert isinstance(several, list)
        return frozenset(kind for one in several for kind in normal(one))  # type: ignore[attr-defined]
    kind = schema["type"]
    if kind == "array":
        return frozenset({("list", normal(schema["items"]))})  # type: ignore[arg-type]
    if kind == "object" and "properties" in schema:
        return frozenset({("object", tuple(sorted(members(schema).items())))})
    if kind == "object":
        return frozenset({("map", normal(schema["additionalProperties"]))})  # type: ignore[arg-type]
    facet = "<date>" if "format" in schema else "<1..9>" if "minimum" in schema else ""
    kinds = kind if isinstance(kind, list) else [kind]
    return frozenset(f"{one}{facet}" for one in kinds)


def members(schema: dict[str, object]) -> dict[str, tuple[object, bool]]:
    properties, required = schema["properties"], schema["required"]
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    return {name: (normal(one), name in required) for name, one in properties.items()}


def read(value: object) -> object:
    """What was read, with literals as values."""
    if isinstance(value, frozenset):
        return frozenset(map(read, value))
    if isinstance(value, tuple):
        if value[0] == "value":
            return ("value", json.loads(value[1]))
        return tuple(map(read, value))
    return value


@settings(max_examples=300)
@given(objects(schemas))
def test_a_signature_reads_back_as_its_schema(schema: dict[str, object]) -> None:
    head = of(schema).split("\n")[0]
    found = {name: (read(kind), needed) for name, (kind, needed) in Reader(head).call().items()}
    wanted = members(schema)
    for name, (kind, needed) in wanted.items():
        if not needed:  # that it may be null says no more than that it may be left out
            assert isinstance(kind, frozenset)
            shown = found[name][0]
            assert isinstance(shown, frozenset)
            assert shown | {"null"} == kind | {"null"}
            assert found[name][1] is False
        else:
            assert found[name] == (kind, True)
    assert found.keys() == wanted.keys()


@given(st.lists(st.text(max_size=6), min_size=1, max_size=70, unique=True))
def test_every_value_that_is_shown_is_one_and_the_rest_is_counted(values: list[str]) -> None:
    shown = of({"properties": {"a": {"enum": values}}, "required": ["a"]}).split("\n")[0]
    found = re.findall(r'"(?:[^"\\]|\\.)*"', shown)
    more = re.search(r"…\+(\d+)\)$", shown)
    assert {json.loads(one) for one in found} <= set(values)
    assert len(found) + (int(more[1]) if more else 0) == len(values)


@given(
    st.dictionaries(_names, st.just(TEXT), max_size=20), st.lists(_names, max_size=9, unique=True)
)
def test_every_required_parameter_is_shown_first_declared_or_not(
    properties: dict[str, object], required: list[str]
) -> None:
    call = Reader(of({"properties": properties, "required": required}).split("\n")[0])
    shown = [(name, needed) for name, (_, needed) in call.call().items()]
    assert {name for name, needed in shown if needed} == set(required)
    assert [needed for _, needed in shown] == sorted((n for _, n in shown), reverse=True)


# ── the cases of JSON schema ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (True, "any"),
        (False, "never"),
        ({}, "any"),
        ("nonsense", "any"),
        ({"type": 5}, "any"),
        ({"type": "widget"}, "any"),
        ({"type": "object", "properties": []}, "dict"),
        ({"type": "array"}, "[any]"),
        ({"type": "array", "items": {"type": "string"}}, "[str]"),
        ({"type": "array", "prefixItems": [TEXT, {"type": "integer"}]}, "[str, int]"),
        ({"items": TEXT}, "[str]"),
        ({"const": "x"}, '"x"'),
        ({"const": None}, "None"),
        ({"enum": ["a", 1, True, None]}, '"a"|1|True'),
        ({"enum": []}, "any"),
        ({"type": ["string", "integer"]}, "str|int"),
        ({"type": "string", "nullable": True}, "str"),
        ({"anyOf": [TEXT, {"type": "null"}]}, "str"),
        ({"anyOf": [TEXT, TEXT, {"type": "integer"}]}, "str|int"),
        ({"allOf": [{"$ref": "#/$defs/A"}]}, "{x: int}"),
        ({"$ref": "#/$defs/A"}, "{x: int}"),
        ({"$ref": "#/$defs/missing"}, "any"),
        ({"$ref": "#/$defs/loop"}, "any"),
        ({"$ref": "http://example.com/schema"}, "any"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "int<1..100>"),
        ({"type": "number", "exclusiveMinimum": 0}, "float<!0..>"),
        ({"type": "string", "format": "date-time"}, "str<date-time>"),
        ({"type": "string", "pattern": "^[A-Z]+$"}, "str</^[A-Z]+$/>"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "{str: int}"),
        ({"type": "object", "additionalProperties": False}, "dict"),
        ({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, "dict"),
    ],
)
def test_types(schema: object, said: str) -> None:
    definitions = {
        "A": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
        "loop": {"$ref": "#/$defs/loop"},
    }
    head = of({"properties": {"p": schema}, "$defs": definitions}).split("\n")[0]
    assert head == f"s_t(p?: {said})"


def test_defaults_are_shown_where_they_are_short() -> None:
    assert with_(a={"type": "integer", "default": 20}) == "a: int=20"
    assert with_(a={"type": "boolean", "default": False}) == "a: bool=False"
    assert with_(a={"type": "string", "default": None}) == "a?: str"
    assert with_(a={"default": "x" * 500}) == "a: any=…"


def test_names_that_code_cannot_say_are_strings() -> None:
    assert with_(**{"Notion-Version": TEXT, "from": TEXT}) == '"Notion-Version"?: str, "from"?: str'


def test_a_type_that_holds_itself_is_named_and_told_once() -> None:
    node = {
        "type": "object",
        "properties": {"value": TEXT, "next": {"$ref": "#/$defs/Node"}},
        "required": ["value"],
    }
    text = of({"properties": {"root": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}})
    assert text == "s_t(root?: Node)\nNode = {value: str, next?: Node}"


def test_a_schema_that_points_at_its_own_properties() -> None:
    text = of(
        {
            "type": "object",
            "properties": {
                "filter": {
                    "type": "object",
                    "properties": {
                        "and": {"type": "array", "items": {"$ref": "#/properties/filter"}},
                        "name": TEXT,
                    },
                }
            },
        }
    )
    assert text == 's_t(filter?: Filter)\nFilter = {"and"?: [Filter], name?: str}'


def test_references_that_multiply_without_end_are_cut() -> None:
    definitions = {
        f"D{number}": {
            "type": "object",
            "properties": {
                side: {"$ref": f"#/$defs/D{number + 1}"} for side in ("left", "right", "up")
            },
        }
        for number in range(40)
    }
    text = of({"properties": {"a": {"$ref": "#/$defs/D0"}}, "$defs": definitions})
    assert len(text) < MOST_CHARS


def test_arguments_that_are_told_by_reference_or_in_parts() -> None:
    one = {"properties": {"a": TEXT}, "required": ["a"]}
    two = {"properties": {"b": TEXT}, "required": ["b"]}
    assert of({"$ref": "#/$defs/One", "$defs": {"One": one}}) == "s_t(a: str)"
    assert of({"allOf": [one, two]}) == "s_t(a: str, b: str)"
    assert of({"anyOf": [one, two]}) == "s_t(a?: str, b?: str)"


def test_what_a_tool_gives_back() -> None:
    output = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    assert signature(tool("t", output=output), "s_t") == "s_t() -> {id: int}"


def test_a_wrapped_result_is_told_as_what_is_inside() -> None:
    def wrapping(inner: object) -> dict[str, object]:
        properties = {"result": inner}
        return {"type": "object", "properties": properties, "x-fastmcp-wrap-result": True}

    numbers = wrapping({"type": "array", "items": {"type": "integer"}})
    assert signature(tool("t", output=numbers), "s_t") == "s_t() -> [int]"
    assert signature(tool("t", output=wrapping(TEXT)), "s_t") == "s_t()"


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def test_meanings_are_told_where_they_say_more_than_the_name() -> None:
    text = of(
        {
            "properties": {
                "project_id": {"type": "string", "description": "The project's ID."},
                "sort": {"type": "string", "description": "(Optional) Newest first unless told."},
            }
        },
        "Lists it. Args:\n  project_id: what",
    )
    assert text.split("\n")[1:] == ["# Lists it.", "# sort: Newest first unless told"]


def test_a_long_meaning_is_cut_and_told_whole_on_demand() -> None:
    long = "Only what matters. " * 30
    made = tool("t", "", {"properties": {"a": {"type": "string", "description": long}}})
    assert signature(made, "s_t").endswith("# a: Only what matters …")
    whole = detail(made, "s_t", "a")
    assert whole is not None
    assert whole.endswith(long.strip())
    assert detail(made, "s_t", "b") is None


def test_several_tools_say_what_is_alike_once() -> None:
    schema = {"properties": {"user": {"type": "string", "description": "The one who pays."}}}
    text = signatures([(tool("a", "", schema), "s_a"), (tool("b", "", schema), "s_b")])
    assert text == "s_a(user?: str)\n# user: The one who pays\n\ns_b(user?: str)"


def test_the_brief_line() -> None:
    made = tool(
        "t",
        "Creates an issue, e.g. a bug. Then more.\n\nArgs: x",
        {"properties": {"title": TEXT, "labels": TEXT}, "required": ["title"]},
    )
    assert brief(made, "s_t") == "s_t(title, …) — Creates an issue, e.g. a bug"
    assert brief(tool("t"), "s_t") == "s_t()"
    lines = tool("t", "Shop | Create a\npage\nError Responses:\n400: Bad request")
    assert brief(lines, "s_t") == "s_t() — Shop | Create a page"


def test_meanings_without_room_are_counted_and_not_cut_to_stumps() -> None:
    schema = {
        "properties": {
            f"p{number}": {"type": "string", "description": f"Number {number}: " + "word " * 40}
            for number in range(30)
        },
        "required": ["p29"],
    }
    lines = of(schema).split("\n")[1:]
    assert lines[0].startswith("# p29: Number 29: word word")
    assert lines[-1] == f"# …+{31 - len(lines)}"
    assert all(len(line) > 80 for line in lines[:-1])
