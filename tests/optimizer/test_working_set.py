"""What the client brings back after a compaction, and what would be missed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenbudget.optimizer.working_set import CLIENT, FileInUse, Limits, at_risk, brought_back


def file(
    path: str, tokens: float = 100.0, touched: int = 0, edited: int | None = None
) -> FileInUse:
    return FileInUse(path, tokens, touched, edited)


def test_the_last_changed_come_back_and_a_large_one_takes_a_place() -> None:
    files = [file(f"{number}.py", touched=number) for number in range(8)]
    files[7] = file("7.py", tokens=CLIENT.tokens_each + 1, touched=7)
    assert [one.path for one in brought_back(files)] == ["6.py", "5.py", "4.py", "3.py"]


def test_a_file_is_at_risk_where_it_was_just_edited_and_would_not_come_back() -> None:
    small = file("small.py", touched=9, edited=9)
    large = file("large.py", tokens=90_000, touched=8, edited=8)
    old = file("old.py", tokens=90_000, touched=2, edited=2)
    read = file("read.py", tokens=90_000, touched=7)
    unknown = file("unknown.py", tokens=float("inf"), touched=6, edited=6)
    found = at_risk([small, large, old, read, unknown], edited_since=5)
    assert [one.path for one in found] == ["large.py", "unknown.py"]


FILES = st.lists(
    st.builds(
        FileInUse,
        st.text(max_size=4),
        st.floats(0, 20_000),
        st.integers(0, 50),
        st.none() | st.integers(0, 50),
    ),
    unique_by=lambda one: one.path,
)


@given(FILES, st.integers(0, 50), st.integers(0, 8))
def test_nothing_is_both_brought_back_and_at_risk(
    files: list[FileInUse], since: int, count: int
) -> None:
    limits = Limits(files=count)
    back = brought_back(files, limits)
    risky = at_risk(files, since, limits)
    assert len(back) <= count
    assert not {one.path for one in back} & {one.path for one in risky}
    edited = {one.path for one in files if one.edited is not None and one.edited >= since}
    assert {one.path for one in risky} == edited - {one.path for one in back}
