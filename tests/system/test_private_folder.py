"""Folders made for one user, under any umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from tokenbudget.system.private_folder import make_private


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_every_level_that_is_made_is_private(tmp_path: Path, umask: int) -> None:
    make_private(str(tmp_path / "a" / "b" / "c"))
    for made in ("a", "a/b", "a/b/c"):
        assert S_IMODE((tmp_path / made).stat().st_mode) == 0o700


def test_what_is_there_keeps_its_mode(tmp_path: Path, umask: int) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o755)
    make_private(str(tmp_path / "a" / "b"))
    make_private(str(tmp_path / "a"))
    assert S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError):
        make_private(str(tmp_path / "a"))
    with pytest.raises(NotADirectoryError):
        make_private(str(tmp_path / "a" / "b"))
