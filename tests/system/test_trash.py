"""What is in the trash comes back as it was, and nothing else is ever touched."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.sessions import NOW_MS, OLD_NS, FakeClock

from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.trash import DAY_MS, Trash


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "notes.md"
    path.parent.mkdir()
    path.write_bytes(b"words")
    path.chmod(0o640)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


@pytest.fixture
def trash(tmp_path: Path) -> Trash:
    return Trash(str(tmp_path / "data"), FakeClock())


@pytest.fixture(params=["one file system", "two file systems"])
def any_trash(
    request: pytest.FixtureRequest, trash: Trash, monkeypatch: pytest.MonkeyPatch
) -> Trash:
    """The same between file systems, which the system says by refusing to rename or link."""
    if request.param == "two file systems":
        apart(monkeypatch)
    return trash


def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("rename", "link"):
        real = getattr(os, name)

        def refusing(old: str, new: str, *, _real: Any = real, **named: Any) -> None:
            if named["src_dir_fd"] != named["dst_dir_fd"]:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            _real(old, new, **named)

        monkeypatch.setattr(os, name, refusing)


def content(trash: Trash) -> Path:
    (found,) = Path(trash.data_dir, "trash").glob("*/content")
    return found


def facts(path: Path) -> tuple[bytes, int, int]:
    return path.read_bytes(), path.stat().st_mode & 0o7777, path.stat().st_mtime_ns


def test_away_and_back_is_the_same_file(any_trash: Trash, file: Path) -> None:
    before = facts(file)
    moved = any_trash.move(str(file), "stale")
    assert not file.exists()
    assert any_trash.listing().discarded == (moved,)
    assert (moved.path, moved.reason, moved.moved_at_ms) == (str(file), "stale", NOW_MS)
    assert (moved.size_bytes, moved.mode, moved.mtime_ns) == (5, 0o640, OLD_NS)
    assert any_trash.give_back(moved.id) == str(file)
    assert facts(file) == before
    assert any_trash.listing().discarded == ()
    assert os.listdir(Path(any_trash.data_dir, "trash")) == []
    assert os.listdir(file.parent) == [file.name]


@settings(max_examples=50, deadline=None)
@given(
    st.binary(min_size=1, max_size=40).filter(lambda n: not {0, 47} & set(n)),
    st.binary(max_size=2_000),
)
def test_any_name_and_any_content_come_back(name: bytes, data: bytes) -> None:
    if name in (b".", b".."):
        return
    with tempfile.TemporaryDirectory() as top:
        trash = Trash(os.path.join(top, "data"), FakeClock())
        path = os.path.join(top, os.fsdecode(name) + "~")
        Path(path).write_bytes(data)
        trash.give_back(trash.move(path, "test").id)
        assert Path(path).read_bytes() == data


def test_the_folders_that_it_lay_in_are_made_again(any_trash: Trash, file: Path) -> None:
    moved = any_trash.move(str(file), "stale")
    file.parent.rmdir()
    any_trash.give_back(moved.id)
    assert file.read_bytes() == b"words"


def test_another_file_there_is_not_overwritten(any_trash: Trash, file: Path) -> None:
    moved = any_trash.move(str(file), "stale")
    file.write_bytes(b"newer")
    with pytest.raises(Refused, match="there already"):
        any_trash.give_back(moved.id)
    assert file.read_bytes() == b"newer"
    assert os.listdir(file.parent) == [file.name]
    other = file.with_name("other.md")
    assert any_trash.give_back(moved.id, str(other)) == str(other)
    assert other.read_bytes() == b"words"


def test_a_link_there_is_not_followed(any_trash: Trash, file: Path, tmp_path: Path) -> None:
    moved = any_trash.move(str(file), "stale")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="there already"):
        any_trash.give_back(moved.id)
    assert not (tmp_path / "elsewhere").exists()


def test_links_folders_pipes_and_second_names_are_left(trash: Trash, file: Path) -> None:
    folder = file.parent
    (folder / "link").symlink_to(file)
    (folder / "sub").mkdir()
    os.mkfifo(folder / "fifo")
    for name in ("link", "sub", "fifo"):
        with pytest.raises(Refused):
            trash.move(str(folder / name), "stale")
    os.link(file, folder / "second")
    with pytest.raises(Refused, match="hard link"):
        trash.move(str(file), "stale")
    with pytest.raises(SourceUnreadable):
        trash.move(str(folder / "gone"), "stale")
    assert trash.listing().discarded == ()
    assert len(os.listdir(folder)) == 5


def test_a_writers_last_words_are_in_the_trash(
    any_trash: Trash, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the file open, and goes on between the last look at it and its move."""
    with open(file, "ab", buffering=0) as writer:
        for name in ("rename", "unlink"):
            real = getattr(os, name)

            def late(old: str, *rest: Any, _real: Any = real, **named: Any) -> None:
                _real(old, *rest, **named)
                if old == file.name and not file.exists():
                    writer.write(b", and more")

            monkeypatch.setattr(os, name, late)
        moved = any_trash.move(str(file), "stale")
    assert content(any_trash).read_bytes() == b"words, and more"
    assert moved.size_bytes == 15
    any_trash.give_back(moved.id)
    assert file.read_bytes() == b"words, and more"


