import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.claude_code.reading import PROPERTY

from tokenbudget.sources.claude_code.paths import (
    FINGERPRINT_BYTES,
    find_transcripts,
    fingerprint,
    is_subagent_file,
    project_root,
    session_of,
)

Result = TypeVar("Result")


def write(path: Path, data: bytes | bytearray = b"{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def names_below(*tops: Path) -> list[str]:
    """The names of all transcripts found, sorted; all folders must be readable."""
    found = find_transcripts([str(top) for top in tops])
    assert found.unreadable == []
    return sorted(os.path.basename(file.path) for file in found.files)


# ── finding ───────────────────────────────────────────────────────────────────────────────────────


def test_transcripts_of_every_depth_are_found(tmp_path: Path) -> None:
    write(tmp_path / "p/a.jsonl")
    write(tmp_path / "p/a/subagents/agent-b.jsonl")
    write(tmp_path / "p/a/subagents/workflows/agent-c.jsonl")
    write(tmp_path / "p/a/tool-results/x.txt")
    write(tmp_path / "p/agent-d.meta.json")
    assert names_below(tmp_path) == ["a.jsonl", "agent-b.jsonl", "agent-c.jsonl"]


def test_a_found_file_is_told_with_what_shows_a_change(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", b"12345")
    status = path.stat()
    (found,) = find_transcripts([str(tmp_path)]).files
    assert found == (str(path), 5, status.st_mtime_ns, status.st_ino)


def test_a_top_that_is_a_file_is_that_file_whatever_its_name(tmp_path: Path) -> None:
    assert names_below(write(tmp_path / "export.txt")) == ["export.txt"]


def test_a_top_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert names_below(tmp_path / "none") == []


def test_a_folder_with_the_name_of_a_transcript_is_none(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    assert names_below(tmp_path) == []


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    write(tmp_path / "p/a.jsonl")
    (tmp_path / "p/again").symlink_to(tmp_path, target_is_directory=True)
    assert names_below(tmp_path) == ["a.jsonl"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_folder_inside_another_one_is_read_once(tmp_path: Path, order: tuple[int, int]) -> None:
    write(tmp_path / "p/a.jsonl")
    tops = [tmp_path, tmp_path / "p"]
    assert names_below(*[tops[i] for i in order]) == ["a.jsonl"]


def test_a_linked_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/a.jsonl")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert names_below(top) == ["a.jsonl"]


def test_links_to_nowhere_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "none")
    (tmp_path / "gone").symlink_to(tmp_path / "none")
    write(tmp_path / "a.jsonl")
    assert names_below(tmp_path) == ["a.jsonl"]


def test_a_link_to_itself_hides_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "loop.jsonl").symlink_to("loop.jsonl")
    for name in "abcdef":
        write(tmp_path / f"{name}.jsonl")
    found = find_transcripts([str(tmp_path)])
    assert len(found.files) == 6
    assert [path for path, _ in found.unreadable] == [str(tmp_path / "loop")]


def test_a_folder_that_may_not_be_listed_is_named_and_the_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "closed/a.jsonl")
    write(tmp_path / "open/b.jsonl")
    monkeypatch.setattr(os, "scandir", refusing(tmp_path / "closed", os.scandir))
    found = find_transcripts([str(tmp_path)])
    assert [os.path.basename(file.path) for file in found.files] == ["b.jsonl"]
    assert found.unreadable == [(str(tmp_path / "closed"), "Permission denied")]


def test_a_top_that_may_not_be_looked_at_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "stat", refusing(tmp_path, os.stat))
    assert find_transcripts([str(tmp_path)]).unreadable == [(str(tmp_path), "Permission denied")]


def refusing(folder: Path, real: Callable[[str], Result]) -> Callable[[str], Result]:
    """The function, but refused for one folder."""

    def guarded(path: str) -> Result:
        if path == str(folder):
            raise PermissionError(13, "Permission denied")
        return real(path)

    return guarded


def test_names_that_are_not_utf_8_are_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.jsonl")
    write(tmp_path / name)
    assert names_below(tmp_path) == [name]


# ── what a place says ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "session", "is_subagent"),
    [
        ("/c/projects/-srv-a/5f.jsonl", "5f", False),
        ("/c/projects/-srv-a/agent-9.jsonl", "agent-9", True),
        ("/c/projects/-srv-a/5f/subagents/agent-9.jsonl", "5f", True),
        ("/c/projects/-srv-a/5f/subagents/workflows/agent-9.jsonl", "5f", True),
        ("/c/subagents-of-mine/projects/-srv-a/5f.jsonl", "5f", False),
        ("/c/subagents-of-mine/-srv-a/5f/subagents/agent-9.jsonl", "5f", True),
        ("5f.jsonl", "5f", False),
        ("/c/export.txt", "export.txt", False),
    ],
)
def test_a_file_s_place_names_its_session(path: str, session: str, is_subagent: bool) -> None:
    assert (session_of(path), is_subagent_file(path)) == (session, is_subagent)


