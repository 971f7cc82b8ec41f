"""Matches in files, grouped by file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compression.accounting import HOSTILE, assert_survives, drafted

from tokenbudget.compression.codecs import grep
from tokenbudget.compression.codecs.grep import CODEC
from tokenbudget.compression.passage import LEVELS, VERBOSE

OPENING = "[~"

MATCHES = """\
src/shop/cart.py:12:def total(items):
src/shop/cart.py:40:    return total(items) + tax
src/shop/cart.py:41:
src/shop/price.py:3:from shop.cart import total
tests/test_cart.py:8:    assert total([]) == 0
tests/test_cart.py:9:    assert total([1]) == 1"""


def test_the_path_stands_once_above_its_matches() -> None:
    draft = drafted(CODEC, MATCHES, VERBOSE)
    assert draft is not None
    assert draft.is_lossless
    assert (
        draft.text
        == """\
src/shop/cart.py:
12:def total(items):
40:    return total(items) + tax
41:
src/shop/price.py:3:from shop.cart import total
tests/test_cart.py:
8:    assert total([]) == 0
9:    assert total([1]) == 1"""
    )
    assert grep.decode(draft.text, OPENING) == MATCHES


def test_lines_of_context_belong_to_their_file() -> None:
    text = """\
src/a-1-b.py-11-import os
src/a-1-b.py:12:def total(items):
src/a-1-b.py-13-    return 0
--
src/a-1-b.py-20-
src/a-1-b.py:21:print(total([]))
src/a-1-b.py-22-"""
    draft = drafted(CODEC, text)
    if draft is not None:
        assert grep.decode(draft.text, OPENING) == text
    plain = text.replace("a-1-b", "cart")
    draft = drafted(CODEC, plain)
    assert draft is not None
    assert grep.decode(draft.text, OPENING) == plain
    assert draft.text.count("src/cart.py") == 2


@pytest.mark.parametrize(
    "line",
    [
        "src/app.ts({n},5): error TS2339: Property 'x' does not exist on type 'Y{n}'.",
        "src/app.py:{n}:5: F401 `os{n}` imported but unused",
        "src/app.c:{n}:12: warning: unused variable 'v{n}' [-Wunused-variable]",
        "C:\\shop\\app.cs:{n}: TODO {n}",
        "src/app.go:{n}:2: undefined: total{n}",
    ],
)
def test_linters_and_compilers_group_as_well(line: str) -> None:
    text = "\n".join(line.format(n=n) for n in range(3, 30)) + "\nFound 27 problems."
    draft = drafted(CODEC, text)
    assert draft is not None
    assert grep.decode(draft.text, OPENING) == text
    assert draft.text.endswith("\nFound 27 problems.")
    assert len(draft.text) < 0.9 * len(text)


def test_times_of_day_and_addresses_are_no_paths() -> None:
    log = "\n".join(f"2026-01-31T12:{n:02}:00Z served in {n} ms" for n in range(30))
    assert drafted(CODEC, log) is None
    assert drafted(CODEC, "\n".join(f"10.0.0.1:80:{n}" for n in range(30))) is None


def test_text_that_looks_like_a_group_does_not_keep_the_rest_from_grouping() -> None:
    text = f"=== cart.py ===\n12:not a match\n{MATCHES}\n9:nor this\n{MATCHES}\n"
    draft = drafted(CODEC, text)
    assert draft is not None
    assert grep.decode(draft.text, OPENING) == text
    assert draft.text.count("src/shop/cart.py:\n") == 2


def test_text_that_would_read_as_a_group_is_left_alone() -> None:
    assert drafted(CODEC, f"heading:\n12:not a match\n{MATCHES}") is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_survived(text: str) -> None:
    assert_survives(CODEC, text, LEVELS)


_PATH = st.sampled_from(["a/b.py", "a/b.py-1", "x.c", "C:\\d.cs", "12/3", "a/b c.py", "7:8/x", "-"])
_LINE = st.one_of(
    st.builds(
        lambda path, number, mark, text: f"{path}{mark}{number}{mark}{text}",
        _PATH,
        st.integers(0, 99),
        st.sampled_from([":", "-"]),
        st.text(max_size=8),
    ),
    st.builds(lambda path, number: f"{path}({number},1): e", _PATH, st.integers(0, 99)),
    st.sampled_from(["", "--", "a/b.py", "a/b.py:", "12:x", "3-y", "(1,2): z"]),
    st.text(max_size=12),
)


@given(st.lists(_LINE, max_size=40))
def test_what_is_grouped_can_be_made_again(lines: list[str]) -> None:
    text = "\n".join(lines)
    for level in LEVELS:
        draft = drafted(CODEC, text, level)
        if draft is not None:
            assert draft.is_lossless
            assert grep.decode(draft.text, OPENING) == text
            assert len(draft.text) < len(text)
