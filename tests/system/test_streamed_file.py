import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tokenbudget.model.errors import ProjectUnusable
from tokenbudget.system.context_folder import replaced_context_file
from tokenbudget.system.streamed_file import BUFFER_BYTES, replaced_file_at

LARGE = b"x" * (BUFFER_BYTES + 1)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_it_is_there_whole_at_the_end_and_not_before(folder: int, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    with replaced_file_at(folder, "f", 0o640) as handle:
        handle.write(LARGE)
        assert (tmp_path / "f").read_text() == "old"
        handle.write(b"end")

    assert (tmp_path / "f").read_bytes() == LARGE + b"end"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("wrong", [ValueError("x"), KeyboardInterrupt(), OSError(5, "x")])
def test_whatever_is_raised_the_old_one_stays(
    folder: int, tmp_path: Path, wrong: BaseException
) -> None:
    def write() -> None:
        with replaced_file_at(folder, "f") as handle:
            handle.write(LARGE)
            raise wrong

    (tmp_path / "f").write_text("old")
    with pytest.raises(type(wrong)):
        write()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"f": "old"}


@pytest.mark.parametrize("call", ["fsync", "fchmod", "replace"])
def test_at_every_step_the_old_one_stays(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "f").write_text("old")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="no space"), replaced_file_at(folder, "f") as handle:
        handle.write(b"new")
    monkeypatch.undo()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"f": "old"}


def test_a_link_is_replaced_and_not_followed(folder: int, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "f").symlink_to("target")
    with replaced_file_at(folder, "f") as handle:
        handle.write(b"new")

    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "target").read_text() == "old"


def test_what_a_killed_process_left_is_removed(folder: int, tmp_path: Path) -> None:
    stray = tmp_path / f".f.{'0' * 16}.tmp"
    stray.write_text("half")
    os.utime(stray, (1, 1))
    with replaced_file_at(folder, "f") as handle:
        handle.write(b"new")

    assert os.listdir(tmp_path) == ["f"]


def test_our_folder_takes_it_piece_by_piece(tmp_path: Path) -> None:
    with replaced_context_file(str(tmp_path), "token-large.csv") as handle:
        handle.write(LARGE)

    assert (tmp_path / ".claude/context/token-large.csv").read_bytes() == LARGE
    assert (tmp_path / ".claude/context/.gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["other.csv", "token-A", "token-/x", "token-../x", ""])
def test_our_folder_takes_no_foreign_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"), replaced_context_file(str(tmp_path), name):
        raise AssertionError("opened")

    assert os.listdir(tmp_path) == []


def test_what_fails_in_our_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".claude/context/token-x").mkdir(parents=True)

    with (
        pytest.raises(ProjectUnusable, match="token-x"),
        replaced_context_file(str(tmp_path), "token-x") as handle,
    ):
        handle.write(b"new")

    assert os.listdir(tmp_path / ".claude/context") == ["token-x"]
