"""Files are held by their descriptors; a name is given only where nothing has it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenbudget.model.errors import Refused, SourceUnreadable
from tokenbudget.system import regular_file as module
from tokenbudget.system.regular_file import (
    copy_verified,
    is_still,
    new_file,
    opened_file,
    opened_folder,
    place,
    quoted,
    version_of,
    write_all,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    with opened_folder(str(tmp_path)) as descriptor:
        yield descriptor


def without_hard_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_a_name_that_is_taken_is_not_given(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    if not has_hard_links:
        monkeypatch.setattr(os, "link", without_hard_links)
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "taken").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        place(folder, "new", folder, "taken")
    place(folder, "new", folder, "free")
    assert (tmp_path / "free").read_bytes() == b"new"
    assert sorted(os.listdir(folder)) == ["free", "taken"]


def test_a_copy_that_does_not_read_back_is_removed(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"words")
    monkeypatch.setattr(module, "write_all", lambda copy, data: write_all(copy, data.upper()))
    with (
        opened_file(folder, "a", "a") as source,
        pytest.raises(OSError, match="does not read back"),
    ):
        copy_verified(source, folder, "b")
    assert os.listdir(folder) == ["a"]


def test_every_byte_is_written_however_few_at_once(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    with new_file(folder, "a") as descriptor, monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda to, data: real(to, data[:3]))
        write_all(descriptor, b"a few words")
    assert (tmp_path / "a").read_bytes() == b"a few words"


def test_another_file_under_the_same_name_is_not_still_the_same(
    folder: int, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"words")
    version = version_of(path.stat())
    assert is_still(folder, "a", version)
    path.rename(tmp_path / "b")
    assert not is_still(folder, "a", version)
    path.symlink_to("b")
    assert not is_still(folder, "a", version)


def test_what_cannot_be_opened_is_named(folder: int, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(Refused, match="is a link"), opened_file(folder, "link", "link"):
        pass
    for name in ("gone", "nul\0"):
        with pytest.raises(SourceUnreadable), opened_file(folder, name, name):
            pass
    for path in (str(tmp_path / "gone"), "nul\0"):
        with pytest.raises(SourceUnreadable), opened_folder(path):
            pass


def test_a_hostile_path_is_shown_without_its_controls() -> None:
    assert quoted("a\x1b]0;title\x07\u202eb\nc") == "'a]0;titleb c'"
