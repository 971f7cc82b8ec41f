import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.edit_json import (
    dotted,
    parsed,
    text_of,
    with_item,
    with_member,
    with_value,
    without_item,
    without_key,
    without_member,
)
from tokenbudget.config.edit_toml import NotEditable, same

FILE = """\
{
    "model": "opus",
    "permissions": { "deny": ["A",   "B"] },   
    "tokenManagement": {
        "autoOptimize": true,
        "warningThreshold": 0.50
    },
    "env": {"N": 1.0, "E": 1e2, "U": "\\u00e9"}
}
"""  # noqa: W291 (odd blanks have to stay)


class TestSet:
    @pytest.mark.parametrize(
        ("key", "value", "old", "new"),
        [
            ("warningThreshold", 0.6, "0.50", "0.6"),
            ("autoOptimize", False, "true", "false"),
            ("autoCleanup", True, "0.50\n", '0.50,\n        "autoCleanup": true\n'),
        ],
    )
    def test_changes_what_it_must_and_no_other_byte(
        self, key: str, value: object, old: str, new: str
    ) -> None:
        assert with_member(FILE, "tokenManagement", key, value) == FILE.replace(old, new, 1)

    @pytest.mark.parametrize("text", ["", " \n"])
    def test_no_file_yet(self, text: str) -> None:
        assert with_member(text, "t", "k", 1) == '{\n  "t": {\n    "k": 1\n  }\n}\n'

    @pytest.mark.parametrize(
        ("text", "changed"),
        [
            ("{}", '{\n  "t": {\n    "k": 1\n  }\n}'),
            ('{"a":1}', '{"a":1,"t": {"k": 1}}'),
            ('{"a":1,"t":{}}', '{"a":1,"t":{"k": 1}}'),
            ('{"a": 1, "t": {"x": 2}}\n', '{"a": 1, "t": {"x": 2,"k": 1}}\n'),
            ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"t": {\n\t\t"k": 1\n\t}\n}'),
            ('{\r\n "a": 1\r\n}\r\n', '{\r\n "a": 1,\r\n "t": {\r\n  "k": 1\r\n }\r\n}\r\n'),
            ('{\n  "t": {}\n}', '{\n  "t": {\n    "k": 1\n  }\n}'),
            ('{"t": {"k": 5}, "t": {"k": 6}}', '{"t": {"k": 5}, "t": {"k": 1}}'),
            ('{"}": "{", "t": {"k": "}"}}', '{"}": "{", "t": {"k": 1}}'),
            ('{"\\u0074": {"k": [{}]}}', '{"\\u0074": {"k": 1}}'),
        ],
    )
    def test_any_way_to_write_it(self, text: str, changed: str) -> None:
        assert with_member(text, "t", "k", 1) == changed

    @pytest.mark.parametrize("text", ["{", "[]", "1", '{"a": NaN}', '{"a": Infinity}', "// x\n{}"])
    def test_what_does_not_parse_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"line 1|no object|no JSON"):
            with_member(text, "t", "k", 1)
        with pytest.raises(ValueError, match=r"line 1|no object|no JSON"):
            without_member(text, "t", "k")

    def test_what_is_too_deep_is_refused(self) -> None:
        with pytest.raises(ValueError, match="nested too deeply"):
            parsed('{"a": ' + "[" * 100_000)

    def test_what_is_no_table_is_told(self) -> None:
        with pytest.raises(NotEditable, match=r'^write "t": \{"k": 1\} into it by hand$'):
            with_member('{"t": 5}', "t", "k", 1)


