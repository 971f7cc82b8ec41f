import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tokenbudget.cli.output_file import opened_output, told_path, write_to
from tokenbudget.model.errors import BadRequest, LedgerDamaged, ProjectUnusable, Refused


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def broken() -> Iterator[str]:
    yield "new"
    raise LedgerDamaged("half way")


def test_our_folder_is_the_default(here: Path) -> None:
    path = write_to(None, "token-report.txt", ["a", b"b", "\ud83dé"])

    assert path == str(here / ".claude/context/token-report.txt")
    assert Path(path).read_bytes() == "ab?é".encode()
    assert told_path(path) == ".claude/context/token-report.txt"


def test_another_project_is_named(here: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = write_to(None, "token-report.txt", ["a"], project=str(tmp_path / "other"))

    assert path == str(tmp_path / "other/.claude/context/token-report.txt")


def test_a_path_is_written_as_named(here: Path) -> None:
    assert write_to("out.txt", "token-x", ["a"]) == "out.txt"
    assert (here / "out.txt").stat().st_mode & 0o777 == 0o600


def test_standard_output_has_no_path(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    print("before")

    assert write_to("-", "token-x", ["é", b"\xff"]) == ""
    assert capsysbinary.readouterr().out == b"before\n\xc3\xa9\xff"


@pytest.mark.parametrize("output", [None, "out.txt"])
def test_where_the_content_fails_its_own_error_is_told(here: Path, output: str | None) -> None:
    path = Path(write_to(output, "token-x", ["old"]))
    with pytest.raises(LedgerDamaged, match="half way"):
        write_to(output, "token-x", broken())

    assert path.read_text() == "old"
    assert (
        len([name for name in os.listdir(path.parent) if "token-x" in name or "out" in name]) == 1
    )


def test_a_pipe_is_written_to(here: Path) -> None:
    os.mkfifo(here / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((here / "pipe").read_text()))
    reader.start()
    write_to("pipe", "token-x", ["through"])
    reader.join(5)

    assert read == ["through"]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bytes_go_to_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Screen())

    with (
        pytest.raises(BadRequest, match="terminal"),
        opened_output("-", "token-x", is_binary=True) as _,
    ):
        raise AssertionError("opened")


def test_a_folder_that_is_gone_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()

    with pytest.raises(ProjectUnusable, match="--output"):
        write_to(None, "token-x", ["a"])


def test_a_home_without_rights_is_refused(here: Path) -> None:
    (here / ".claude").symlink_to("/")

    with pytest.raises(Refused, match="link"):
        write_to(None, "token-x", ["a"])


def test_a_hostile_path_is_told_in_one_line(here: Path) -> None:
    with pytest.raises(ProjectUnusable) as told:
        write_to("no\n\x1b[2Jwhere/x", "token-x", ["a"])

    assert str(told.value).isprintable()
    assert told_path("/x/\x1b[2J\ny").isprintable()
