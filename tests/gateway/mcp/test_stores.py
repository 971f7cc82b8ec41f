"""Names of variables by age, and which of them go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.gateway.mcp.stores import MOST_NAME_CHARS, Stores

NAMES = st.text("abcdef", min_size=1, max_size=3)


def held(*names: str, most_bytes: int = 100) -> Stores:
    stores = Stores(most_bytes)
    for name in names:
        stores.seen([*stores.names, name], [name])
    return stores


def test_a_name_that_is_used_is_young_again() -> None:
    stores = held("a", "b", "c")
    stores.seen(["a", "b", "c"], ["a"])
    assert stores.names == ("b", "c", "a")


def test_a_name_that_holds_nothing_any_more_is_none() -> None:
    stores = held("a", "b")
    stores.seen(["b"], [])
    assert stores.names == ("b",)


def test_the_oldest_goes_first_and_last_comes_last() -> None:
    stores = held("last", "a", "b", most_bytes=100)
    sizes = {"last": 60, "a": 60, "b": 60}
    assert stores.too_much(180, sizes) == ("a", "b")
    assert stores.too_much(120, sizes) == ("a",)
    assert stores.too_much(100, sizes) == ()
    assert stores.too_much(1_000, sizes) == ("a", "b", "last")


def test_what_is_small_stays_while_something_large_can_go() -> None:
    stores = held("small", "large", most_bytes=100)
    assert stores.too_much(10_000, {"small": 16, "large": 9_000}) == ("large",)


def test_sizes_need_only_be_in_proportion() -> None:
    stores = held("a", "b", most_bytes=1_000)
    assert stores.too_much(1_500, {"a": 1, "b": 1}) == ("a",)


def test_a_name_that_was_let_go_is_missed_until_it_holds_something() -> None:
    stores = held("a", "b")
    stores.let_go(["a"])
    assert stores.names == ("b",)
    assert stores.missing({"a", "b"}) == ("a",)
    stores.seen(["a", "b"], ["a"])
    assert stores.missing({"a", "b"}) == ()


def test_all_is_forgotten_at_once() -> None:
    stores = held("a", "b")
    stores.let_go(["a"])
    stores.clear()
    assert (stores.names, stores.missing({"a"})) == ((), ())


def test_a_name_without_end_is_not_kept() -> None:
    stores = held("a" * (MOST_NAME_CHARS + 1), "b")
    assert stores.names == ("b",)


@given(st.dictionaries(NAMES, st.integers(1, 10**9)), st.integers(1, 10**9))
def test_what_stays_is_within_the_limit(sizes: dict[str, int], most_bytes: int) -> None:
    stores = held(*sizes, most_bytes=most_bytes)
    total = sum(sizes.values())
    gone = stores.too_much(total, sizes)
    left = total - sum(sizes[name] for name in gone)
    assert left <= most_bytes * (1 + 1e-6) + 1
    assert bool(gone) == (total > most_bytes)
    assert set(gone) <= set(stores.names)


@given(st.lists(st.tuples(st.sets(NAMES), st.sets(NAMES)), max_size=8))
def test_the_names_are_those_that_hold_something(runs: list[tuple[set[str], set[str]]]) -> None:
    stores = Stores(100)
    for present, used in runs:
        stores.seen(present, used)
        assert set(stores.names) == present
        assert len(stores.names) == len(present)
        assert not set(stores.missing(present))
