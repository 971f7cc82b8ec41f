"""What is written into a project stays in it, whatever the project holds already."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tokenbudget.model.errors import ProjectUnusable, Refused, TokenBudgetError
from tokenbudget.system import context_folder as module
from tokenbudget.system.atomic import write_atomic_at
from tokenbudget.system.context_folder import TRACKER, context_folder, write_context_file

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not ours to touch, with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / TRACKER).write_text("theirs")
    return folder


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def everything_in(folder: Path) -> dict[str, bytes | None]:
    """Every path under a folder with what it holds."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


class TestFolder:
    def test_is_made_with_an_ignore_file_and_for_nobody_else(
        self, project: Path, open_umask: None
    ) -> None:
        made = Path(context_folder(str(project)))
        assert made == project / ".claude/context"
        assert everything_in(made) == {".gitignore": b"*\n"}
        assert (mode_of(made), mode_of(made / ".gitignore")) == (0o700, 0o600)

    @pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o077, 0o700), (0o002, 0o775)])
    def test_the_agents_folder_is_made_as_the_agent_would(
        self, project: Path, open_umask: None, umask: int, mode: int
    ) -> None:
        os.umask(umask)
        context_folder(str(project))
        assert mode_of(project / ".claude") == mode
        assert os.listdir(project / ".claude") == ["context"]

    def test_one_that_is_there_keeps_its_mode_and_content(self, project: Path) -> None:
        theirs = project / ".claude/context"
        theirs.mkdir(parents=True)
        theirs.chmod(0o755)
        (theirs / "notes.md").write_text("mine")
        context_folder(str(project))
        assert everything_in(theirs) == {"notes.md": b"mine"}
        assert mode_of(theirs) == 0o755

    def test_twice_is_as_once(self, project: Path) -> None:
        assert context_folder(str(project)) == context_folder(str(project))
        assert os.listdir(project / ".claude") == ["context"]

    def test_git_does_not_see_it(self, project: Path) -> None:
        git = ["git", "-c", "safe.directory=*"]
        env = {"HOME": str(project.parent), "PATH": os.defpath, "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run([*git, "init", "-q", str(project)], check=True, env=env)
        write_context_file(str(project), TRACKER, b"{}")
        told = subprocess.run(
            [*git, "-C", str(project), "status", "--porcelain", "-uall"],
            check=True,
            env=env,
            capture_output=True,
        )
        assert told.stdout == b""

    def test_many_at_once_make_one_folder(self, project: Path) -> None:
        wrong: list[Exception] = []
        gate = threading.Barrier(16)

        def making() -> None:
            try:
                gate.wait()
                write_context_file(str(project), TRACKER, b"{}")
            except Exception as reason:
                wrong.append(reason)

        threads = [threading.Thread(target=making) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert os.listdir(project / ".claude") == ["context"]
        assert everything_in(project / ".claude/context") == {".gitignore": b"*\n", TRACKER: b"{}"}

    def test_a_project_may_be_reached_through_a_link(self, project: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(project)
        write_context_file(str(tmp_path / "link"), TRACKER, b"{}")
        assert (project / ".claude/context" / TRACKER).read_bytes() == b"{}"

    def test_the_home_folder_is_a_project_like_any_other(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(project))
        (project / ".claude").mkdir(mode=0o700)
        (project / ".claude/settings.json").write_text("{}")
        write_context_file(str(project), TRACKER, b"{}")
        assert sorted(os.listdir(project / ".claude")) == ["context", "settings.json"]
        assert mode_of(project / ".claude") == 0o700


class TestRefused:
    """Nothing is written, and it is one sentence with exit code 4."""

    def refused(self, project: Path, outside: Path) -> str:
        """The sentence; the file that is not ours is as it was."""
        before = everything_in(project)
        with pytest.raises(Refused) as told:
            write_context_file(str(project), TRACKER, b"ours")
        assert everything_in(project) == before
        assert everything_in(outside) == {TRACKER: b"theirs"}
        assert told.value.exit_code == 4
        return str(told.value)

    def test_a_link_for_the_agents_folder(self, project: Path, outside: Path) -> None:
        (project / ".claude").symlink_to(outside)
        assert "/.claude' is a link" in self.refused(project, outside)

    @pytest.mark.parametrize("target", ["../../outside", "..", ".", "/", "nowhere"])
    def test_a_link_for_ours(self, project: Path, outside: Path, target: str) -> None:
        (project / ".claude").mkdir()
        (project / ".claude/context").symlink_to(target)
        assert "/.claude/context' is a link" in self.refused(project, outside)

    @pytest.mark.parametrize("name", [".claude", ".claude/context"])
    @pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "fifo"])
    def test_what_is_no_folder(
        self, project: Path, outside: Path, name: str, make: Callable[[Path], None]
    ) -> None:
        (project / name).parent.mkdir(exist_ok=True)
        make(project / name)
        assert f"/{name}' is no folder" in self.refused(project, outside)

    @pytest.mark.parametrize("name", [".claude", ".claude/context"])
    def test_another_users_folder(
        self, project: Path, outside: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / ".claude/context").mkdir(parents=True)
        if IS_ROOT:
            os.chown(project / name, 65_534, 65_534)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
            name = ".claude"
        assert f"/{name}' belongs to another user" in self.refused(project, outside)

    @pytest.mark.parametrize("root", ["/", "//", "/.", "/tmp/.."])
    def test_the_root_is_no_project(self, root: str) -> None:
        with pytest.raises(Refused, match="is no project"):
            context_folder(root)

    def test_a_path_from_wherever_this_runs(
        self, project: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(project)
        with pytest.raises(Refused, match="no absolute path"):
            context_folder(".")
        assert os.listdir(project) == []

    def test_a_folder_swapped_for_a_link_between_two_steps(
        self, project: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context_folder(str(project))
        real = write_atomic_at

        def swapped(folder: int, name: str, data: bytes) -> None:
            (project / ".claude").rename(project / "moved")
            (project / ".claude").symlink_to(outside.parent)
            real(folder, name, data)

        monkeypatch.setattr(module, "write_atomic_at", swapped)
        write_context_file(str(project), TRACKER, b"ours")
        assert everything_in(outside) == {TRACKER: b"theirs"}
        assert (project / "moved/context" / TRACKER).read_bytes() == b"ours"

    @pytest.mark.parametrize("name", ["", "../x", "token-/x", ".gitignore", "token-\0", "TOKEN-a"])
    def test_a_name_that_is_not_ours(self, project: Path, name: str) -> None:
        with pytest.raises(ValueError, match="no name of a file of ours"):
            write_context_file(str(project), name, b"")
        assert os.listdir(project) == []


class TestFile:
    def test_is_replaced_and_for_nobody_else(self, project: Path, open_umask: None) -> None:
        for data in (b"old", b"new"):
            write_context_file(str(project), TRACKER, data)
        folder = project / ".claude/context"
        assert everything_in(folder) == {".gitignore": b"*\n", TRACKER: b"new"}
        assert mode_of(folder / TRACKER) == 0o600

    def test_a_link_in_its_place_is_replaced_and_not_followed(
        self, project: Path, outside: Path
    ) -> None:
        path = Path(context_folder(str(project))) / TRACKER
        path.symlink_to(outside / TRACKER)
        write_context_file(str(project), TRACKER, b"ours")
        assert everything_in(outside) == {TRACKER: b"theirs"}
        assert not path.is_symlink()
        assert path.read_bytes() == b"ours"

    def test_a_link_where_the_temporary_file_would_stand_is_not_followed(
        self, project: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = Path(context_folder(str(project)))
        monkeypatch.setattr(os, "urandom", bytes)
        (folder / f".{TRACKER}.{bytes(8).hex()}.tmp").symlink_to(outside / TRACKER)
        with pytest.raises(ProjectUnusable, match="File exists"):
            write_context_file(str(project), TRACKER, b"ours")
        assert everything_in(outside) == {TRACKER: b"theirs"}

    def test_a_pipe_in_its_place_does_not_hold_anybody_up(self, project: Path) -> None:
        path = Path(context_folder(str(project))) / TRACKER
        os.mkfifo(path)
        write_context_file(str(project), TRACKER, b"ours")
        assert path.read_bytes() == b"ours"

    def test_a_folder_in_its_place_is_told(self, project: Path) -> None:
        (Path(context_folder(str(project))) / TRACKER).mkdir()
        with pytest.raises(ProjectUnusable, match=r"directory"):
            write_context_file(str(project), TRACKER, b"ours")

    @pytest.mark.parametrize("step", ["fdopen", "fsync", "replace", "urandom"])
    def test_a_failure_leaves_the_old_one_and_nothing_else(
        self, project: Path, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_context_file(str(project), TRACKER, b"old")

        def failing(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, step, failing)
        with pytest.raises(ProjectUnusable, match="No space left on device"):
            write_context_file(str(project), TRACKER, b"new")
        monkeypatch.undo()
        assert everything_in(project / ".claude/context") == {
            ".gitignore": b"*\n",
            TRACKER: b"old",
        }

    @pytest.mark.parametrize("step", ["mkdir", "fsync", "replace", "rename"])
    def test_a_failure_while_the_folder_is_made_leaves_none(
        self, project: Path, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        (project / ".claude").mkdir()
        monkeypatch.setattr(os, step, failing)
        with pytest.raises(ProjectUnusable, match="No space left on device"):
            context_folder(str(project))
        assert os.listdir(project / ".claude") == []

    def test_no_descriptor_is_left_open(self, project: Path, outside: Path) -> None:
        before = len(os.listdir("/dev/fd"))
        write_context_file(str(project), TRACKER, b"ours")
        (project / "sub/.claude").mkdir(parents=True)
        (project / "sub/.claude/context").symlink_to(outside)
        for bad in (project / "sub", project / "gone", Path("/")):
            with pytest.raises(TokenBudgetError):
                write_context_file(str(bad), TRACKER, b"ours")
        assert len(os.listdir("/dev/fd")) == before

    def test_what_a_killed_process_left_goes_after_an_hour(self, project: Path) -> None:
        folder = Path(context_folder(str(project)))
        old, fresh = "0123456789abcdef", "f" * 16
        names = [f".{TRACKER}.{part}.tmp" for part in (old, fresh)] + [f".other.{old}.tmp"]
        for name in names:
            (folder / name).touch()
            if old in name:
                os.utime(folder / name, (1, 1))
        write_context_file(str(project), TRACKER, b"ours")
        assert sorted(os.listdir(folder)) == sorted([names[1], names[2], ".gitignore", TRACKER])


class TestUnusable:
    def test_a_project_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(ProjectUnusable, match="No such file") as told:
            context_folder(str(tmp_path / "gone"))
        assert told.value.exit_code == 3
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("project", ["/a\0b", "/\ud800", "/" + "x" * 300])
    def test_a_name_that_cannot_be(self, project: str) -> None:
        with pytest.raises(ProjectUnusable):
            context_folder(project)

    def test_the_sentence_is_clean(self) -> None:
        with pytest.raises(ProjectUnusable) as told:
            context_folder("/\x1b]0;owned\x07\u202e\nx")
        assert str(told.value).isprintable()

    @pytest.mark.parametrize("closed", ["", ".claude", ".claude/context"])
    def test_a_folder_that_cannot_be_written(self, closed: str) -> None:
        with tempfile.TemporaryDirectory() as made:  # pytest's own lets nobody else in
            os.chmod(made, 0o755)
            project = Path(made) / "project"
            (project / closed).mkdir(parents=True, exist_ok=True)
            (project / closed).chmod(0o500)
            assert "Permission denied" in said_without_privileges(made, str(project))
            (project / closed).chmod(0o700)


def said_without_privileges(made: str, project: str) -> str:
    """What writing into the project ends with, for a user who may not write everywhere."""
    output, child_output = os.pipe()
    child = os.fork()
    if not child:
        try:
            if IS_ROOT:
                for path in (made, *map(str, Path(made).rglob("*"))):
                    os.chown(path, 65_534, 65_534)
                os.setresgid(65_534, 65_534, 65_534)
                os.setresuid(65_534, 65_534, 65_534)
            write_context_file(project, TRACKER, b"")
        except BaseException as reason:
            os.write(child_output, f"{type(reason).__name__}: {reason}".encode())
        os._exit(0)
    os.close(child_output)
    with os.fdopen(output) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said
