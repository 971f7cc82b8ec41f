"""JSON rows become a table that says the very same, and turns back into the very bytes."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compression.codecs.facts import drafted, surely, true_draft

from tokenbudget.compression.codecs.rows import CODEC
from tokenbudget.compression.json_reading import decode
from tokenbudget.compression.marks import Marks, opening_for
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE

PROPERTY = settings(deadline=None, max_examples=60, database=None)

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(
        ("", " ", ",", "1", "-2.5", "true", "null", 'a "b"', "a,b", "\t", "[~ 3 rows]")
    )
)
KEYS = st.text(max_size=4) | st.sampled_from(
    ("id", "a.b", "a,b", "a=b", "a{b}", "[", "~", ":", "é")
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LAYOUTS: tuple[dict[str, object], ...] = (
    {"separators": (",", ":")},
    {},
    {"indent": 2},
    {"indent": "\t"},
    {"indent": 4, "ensure_ascii": False},
)


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, object]]:
    """Objects that share most of their keys, some of whose values are objects alike."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=5, unique=True))
    inner = st.fixed_dictionaries({"x": LEAVES, "y": LEAVES})
    kinds = {key: draw(st.sampled_from((LEAVES, VALUES, inner, st.lists(inner)))) for key in keys}
    rows = []
    for _ in range(draw(st.integers(3, 8))):
        left_out = draw(st.sets(st.sampled_from(keys), max_size=1)) if len(keys) > 1 else set()
        rows.append({key: draw(kinds[key]) for key in keys if key not in left_out})
    return rows


@PROPERTY
@given(rows=alike(), layout=st.sampled_from(LAYOUTS), end=st.sampled_from(("", "\n", " \n\n")))
def test_alike_objects_turn_back_into_every_byte(
    rows: list[dict[str, object]], layout: dict[str, object], end: str
) -> None:
    text = json.dumps(rows, **layout) + end  # type: ignore[arg-type]
    draft = true_draft(CODEC, text, VERBOSE, decode=decode)
    assert draft is None or decode(draft.text, opening_for((text,))) == text


@PROPERTY
@given(rows=alike(), is_spaced=st.booleans())
def test_lines_of_json_turn_back_too(rows: list[dict[str, object]], is_spaced: bool) -> None:
    separators = (", ", ": ") if is_spaced else (",", ":")
    text = "\n".join(json.dumps(row, separators=separators) for row in rows) + "\n"
    draft = true_draft(CODEC, text, VERBOSE, decode=decode)
    assert draft is None or decode(draft.text, opening_for((text,))) == text


@PROPERTY
@given(rows=alike(), level=st.sampled_from(LEVELS))
def test_no_level_says_anything_false(rows: list[dict[str, object]], level: str) -> None:
    true_draft(CODEC, json.dumps(rows * 8, indent=2), level, decode=decode)


@PROPERTY
@given(body=st.text(alphabet='[]{}",: \n\\ab01~\ud800\x00'))
def test_what_only_looks_like_json_is_left_alone_or_true(body: str) -> None:
    for text in (f"[{{{body}}}]", f'[{{"a":"{body}"}}]'):
        draft = drafted(CODEC, text, COMPRESSED)
        if draft is not None:
            json.loads(text)  # nothing else is shortened


@PROPERTY
@given(text=st.text(alphabet='[~ 3rows],{}="\n1a:'), opening=st.sampled_from(("[~", "[~~")))
def test_the_decoder_survives_whatever_it_is_given(text: str, opening: str) -> None:
    from tokenbudget.compression.json_tree import NoTree

    with contextlib.suppress(NoTree):
        assert isinstance(decode(f"{opening} 3 rows]\n{text}", opening), str)


def test_the_keys_stand_once_and_what_is_the_same_too() -> None:
    rows = [{"id": n, "name": f"job {n}", "state": "open"} for n in range(3)]
    draft = surely(drafted(CODEC, json.dumps(rows, separators=(",", ":")), BALANCED))
    assert draft.text == '[~ 3 rows]\nid,name,state="open"\n0,job 0\n1,job 1\n2,job 2'
    assert draft.is_lossless


def test_a_number_and_the_same_digits_in_a_string_are_told_apart() -> None:
    rows = [{"a": 1, "b": "1"}, {"a": 2, "b": "true"}, {"a": 3, "b": ""}]
    draft = surely(drafted(CODEC, json.dumps(rows), BALANCED))
    assert draft.text.splitlines()[-3:] == ['1,"1"', '2,"true"', '3,""']


def test_a_missing_key_is_no_null() -> None:
    rows = [{"a": 1, "b": None}, {"a": 2}, {"a": 3, "b": 4}]
    draft = surely(drafted(CODEC, json.dumps(rows), BALANCED))
    assert draft.text.splitlines()[-3:] == ["1,null", "2,", "3,4"]


def test_numbers_keep_the_digits_they_were_written_with() -> None:
    text = '[{"a":1.00,"b":1e5},{"a":2.50,"b":-0},{"a":10000000000000000000000,"b":3E+2}]'
    draft = surely(true_draft(CODEC, text, VERBOSE, decode=decode))
    assert draft.text.splitlines()[2:] == ["1.00,1e5", "2.50,-0", "10000000000000000000000,3E+2"]


def test_verbose_leaves_json_of_an_unknown_layout_alone() -> None:
    rows = [{"a": n, "b": [n, n]} for n in range(5)]
    text = json.dumps(rows, indent=2).replace("[\n      ", "[").replace("\n    ]", "]")
    assert drafted(CODEC, text, VERBOSE) is None
    draft = surely(true_draft(CODEC, text, BALANCED))
    assert not draft.is_lossless
    assert "4,[4,4]" in draft.text


def test_compressed_keeps_the_first_the_last_and_every_trouble() -> None:
    rows = [{"id": n, "state": "failed" if n == 77 else f"fine{n}"} for n in range(200)]
    draft = surely(true_draft(CODEC, json.dumps(rows, indent=1), COMPRESSED))
    assert {"0,fine0", "77,failed", "199,fine199"} <= set(draft.text.split("\n"))
    assert [one.count for one in draft.removed if one.kind == "items"] == [62, 117]


def test_a_text_that_imitates_our_markers_gets_another_opening() -> None:
    rows = [{"id": n, "note": "[~ 900 items]"} for n in range(5)]
    text = json.dumps(rows)
    draft = surely(true_draft(CODEC, text, BALANCED, decode=decode))
    assert draft.text.startswith("[~~ JSON")
    assert decode(draft.text, "[~~") == text


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[{" + '"\\"' * 200_000])
def test_hostile_depth_and_quotes_are_refused(text: str) -> None:
    closing = {"[": "]", "{": "}"}[text[0]]
    assert drafted(CODEC, text + closing, COMPRESSED) is None
    assert Marks(text).opening == "[~"
