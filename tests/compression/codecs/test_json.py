"""Any JSON on one line; what is left out of it is told."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compression.codecs.facts import drafted, surely, true_draft
from tests.compression.codecs.test_rows import LAYOUTS, VALUES, alike

from tokenbudget.compression.codecs.json import CODEC
from tokenbudget.compression.json_reading import decode
from tokenbudget.compression.marks import opening_for
from tokenbudget.compression.passage import BALANCED, COMPRESSED, LEVELS, VERBOSE

PROPERTY = settings(deadline=None, max_examples=50, database=None)


@PROPERTY
@given(value=VALUES, rows=alike(), layout=st.sampled_from(LAYOUTS), end=st.sampled_from(("", "\n")))
def test_any_json_turns_back_into_every_byte(
    value: object, rows: object, layout: dict[str, object], end: str
) -> None:
    text = json.dumps({"value": value, "rows": rows, "after": [value]}, **layout) + end  # type: ignore[arg-type]
    draft = surely(true_draft(CODEC, text, VERBOSE, decode=decode))
    assert draft.is_lossless
    assert decode(draft.text, opening_for((text,))) == text


@PROPERTY
@given(rows=alike(), level=st.sampled_from(LEVELS), run=st.text("abcXYZ019+=", min_size=300))
def test_no_level_says_anything_false(rows: object, level: str, run: str) -> None:
    body = {"rows": rows, "data": run, "text": 'a "quoted" word\n' * 500, "many": list(range(300))}
    true_draft(CODEC, json.dumps(body, indent=2), level, decode=decode)


def test_objects_by_name_become_rows_too() -> None:
    text = json.dumps(
        {"packages": {f"p{n}": {"version": n, "dev": True} for n in range(4)}}, indent=2
    )
    draft = surely(true_draft(CODEC, text, BALANCED, decode=decode))
    assert "[~ 4 keyed rows]\n:,version,dev=true\np0,0\np1,1\n" in draft.text


def test_a_long_string_keeps_its_beginning_and_its_end() -> None:
    text = json.dumps({"log": "start " + "and so on, " * 800 + "end", "id": 7})
    draft = surely(true_draft(CODEC, text, BALANCED))
    folded = [one for one in draft.removed if one.kind == "folded"]
    assert len(folded) == 1
    assert f"[~ {folded[0].count} chars]" in draft.text
    assert draft.text.count("start") == 1
    assert 'end","id":7}' in draft.text
    assert not draft.is_lossless


def test_no_escape_is_cut_in_two() -> None:
    text = json.dumps({"log": "é" * 3_000, "path": "\\" * 3_000})
    draft = surely(drafted(CODEC, text, COMPRESSED))
    for part in draft.text.split("[~ "):
        kept = part.split("]", 1)[-1]
        assert len(kept) - len(kept.rstrip("\\")) in (0, *range(2, 2_000, 2))
        assert not kept.rstrip('"}')[-6:].startswith("u00")


def test_of_a_long_list_compressed_keeps_both_ends() -> None:
    draft = surely(true_draft(CODEC, json.dumps({"n": list(range(1_000))}, indent=2), COMPRESSED))
    assert "14,[~ 980 items],995" in draft.text


def test_what_is_short_already_is_left_as_it_is() -> None:
    text = '{"a":1,"b":[1,2,3]}'
    assert surely(drafted(CODEC, text, BALANCED)).text == text  # and the pipeline refuses it
