"""Live first, then the archive, then unknown; and no copy outlives its reader."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from tests.archive.conftest import Place, make_place
from tests.archive.sessions import FILES, NOW_MS, SESSION, write_tree

from tokenbudget.app.archived_bodies import ArchivedBodies, ArchivedWindows
from tokenbudget.archive.pack import pack
from tokenbudget.ledger.archive_index import ArchivedSession
from tokenbudget.sources.claude_code.bodies import LiveTranscripts
from tokenbudget.sources.claude_code.source import ClaudeCode

NAME = f"{SESSION}.jsonl"


class Index:
    """What the ledger's index would say, and how often it was asked."""

    def __init__(self, place: Place) -> None:
        record = pack(place.folder, [place.bundle], NOW_MS)
        files = tuple((file.name, file.path) for file in record.files)
        self.told = ArchivedSession(SESSION, place.folder, record.file, 1, 1, 1, 1, files)
        self.asked: list[str] = []

    def find(self, path: str) -> ArchivedSession | None:
        self.asked.append(path)
        return self.told if path in [path for _, path in self.told.files] else None


class Setting:
    """A place whose session is archived, and a reader of it."""

    def __init__(self, root: Path) -> None:
        self.place = make_place(root)
        self.index = Index(self.place)
        self.bodies = ArchivedBodies(LiveTranscripts(), self.index.find)
        self.path = str(self.place.source / NAME)

    @property
    def lines(self) -> list[bytes]:
        return FILES[NAME].splitlines()

    def lose(self) -> None:
        for name in FILES:
            (self.place.source / name).unlink()


@pytest.fixture
def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return Setting(tmp_path)


def test_a_live_file_is_read_in_its_place_and_the_index_is_not_asked(setting: Setting) -> None:
    assert setting.bodies.line(setting.path, 0) == setting.lines[0]
    assert setting.bodies.line(setting.path, 1 << 30) is None
    assert setting.bodies.place_of(setting.path) == setting.path
    assert not setting.bodies.is_archived(setting.path)
    assert setting.index.asked == []


def test_one_that_is_gone_is_read_out_of_the_archive_and_unpacked_once(setting: Setting) -> None:
    setting.lose()
    assert setting.bodies.is_archived(setting.path)
    offset = 0
    for line in setting.lines:
        assert setting.bodies.line(setting.path, offset) == line
        offset += len(line) + 1
    assert Path(setting.bodies.place_of(setting.path)).read_bytes() == FILES[NAME]
    for name, data in FILES.items():
        copy = setting.bodies.place_of(str(setting.place.source / name))
        assert Path(copy).read_bytes() == data
    (folder,) = os.scandir(tempfile.gettempdir())
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_copies_go_when_the_reader_closes_or_ends(setting: Setting) -> None:
    setting.lose()
    setting.bodies.place_of(setting.path)
    setting.bodies.close()
    assert os.listdir(tempfile.gettempdir()) == []
    setting.bodies.place_of(setting.path)
    assert len(os.listdir(tempfile.gettempdir())) == 1
    setting.bodies = ArchivedBodies(LiveTranscripts(), setting.index.find)
    gc.collect()
    assert os.listdir(tempfile.gettempdir()) == []


def test_what_no_archive_has_is_unknown(setting: Setting) -> None:
    assert setting.bodies.line("/nowhere/a.jsonl", 0) is None
    assert not setting.bodies.is_archived("/nowhere/a.jsonl")
    with pytest.raises(FileNotFoundError):
        setting.bodies.place_of("/nowhere/a.jsonl")
    assert setting.bodies.faults == []


def test_a_damaged_archive_is_told_once_and_its_words_are_unknown(setting: Setting) -> None:
    setting.lose()
    os.truncate(os.path.join(setting.place.folder, setting.index.told.archive_file), 60)
    assert setting.bodies.line(setting.path, 0) is None
    assert setting.bodies.line(setting.path, 0) is None
    with pytest.raises(FileNotFoundError):
        setting.bodies.place_of(setting.path)
    (fault,) = setting.bodies.faults
    assert "archived and cannot be read" in fault
    assert "is damaged" in fault


def test_where_no_copy_can_be_written_the_words_are_unknown(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.lose()
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert setting.bodies.line(setting.path, 0) is None
    assert "No such file" in setting.bodies.faults[0]


def test_an_index_that_promises_what_the_archive_has_not_is_harmless(setting: Setting) -> None:
    setting.lose()
    other = str(setting.place.source / "other.jsonl")
    files = (*setting.index.told.files, ("other.jsonl", other))
    setting.index.told = setting.index.told._replace(files=files)
    assert setting.bodies.line(other, 0) is None


def test_a_window_is_read_and_recognised_out_of_the_archive(setting: Setting) -> None:
    windows = ArchivedWindows(ClaudeCode("/nowhere"), setting.bodies)
    size = len(FILES[NAME])
    live = list(windows.window(setting.path)), windows.fingerprint(setting.path, size)
    setting.lose()
    assert (list(windows.window(setting.path)), windows.fingerprint(setting.path, size)) == live
    assert windows.rebuilt(setting.path, "none") is None
    with pytest.raises(OSError, match="No such file"):
        windows.window("/nowhere/a.jsonl")


def test_one_that_comes_back_is_read_in_its_place_again(setting: Setting) -> None:
    setting.lose()
    setting.bodies.line(setting.path, 0)
    write_tree(setting.place.source, {NAME: b"came back\n"})
    assert setting.bodies.line(setting.path, 0) == b"came back"
