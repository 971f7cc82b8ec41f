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

from tokenbudget.archive.manifest import NAME, ArchiveRecord, FileRecord, Manifest
from tokenbudget.archive.pack import pack
from tokenbudget.archive.retention import (
    DAY_MS,
    GRACE_DAYS,
    Pruned,
    Rules,
    planned,
    prunable,
    prune,
)
from tokenbudget.archive.verify import verify
from tokenbudget.model.errors import Refused, SourceUnreadable


def record(number: int, age_days: int, size: int = 10, sessions: str = "") -> ArchiveRecord:
    """An archive; of its sessions, a letter each, the later ones were written later."""
    made = NOW_MS - age_days * DAY_MS
    files = tuple(
        FileRecord(session, session, "/a", 1, 0o600, at, "")
        for at, session in enumerate(sessions or [f"s{number}"])
    )
    return ArchiveRecord(f"f{number}", "solid", made, size, "", files)


letters = st.text("abcdefgh", min_size=1, max_size=4).map(lambda them: "".join(sorted(set(them))))
facts = st.tuples(st.integers(-5, 400), st.integers(0, 1_000), letters)
records = st.lists(facts, max_size=12).map(
    lambda facts: [record(n, age, size, some) for n, (age, size, some) in enumerate(facts)]
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
def test_the_newest_sessions_stay_and_the_rest_obeys_the_limits(
    them: list[ArchiveRecord], limits: Rules
) -> None:
    gone = prunable(them, limits, NOW_MS)
    newest_first = sorted(them, key=lambda it: (-it.archived_at_ms, it.file))
    copies = [(name, it) for it in newest_first for name in reversed(it.sessions)]
    newest = list(dict.fromkeys(name for name, _ in copies))[: limits.keep_last]
    saved = {next(it.file for name, it in copies if name == session) for session in newest}
    assert not gone & saved
    left = [it for it in newest_first if it.file not in gone | saved]
    if limits.keep_days is not None:
        assert all(NOW_MS - it.archived_at_ms <= limits.keep_days * DAY_MS for it in left)
    stay = [it for it in newest_first if it.file not in gone]
    for it in left if limits.most_bytes is not None else ():
        and_newer = stay[: stay.index(it) + 1]
        assert sum(one.size_bytes for one in and_newer) <= (limits.most_bytes or 0)


@given(records, rules, st.data())
def test_a_plan_says_which_sessions_go_with_the_archives(
    them: list[ArchiveRecord], limits: Rules, data: st.DataObject
) -> None:
    marks = [data.draw(st.sampled_from([None, NOW_MS, NOW_MS - 8 * DAY_MS])) for _ in them]
    marked = [it._replace(marked_at_ms=mark) for it, mark in zip(them, marks, strict=True)]
    present = frozenset(it.file for it in them)
    plan = planned(Manifest(tuple(marked)), present, limits, NOW_MS, GRACE_DAYS)
    sessions = {it.file: set(it.sessions) for it in them}
    left = set().union(*(sessions[file] for file in present - set(plan.deleted)))
    deleted = set().union(*(sessions[file] for file in plan.deleted))
    assert set(plan.deleted_sessions) == deleted - left
    assert not set(plan.marked_sessions) & set(plan.deleted_sessions)
    assert not set(plan.deleted) & set(plan.marked)


def test_one_of_the_newest_keeps_its_whole_group() -> None:
    old, new = record(1, 400, sessions="abc"), record(2, 300, sessions="de")
    limits = Rules(keep_days=30, keep_last=1)
    assert prunable([old, new], limits, NOW_MS) == {"f1"}
    assert prunable([old, new], limits._replace(keep_last=3), NOW_MS) == frozenset()
    manifest, present = Manifest((old, new)), frozenset({"f1", "f2"})
    plan = planned(manifest, present, limits._replace(keep_last=3), NOW_MS, GRACE_DAYS)
    assert (plan.marked, plan.spared_sessions) == ((), ("a", "b"))


def test_a_session_that_was_archived_again_counts_once() -> None:
    first, second, third = record(1, 90, sessions="a"), record(2, 80, sessions="a"), record(3, 70)
    limits = Rules(keep_days=30, keep_last=2)
    assert prunable([first, second, third], limits, NOW_MS) == {"f1"}
    plan = planned(
        Manifest((first, second, third)), frozenset({"f1", "f2", "f3"}), limits, NOW_MS, 7
    )
    assert (plan.marked, plan.marked_sessions) == (("f1",), ())


def test_one_from_the_future_is_new() -> None:
    assert prunable([record(1, -30)], Rules(keep_days=0), NOW_MS) == frozenset()


def filled(place: Place, count: int) -> list[str]:
    names = []
    for number in range(count):
        files = {f"{number}.jsonl": b"%d" % number}
        write_tree(place.source, files)
        bundle = bundle_of(place.source, files, f"s{number}")
        names.append(pack(place.folder, [bundle], NOW_MS + number).file)
    return names


def test_marked_today_deleted_after_the_grace(place: Place) -> None:
    old, newer, newest = filled(place, 3)
    limits = Rules(keep_days=30, keep_last=1)
    later = NOW_MS + 31 * DAY_MS
    assert prune(place.folder, limits, later) == Pruned(
        marked=(old, newer), marked_sessions=("s0", "s1")
    )
    assert prune(place.folder, limits, later + 6 * DAY_MS) == Pruned()
    assert verify(place.folder).archives == 3
    assert prune(place.folder, limits, later + 7 * DAY_MS).deleted_sessions == ("s0", "s1")
    assert {name for name in os.listdir(place.folder) if name.endswith(".zst")} == {newest}
    assert verify(place.folder).problems == ()


def test_rules_that_changed_take_the_mark_off(place: Place) -> None:
    names = filled(place, 2)
    later = NOW_MS + 31 * DAY_MS
    prune(place.folder, Rules(keep_days=30), later)
    assert prune(place.folder, Rules(), later + 90 * DAY_MS) == Pruned(unmarked=tuple(names))
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
    assert prune(place.folder, limits, NOW_MS + DAY_MS, grace_days=0) == Pruned()
    assert older in os.listdir(place.folder)


def test_an_older_copy_stays_where_the_newer_one_is_damaged(place: Place) -> None:
    older = pack(place.folder, [place.bundle], NOW_MS - 90 * DAY_MS).file
    write_tree(place.source, {f"{place.bundle.session}.jsonl": b"it went on\n"})
    newer = pack(place.folder, [place.bundle], NOW_MS).file
    limits = Rules(keep_days=30)
    assert prune(place.folder, limits, NOW_MS).marked == (older,)
    path = Path(place.folder, newer)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert prune(place.folder, limits, NOW_MS + 8 * DAY_MS, dry_run=True).deleted == ()
    assert prune(place.folder, limits, NOW_MS + 8 * DAY_MS).deleted == ()
    path.write_bytes(whole)
    assert prune(place.folder, limits, NOW_MS + 9 * DAY_MS).marked == (older,)
    assert prune(place.folder, limits, NOW_MS + 16 * DAY_MS).deleted == (older,)
