"""Mark, wait, delete: by rules, never by a listing that says nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.conftest import Place
from tests.archive.sessions import NOW_MS, bundle_of, write_tree

from tokenbudget.archive.manifest import NAME, ArchiveRecord
from tokenbudget.archive.pack import pack
from tokenbudget.archive.retention import DAY_MS, Pruned, Rules, prunable, prune
from tokenbudget.archive.verify import verify
from tokenbudget.model.errors import Refused, SourceUnreadable


def record(number: int, age_days: int, size: int = 10) -> ArchiveRecord:
    made = NOW_MS - age_days * DAY_MS
    return ArchiveRecord(f"f{number}", f"s{number}", "solid", made, size, "", ())


records = st.lists(st.tuples(st.integers(-5, 400), st.integers(0, 1_000)), max_size=12).map(
    lambda facts: [record(n, age, size) for n, (age, size) in enumerate(facts)]
)
rules = st.builds(
    Rules,
    st.none() | st.integers(0, 400),
    st.integers(0, 12),
    st.none() | st.integers(0, 5_000),
)


@given(records)
def test_no_rules_let_nothing_go(them: list[ArchiveRecord]) -> None:
    assert prunable(them, Rules(), NOW_MS) == frozenset()


@given(records, rules)
def test_the_newest_stay_and_the_rest_obeys_the_limits(
    them: list[ArchiveRecord], limits: Rules
) -> None:
    gone = prunable(them, limits, NOW_MS)
    newest = sorted(them, key=lambda it: (-it.archived_at_ms, it.file))
    assert not gone & {it.file for it in newest[: limits.keep_last]}
    left = [it for it in newest[limits.keep_last :] if it.file not in gone]
    if limits.keep_days is not None:
        assert all(NOW_MS - it.archived_at_ms <= limits.keep_days * DAY_MS for it in left)
    if limits.most_bytes is not None and left:
        assert sum(it.size_bytes for it in newest if it.file not in gone) <= limits.most_bytes


def test_one_from_the_future_is_new() -> None:
    assert prunable([record(1, -30)], Rules(keep_days=0), NOW_MS) == frozenset()


def filled(place: Place, count: int) -> list[str]:
    names = []
    for number in range(count):
        files = {f"{number}.jsonl": b"%d" % number}
        write_tree(place.source, files)
        bundle = bundle_of(place.source, files, f"s{number}")
        names.append(pack(place.folder, bundle, NOW_MS + number).file)
    return names


def test_marked_today_deleted_after_the_grace(place: Place) -> None:
    old, newer, newest = filled(place, 3)
    limits = Rules(keep_days=30, keep_last=1)
    later = NOW_MS + 31 * DAY_MS
    assert prune(place.folder, limits, later) == Pruned((old, newer), (), (), 0)
    assert prune(place.folder, limits, later + 6 * DAY_MS) == Pruned((), (), (), 0)
    assert verify(place.folder).archives == 3
    assert prune(place.folder, limits, later + 7 * DAY_MS).deleted == (old, newer)
    assert {name for name in os.listdir(place.folder) if name.endswith(".zst")} == {newest}
    assert verify(place.folder).problems == ()


def test_rules_that_changed_take_the_mark_off(place: Place) -> None:
    names = filled(place, 2)
    later = NOW_MS + 31 * DAY_MS
    prune(place.folder, Rules(keep_days=30), later)
    assert prune(place.folder, Rules(), later + 90 * DAY_MS) == Pruned((), tuple(names), (), 0)
    assert prune(place.folder, Rules(keep_days=30), later + 90 * DAY_MS).deleted == ()


def test_a_clock_that_was_set_back_deletes_nothing(place: Place) -> None:
    filled(place, 2)
    prune(place.folder, Rules(keep_days=0), NOW_MS + DAY_MS)
    assert prune(place.folder, Rules(keep_days=0), NOW_MS - 400 * DAY_MS).deleted == ()


def test_a_dry_run_says_the_same_and_changes_nothing(place: Place) -> None:
    names = filled(place, 2)
    before = Path(place.folder, NAME).read_bytes()
    plan = prune(place.folder, Rules(keep_days=0), NOW_MS + DAY_MS, dry_run=True)
    assert plan.marked == tuple(names)
    assert Path(place.folder, NAME).read_bytes() == before


def test_an_empty_an_unreadable_or_a_strange_listing_deletes_nothing(place: Place) -> None:
    limits = Rules(keep_days=0)
    with pytest.raises(SourceUnreadable):
        prune(place.folder, limits, NOW_MS)
    (name,) = filled(place, 1)
    aside = Path(place.folder, name).rename(place.project / name)
    with pytest.raises(Refused, match="no listed archive"):
        prune(place.folder, limits, NOW_MS + DAY_MS)
    shutil.move(aside, place.folder)
    Path(place.folder, NAME).write_bytes(b"{}")
    with pytest.raises(SourceUnreadable, match="damaged"):
        prune(place.folder, limits, NOW_MS + DAY_MS)
    assert name in os.listdir(place.folder)


def test_missing_archives_do_not_count_among_the_last(place: Place) -> None:
    older, newer = filled(place, 2)
    os.unlink(os.path.join(place.folder, newer))
    limits = Rules(keep_days=0, keep_last=1)
    assert prune(place.folder, limits, NOW_MS + DAY_MS, grace_days=0) == Pruned((), (), (), 0)
    assert older in os.listdir(place.folder)