class TestUnset:
    def test_takes_one_member(self) -> None:
        assert without_member(FILE, "tokenManagement", "warningThreshold") == FILE.replace(
            'true,\n        "warningThreshold": 0.50', "true"
        )
        assert without_member(FILE, "tokenManagement", "autoOptimize") == FILE.replace(
            '"autoOptimize": true,\n        ', ""
        )

    def test_takes_the_table_with_its_last(self) -> None:
        assert without_member('{"a": 1, "t": {"k": 1}}', "t", "k") == '{"a": 1}'
        assert without_member('{"t": {"k": 1}, "a": 1}', "t", "k") == '{"a": 1}'
        assert without_member('{"t": {"k": 1}}', "t", "k") == "{}"

    @pytest.mark.parametrize("text", ['{"a": 1}', '{"t": 5}', '{"t": {"x": 1}}'])
    def test_what_is_not_there_changes_nothing(self, text: str) -> None:
        assert without_member(text, "t", "k") == text

    def test_one_of_two_of_a_name_is_left_alone(self) -> None:
        with pytest.raises(NotEditable, match="by hand"):
            without_member('{"t": {"k": 1, "k": 2, "x": 1}}', "t", "k")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=4), VALUES, max_size=4),
    st.none() | st.dictionaries(st.sampled_from(["k", "x", "y"]), VALUES, max_size=3),
    st.sampled_from([None, 0, 1, 2, 4, "\t"]),
    st.booleans() | st.floats(0, 1) | st.text(max_size=9),
)
def test_set_then_unset(
    others: dict[str, object], table: dict[str, object] | None, indent: int | str, value: object
) -> None:
    document = dict(others)
    if table is not None:
        document["table"] = table
    text = json.dumps(document, indent=indent)

    changed = with_member(text, "table", "k", value)
    wanted = {**document, "table": {**(table or {}), "k": value}}
    assert same(json.loads(changed), wanted)
    assert list(json.loads(changed)) == list(wanted)
    if "k" not in (table or {}) and table != {}:
        assert without_member(changed, "table", "k") == text or document == {}


@given(st.text(max_size=40))
def test_any_text_is_changed_or_refused(text: str) -> None:
    try:
        found = json.loads(with_member(text, "t", "k", 1))
    except (ValueError, NotEditable):
        return
    assert found["t"]["k"] == 1


class TestAnyPlace:
    @pytest.mark.parametrize(
        ("text", "at", "left"),
        [
            ("[1, 2, 3]", 0, "[2, 3]"),
            ("[1, 2, 3]", 1, "[1, 3]"),
            ("[1, 2, 3]", 2, "[1, 2]"),
            ("[ 1 ]", 0, "[]"),
            ("[1,]", 0, "[]"),
            ("[1, 2,]", 1, "[1,]"),
            ("[\n  1, // one\n  2 // two\n]", 0, "[\n   // one\n  2 // two\n]"),
            ("[\n  1, // one\n  2 // two\n]", 1, "[\n  1 // one // two\n]"),
            ("[\n  1, // one\n  2\n]", 1, "[\n  1 // one\n]"),
            ("[1 /* a */, 2 /* b */]", 1, "[1 /* a */ /* b */]"),
            ("[1, // one\n2]", 1, "[1 // one\n]"),
            ("[ /* why */ 1 ]", 0, "[ /* why */ ]"),
            ("[ // why\n1]", 0, "[ // why\n]"),
            ("[ // why\n1, // so\n]", 0, "[ // why // so\n]"),
        ],
    )
    def test_an_item_leaves_with_its_comma_and_no_comment(
        self, text: str, at: int, left: str
    ) -> None:
        assert without_item(f'{{"l": {text}}}', ["l"], at) == f'{{"l": {left}}}'

    def test_a_key_leaves_from_any_depth(self) -> None:
        assert without_key('{"a": {"b": {"c": 1, "d": 2}}}', ["a", "b", "c"]) == (
            '{"a": {"b": {"d": 2}}}'
        )
        with pytest.raises(NotEditable, match="by hand"):
            without_key('{"c": 1, "c": 2}', ["c"])

    def test_what_is_added_takes_the_manner_of_its_neighbours(self) -> None:
        assert with_item('{\r\n\t"l": [\r\n\t\t1\r\n\t]\r\n}', ["l"], 2) == (
            '{\r\n\t"l": [\r\n\t\t1,\r\n\t\t2\r\n\t]\r\n}'
        )
        assert with_value('{\n "a": {}\n}', ["a", "b", "c"], [1]) == (
            '{\n "a": {\n  "b": {\n   "c": [\n    1\n   ]\n  }\n }\n}'
        )
        assert with_value('{"k": 1}', ["k"], 0.5, raw="0.50") == '{"k": 0.50}'
        assert with_value("{}", ["k"], 0.5, raw="0.50") == '{\n  "k": 0.50\n}'

    def test_what_is_of_another_kind_is_told(self) -> None:
        with pytest.raises(NotEditable, match="a is no object"):
            with_value('{"a": 1}', ["a", "b"], 1)
        with pytest.raises(NotEditable, match=r"a\.b is no list"):
            with_item('{"a": {"b": {}}}', ["a", "b"], 1)

    def test_how_a_way_and_a_value_are_written(self) -> None:
        assert (dotted(["a", "b"]), dotted([])) == ("a.b", "the file")
        assert text_of({"a": [], "b": [1]}, "\n", " ") == '{\n "a": [],\n "b": [\n  1\n ]\n}'
        assert text_of({"a": [1]}, "", "") == '{"a": [1]}'
