"""What is archived was read back and compared; an original is only ever read."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.archive.conftest import Place
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

from tokenbudget.archive import pack as module
from tokenbudget.archive.container import Part, write_container
from tokenbudget.archive.folder import load, locked_archive, opened_archive
from tokenbudget.archive.manifest import ArchiveRecord, Caps, Layout, Manifest
from tokenbudget.archive.pack import Bundle, Member, pack, pack_fit
from tokenbudget.archive.verify import verify
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable


def manifest_of(folder: str) -> Manifest:
    with opened_archive(folder) as descriptor:
        return load(descriptor, folder)


def test_the_record_tells_of_every_file_and_the_originals_stand(place: Place) -> None:
    before = tree(place.source)
    record = pack(place.folder, [place.bundle], NOW_MS)
    assert manifest_of(place.folder).archives == (record,)
    assert [file.name for file in record.files] == list(FILES)
    assert [file.path for file in record.files] == [str(place.source / name) for name in FILES]
    assert {(file.mode, file.mtime_ns) for file in record.files} == {(0o640, OLD_NS)}
    assert tree(place.source) == before
    assert record.size_bytes < record.raw_bytes


def test_the_folder_is_private_and_git_ignores_it(place: Place) -> None:
    os.umask(0o022)
    record = pack(place.folder, [place.bundle], NOW_MS)
    assert os.stat(place.folder).st_mode & 0o777 == 0o700
    assert Path(place.folder, ".gitignore").read_text() == "*\n"
    assert Path(place.folder, record.file).stat().st_mode & 0o777 == 0o600
    assert Path(place.folder, "manifest.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("layout", ["solid", "per-file"])
def test_any_zstd_program_unpacks_the_files_in_order(place: Place, layout: Layout) -> None:
    if shutil.which("zstd") is None:
        pytest.skip("no zstd program here")
    record = pack(place.folder, [place.bundle], NOW_MS, layout=layout)
    path = os.path.join(place.folder, record.file)
    unpacked = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    assert unpacked == b"".join(FILES.values())


def test_again_is_the_same_archive(place: Place) -> None:
    first = pack(place.folder, [place.bundle], NOW_MS)
    assert pack(place.folder, [place.bundle], NOW_MS + 5) == first
    assert manifest_of(place.folder).archives == (first,)


def test_again_after_damage_writes_it_anew(place: Place) -> None:
    first = pack(place.folder, [place.bundle], NOW_MS)
    Path(place.folder, first.file).write_bytes(b"damaged")
    assert pack(place.folder, [place.bundle], NOW_MS + 5).sha256 == first.sha256
    assert verify(place.folder).problems == ()


def test_a_session_that_went_on_becomes_a_second_archive(place: Place) -> None:
    first = pack(place.folder, [place.bundle], NOW_MS)
    with open(place.bundle.members[-1].path, "ab") as transcript:
        transcript.write(b"{}\n")
    second = pack(place.folder, [place.bundle], NOW_MS + 1)
    assert manifest_of(place.folder).of_session(SESSION) == (first, second)


def appending(path: str) -> None:
    with open(path, "ab") as transcript:
        transcript.write(b"{}\n")


def replacing_in_place(path: str) -> None:
    facts = os.stat(path)
    with open(path, "r+b") as transcript:
        transcript.write(b"X")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def swapping(path: str) -> None:
    data = Path(path).read_bytes()
    os.rename(path, f"{path}.old")
    write_tree(Path(path).parent, {Path(path).name: data})


@pytest.mark.parametrize(
    ("meddle", "moment"),
    [
        (appending, "before"),
        (appending, "after"),
        (replacing_in_place, "before"),  # of the same size and time: only the bytes tell
        (swapping, "before"),
        (swapping, "after"),
    ],
)
def test_a_file_written_meanwhile_is_not_archived(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    meddle: Callable[[str], None],
    moment: str,
) -> None:
    path = place.bundle.members[-1].path

    def written(descriptor: int, record: ArchiveRecord, parts: list[Part], *rest: Any) -> None:
        if moment == "before":
            meddle(path)
        write_container(descriptor, record, parts, *rest)
        if moment == "after":
            meddle(path)

    monkeypatch.setattr(module, "write_container", written)
    with pytest.raises(Refused, match="is being written"):
        pack(place.folder, [place.bundle], NOW_MS)
    assert os.listdir(place.folder) == [".gitignore"]


def test_under_a_busy_writer_an_archive_is_whole_lines_or_none(place: Place) -> None:
    path, stop = place.bundle.members[-1].path, threading.Event()
    lines = [0]

    def append() -> None:
        with open(path, "ab", buffering=0) as transcript:
            while not stop.wait(0.001):
                transcript.write(b'{"line":%d}\n' % lines[0])
                lines[0] += 1

    writer = threading.Thread(target=append)
    writer.start()
    outcomes: list[ArchiveRecord | None] = []
    try:
        while len(outcomes) < 20 or (None not in outcomes and len(outcomes) < 1_000):
            try:
                outcomes.append(pack(place.folder, [place.bundle], NOW_MS))
            except Refused:
                outcomes.append(None)
    finally:
        stop.set()
        writer.join()
    assert None in outcomes
    assert verify(place.folder).problems == ()
    assert Path(path).read_bytes().count(b'"line"') == lines[0]


def test_a_second_archiver_is_turned_away_and_harms_nothing(place: Place) -> None:
    with (
        locked_archive(place.folder),
        pytest.raises(Refused, match="another process is writing"),
    ):
        pack(place.folder, [place.bundle], NOW_MS)
    pack(place.folder, [place.bundle], NOW_MS)
    assert verify(place.folder).problems == ()


def test_many_archivers_at_once_leave_one_whole_archive(place: Place) -> None:
    outcomes: list[str] = []

    def archive() -> None:
        try:
            outcomes.append(pack(place.folder, [place.bundle], NOW_MS).file)
        except Refused:
            outcomes.append("refused")

    threads = [threading.Thread(target=archive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len(set(outcomes) - {"refused"}) == 1
    assert verify(place.folder).problems == ()
    assert verify(place.folder).archives == 1


def test_links_special_files_and_second_names_are_left_alone(place: Place, tmp_path: Path) -> None:
    target = tmp_path / "secret"
    target.write_bytes(b"secret")
    (tmp_path / "link").symlink_to(target)
    os.link(target, tmp_path / "hard")
    os.mkfifo(tmp_path / "fifo")
    for name, words in {"link": "a link", "hard": "hard link", "fifo": "no regular"}.items():
        bundle = Bundle(SESSION, (Member("a.jsonl", str(tmp_path / name)),))
        with pytest.raises(Refused, match=words):
            pack(place.folder, [bundle], NOW_MS)


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "a//b", ".", "", "a\0b", "a" * 300]
)
def test_impossible_names_are_refused(place: Place, name: str) -> None:
    bundle = Bundle(SESSION, (Member(name, place.bundle.members[0].path),))
    with pytest.raises(Refused, match="names a file"):
        pack(place.folder, [bundle], NOW_MS)


@pytest.mark.parametrize("session", ["", "..", "a/b", ".hidden", "a\0", "x" * 129, "ü"])
def test_impossible_sessions_are_refused(place: Place, session: str) -> None:
    with pytest.raises(Refused, match="impossible name"):
        pack(place.folder, [Bundle(session, place.bundle.members)], NOW_MS)


def test_no_files_one_name_twice_and_a_file_that_is_a_folder_are_refused(place: Place) -> None:
    path = place.bundle.members[0].path
    for names in ((), ("a", "a"), ("a", "a/b")):
        bundle = Bundle(SESSION, tuple(Member(name, path) for name in names))
        with pytest.raises(Refused, match=r"0 files|twice"):
            pack(place.folder, [bundle], NOW_MS)


def test_a_path_must_be_absolute_and_there(place: Place) -> None:
    with pytest.raises(Refused, match="no absolute path"):
        pack(place.folder, [Bundle(SESSION, (Member("a", "a"),))], NOW_MS)
    with pytest.raises(SourceUnreadable, match="cannot read"):
        pack(place.folder, [Bundle(SESSION, (Member("a", "/nowhere/a"),))], NOW_MS)


def test_nothing_is_archived_that_would_not_be_given_back(place: Place) -> None:
    with pytest.raises(Refused, match="would unpack to"):
        pack(place.folder, [place.bundle], NOW_MS, caps=Caps(bytes=100))
    with pytest.raises(Refused, match="would unpack to"):
        pack(place.folder, [place.bundle], NOW_MS, caps=Caps(ratio=1, ratio_free_bytes=0))
    assert os.listdir(place.folder) == [".gitignore"]


def test_a_link_on_the_way_to_the_archive_is_refused(place: Place, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (place.project / ".claude").symlink_to(outside)
    with pytest.raises(Refused, match="is a link or no folder"):
        pack(place.folder, [place.bundle], NOW_MS)
    assert list(outside.iterdir()) == []


def test_a_project_that_is_gone_is_named(place: Place) -> None:
    place.project.rmdir()
    with pytest.raises(ProjectUnusable, match="No such file"):
        pack(place.folder, [place.bundle], NOW_MS)


def test_a_disk_that_keeps_other_bytes_is_noticed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def lying(descriptor: int, data: bytes) -> int:
        return real(descriptor, bytes([data[0] ^ 1]) + bytes(data[1:]))

    before = tree(place.source)
    monkeypatch.setattr(os, "write", lying)
    with pytest.raises(ProjectUnusable, match="does not read back"):
        pack(place.folder, [place.bundle], NOW_MS)
    assert os.listdir(place.folder) == [".gitignore"]
    assert tree(place.source) == before


def test_a_killed_writers_temporary_file_is_removed(place: Place) -> None:
    pack(place.folder, [place.bundle], NOW_MS)
    stray = Path(place.folder, ".x.zst.tmp")
    stray.write_bytes(b"half")
    pack(place.folder, [place.bundle], NOW_MS)
    assert not stray.exists()


def test_a_group_is_one_archive_file_that_tells_its_sessions_apart(place: Place) -> None:
    record = pack(place.folder, place.group, NOW_MS)
    assert record.sessions == (SESSION, OTHER)
    assert [file.name for file in record.files_of(OTHER)] == list(OTHERS_FILES)
    assert record.raw_bytes == sum(map(len, [*FILES.values(), *OTHERS_FILES.values()]))
    assert manifest_of(place.folder).of_session(OTHER) == (record,)
    assert pack(place.folder, place.group, NOW_MS + 5) == record
    assert verify(place.folder).archives == 1


def test_together_they_are_smaller_than_apart(place: Place) -> None:
    one, other = place.group
    together = pack(place.folder, [one, other], NOW_MS).size_bytes
    apart = [pack(place.folder, [bundle], NOW_MS).size_bytes for bundle in (one, other)]
    assert together < sum(apart)


def test_progress_tells_how_many_bytes_are_done(place: Place) -> None:
    write_tree(place.source, {f"{SESSION}.jsonl": bytes(3_000_000)})
    told: list[int] = []
    record = pack(place.folder, place.group, NOW_MS, progress=told.append)
    assert told == sorted(told)
    assert len(told) > 4
    assert told[-1] == record.raw_bytes
    write_tree(place.source, {f"{SESSION}.jsonl": b"per file"})
    again: list[int] = []
    record = pack(place.folder, place.group, NOW_MS, layout="per-file", progress=again.append)
    assert again[-1] == record.raw_bytes


def test_one_unfit_session_keeps_a_strict_group_out(place: Place) -> None:
    one, other = place.group
    os.unlink(other.members[0].path)
    with pytest.raises(SourceUnreadable, match="cannot read"):
        pack(place.folder, [one, other], NOW_MS)
    assert os.listdir(place.folder) == [".gitignore"]


def test_one_unfit_session_never_keeps_the_others_out(place: Place) -> None:
    one, other = place.group
    impossible = Bundle("ü", one.members)
    linked = Bundle("linked", (Member("l", str(place.source / "l")),))
    (place.source / "l").symlink_to(one.members[0].path)
    empty = Bundle("empty", ())
    packed = pack_fit(place.folder, [linked, one, impossible, empty, other], NOW_MS)
    assert packed.record is not None
    assert packed.record.sessions == (SESSION, OTHER)
    assert {unfit.session: type(unfit.reason) for unfit in packed.unfit} == {
        "linked": Refused,
        "ü": Refused,
        "empty": Refused,
    }
    assert pack_fit(place.folder, [linked], NOW_MS).record is None
    assert pack_fit(place.folder, [], NOW_MS) == (None, ())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_one_that_is_written_meanwhile_is_left_out_and_the_rest_is_packed_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    one, other = place.group

    def written(descriptor: int, record: ArchiveRecord, parts: list[Part], *rest: Any) -> None:
        if moment == "before" and SESSION in record.sessions:
            appending(one.members[-1].path)
        write_container(descriptor, record, parts, *rest)
        if moment == "after" and SESSION in record.sessions:
            appending(one.members[-1].path)

    monkeypatch.setattr(module, "write_container", written)
    packed = pack_fit(place.folder, [one, other], NOW_MS)
    assert packed.record is not None
    assert packed.record.sessions == (OTHER,)
    assert [unfit.session for unfit in packed.unfit] == [SESSION]
    assert "is being written" in str(packed.unfit[0].reason)
    assert verify(place.folder).problems == ()
    assert manifest_of(place.folder).archives == (packed.record,)


def test_the_bytes_do_not_depend_on_the_machine(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    one = pack(place.folder, place.group, NOW_MS)
    os.unlink(os.path.join(place.folder, one.file))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert pack(place.folder, place.group, NOW_MS).sha256 == one.sha256
