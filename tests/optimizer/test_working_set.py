"""What the client brings back after a compaction, and what would be missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.optimizer.working_set import (
    AGAIN_CHANCE,
    AGAIN_HALF_REQUESTS,
    CLIENT,
    FileInUse,
    Limits,
    brought_back,
    missed,
)

LARGE = 90_000.0


def file(
    path: str,
    tokens: float = 100.0,
    touched: int = 0,
    read_ago: int = 0,
    edited_ago: int | None = None,
) -> FileInUse:
    return FileInUse(path, tokens, touched, 500.0, read_ago, edited_ago)


def test_the_last_changed_come_back_and_a_large_one_takes_a_place() -> None:
    files = [file(f"{number}.py", touched=number) for number in range(8)]
    files[7] = file("7.py", tokens=CLIENT.tokens_each + 1, touched=7)
    assert [one.path for one in brought_back(files)] == ["6.py", "5.py", "4.py", "3.py"]


def test_what_was_edited_lately_and_would_not_come_back_is_likely_to_be_read_again() -> None:
    small = file("small.py", touched=9, edited_ago=0)
    large = file("large.py", LARGE, touched=8, edited_ago=0)
    older = file("older.py", float("inf"), touched=2, edited_ago=round(AGAIN_HALF_REQUESTS))
    found = missed([small, older, large])
    assert [(one.path, one.chance) for one in found] == [
        ("large.py", AGAIN_CHANCE),
        ("older.py", AGAIN_CHANCE / 2),
    ]
    expected = [500 * AGAIN_CHANCE, 500 * AGAIN_CHANCE / 2]
    assert [one.expected_tokens for one in found] == expected, "of what the window holds of it"


def test_of_what_was_only_read_the_latest_stands_for_all() -> None:
    files = [file(f"{number}.py", LARGE, read_ago=number) for number in range(40)]
    [found] = missed(files)
    assert (found.path, found.chance) == ("0.py", AGAIN_CHANCE)


def test_a_small_file_read_last_makes_a_large_one_before_it_no_cheaper_to_miss() -> None:
    large = file("large.py", LARGE, read_ago=1)._replace(window_tokens=20_000.0)
    small = file("small.py", LARGE, read_ago=0)._replace(window_tokens=50.0)
    [alone] = missed([large])
    [found] = missed([large, small])
    assert (found.path, found.chance) == ("small.py", AGAIN_CHANCE)
    assert found.expected_tokens == alone.expected_tokens > 7_000


def test_thousands_of_old_files_weigh_next_to_nothing() -> None:
    old = [file(f"{number}.py", LARGE, read_ago=10**9, edited_ago=10**9) for number in range(5_000)]
    assert sum(one.chance + one.expected_tokens for one in missed(old)) == 0.0


FILES = st.lists(
    st.builds(
        FileInUse,
        st.text(max_size=4),
        st.floats(0, 20_000),
        st.integers(0, 50),
        st.floats(0, 20_000),
        st.integers(0, 200),
        st.none() | st.integers(0, 200),
    ),
    unique_by=lambda one: one.path,
)


@given(FILES, st.integers(0, 8))
def test_nothing_is_both_brought_back_and_missed(files: list[FileInUse], count: int) -> None:
    limits = Limits(files=count)
    back = {one.path for one in brought_back(files, limits)}
    found = missed(files, limits)
    paths = [one.path for one in found]
    assert len(back) <= count
    assert not back & set(paths)
    assert {one.path for one in files if one.edited_requests_ago is not None} <= back | set(paths)
    chances = [one.chance for one in found]
    assert chances == sorted(chances, reverse=True)
    assert all(0 < chance <= AGAIN_CHANCE for chance in chances)


@given(FILES, FILES)
def test_with_more_files_in_use_never_less_has_to_be_read_again(
    files: list[FileInUse], others: list[FileInUse]
) -> None:
    paths = {one.path for one in files}
    fewer, more = missed(files), missed([*files, *(one for one in others if one.path not in paths)])
    for of in (lambda one: one.chance, lambda one: one.expected_tokens):
        assert sum(map(of, fewer)) <= sum(map(of, more)) * (1 + 1e-9)
