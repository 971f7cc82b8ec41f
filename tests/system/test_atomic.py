"""A reader sees the old file or the new one, never a part, whatever fails."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenbudget.system.atomic import write_atomic


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_bytes(b"old")
    return path


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_new_file_takes_the_old_ones_place(old: Path) -> None:
    write_atomic(str(old), b"new")
    assert old.read_bytes() == b"new"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_failure_before_the_rename_leaves_the_old_file_and_nothing_else(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if step == "write":
        monkeypatch.setattr(os, "fdopen", failing)
    else:
        monkeypatch.setattr(os, step, failing)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(str(old), b"new")
    assert old.read_bytes() == b"old"
    assert list(old.parent.iterdir()) == [old]


def test_a_failure_after_the_rename_leaves_the_new_file_and_nothing_else(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, []

    def failing_for_the_folder(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing_for_the_folder)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomic(str(old), b"new")
    assert old.read_bytes() == b"new"
    assert list(old.parent.iterdir()) == [old]


def test_an_interruption_leaves_no_temporary_file(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(str(old), b"new")
    assert list(old.parent.iterdir()) == [old]


def test_nobody_else_may_read_what_was_written_whatever_the_umask(
    tmp_path: Path, open_umask: None
) -> None:
    write_atomic(str(tmp_path / "a"), b"")
    write_atomic(str(tmp_path / "b"), b"", mode=0o644)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o644


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomic(str(tmp_path / "nowhere" / "a"), b"")


def test_a_bare_name_is_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomic("a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_link_that_somebody_left_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "a").symlink_to("victim")
    (tmp_path / f".a.{os.getpid()}.tmp").symlink_to("victim")
    write_atomic(str(tmp_path / "a"), b"new")
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "a").is_symlink()


def test_no_descriptor_is_left_open(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/dev/fd"))
    write_atomic(str(old), b"new")
    monkeypatch.setattr(os, "replace", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_atomic(str(old), b"newer")
    assert len(os.listdir("/dev/fd")) == before
