"""Numbers by key in few bytes: a dictionary that only grows, whatever is put into it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.system import remembered
from tokenbudget.system.remembered import FRESH_ENTRIES, Remembered

KEYS = st.integers(0, 40).map(str) | st.text(max_size=2) | st.tuples(st.text(max_size=1))
PUTS = st.lists(st.tuples(KEYS, st.integers(-(2**40), 2**40)), max_size=60)


@pytest.fixture(autouse=True)
def packed_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "FRESH_ENTRIES", 4)


def filled(puts: list[tuple[Hashable, int]]) -> tuple[Remembered[int], dict[Hashable, int]]:
    made, truth = Remembered[int]("q"), dict[Hashable, int]()
    for key, value in puts:
        made[key] = truth[key] = value
    return made, truth


@given(PUTS, st.lists(KEYS))
def test_it_is_a_dictionary(puts: list[tuple[Hashable, int]], others: list[Hashable]) -> None:
    made, truth = filled(puts)
    for key in [*truth, *others]:
        assert made.get(key, 7) == truth.get(key, 7)
        assert (key in made) == (key in truth)
    for key, value in truth.items():
        assert made[key] == value


@given(PUTS, PUTS, st.booleans())
def test_neither_branch_nor_trunk_sees_what_the_other_is_told(
    puts: list[tuple[Hashable, int]], more: list[tuple[Hashable, int]], is_cleared: bool
) -> None:
    trunk, truth = filled(puts)
    branch = trunk.branch()
    expected = dict(truth)
    if is_cleared:
        branch.clear()
        expected.clear()
    for key, value in more:
        branch[key] = expected[key] = value
        trunk[(key,)] = truth[(key,)] = value
    for key in {*truth, *expected}:
        assert branch.get(key, 7) == expected.get(key, 7)
        assert trunk.get(key, 7) == truth.get(key, 7)


def test_a_key_that_was_only_added_is_in_it() -> None:
    made = Remembered[int]("q")
    made.add("a")
    assert "a" in made
    with pytest.raises(KeyError):
        made["b"]


def test_fractions_are_kept_as_they_are() -> None:
    made = Remembered[float]("d")
    for number in range(50):
        made[number] = number / 3
    assert all(made[number] == number / 3 for number in range(50))


def test_an_entry_takes_few_bytes_whatever_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "FRESH_ENTRIES", FRESH_ENTRIES)
    entries = 64 * FRESH_ENTRIES
    tracemalloc.start()
    try:
        made = Remembered[int]("q")
        for number in range(entries):
            made[f"a key of many more bytes than an entry is given {number}"] = number
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 40 * entries
    assert made["a key of many more bytes than an entry is given 5"] == 5
