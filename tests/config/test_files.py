import os
import socket
from pathlib import Path

import pytest

from tokenbudget.config.files import MOST_BYTES, read_regular


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 200_000)

    assert read_regular(str(path)) == b"x" * 200_000


@pytest.mark.parametrize("name", ["none", "none/deeper", "f/under-a-file"])
def test_what_is_not_there_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "f").write_text("")

    assert read_regular(str(tmp_path / name)) is None


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="no regular file"):
        read_regular(str(tmp_path / "pipe"))


def test_a_folder_a_device_and_a_socket_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        for path in (str(tmp_path), "/dev/zero", "s"):
            with pytest.raises(OSError):  # noqa: PT011 (each in its own words)
                read_regular(path)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(OSError, match="symbolic links"):
        read_regular(str(tmp_path / "a"))


def test_a_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as handle:
        handle.truncate(100_000_000)

    with pytest.raises(OSError, match="more than 4 MB"):
        read_regular(str(path))


def test_the_largest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * MOST_BYTES)

    assert len(read_regular(str(path)) or b"") == MOST_BYTES


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(OSError, match="null character"):
        read_regular("a\0b")
