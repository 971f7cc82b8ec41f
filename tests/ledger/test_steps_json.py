"""A step as the journal has it is the step that was meant, or it is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.ledger.steps_json import KINDS, result_of, result_text, step_of, step_text
from tokenbudget.model.actions import (
    ArchiveSession,
    ClientServer,
    EditSettings,
    EditText,
    GatewayRecord,
    Json,
    RecoverSession,
    RestoreText,
    SettingEdit,
    Step,
    TrashFile,
)

TEXTS = st.text(st.characters(), max_size=12)
"""Lone surrogates too: a path that is not UTF-8 has them."""
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
EDITS = st.builds(SettingEdit, st.lists(TEXTS).map(tuple), JSON, st.booleans(), st.booleans())
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(TrashFile, TEXTS, st.integers(), st.integers()),
    st.builds(
        EditSettings, TEXTS, st.lists(EDITS, max_size=3).map(tuple), st.none() | st.integers()
    ),
    st.builds(EditText, TEXTS, st.none() | TEXTS, TEXTS),
    st.builds(
        ArchiveSession, TEXTS, TEXTS, st.integers(), st.lists(st.tuples(TEXTS, TEXTS)).map(tuple)
    ),
    st.builds(RecoverSession, TEXTS, TEXTS, TEXTS, TEXTS),
    st.builds(ClientServer, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS),
    st.builds(RestoreText, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.integers()),
    st.builds(GatewayRecord, TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), TEXTS),
)
GOOD = '{"kind":"trash-file","path":"/a","size_bytes":9,"mtime_ns":5}'


@given(STEPS, st.dictionaries(TEXTS, JSON, max_size=3))
def test_what_is_written_is_read_again(step: Step, result: dict[str, Json]) -> None:
    again = step_of(step_text(step))
    assert (again, type(again)) == (step, type(step))
    assert result_of(result_text(result)) == result
    with closing(sqlite3.connect(":memory:")) as connection:
        kept = connection.execute("SELECT ?", (step_text(step),)).fetchone()[0]
    assert step_of(kept) == step


def test_a_mode_is_told_only_where_there_is_one() -> None:
    """So that a program that does not know it reads every other step."""
    step = EditSettings("/a", (SettingEdit(("b",), 1, False),))
    assert set(json.loads(step_text(step))) == {"kind", "path", "edits"}
    assert json.loads(step_text(step._replace(mode=0o600)))["mode"] == 0o600
    with pytest.raises(ValueError, match="mode cannot be str"):
        step_of('{"kind":"edit-settings","path":"/a","edits":[],"mode":"x"}')


def test_that_a_key_goes_is_told_only_where_it_does() -> None:
    kept = EditSettings("/a", (SettingEdit(("b",), 1, False),))
    gone = EditSettings("/a", (SettingEdit(("b",), None, False, is_gone=True),))
    assert "is_gone" not in step_text(kept)
    assert step_of(step_text(gone)) == gone
    with pytest.raises(ValueError, match="no edit"):
        step_of(step_text(gone).replace("true", "3"))


def test_every_kind_of_step_has_its_name() -> None:
    assert set(KINDS.values()) == set(get_args(Step))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "{}", "{", '{"kind":"trash-file"}', '{"kind":["trash-file"]}',
        '{"kind":"empty-disk"}',
        GOOD.replace("9", "true"), GOOD.replace("9", "9.0"), GOOD.replace("9", '"9"'),
        GOOD.replace("9", "NaN"), GOOD.replace('"/a"', "null"),
        GOOD.replace('"/a"', '"/a","more":1'), GOOD.replace(',"mtime_ns":5', ""),
        '{"kind":"edit-settings","path":"/a","edits":{}}',
        '{"kind":"edit-settings","path":"/a","edits":[{}]}',
        '{"kind":"edit-settings","path":"/a","edits":[["a",1,true]]}',
        '{"kind":"edit-settings","path":"/a","edits":[{"keys":"a","value":1,"is_member":true}]}',
        '{"kind":"edit-settings","path":"/a","edits":[{"keys":[1],"value":1,"is_member":true}]}',
        '{"kind":"edit-settings","path":"/a","edits":[{"keys":["a"],"value":1,"is_member":1}]}',
        '{"kind":"edit-text","path":"/a","before":1,"after":""}',
        '{"kind":"edit-text","path":"/a","before":null,"after":null}',
        '{"kind":"archive-session","session":"s","folder":"/","size_bytes":1,"files":[["a"]]}',
        '{"kind":"archive-session","session":"s","folder":"/","size_bytes":1,"files":[["a",1]]}',
        '{"a":' * 100_000,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        step_of(text)


@given(st.text(max_size=30) | JSON.map(json.dumps))
def test_no_text_is_taken_for_a_step_by_accident(text: str) -> None:
    try:
        step = step_of(text)
    except ValueError:
        return
    assert step_of(step_text(step)) == step


def test_what_is_no_json_is_not_written() -> None:
    deep: Json = []
    for _ in range(100_000):
        deep = [deep]
    for value in (float("nan"), float("inf"), deep):
        with pytest.raises(ValueError, match=r".+"):
            step_text(EditSettings("/a", (SettingEdit(("k",), value, False),)))