# ── fingerprints ──────────────────────────────────────────────────────────────────────────────────


def sums(path: Path, end: int) -> tuple[int, int]:
    with path.open("rb") as handle:
        return fingerprint(handle.fileno(), end)


@PROPERTY
@given(st.binary(max_size=50), st.binary(max_size=50))
def test_appending_leaves_the_fingerprint(tmp_path: Path, data: bytes, more: bytes) -> None:
    before = sums(write(tmp_path / "a", data), len(data))
    assert sums(write(tmp_path / "a", data + more), len(data)) == before


@pytest.mark.parametrize("position", [0, FINGERPRINT_BYTES - 1, 10_000 - FINGERPRINT_BYTES, 9_999])
def test_a_change_near_an_edge_shows(tmp_path: Path, position: int) -> None:
    data = bytearray(b"x" * 10_000)
    before = sums(write(tmp_path / "a", data), len(data))
    data[position] = 0
    assert sums(write(tmp_path / "a", data), len(data)) != before


# ── projects ──────────────────────────────────────────────────────────────────────────────────────


def git(folder: Path, *arguments: str) -> None:
    quiet = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=quiet, check=True, capture_output=True
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A real one, with one commit."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "first")
    return folder


@pytest.mark.parametrize(
    "place", ["repo/.claude/worktrees/x", "repo/.worktrees/x", "home/.worktrees/x", "beside"]
)
def test_a_worktree_folds_into_its_repository(tmp_path: Path, repository: Path, place: str) -> None:
    tree = tmp_path / place
    git(repository, "worktree", "add", "--quiet", str(tree))
    (tree / "src").mkdir()
    for cwd in (tree, tree / "src"):
        assert project_root(str(cwd), str(tmp_path / "home")) == str(repository)


def test_a_folder_of_a_repository_belongs_to_it(repository: Path) -> None:
    inner = repository / "a" / "b"
    inner.mkdir(parents=True)
    assert project_root(str(inner), "/home/me") == str(repository)
    assert project_root(str(inner / "gone"), "/home/me") == str(repository)


def test_a_submodule_is_a_project_of_its_own(repository: Path) -> None:
    module = repository / "module"
    write(module / ".git", b"gitdir: ../.git/modules/module\n")
    assert project_root(str(module), "/home/me") == str(module)


def test_worktrees_of_a_bare_repository_are_one_project(tmp_path: Path, repository: Path) -> None:
    bare = tmp_path / "shop.git"
    git(repository, "clone", "--quiet", "--bare", ".", str(bare))
    for name in ("one", "two"):
        git(bare, "worktree", "add", "--quiet", str(tmp_path / name))
        assert project_root(str(tmp_path / name), "/home/me") == str(bare)


def test_a_worktree_of_a_submodule_folds_into_the_submodule(tmp_path: Path) -> None:
    write(
        tmp_path / "g" / ".git" / "modules" / "sub" / "config",
        b"[core]\n\tworktree = ../../../sub\n",
    )
    write(tmp_path / "wt" / ".git", b"gitdir: ../g/.git/modules/sub/worktrees/wt\n")
    assert project_root(str(tmp_path / "wt"), "/home/me") == str(tmp_path / "g" / "sub")


def test_a_relative_pointer_is_followed(tmp_path: Path, repository: Path) -> None:
    write(tmp_path / "tree" / ".git", b"gitdir: ../repo/.git/worktrees/tree\n")
    assert project_root(str(tmp_path / "tree"), "/home/me") == str(repository)


@pytest.mark.parametrize(
    ("cwd", "root"),
    [
        ("/none/repo/.claude/worktrees/x", "/none/repo"),
        ("/none/repo/.claude/worktrees/x/src", "/none/repo"),
        ("/none/repo/.worktrees/x", "/none/repo"),
        ("/none/repo/.git/worktrees/x", "/none/repo"),
        ("/none/me/.worktrees/x", "/none/me/.worktrees/x"),
        ("/.worktrees/x", "/.worktrees/x"),
        ("/none/repo", "/none/repo"),
    ],
)
def test_a_directory_that_is_gone_is_folded_by_the_shape_of_its_path(cwd: str, root: str) -> None:
    assert project_root(cwd, home="/none/me") == root


def test_a_home_that_is_a_repository_swallows_no_project(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "HEAD")
    inner = tmp_path / "work"
    inner.mkdir()
    assert project_root(str(inner), home=str(tmp_path)) == str(inner)


@pytest.mark.parametrize("cwd", ["", "/", "relative", "C:\\work", "/a\0b", "/" + "x" * 9000])
def test_a_strange_directory_is_its_own_project(cwd: str) -> None:
    assert project_root(cwd, "/none/me") == cwd


def test_a_file_named_git_that_points_nowhere_still_marks_a_project(tmp_path: Path) -> None:
    write(tmp_path / "a" / ".git", b"\xff\x00 no pointer")
    assert project_root(str(tmp_path / "a"), "/none/me") == str(tmp_path / "a")
