"""The daemon's folder and its secret are the user's own, or nothing is done with them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tokenbudget.gateway.daemon.places import default_port, made_run_folder
from tokenbudget.gateway.daemon.secret import known_secret, remove_secret, secret_of
from tokenbudget.model.errors import ProjectUnusable, Refused


def test_the_folder_is_for_nobody_else_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = Path(made_run_folder(str(tmp_path / "home")))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o700
    path.chmod(0o777)
    made_run_folder(str(tmp_path / "home"))
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_a_link_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="is no folder"):
        made_run_folder(str(tmp_path))
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o755
    (tmp_path / "run").unlink()
    (tmp_path / "run").write_text("")
    with pytest.raises(Refused, match="is no folder"):
        made_run_folder(str(tmp_path))


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(Refused, match="another user"):
        made_run_folder(str(tmp_path))


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectUnusable, match="hooks go on without a daemon"):
        made_run_folder(str(tmp_path / "file/home"))


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert known_secret(str(tmp_path)) == ""
    first = secret_of(str(tmp_path))
    assert len(first) == 64
    assert secret_of(str(tmp_path)) == known_secret(str(tmp_path)) == first
    assert (tmp_path / "run/secret").stat().st_mode & 0o777 == 0o600
    assert remove_secret(str(tmp_path))
    assert not remove_secret(str(tmp_path))
    assert secret_of(str(tmp_path)) != first


def test_many_that_make_it_at_once_have_the_same(tmp_path: Path) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(secret_of(str(tmp_path)))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(made) == {known_secret(str(tmp_path))}


@pytest.mark.parametrize("text", ["", "x" * 64, "5e" * 31, "5e" * 33, "\x00" * 64])
def test_a_damaged_secret_is_made_anew(tmp_path: Path, text: str) -> None:
    made_run_folder(str(tmp_path))
    path = tmp_path / "run/secret"
    path.write_text(text)
    path.chmod(0o600)
    assert known_secret(str(tmp_path)) == ""
    assert len(secret_of(str(tmp_path))) == 64


def test_a_secret_that_others_could_read_or_place_is_none(tmp_path: Path) -> None:
    secret_of(str(tmp_path))
    path = tmp_path / "run/secret"
    path.chmod(0o640)
    with pytest.raises(Refused, match="read by others"):
        secret_of(str(tmp_path))
    path.chmod(0o600)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(Refused, match="is a link"):
        known_secret(str(tmp_path))
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(Refused, match="no file of yours"):
        known_secret(str(tmp_path))


def test_a_users_port_is_his_own_and_stays() -> None:
    assert default_port(1000) == 27_200
    assert all(27_100 <= default_port(user) < 28_000 for user in range(70_000))