def test_what_is_written_in_the_trash_is_neither_emptied_nor_lost(trash: Trash, file: Path) -> None:
    with open(file, "ab", buffering=0) as writer:
        moved = trash.move(str(file), "stale")
        writer.write(b", much later")
    assert trash.listing() == ((moved,), (moved.id,), ())
    assert trash.empty(-1) == (0, 0)
    trash.give_back(moved.id)
    assert file.read_bytes() == b"words, much later"


def test_a_file_put_in_its_place_meanwhile_stays(
    trash: Trash, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.rename

    def swapped(old: str, new: str, **named: Any) -> None:
        if old == file.name:
            file.unlink()
            file.write_bytes(b"another")
        real(old, new, **named)

    monkeypatch.setattr(os, "rename", swapped)
    with pytest.raises(Refused, match="replaced"):
        trash.move(str(file), "stale")
    assert file.read_bytes() == b"another"


def test_a_damaged_copy_is_not_given_back(any_trash: Trash, file: Path) -> None:
    moved = any_trash.move(str(file), "stale")
    content(any_trash).write_bytes(b"w0rds")
    with pytest.raises(SourceUnreadable, match="damaged"):
        any_trash.give_back(moved.id)
    assert not file.exists()


@pytest.mark.parametrize("identity", ["", "..", "../x", "20260101T000000Z-0123456789abcdef", "a\0"])
def test_an_unknown_entry_is_named(trash: Trash, identity: str) -> None:
    with pytest.raises(SourceUnreadable, match="nothing named"):
        trash.give_back(identity)


@pytest.fixture
def emptied_later(trash: Trash, file: Path) -> tuple[Trash, FakeClock]:
    clock = FakeClock()
    older = Trash(trash.data_dir, clock)
    older.move(str(file), "stale")
    return older, clock


def test_only_what_is_older_is_removed(emptied_later: tuple[Trash, FakeClock]) -> None:
    trash, clock = emptied_later
    clock.ms = NOW_MS + 30 * DAY_MS
    assert trash.empty(30) == (0, 0)
    clock.ms += 1
    assert trash.empty(30) == (1, 5)
    assert trash.listing() == ((), (), ())


def test_only_what_may_go_is_removed(emptied_later: tuple[Trash, FakeClock]) -> None:
    trash, clock = emptied_later
    clock.ms += 100 * DAY_MS

    assert trash.empty(7, lambda found: False).files == 0
    assert trash.empty(7, lambda found: found.size_bytes >= 0).files > 0


def test_a_clock_set_back_removes_nothing(emptied_later: tuple[Trash, FakeClock]) -> None:
    trash, clock = emptied_later
    clock.ms = NOW_MS - 400 * DAY_MS
    assert trash.empty(0) == (0, 0)
    assert len(trash.listing().discarded) == 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"{", b"null", b'{"format": "tokenbudget/trash/2"}', b"\xff", b"[" * 50_000],
)
def test_an_entry_that_tells_nothing_is_named_and_never_removed(
    trash: Trash, file: Path, damage: bytes
) -> None:
    moved = trash.move(str(file), "stale")
    content(trash).with_name("origin.json").write_bytes(damage)
    assert trash.listing() == ((), (), (moved.id,))
    assert trash.empty(-1) == (0, 0)
    assert content(trash).read_bytes() == b"words"


