import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.edit_json import parsed, with_member, without_member
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
