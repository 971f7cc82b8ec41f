import os
import threading
from pathlib import Path

import pytest

from tokenbudget.app.redaction_key import KEY_NAME, redactor_of


def test_it_is_made_once_and_stays(tmp_path: Path) -> None:
    told: list[str] = []
    first = redactor_of(str(tmp_path / "data"), told.append)
    second = redactor_of(str(tmp_path / "data"), told.append)

    assert first.title("x") == second.title("x")
    assert told == []
    assert os.listdir(tmp_path / "data") == [KEY_NAME]
    assert (tmp_path / "data" / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_two_machines_have_different_ones(tmp_path: Path) -> None:
    one = redactor_of(str(tmp_path / "a"), print)
    other = redactor_of(str(tmp_path / "b"), print)

    assert one.title("x") != other.title("x")


def test_many_at_once_agree(tmp_path: Path) -> None:
    made: list[str] = []
    start = threading.Barrier(8)

    def make() -> None:
        start.wait(5)
        made.append(redactor_of(str(tmp_path), print).title("x"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert len(made) == 8
    assert len(set(made)) == 1
    assert os.listdir(tmp_path) == [KEY_NAME]


@pytest.mark.parametrize("kind", ["short", "folder", "link", "no data folder"])
def test_where_none_can_be_kept_a_passing_one_serves(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "data" / KEY_NAME
    path.parent.mkdir()
    (tmp_path / "elsewhere").write_bytes(b"k" * 32)
    if kind == "short":
        path.write_bytes(b"guess")
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.parent.rmdir()
        path.parent.write_text("a file")
    told: list[str] = []

    first = redactor_of(str(path.parent), told.append)
    second = redactor_of(str(path.parent), told.append)

    assert first.title("x") != second.title("x")
    assert len(told) == 2
    assert KEY_NAME in told[0]