def test_a_forged_origin_leads_nowhere(trash: Trash, file: Path) -> None:
    moved = trash.move(str(file), "stale")
    origin = content(trash).with_name("origin.json")
    told = json.loads(origin.read_text())
    for change in ({"path": "relative"}, {"path": "/a\0"}, {"id": "other"}, {"mtime_ns": "x"}):
        origin.write_text(json.dumps({**told, **change}))
        with pytest.raises(SourceUnreadable, match="damaged"):
            trash.give_back(moved.id)


def test_links_inside_the_trash_are_not_followed(trash: Trash, file: Path, tmp_path: Path) -> None:
    moved = trash.move(str(file), "stale")
    outside = tmp_path / "outside"
    Path(trash.data_dir, "trash", moved.id).rename(outside)
    Path(trash.data_dir, "trash", moved.id).symlink_to(outside)
    assert trash.listing() == ((), (), (moved.id,))
    with pytest.raises(Refused):
        trash.give_back(moved.id)
    assert trash.empty(-1) == (0, 0)
    assert (outside / "content").read_bytes() == b"words"


def test_a_trash_that_is_a_link_is_refused(trash: Trash, file: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "data" / "trash").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused):
        trash.move(str(file), "stale")
    assert file.exists()


def test_listing_makes_nothing(trash: Trash) -> None:
    assert trash.listing() == ((), (), ())
    assert not os.path.exists(trash.data_dir)


def test_everything_in_the_trash_is_private(trash: Trash, file: Path) -> None:
    before = os.umask(0)
    try:
        trash.move(str(file), "stale")
    finally:
        os.umask(before)
    entry = content(trash).parent
    for folder in (entry, entry.parent, Path(trash.data_dir)):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (entry / "origin.json").stat().st_mode & 0o777 == 0o600


def test_a_data_folder_that_cannot_be_made_leaves_the_file(tmp_path: Path, file: Path) -> None:
    (tmp_path / "data").write_bytes(b"a file")
    with pytest.raises(ProjectUnusable):
        Trash(str(tmp_path / "data"), FakeClock()).move(str(file), "stale")
    assert file.read_bytes() == b"words"


def test_one_entry_is_found_by_its_id(trash: Trash, file: Path) -> None:
    assert trash.find("20261120T120000Z-0123456789abcdef") is None
    moved = trash.move(str(file), "test")
    assert trash.find(moved.id) == moved
    assert trash.find("../trash/" + moved.id) is None
    content(trash).unlink()
    assert trash.find(moved.id) is None


def test_a_folder_that_is_held_open_is_the_one_that_counts(trash: Trash, file: Path) -> None:
    """Whatever somebody puts in the place of the path meanwhile."""
    away = file.parent.parent / "away"
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        file.parent.rename(away)
        file.parent.mkdir()
        file.write_bytes(b"another")
        moved = trash.move(str(file), "test", folder)
        assert (file.read_bytes(), list(away.iterdir())) == (b"another", [])
        trash.give_back(moved.id, None, folder)
        assert (file.read_bytes(), (away / file.name).read_bytes()) == (b"another", b"words")
    finally:
        os.close(folder)


def test_what_it_gives_back_into_a_new_folder_is_there_after_a_loss_of_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry goes only after every folder on the way has been synced by the one above."""
    path = tmp_path / "a" / "b" / "notes"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    trash = Trash(str(tmp_path / "data"), FakeClock())
    found = trash.move(str(path), "test")
    path.parent.rmdir()
    path.parent.parent.rmdir()
    synced: list[int] = []
    fsync, unlink = os.fsync, os.unlink

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def checked(name: str, *, dir_fd: int | None = None) -> None:
        if name == "origin.json":
            folders = [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
            assert {folder.stat().st_ino for folder in folders} <= set(synced)
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "unlink", checked)
    trash.give_back(found.id)

    assert path.read_text() == "mine"
    assert trash.listing().discarded == ()
