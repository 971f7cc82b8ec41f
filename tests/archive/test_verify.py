"""No byte of an archive folder changes unseen, and checking changes none."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from tests.archive.conftest import Place
from tests.archive.sessions import NOW_MS, bundle_of, transcript, write_tree

from tokenbudget.archive.folder import opened_archive
from tokenbudget.archive.manifest import NAME, Caps
from tokenbudget.archive.pack import pack
from tokenbudget.archive.verify import problem_of, verify
from tokenbudget.model.errors import Refused, SourceUnreadable


def flipped(path: Path, at: int, bit: int = 0x10) -> None:
    with open(path, "r+b") as handle:
        handle.seek(at)
        (byte,) = handle.read(1)
        handle.seek(at)
        handle.write(bytes([byte ^ bit]))


def faults_of(folder: str) -> list[tuple[str, str]]:
    return [(problem.file, problem.fault) for problem in verify(folder).problems]


def test_a_whole_archive_is_counted_and_left_as_it_is(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    before = {path.name: path.stat() for path in Path(place.folder).iterdir()}
    found = verify(place.folder)
    assert (found.archives, found.files, found.problems) == (1, 3, ())
    assert (found.archive_bytes, found.raw_bytes) == (record.size_bytes, record.raw_bytes)
    after = {path.name: path.stat() for path in Path(place.folder).iterdir()}
    assert {name: facts.st_mtime_ns for name, facts in after.items()} == {
        name: facts.st_mtime_ns for name, facts in before.items()
    }


@pytest.mark.slow
def test_every_flipped_byte_of_a_small_folder_is_found(place: Place) -> None:
    record = pack(place.folder, place.group, NOW_MS)
    tried = 0
    for name in (record.file, NAME):
        path = Path(place.folder, name)
        for at in range(path.stat().st_size):
            flipped(path, at)
            assert faults_of(place.folder) != [], (name, at)
            flipped(path, at)
            tried += 1
    print(f"{tried:,} positions of an archive and its manifest")
    assert faults_of(place.folder) == []


@pytest.mark.slow
def test_ten_thousand_random_flips_of_a_larger_archive_are_found(place: Place) -> None:
    """Any bit of any byte; `tools/bench_archive.py` does the same to an archive of 61 MB."""
    files = {"large.jsonl": transcript(20_000)}
    write_tree(place.source, files)
    record = pack(place.folder, [bundle_of(place.source, files)], NOW_MS, level=1)
    path, chance = Path(place.folder, record.file), random.Random(7)
    with opened_archive(place.folder) as folder:
        for at in chance.sample(range(record.size_bytes), 10_000):
            bit = 1 << chance.randrange(8)
            flipped(path, at, bit)
            found = problem_of(folder, record)
            assert found is not None, (at, bit)
            assert found.fault == "damaged"
            flipped(path, at, bit)
        assert problem_of(folder, record) is None


@pytest.mark.parametrize("size", [0, 1, 8, -1])
def test_a_truncated_archive_is_found(place: Place, size: int) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    os.truncate(os.path.join(place.folder, record.file), size % record.size_bytes)
    assert faults_of(place.folder) == [(record.file, "damaged")]


def test_what_is_missing_unlisted_or_a_link_is_named(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    path = Path(place.folder, record.file)
    other = f"{'0' * 8}-{'0' * 16}.zst"
    path.rename(path.with_name(other))
    assert faults_of(place.folder) == [(record.file, "missing"), (other, "unlisted")]
    path.symlink_to(other)
    assert (record.file, "refused") in faults_of(place.folder)


def test_a_lost_manifest_beside_archives_is_damage(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    os.unlink(os.path.join(place.folder, NAME))
    assert faults_of(place.folder) == [(NAME, "damaged")]


def test_what_would_not_be_given_back_is_said(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    assert [(p.file, p.fault) for p in verify(place.folder, Caps(bytes=1)).problems] == [
        (record.file, "refused")
    ]


def test_no_folder_is_no_answer(place: Place) -> None:
    with pytest.raises(SourceUnreadable):
        verify(place.folder)
    Path(place.folder).parent.mkdir(parents=True)
    Path(place.folder).symlink_to(place.source)
    with pytest.raises(Refused):
        verify(place.folder)
