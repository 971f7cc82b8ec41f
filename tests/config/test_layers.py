import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.conftest import Desk

from tokenbudget.config.layers import Place, layers_of, project_dir, read_layer
from tokenbudget.config.management import LOCAL, OURS, PROJECT, USER, BadLayer, resolve


def mark(folder: Path) -> Path:
    """Put a settings file into a folder."""
    (folder / ".claude").mkdir(parents=True)
    (folder / ".claude" / "settings.json").write_text("{}")
    return folder


class TestProject:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Path:
        (tmp_path / "home" / "repo" / "a" / "b").mkdir(parents=True)
        (tmp_path / "home" / "repo" / ".git").mkdir()
        return tmp_path / "home"

    def test_is_the_root_of_the_repository_where_no_file_is(self, home: Path) -> None:
        assert project_dir(str(home / "repo/a/b"), str(home)) == str(home / "repo")

    def test_is_the_nearest_folder_that_has_one(self, home: Path) -> None:
        mark(home / "repo")
        assert project_dir(str(home / "repo/a/b"), str(home)) == str(home / "repo")

        mark(home / "repo/a")
        assert project_dir(str(home / "repo/a/b"), str(home)) == str(home / "repo/a")

    def test_a_local_file_alone_counts(self, home: Path) -> None:
        (home / "repo/a/.claude").mkdir()
        (home / "repo/a/.claude/settings.local.json").write_text("{}")

        assert project_dir(str(home / "repo/a/b"), str(home)) == str(home / "repo/a")

    def test_nothing_above_the_root_counts(self, home: Path) -> None:
        inner = home / "repo" / "vendor" / "other"
        (inner / ".git").mkdir(parents=True)
        mark(home / "repo")

        assert project_dir(str(inner), str(home)) == str(inner)

    def test_a_worktree_has_a_file_for_its_root(self, home: Path) -> None:
        tree = home / "tree"
        (tree / "src").mkdir(parents=True)
        (tree / ".git").write_text("gitdir: /elsewhere")

        assert project_dir(str(tree / "src"), str(home)) == str(tree)

    def test_outside_of_a_repository_only_the_folder_itself_counts(
        self, home: Path, tmp_path: Path
    ) -> None:
        mark(tmp_path)  # a folder that anybody may write, such as /tmp
        (tmp_path / "scratch").mkdir()

        assert project_dir(str(tmp_path / "scratch"), str(home)) == str(tmp_path / "scratch")

    def test_home_and_what_lies_above_it_are_none(self, home: Path, tmp_path: Path) -> None:
        mark(home)
        (home / ".git").mkdir()  # a repository of dotfiles

        assert project_dir(str(home), str(home)) == ""
        assert project_dir(str(tmp_path), str(home)) == ""
        assert project_dir("/", str(home)) == ""
        assert project_dir(str(home / "notes"), str(home)) == str(home / "notes")

    def test_nowhere_is_none(self, home: Path) -> None:
        assert project_dir("", str(home)) == ""


class TestOrder:
    def test_every_layer_in_its_place(self, desk: Desk) -> None:
        layers = layers_of(desk.strict())

        assert [layer.where for layer in layers if layer.kind == OURS] == [str(desk.ours)]
        assert [layer.where for layer in layers if layer.kind != OURS] == [
            str(desk.home / ".config/claude/settings.json"),
            str(desk.user),
            str(desk.project),
            str(desk.local),
            "",
        ]

    def test_each_layer_wins_over_those_before(self, desk: Desk) -> None:
        share = 0.4
        desk.write(desk.ours, "tokenManagement.warningThreshold = 0.41\n")
        seen = [desk.strict().management().warning_share]
        for path in (
            desk.home / ".config/claude/settings.json",
            desk.user,
            desk.project,
            desk.local,
        ):
            share += 0.02
            desk.write(path, {"warningThreshold": share})
            seen.append(round(desk.strict().management().warning_share, 2))
        seen.append(desk.strict(TOKENS_WARNING_THRESHOLD="49%").management().warning_share)

        assert seen == [0.41, 0.42, 0.44, 0.46, 0.48, 0.49]

    def test_the_first_named_folder_wins(self, desk: Desk) -> None:
        for name, share in (("a", 0.1), ("b", 0.2)):
            desk.write(desk.home / name / "settings.json", {"warningThreshold": share})
        folders = f"{desk.home}/a,{desk.home}/b"

        assert desk.strict(CLAUDE_CONFIG_DIR=folders).management().warning_share == 0.1

    def test_a_file_that_is_the_users_and_the_projects_is_read_once(self, desk: Desk) -> None:
        layers = layers_of(desk.strict(CLAUDE_CONFIG_DIR=str(desk.project.parent)))

        assert [layer.where for layer in layers].count(str(desk.project)) == 1


class TestReading:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"{", "is no JSON"),
            (b"[]", "is no JSON: it is no object"),
            (b"null", "it is no object"),
            (b"\xff\xfe{}", "is no JSON"),
            (b"[" * 100_000, "is no JSON: it is nested too deeply"),
            (b'{"a": ' + b"9" * 5000 + b"}", "is no JSON"),
        ],
    )
    def test_what_is_no_json_is_a_fault_and_no_error(
        self, tmp_path: Path, data: bytes, said: str
    ) -> None:
        path = tmp_path / "settings.json"
        path.write_bytes(data)
        layer = read_layer(Place(USER, str(path)))

        assert said in layer.fault
        assert layer.table is None

    def test_other_keys_are_none_of_our_business(self, tmp_path: Path) -> None:
        path = tmp_path / "settings.json"
        path.write_bytes(b'\xef\xbb\xbf{"model": [NaN, 1e999], "x": {"tokenManagement": 1}}')

        assert read_layer(Place(USER, str(path)))[2:] == (None, "", True)

    @pytest.mark.parametrize("make", ["fifo", "folder", "loop", "large"])
    def test_what_is_no_file_is_a_fault_at_once(self, tmp_path: Path, make: str) -> None:
        path = tmp_path / "settings.json"
        if make == "fifo":
            os.mkfifo(path)
        elif make == "folder":
            path.mkdir()
        elif make == "loop":
            path.symlink_to(path)
        else:
            with path.open("wb") as handle:
                handle.truncate(100_000_000)

        assert read_layer(Place(PROJECT, str(path))).fault.startswith("cannot be read: ")

    def test_an_empty_file_says_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "settings.json"
        path.write_text(" \n")

        assert read_layer(Place(LOCAL, str(path))) == (LOCAL, str(path), None, "", True)

    @given(st.binary(max_size=80))
    def test_any_bytes_are_a_layer(self, data: bytes) -> None:
        self.read(data)

    @given(
        st.dictionaries(
            st.sampled_from(["autoOptimize", "warningThreshold", "x"]),
            st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        ),
        st.integers(0, 200),
    )
    def test_a_torn_file_is_a_layer(self, table: dict[str, object], length: int) -> None:
        self.read(json.dumps({"tokenManagement": table}).encode()[:length])

    def read(self, data: bytes) -> None:
        """Read bytes as a settings file: values or a sentence, and nothing else."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "settings.json")
            path.write_bytes(data)
            layer = read_layer(Place(USER, str(path)))
            try:
                resolve([layer])
            except BadLayer as exc:
                refusal = str(exc)
            else:
                refusal = str(path)
            assert str(path) in refusal
