"""Archive, then recover, is the identity; and nothing else is ever touched."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive.conftest import Place, make_place
from tests.archive.faults import MEMORY
from tests.archive.sessions import (
    FILES,
    NOW_MS,
    OLD_NS,
    OTHER,
    OTHERS_FILES,
    SESSION,
    tree,
    write_tree,
)

from tokenbudget.archive.container import Part, write_container
from tokenbudget.archive.folder import locked_archive, save
from tokenbudget.archive.manifest import (
    ArchiveRecord,
    Caps,
    FileRecord,
    Layout,
    Manifest,
    archive_file_name,
)
from tokenbudget.archive.pack import Bundle, Member, opened_member, pack
from tokenbudget.archive.recover import (
    NotRecovered,
    Recovered,
    original_root,
    recover,
    recover_together,
)
from tokenbudget.archive.staging import STAGING
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.regular_file import sha256_of

parts = st.binary(min_size=1, max_size=12).filter(
    lambda part: part not in (b".", b"..") and not {0, 47} & set(part)
)
names = st.lists(parts, min_size=1, max_size=3).map(b"/".join).map(os.fsdecode)
contents = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda data, times: data * times, st.binary(max_size=40), st.integers(0, 3_000)),
)
modes = st.sampled_from([0o600, 0o640, 0o644, 0o400, 0o777])
trees = st.dictionaries(names, st.tuples(contents, modes), min_size=1, max_size=5)


def is_possible(files: dict[str, Any]) -> bool:
    return not any(name.startswith(f"{other}/") for name in files for other in files)


@pytest.mark.slow
@settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees.filter(is_possible), st.sampled_from(["solid", "per-file"]), st.integers(1, 3))
def test_any_tree_comes_back(
    files: dict[str, tuple[bytes, int]], layout: Layout, sessions: int
) -> None:
    """Split over some sessions of one archive, each comes back alone, with its own files only."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as top:
        source, folder = (os.path.join(top, name) for name in ("s", "p"))
        os.mkdir(folder)
        for name, (data, mode) in files.items():
            write_tree(Path(source), {name: data}, mode)
        parts = [dict(list(files.items())[n::sessions]) for n in range(sessions)]
        bundles = [
            Bundle(f"s{n}", tuple(Member(name, os.path.join(source, name)) for name in part))
            for n, part in enumerate(parts)
            if part
        ]
        archive = os.path.join(folder, ".claude", "sessions", "archive")
        pack(archive, bundles, NOW_MS, layout=layout, level=3)
        for bundle, part in zip(bundles, parts, strict=False):
            to = os.path.join(top, "to", bundle.session)
            recover(archive, bundle.session, to)
            assert tree(Path(to)) == part


@pytest.mark.parametrize("layout", ["solid", "per-file"])
@pytest.mark.parametrize(
    ("session", "files"), [(SESSION, FILES), (OTHER, OTHERS_FILES)], ids=["first", "last"]
)
def test_one_of_a_group_comes_back_alone(
    place: Place, tmp_path: Path, layout: Layout, session: str, files: dict[str, bytes]
) -> None:
    pack(place.folder, place.group, NOW_MS, layout=layout)
    found = recover(place.folder, session, str(tmp_path / "to"))
    assert set(found.placed) == set(files)
    assert tree(tmp_path / "to") == {name: (data, 0o640) for name, data in files.items()}
    assert original_root(found.archive, session) == str(place.source)


def test_several_come_back_in_one_pass_and_one_in_the_way_stays_alone(
    place: Place, tmp_path: Path
) -> None:
    record = pack(place.folder, place.group, NOW_MS)
    to = tmp_path / "to"
    write_tree(to, {f"{SESSION}.jsonl": b"newer"})
    kept, given_back = recover_together(place.folder, record.file, [SESSION, OTHER], str(to))
    assert isinstance(kept, NotRecovered)
    assert kept.session == SESSION
    assert isinstance(kept.reason, Refused)
    assert isinstance(given_back, Recovered)
    assert tree(to) == {
        f"{SESSION}.jsonl": (b"newer", 0o640),
        **{name: (data, 0o640) for name, data in OTHERS_FILES.items()},
    }
    assert recover_together(place.folder, record.file, [], str(to)) == []
    with pytest.raises(SourceUnreadable, match="has no session"):
        recover_together(place.folder, record.file, [OTHER, "unknown"], str(to))


def test_what_lies_in_front_of_damage_comes_back_where_that_is_asked_for(
    place: Place, tmp_path: Path
) -> None:
    record = pack(place.folder, place.group, NOW_MS, layout="per-file")
    path = Path(place.folder, record.file)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceUnreadable, match="damaged"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    recover(place.folder, SESSION, str(tmp_path / "to"), despite_damage=True)
    assert tree(tmp_path / "to") == {name: (data, 0o640) for name, data in FILES.items()}
    with pytest.raises(SourceUnreadable, match="damaged"):
        recover(place.folder, OTHER, str(tmp_path / "to"), despite_damage=True)
    assert set(tree(tmp_path / "to")) == set(FILES)


