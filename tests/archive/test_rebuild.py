"""A manifest that was lost is made again from the archives; damage is named, the rest listed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.archive.conftest import Place
from tests.archive.sessions import NOW_MS, SESSION, bundle_of, tree, write_tree

from tokenbudget.archive.folder import load, opened_archive
from tokenbudget.archive.manifest import NAME, ArchiveRecord
from tokenbudget.archive.pack import pack
from tokenbudget.archive.rebuild import KEPT_ASIDE, rebuild
from tokenbudget.archive.recover import recover
from tokenbudget.archive.verify import verify


def listed(place: Place) -> tuple[ArchiveRecord, ...]:
    with opened_archive(place.folder) as folder:
        return load(folder, place.folder).archives


@pytest.mark.parametrize("damage", [b"", b"{", None])
def test_a_lost_manifest_is_made_again(place: Place, tmp_path: Path, damage: bytes | None) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    path = Path(place.folder, NAME)
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    assert rebuild(place.folder).adopted == (record.file,)
    (again,) = listed(place)
    assert again._replace(archived_at_ms=NOW_MS) == record
    assert verify(place.folder).problems == ()
    recover(place.folder, SESSION, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == tree(place.source)
    kept = [name for name in os.listdir(place.folder) if name.startswith(KEPT_ASIDE)]
    assert len(kept) == (damage is not None)


def test_what_the_manifest_lists_stays_as_it_lists_it(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    before = listed(place)
    rebuild(place.folder)
    assert listed(place) == before


def test_damaged_and_misnamed_archives_are_named_and_left(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    files = {"other.jsonl": b"other"}
    write_tree(place.source, files)
    other = pack(place.folder, [bundle_of(place.source, files, "other")], NOW_MS)
    os.unlink(os.path.join(place.folder, NAME))
    path = Path(place.folder, record.file)
    misnamed = f"{SESSION}-{'0' * 16}.zst"
    path.with_name(misnamed).write_bytes(path.read_bytes())
    path.write_bytes(path.read_bytes()[:-30])
    found = rebuild(place.folder)
    assert found.adopted == (other.file,)
    assert set(found.damaged) == {record.file, misnamed}
    assert path.exists()
