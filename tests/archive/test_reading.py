"""Copies of archived sessions: whole or not at all, and nowhere but in the folder given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.archive.conftest import Place
from tests.archive.sessions import FILES, NOW_MS, OTHER, OTHERS_FILES, SESSION, tree

from tokenbudget.archive.folder import locked_archive, save
from tokenbudget.archive.manifest import Caps, Manifest
from tokenbudget.archive.pack import pack
from tokenbudget.archive.reading import copied_session
from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable


@pytest.fixture
def to(tmp_path: Path) -> Path:
    folder = tmp_path / "to"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("session", "files"), [(SESSION, FILES), (OTHER, OTHERS_FILES)], ids=["first", "last"]
)
def test_each_origin_leads_to_a_copy(
    place: Place, to: Path, session: str, files: dict[str, bytes]
) -> None:
    record = pack(place.folder, place.group, NOW_MS)
    copies = copied_session(place.folder, record.file, session, str(to))
    assert {path: Path(copy).read_bytes() for path, copy in copies.items()} == {
        str(place.source / name): data for name, data in files.items()
    }
    assert {mode for _, mode in tree(to).values()} == {0o600}
    assert len(tree(to)) == len(files)


def test_what_is_not_there_is_named(place: Place, to: Path) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    for file, session in ((record.file, "other"), ("other.zst", SESSION)):
        with pytest.raises(SourceUnreadable, match="not listed"):
            copied_session(place.folder, file, session, str(to))
    os.unlink(os.path.join(place.folder, record.file))
    with pytest.raises(SourceUnreadable, match="cannot read"):
        copied_session(place.folder, record.file, SESSION, str(to))


def test_every_flipped_byte_of_the_sessions_part_is_noticed(place: Place, tmp_path: Path) -> None:
    """The archive file as a whole is not hashed here: each copy is."""
    record = pack(place.folder, [place.bundle], NOW_MS)
    path = Path(place.folder, record.file)
    whole = path.read_bytes()
    good = {str(place.source / name): data for name, data in FILES.items()}
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        to = tmp_path / str(at)
        to.mkdir()
        try:
            copies = copied_session(place.folder, record.file, SESSION, str(to))
        except SourceUnreadable:
            continue
        assert {path: Path(copy).read_bytes() for path, copy in copies.items()} == good, at


def test_a_forged_manifest_leads_nowhere(place: Place, to: Path, tmp_path: Path) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    for name in ("../x", "/etc/x", "a\0b"):
        files = (record.files[0]._replace(name=name), *record.files[1:])
        with locked_archive(place.folder) as folder:
            save(folder, Manifest((record._replace(files=files),)))
        with pytest.raises(Refused, match="names a file"):
            copied_session(place.folder, record.file, SESSION, str(to))
    assert tree(to) == {}


def test_a_bomb_is_not_unpacked(place: Place, to: Path) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    with pytest.raises(Refused, match="would unpack to"):
        copied_session(place.folder, record.file, SESSION, str(to), Caps(bytes=100))
    assert tree(to) == {}


def test_a_folder_that_is_not_empty_is_not_written_over(place: Place, to: Path) -> None:
    record = pack(place.folder, [place.bundle], NOW_MS)
    (to / "0").write_bytes(b"mine")
    with pytest.raises(ProjectUnusable, match="cannot write"):
        copied_session(place.folder, record.file, SESSION, str(to))
    assert (to / "0").read_bytes() == b"mine"