def test_times_are_fresh_unless_the_old_ones_are_asked_for(place: Place, tmp_path: Path) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    recover(place.folder, SESSION, str(tmp_path / "fresh"))
    recover(place.folder, SESSION, str(tmp_path / "old"), keep_mtime=True)
    transcript = f"{SESSION}.jsonl"
    assert (tmp_path / "fresh" / transcript).stat().st_mtime_ns > OLD_NS + 10**9
    assert {(tmp_path / "old" / name).stat().st_mtime_ns for name in FILES} == {OLD_NS}


def test_into_its_own_place_only_what_is_missing_comes_back(place: Place) -> None:
    before = tree(place.source)
    record = pack(place.folder, [place.bundle], NOW_MS)
    assert original_root(record, SESSION) == str(place.source)
    os.unlink(place.source / f"{SESSION}.jsonl")
    found = recover(place.folder, SESSION, str(place.source))
    assert found.placed == (f"{SESSION}.jsonl",)
    assert set(found.were_there) == set(FILES) - {f"{SESSION}.jsonl"}
    assert tree(place.source) == before
    assert not list(place.source.glob(f"{STAGING}*"))


def test_another_file_in_the_way_is_never_overwritten(place: Place, tmp_path: Path) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    write_tree(tmp_path / "to", {f"{SESSION}.jsonl": b"newer"})
    with pytest.raises(Refused, match="other content"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == {f"{SESSION}.jsonl": (b"newer", 0o640)}


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    real = os.link

    def late(name: str, to: str, **named: Any) -> None:
        write_tree(tmp_path / "to", {f"{SESSION}.jsonl": b"theirs"})
        real(name, to, **named)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(Refused, match="just appeared"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    assert (tmp_path / "to" / f"{SESSION}.jsonl").read_bytes() == b"theirs"


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_link_in_the_target_is_not_followed(
    place: Place, tmp_path: Path, is_folder: bool
) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    outside, to = tmp_path / "outside", tmp_path / "to"
    outside.mkdir()
    to.mkdir()
    if is_folder:
        (to / SESSION).symlink_to(outside)
    else:
        (to / f"{SESSION}.jsonl").symlink_to(outside / "gone")
    with pytest.raises(Refused, match="link"):
        recover(place.folder, SESSION, str(to))
    assert list(outside.iterdir()) == []


def test_a_device_or_pipe_in_the_target_is_not_opened(place: Place, tmp_path: Path) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    (tmp_path / "to").mkdir()
    os.mkfifo(tmp_path / "to" / f"{SESSION}.jsonl")
    with pytest.raises(Refused, match="no regular file"):
        recover(place.folder, SESSION, str(tmp_path / "to"))


def forged(place: Place, files: tuple[FileRecord, ...]) -> None:
    """An archive with consistent hashes that somebody who knows the format made."""
    with locked_archive(place.folder) as folder:
        record = ArchiveRecord("", "solid", NOW_MS, 0, "", files)
        record = record._replace(file=archive_file_name(record))
        path = os.path.join(place.folder, record.file)
        with open(path, "w+b", buffering=0) as handle:
            real = place.bundle.members[0]
            part = Part(SESSION, lambda: opened_member(real), files[0].size_bytes, files[0].sha256)
            write_container(handle.fileno(), record, [part])
            size, digest = os.fstat(handle.fileno()).st_size, sha256_of(handle.fileno())
        save(folder, Manifest((record._replace(size_bytes=size, sha256=digest),)))


HOSTILE = ["/etc/cron.d/x", "../x", "a/../../x", "..", ".", "", "a//b", "a\0b", "a/", "./a"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_forged_name_is_refused(place: Place, tmp_path: Path, name: str) -> None:
    honest = pack(place.folder, [place.bundle], NOW_MS).files[0]
    os.unlink(os.path.join(place.folder, "manifest.json"))
    forged(place, (honest._replace(name=name),))
    before = tree(tmp_path)
    with pytest.raises(Refused, match="names a file"):
        recover(place.folder, SESSION, str(tmp_path / "to" / "deep"))
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "change", [{"mode": 0o4755}, {"mode": -1}, {"size_bytes": -1}, {"sha256": "x"}]
)
def test_forged_facts_are_refused(place: Place, tmp_path: Path, change: dict[str, Any]) -> None:
    honest = pack(place.folder, [place.bundle], NOW_MS)
    with locked_archive(place.folder) as folder:
        files = (honest.files[0]._replace(**change), *honest.files[1:])
        save(folder, Manifest((honest._replace(files=files),)))
    with pytest.raises(Refused, match="impossible things"):
        recover(place.folder, SESSION, str(tmp_path / "to"))


@pytest.mark.parametrize("session", ["", "..", "../x", "a/b", ".hidden", "a\0"])
def test_a_forged_session_is_refused(place: Place, tmp_path: Path, session: str) -> None:
    honest = pack(place.folder, place.group, NOW_MS)
    with locked_archive(place.folder) as folder:
        files = (honest.files[0]._replace(session=session), *honest.files[1:])
        save(folder, Manifest((honest._replace(files=files),)))
    for asked in (session, OTHER):
        with pytest.raises(Refused, match="impossible name"):
            recover(place.folder, asked, str(tmp_path / "to"))


def test_a_file_that_a_manifest_gives_to_another_session_is_refused(
    place: Place, tmp_path: Path
) -> None:
    honest = pack(place.folder, place.group, NOW_MS)
    with locked_archive(place.folder) as folder:
        files = (honest.files[0]._replace(session=OTHER), *honest.files[1:])
        save(folder, Manifest((honest._replace(files=files),)))
    with pytest.raises(SourceUnreadable, match="not what the manifest says"):
        recover(place.folder, OTHER, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == {}


def test_a_forged_archive_name_leads_nowhere(place: Place, tmp_path: Path) -> None:
    honest = pack(place.folder, [place.bundle], NOW_MS)
    with locked_archive(place.folder) as folder:
        save(folder, Manifest((honest._replace(file="../../../secret.zst"),)))
    with pytest.raises(Refused, match="impossible name"):
        recover(place.folder, SESSION, str(tmp_path / "to"))


def test_a_manifest_that_differs_from_the_archives_own_word_is_refused(
    place: Place, tmp_path: Path
) -> None:
    honest = pack(place.folder, [place.bundle], NOW_MS)
    with locked_archive(place.folder) as folder:
        files = (honest.files[0]._replace(name=".bashrc"), *honest.files[1:])
        save(folder, Manifest((honest._replace(files=files),)))
    with pytest.raises(SourceUnreadable, match="not what the manifest says"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == {}


def test_a_bomb_is_not_unpacked(place: Place, tmp_path: Path) -> None:
    write_tree(place.source, {"zeros.jsonl": bytes(3_000_000)})
    bundle = Bundle(SESSION, (Member("zeros.jsonl", str(place.source / "zeros.jsonl")),))
    pack(place.folder, [bundle], NOW_MS)
    for caps in (Caps(bytes=2_000_000), Caps(ratio=100, ratio_free_bytes=1_000_000)):
        with pytest.raises(Refused, match="would unpack to 3,000,000 bytes"):
            recover(place.folder, SESSION, str(tmp_path / "to"), caps=caps)
    assert not (tmp_path / "to").exists()


def test_an_archive_that_holds_more_than_it_says_is_cut_off(place: Place, tmp_path: Path) -> None:
    honest = pack(place.folder, [place.bundle], NOW_MS)
    path = os.path.join(place.folder, honest.file)
    with open(path, "ab") as handle:
        handle.write(zstandard.ZstdCompressor().compress(b"x" * 1_000_000))
    with locked_archive(place.folder) as folder, open(path, "rb") as handle:
        changed = honest._replace(
            size_bytes=os.path.getsize(path), sha256=sha256_of(handle.fileno())
        )
        save(folder, Manifest((changed,)))
    with pytest.raises(SourceUnreadable, match="more than its files"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == {}


def test_the_newest_archive_is_given_unless_one_is_named(place: Place, tmp_path: Path) -> None:
    first = pack(place.folder, [place.bundle], NOW_MS)
    transcript = place.source / f"{SESSION}.jsonl"
    with open(transcript, "ab") as handle:
        handle.write(b"later\n")
    pack(place.folder, [place.bundle], NOW_MS + 1)
    recover(place.folder, SESSION, str(tmp_path / "new"))
    recover(place.folder, SESSION, str(tmp_path / "old"), archive_file=first.file)
    name = f"{SESSION}.jsonl"
    assert (tmp_path / "new" / name).read_bytes() == FILES[name] + b"later\n"
    assert (tmp_path / "old" / name).read_bytes() == FILES[name]


def test_an_unknown_session_and_a_damaged_archive_are_named(place: Place, tmp_path: Path) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    with pytest.raises(SourceUnreadable, match="has no session"):
        recover(place.folder, "other", str(tmp_path / "to"))
    os.truncate(os.path.join(place.folder, record.file), 20)
    with pytest.raises(SourceUnreadable, match="damaged"):
        recover(place.folder, SESSION, str(tmp_path / "to"))
    assert tree(tmp_path / "to") == {}


def test_a_target_that_is_a_file_is_named(place: Place, tmp_path: Path) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    (tmp_path / "to").write_bytes(b"")
    with pytest.raises(ProjectUnusable):
        recover(place.folder, SESSION, str(tmp_path / "to"))


def test_what_a_killed_recovery_left_goes_after_an_hour(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    pack(place.folder, [place.bundle], NOW_MS)
    to = tmp_path / "to"
    write_tree(to, {f"{STAGING}old/0": b"half", f"{STAGING}young/0": b"half"})
    os.utime(to / f"{STAGING}old", ns=(OLD_NS, OLD_NS))
    recover(place.folder, SESSION, str(to))
    assert [path.name for path in to.glob(f"{STAGING}*")] == [f"{STAGING}young"]


def test_files_of_several_folders_have_no_one_root(place: Place) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    files = (record.files[0]._replace(path="/elsewhere"), *record.files[1:])
    assert original_root(record._replace(files=files), SESSION) is None
