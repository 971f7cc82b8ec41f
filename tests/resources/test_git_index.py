"""What git tracks, without git."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.resources.projects import Project, git_index

from tokenbudget.resources.git_index import names_in, tracked_in


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_without_a_repository_nothing_is_tracked(project: Project) -> None:
    tracked = tracked_in(str(project.path))
    assert not tracked.has(str(project.path / "a"))
    assert not tracked.has_below(str(project.path))


def test_the_files_of_the_index_are_tracked_and_no_others(project: Project) -> None:
    project.git_index("a.txt", "src/b.txt", "src-old/c.txt")
    tracked = tracked_in(str(project.path))

    assert tracked.has(str(project.path / "src/b.txt"))
    assert not tracked.has(str(project.path / "src/a.txt"))
    assert tracked.has_below(str(project.path / "src"))
    assert not tracked.has_below(str(project.path / "sr"))
    assert tracked.has_below(str(project.path))
    assert not tracked.has("/elsewhere/a.txt")


def test_a_project_inside_a_repository_is_known_by_the_outer_index(project: Project) -> None:
    project.git_index("web/a.txt")
    (project.path / "web").mkdir()
    tracked = tracked_in(str(project.path / "web"))
    assert tracked.has(str(project.path / "web/a.txt"))


def test_a_worktree_points_to_its_index(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "main" / ".git" / "worktrees" / "shop"
    folder.mkdir(parents=True)
    (folder / "index").write_bytes(git_index(["a.txt"]))
    (project.path / ".git").write_text(f"gitdir: {folder}\n")
    assert tracked_in(str(project.path)).has(str(project.path / "a.txt"))


def with_sum(data: bytes) -> bytes:
    return data + hashlib.sha1(data, usedforsecurity=False).digest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DIRC",
        git_index(["a"], version=4),
        git_index(["a"])[:-1] + b"x",  # another sum
        with_sum(git_index(["a"])[:-20] + b"link" + (4).to_bytes(4, "big") + b"abcd"),
        with_sum(git_index(["a"])[:-20] + b"TREE" + (99).to_bytes(4, "big")),
        with_sum(b"DIRC" + (2).to_bytes(4, "big") + (2**31).to_bytes(4, "big")),
    ],
)
def test_an_index_that_is_not_understood_tracks_everything(project: Project, data: bytes) -> None:
    project.write(".git/index", data)
    tracked = tracked_in(str(project.path))
    assert tracked.is_unknown
    assert tracked.has(str(project.path / "anything"))
    assert tracked.has_below(str(project.path / "any"))


def test_a_repository_that_is_a_pipe_or_points_nowhere_tracks_everything(project: Project) -> None:
    os.mkfifo(project.path / ".git")
    assert tracked_in(str(project.path)).is_unknown
    (project.path / ".git").unlink()
    (project.path / ".git").write_text("no pointer")
    assert tracked_in(str(project.path)).is_unknown


def test_a_sparse_index_names_folders() -> None:
    assert names_in(git_index(["src/", "a"])) == ["a", "src/"]


def test_folders_of_a_sparse_index_are_tracked_with_all_in_them(project: Project) -> None:
    project.git_index("src/")
    tracked = tracked_in(str(project.path))
    assert tracked.has(str(project.path / "src/deep/a"))
    assert tracked.has_below(str(project.path / "src/deep"))
    assert not tracked.has(str(project.path / "srcs/a"))


@given(st.binary(max_size=300))
def test_any_bytes_are_an_index_or_refused(data: bytes) -> None:
    for content in (data, with_sum(b"DIRC\0\0\0\2" + data)):
        try:
            names_in(content)
        except ValueError:
            continue


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), unique=True
    )
)
def test_the_names_that_were_written_are_read(names: list[str]) -> None:
    assert sorted(names_in(git_index(names))) == sorted(names)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("version", ["2", "3"])
def test_an_index_that_git_wrote_is_read(tmp_path: Path, version: str) -> None:
    names = ["a", "src/b c.txt", "src/" + "x" * 90 + ".md", "ü.txt"]
    git = ["git", "-c", f"index.version={version}", "-c", "user.name=a", "-c", "user.email=a@b"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*words: str) -> None:
        subprocess.run(
            [*git, *words], cwd=tmp_path, env=environment, check=True, capture_output=True
        )

    run("init", "-q")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    run("add", ".")
    (tmp_path / "later").write_text("x")
    run("add", "-N", "later")  # version 3 is for entries such as this one
    assert set(names_in((tmp_path / ".git/index").read_bytes())) == {*names, "later"}
