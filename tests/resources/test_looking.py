"""Looking is bounded, and stays in the project."""

import os
from pathlib import Path

import pytest
from tests.resources.projects import Project, StillClock

from tokenbudget.resources.looking import Walk, facts_of, is_plainly_inside, names_in, text_at


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


class RunningClock(StillClock):
    """Every look at it takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic_seconds(self) -> float:
        self.seconds += 1
        return self.seconds


def walked(walk: Walk) -> list[str]:
    return [os.path.relpath(folder.path, walk.top) for folder in walk.folders()]


def test_repositories_environments_and_made_folders_are_left_out(project: Project) -> None:
    for name in ("src/a/b.py", "inner/.git/config", "inner/a", ".git/x", "node_modules/a/b.js"):
        project.write(name)
    project.write("env/pyvenv.cfg")
    project.write("web/node_modules/a.js")
    walk = Walk(str(project.path), StillClock())

    assert walked(walk) == [".", "src", "src/a", "web"]
    made = {os.path.relpath(path, project.path) for path in walk.made}
    assert made == {"node_modules", "env", "web/node_modules"}
    assert walk.cut == ""


def test_links_are_not_followed_and_are_no_files(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.bak").write_text("x")
    (project.path / "link").symlink_to(outside)
    (project.path / "loop").symlink_to(project.path)
    (project.path / "file").symlink_to(outside / "a.bak")
    os.mkfifo(project.path / "pipe")
    [top] = Walk(str(project.path), StillClock()).folders()

    assert top.files == ()
    assert top.names == {"link", "loop", "file", "pipe"}


def test_a_walk_ends_and_says_so(project: Project) -> None:
    for number in range(30):
        project.write(f"d{number}/file")
    many = Walk(str(project.path), StillClock(), most_entries=20)
    slow = Walk(str(project.path), RunningClock(), most_seconds=5)

    assert len(walked(many)) < 30
    assert "20 entries" in many.cut
    assert len(walked(slow)) < 10
    assert "5 seconds" in slow.cut


def test_another_file_system_is_not_entered(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("here/a")
    project.write("mounted/a")
    before = os.lstat

    def with_a_mount(path: str) -> os.stat_result:
        facts = before(path)
        if not path.endswith("/mounted"):
            return facts
        return os.stat_result([*facts[:2], facts.st_dev + 1, *facts[3:10]])

    monkeypatch.setattr(os, "lstat", with_a_mount)
    assert walked(Walk(str(project.path), StillClock())) == [".", "here"]


def test_a_folder_that_may_not_be_read_or_is_gone_is_passed_over(project: Project) -> None:
    assert walked(Walk(str(project.path / "gone"), StillClock())) == []
    assert walked(Walk("\0", StillClock())) == []


def test_a_text_is_read_only_inside_and_only_as_a_file(project: Project, tmp_path: Path) -> None:
    tops = (str(project.path),)
    inside = project.write("a.md", "wörds\r\n")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    os.mkfifo(project.path / "pipe")
    (project.path / "out").symlink_to(secret)
    (project.path / "in").symlink_to(inside)
    project.write("binary", b"\xff\xfe")
    project.write("large", b"a" * 2_000_000)

    assert text_at(str(inside), tops) == "wörds\r\n"
    assert text_at(str(project.path / "in"), tops) == "wörds\r\n"
    for name in ("pipe", "out", "binary", "large", "gone", "../secret", "\0"):
        assert text_at(os.path.join(project.path, name), tops) is None


def test_files_with_a_second_name_are_not_ours_to_move(project: Project) -> None:
    path = project.write("a.bak")
    facts = facts_of(str(path))
    assert facts is not None
    assert facts.is_ours
    os.link(path, project.path / "b.bak")
    facts = facts_of(str(path))
    assert facts is not None
    assert not facts.is_ours
    (project.path / "link").symlink_to(path)
    assert facts_of(str(project.path / "link")) is None


def test_a_link_on_the_way_is_seen(project: Project) -> None:
    project.write("real/a")
    (project.path / "link").symlink_to(project.path / "real")
    assert is_plainly_inside(str(project.path / "real/a"), str(project.path))
    assert not is_plainly_inside(str(project.path / "link/a"), str(project.path))
    assert not is_plainly_inside(str(project.path), str(project.path))


def test_the_names_in_a_folder_are_in_order_and_none_where_there_is_no_folder(
    project: Project,
) -> None:
    for name in ("b", "a", "C", ".hidden", "below/x"):
        project.write(name)
    top = str(project.path)

    assert [name for name in names_in(top) if name != ".git"] == [".hidden", "C", "a", "b", "below"]
    assert names_in(f"{top}/none") == names_in(f"{top}/a") == names_in("a\0b") == []
