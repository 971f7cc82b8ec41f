"""A state as text: read as it was written, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenbudget.budget.health import LEVELS, HealthState
from tokenbudget.model.control import Receipt
from tokenbudget.optimizer.state import Mark, Pulled, State, fresh
from tokenbudget.optimizer.state_text import MOST_CHARACTERS, state_of, state_text

NUMBER = st.integers(-(1 << 53), 1 << 53)
TEXT = st.text(max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
MAYBE = st.one_of(st.none(), NUMBER)
MONEY = st.one_of(st.none(), st.floats(-1e9, 1e9))
PAIRS = st.lists(st.tuples(TEXT, NUMBER), max_size=3).map(tuple)
RECEIPTS = st.builds(
    Receipt, NUMBER, TEXT, NUMBER, TEXT, TEXTS, TEXT, MAYBE, NUMBER, MONEY,
    st.sampled_from(("now", "next compaction", "next start", "disk only")), NUMBER, TEXT, MAYBE,
    MONEY, MAYBE, TEXT,
)  # fmt: skip
STATES = st.builds(
    State,
    session=TEXT,
    now_ms=NUMBER,
    health=st.builds(HealthState, st.sampled_from(LEVELS), NUMBER, NUMBER),
    request_key=TEXT,
    request_at_ms=NUMBER,
    requests=NUMBER,
    used_tokens=NUMBER,
    usable_tokens=NUMBER,
    parts=PAIRS,
    compactions=NUMBER,
    boundary_key=st.one_of(st.none(), TEXT),
    met=st.tuples(MAYBE, MAYBE, MAYBE),
    marks=st.lists(st.builds(Mark, TEXT, TEXTS, NUMBER), max_size=2).map(tuple),
    tried=PAIRS,
    edited_key=TEXT,
    said=TEXTS,
    pulled=st.lists(
        st.builds(Pulled, RECEIPTS, NUMBER, NUMBER, MAYBE, NUMBER, TEXT), max_size=2
    ).map(tuple),
    pinned=TEXTS,
    poor_passes=NUMBER,
    restore_after_ms=NUMBER,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(STATES)
def test_what_was_written_is_read_as_it_was(state: State) -> None:
    text = state_text(state)
    assert state_of(text) == state
    assert "\n" not in text


@given(st.one_of(st.text(), st.binary().map(lambda one: one.decode("utf-8", "surrogateescape"))))
def test_any_other_text_is_no_state(text: str) -> None:
    assert state_of(text) is None


@settings(deadline=None)
@given(state=STATES, data=st.data(), value=JSON)
def test_a_state_with_anything_in_a_field_is_read_or_not_but_never_crashes(
    state: State, data: st.DataObject, value: object
) -> None:
    told = json.loads(state_text(state))
    told[data.draw(st.sampled_from(sorted(told)))] = value
    found = state_of(json.dumps(told))
    assert found is None or state_of(state_text(found)) == found


@settings(deadline=None)
@given(state=STATES, cut=st.integers(1, 400))
def test_a_state_that_was_cut_off_is_no_state(state: State, cut: int) -> None:
    text = state_text(state)
    assert state_of(text[: max(0, len(text) - cut)]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 10_000,
        " " * (MOST_CHARACTERS + 1),
        "NaN",
        "\x00",
        "\ud800",
    ],
    ids=["empty", "null", "list", "table", "deep list", "deep table", "digits", "long", "nan",
         "nul", "surrogate"],
)  # fmt: skip
def test_hostile_text_is_no_state(text: str) -> None:
    assert state_of(text) is None


def test_another_versions_state_is_not_read() -> None:
    told = json.loads(state_text(fresh("s")))
    assert told["format"] == "tokenbudget/control-state/1"
    told["format"] = "tokenbudget/control-state/2"
    assert state_of(json.dumps(told)) is None


@pytest.mark.parametrize("value", [True, 1.5, 1e400, "1", None, -(1 << 60)])
def test_a_number_has_to_be_a_whole_one(value: object) -> None:
    told = json.loads(state_text(fresh("s")))
    told["requests"] = value
    assert state_of(json.dumps(told)) is None
