"""Sessions share an archive in the order in which they are given, up to a size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.archive.grouping import grouped
from tokenbudget.archive.manifest import CAPS
from tokenbudget.archive.pack import Bundle, Member


def bundle(session: str, *names: str) -> Bundle:
    return Bundle(session, tuple(Member(name, f"/p/{name}") for name in names or (session,)))


sizes = st.lists(st.integers(0, 120), max_size=30)


@given(sizes, st.integers(1, 200))
def test_the_order_stays_and_no_group_is_too_large_or_needlessly_small(
    them: list[int], most: int
) -> None:
    sized = [(bundle(f"s{n}"), size) for n, size in enumerate(them)]
    size_of = {one.session: size for one, size in sized}
    groups = grouped(sized, most)
    assert [one for group in groups for one in group] == [one for one, _ in sized]
    totals = [sum(size_of[one.session] for one in group) for group in groups]
    assert all(
        total <= most or len(group) == 1 for total, group in zip(totals, groups, strict=True)
    )
    firsts = [size_of[group[0].session] for group in groups]
    assert all(total + first > most for total, first in zip(totals, firsts[1:], strict=False))


def test_two_files_of_one_name_are_never_together() -> None:
    """As they may be where projects that are gone share an archive."""
    one, two = bundle("s", "s.jsonl", "agent-1.jsonl"), bundle("t", "t.jsonl", "agent-1.jsonl")
    assert grouped([(one, 1), (two, 1)]) == [[one], [two]]
    assert grouped([(one, 1), (one, 1)]) == [[one], [one]]


def test_no_group_has_more_files_than_recovery_accepts() -> None:
    many = bundle("s", *(f"s/{n}" for n in range(CAPS.files - 1)))
    one, two = bundle("t"), bundle("u")
    assert grouped([(many, 1), (one, 1), (two, 1)]) == [[many, one], [two]]
