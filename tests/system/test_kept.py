"""What is kept is what was given, or it is said that it is not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenbudget.model.errors import ProjectUnusable, Refused, SourceUnreadable
from tokenbudget.system.kept import MOST_BYTES, Kept


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(str(tmp_path / "data"))


def place(kept: Kept, name: str = "") -> Path:
    return Path(kept.data_dir, "kept", name)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_what_is_kept_comes_back(kept: Kept, content: bytes) -> None:
    name = kept.put(content)
    assert kept.get(name) == content
    assert kept.put(content) == name


def test_it_is_for_nobody_else(kept: Kept) -> None:
    name = kept.put(b"secret")
    assert stat.S_IMODE(place(kept).stat().st_mode) == 0o700
    assert stat.S_IMODE(place(kept, name).stat().st_mode) == 0o600
    assert [entry.name for entry in place(kept).iterdir()] == [name]


def test_a_damaged_copy_is_told_and_written_anew(kept: Kept) -> None:
    name = kept.put(b"whole")
    place(kept, name).write_bytes(b"wholf")
    with pytest.raises(SourceUnreadable, match="missing or damaged"):
        kept.get(name)
    kept.put(b"whole")
    assert kept.get(name) == b"whole"


@pytest.mark.parametrize("name", ["", "../kept", "a" * 63, "A" * 64, "a" * 64 + "\n", "a" * 64])
def test_what_was_not_kept_is_not_there(kept: Kept, name: str) -> None:
    with pytest.raises(SourceUnreadable):
        kept.get(name)


def test_too_much_is_refused(kept: Kept) -> None:
    assert kept.get(kept.put(b"x" * MOST_BYTES))
    with pytest.raises(Refused, match="nothing was changed"):
        kept.put(b"x" * (MOST_BYTES + 1))


def test_no_link_is_followed(kept: Kept, tmp_path: Path) -> None:
    name = kept.put(b"whole")
    outside = tmp_path / "outside"
    outside.write_bytes(b"whole")
    place(kept, name).unlink()
    place(kept, name).symlink_to(outside)
    with pytest.raises(Refused, match="is a link"):
        kept.get(name)
    with pytest.raises(Refused):
        kept.put(b"whole")
    assert outside.read_bytes() == b"whole"


def test_a_folder_that_is_a_link_is_refused(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    Path(kept.data_dir).mkdir()
    place(kept).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="no folder"):
        kept.put(b"x")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectUnusable, match="cannot keep a copy"):
        Kept(str(tmp_path / "file" / "data")).put(b"x")
    with pytest.raises(SourceUnreadable):
        Kept(str(tmp_path / "file" / "data")).get("a" * 64)


def test_no_descriptor_stays_open(kept: Kept) -> None:
    kept.get(kept.put(b"x"))
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        kept.get(kept.put(b"x"))
    assert len(os.listdir("/dev/fd")) == before
