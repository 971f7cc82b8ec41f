"""Taking a key away from a settings file, and putting it back: to the byte, or by its words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.config.edit_toml import NotEditable
from tokenbudget.model.actions import SettingEdit
from tokenbudget.resources.settings import differences, edited, taken_out

TEXT = '{\n  "s": {\n    "a": {"k":  1, "secret": "x"},\n    "b": 2\n  },\n  "z": 0\n}\n'
NAMES = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.recursive(
    st.integers(0, 9) | st.text('xyz{}[],:"\\ ', max_size=6) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def gone(*names: str) -> tuple[SettingEdit, ...]:
    return tuple(SettingEdit(("s", name), None, is_member=False, is_gone=True) for name in names)


def test_what_was_taken_away_comes_back_as_it_was_written() -> None:
    edits = gone("a")
    after = edited(TEXT, edits)
    assert json.loads(after) == {"s": {"b": 2}, "z": 0}
    later = after.replace('"z": 0', '"z": 1')
    back = taken_out(later, TEXT, edits)
    assert '"a": {"k":  1, "secret": "x"}' in back.text
    assert json.loads(back.text) == {**json.loads(TEXT), "z": 1}
    assert back.conflicts == ()


def test_what_was_written_anew_is_left_and_told_without_its_value() -> None:
    edits = gone("a")
    now = TEXT.replace('"x"', '"theirs"')
    back = taken_out(now, TEXT, edits)
    assert back.text == now
    assert back.left == (0,)
    assert "theirs" not in back.conflicts[0]
    assert differences(TEXT, edited(TEXT, edits), edits) == ["-s.a"]
    assert differences(edited(TEXT, edits), TEXT, edits) == ["+s.a"]


def test_what_is_not_there_is_no_edit_and_twice_is_refused() -> None:
    assert edited(TEXT, gone("nobody")) == TEXT
    assert taken_out(TEXT, TEXT, gone("nobody")).text == TEXT
    with pytest.raises(NotEditable):
        edited('{"s": {"a": 1, "a": 2}}', gone("a"))


@given(st.dictionaries(NAMES, VALUES, min_size=1), st.sets(NAMES, min_size=1), st.booleans())
def test_away_and_back_is_the_same_document(
    table: dict[str, object], names: set[str], is_indented: bool
) -> None:
    before = json.dumps({"s": table, "z": [1]}, indent=4 if is_indented else None)
    edits = gone(*sorted(names))
    after = edited(before, edits)
    assert json.loads(after)["s"] == {k: v for k, v in table.items() if k not in names}
    back = taken_out(after, before, edits)
    assert back.conflicts == ()
    assert json.loads(back.text) == json.loads(before)
