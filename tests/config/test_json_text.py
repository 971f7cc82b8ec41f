"""A JSON text as places: read as the standard library reads it, and comments are passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.edit_toml import same
from tokenbudget.config.json_text import DEEPEST, Node, gap_end, last, scanned

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=15,
)


@given(VALUES, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_what_json_writes_is_read(value: Any, indent: int | str | None, is_ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
    node = scanned(f" \r\n{text}\t")
    assert same(node.value, value)
    for inner in every(node):
        assert same(json.loads(f" \r\n{text}\t"[inner.start : inner.end]), inner.value)


def every(node: Node) -> list[Node]:
    return [node, *(one for item in node.items for one in every(item.node))]


@given(st.text(st.sampled_from('{}[]",:/*\\ \n\t0123456789.eE+-truefalsn\u2028'), max_size=25))
def test_without_comments_and_last_commas_it_is_as_strict_as_json(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError):
        if "/" not in text and "," not in text:
            with pytest.raises(ValueError, match=r".+"):
                scanned(text)
        return
    assert same(scanned(text).value, expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("// a\n{} // b", {}),
        ("/**/{/*}*/}/* \n */", {}),
        ('{"a": 1,}', {"a": 1}),
        ("[1, // one\n 2 /* two */, ]", [1, 2]),
        ('{"//": "/* x */"}', {"//": "/* x */"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_comments_and_last_commas_are_passed_over(text: str, value: Any) -> None:
    assert scanned(text).value == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a value is expected: line 1 column 1"),
        ("{,}", "a name in quotes is expected: line 1 column 2"),
        ("[,]", "a value is expected"),
        ("[1,,]", "a value is expected"),
        ('{"a" 1}', "a colon is expected"),
        ("{'a': 1}", "a name in quotes is expected"),
        ("[1 2]", "a comma or ] is expected"),
        ("[1\n2]", "line 2 column 1"),
        ("{} x", "something follows the end"),
        ("/* {}", "a value is expected"),
        ('"\n"', "a value is expected"),
        ("[+1]", "a value is expected"),
        ("nul", "a value is expected"),
        ("[" * (DEEPEST + 2), "nested too deeply"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - compared below, with its brackets
        scanned(text)
    assert why in str(caught.value)


def test_of_two_members_of_a_name_the_last_counts() -> None:
    node = scanned('{"a": 1, "a": 2}')
    item = last(node, "a")
    assert item is not None
    assert item.node.value == 2
    assert last(node, "b") is None


def test_a_gap_ends_where_something_begins() -> None:
    assert gap_end(" /* a */ // b\n x", 0) == 15
    assert gap_end("x", 0) == 0
