"""What code hands to a tool becomes JSON or is refused; the gateway is safe from both."""

from __future__ import annotations

import datetime
import decimal
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.sandbox_plain import (
    MOST_CHARS,
    MOST_DEPTH,
    MOST_NODES,
    Unplain,
    clean,
    plain,
)

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS | st.binary() | st.complex_numbers() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(SCALARS, inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((1, 2), [1, 2]),
        ({3, 1}, [1, 3]),
        ({1: True, None: 2, "a": b"x"}, {"1": True, "null": 2, "a": "x"}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.50"), "1.50"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        ("a\ud800b", "a?b"),
        ({"\ud800": 1}, {"?": 1}),
    ],
)
def test_what_json_has_no_word_for(value: object, told: object) -> None:
    assert plain(value) == told


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (float("nan"), "nan and inf"),
        ([float("inf")], "nan and inf"),
        (2**70, "64 bits"),
        (deep(MOST_DEPTH + 1), "deeper than"),
        (deep(100_000), "deeper than"),
        ([0] * (MOST_NODES + 1), "too large"),
        ("x" * (MOST_CHARS + 1), "too large"),
        (b"\xff", "no UTF-8"),
        ({(1, 2): 3}, "keys"),
        (print, "cannot be an argument"),
        (1j, "cannot be an argument"),
    ],
    ids=range(11),
)
def test_what_is_refused_is_told(value: object, why: str) -> None:
    with pytest.raises(Unplain, match=why):
        plain(value)


def test_a_value_within_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    wide: list[object] = []
    wide += [wide, wide, wide]
    for value in (endless, wide, {"a": endless}):
        with pytest.raises(Unplain):
            plain(value)


def test_the_value_itself_is_left_alone() -> None:
    inner = {"a": (1,)}
    value = [inner]
    assert plain(value) == [{"a": [1]}]
    assert value == [{"a": (1,)}]


@given(VALUES)
def test_what_comes_out_is_json_that_a_server_can_read(value: object) -> None:
    try:
        told = plain(value)
    except Unplain:
        return
    text = json.dumps(told, allow_nan=False, ensure_ascii=False)
    assert json.loads(text.encode()) == told
    assert plain(told) == told


@given(st.text(st.characters()))
def test_a_clean_text_can_be_written(text: str) -> None:
    clean(text).encode()
    assert clean(clean(text)) == clean(text)
